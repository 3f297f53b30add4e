/*
 * A certificate and its key out of PEM, or a sentence for who made the files: what is wrong with
 * which, and what to do. Knows no connection.
 */
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/io/tls_mbed.h"

#define WHY_BYTES 256

/* What clients of today refuse anyway (CA/Browser Forum BR 6.1.5). */
#define MIN_RSA_BITS 2048

void mw_tls_loaded_init(struct mw_tls_loaded *pair)
{
    mbedtls_x509_crt_init(&pair->chain);
    mbedtls_pk_init(&pair->key);
}

void mw_tls_loaded_free(struct mw_tls_loaded *pair)
{
    mbedtls_x509_crt_free(&pair->chain);
    mbedtls_pk_free(&pair->key);
}

static int refuse(const char *name, const char *what, char why[WHY_BYTES])
{
    (void)snprintf(why, WHY_BYTES, "%s: %s", name, what);
    return MW_ERR_BAD_ARG;
}

/* mbedTLS adds the code of one module and that of a module below it. */
static int high_part(int code)
{
    return -(-code & 0xff80);
}

/* What a code of mbedTLS means for a certificate or a key; the first row counts. */
struct cause {
    int code;
    const char *what;
};

static const char no_cert[] =
    "there is no certificate in it; put PEM there, from -----BEGIN CERTIFICATE----- on";
static const char no_key[] =
    "there is no private key in it; put PEM there, from -----BEGIN PRIVATE KEY----- on";
static const char odd_key[] =
    "the private key is of a kind that is not supported; make one of ECDSA P-256 or RSA";
static const char locked_key[] =
    "the private key is encrypted; take the password off with 'openssl pkey -in KEY -out NEW'";

static const struct cause cert_causes[] = {
    { MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG,
      "a certificate is signed by an algorithm that is not supported; use RSA or ECDSA" },
    { 0, "a certificate in it is broken; was the file cut off or edited?" },
};

static const struct cause key_causes[] = {
    { MBEDTLS_ERR_PK_PASSWORD_REQUIRED, locked_key },
    { MBEDTLS_ERR_PK_PASSWORD_MISMATCH, locked_key },
    { MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, odd_key },
    { MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, odd_key },
    { 0, "the private key in it is broken; was the file cut off or edited?" },
};

static const char *cause_of(const struct cause *cause, int code)
{
    while (cause->code && cause->code != high_part(code))
        cause++;
    return cause->what;
}

static bool is_memory(int code)
{
    int high = high_part(code);
    return high == MBEDTLS_ERR_X509_ALLOC_FAILED || high == MBEDTLS_ERR_PK_ALLOC_FAILED ||
           code == MBEDTLS_ERR_PEM_ALLOC_FAILED;
}

static void wipe(struct mw_mem *mem, char *copy, size_t len)
{
    mbedtls_platform_zeroize(copy, len);
    mw_free(mem, copy, len + 1);
}

/* mbedTLS wants the NUL behind PEM, and to be told of it. */
static int parse_certs(struct mw_mem *mem, const char *name, struct mw_view pem,
                       mbedtls_x509_crt *chain, char why[WHY_BYTES])
{
    char *copy = mw_mem_copy(mem, pem);
    if (!copy)
        return MW_ERR_NOMEM;
    bool is_pem = strstr(copy, "-----BEGIN CERTIFICATE-----");
    int code = mbedtls_x509_crt_parse(chain, (unsigned char *)copy, pem.len + 1);
    wipe(mem, copy, pem.len);
    if (!is_pem)
        return refuse(name, no_cert, why);
    if (code == 0)
        return MW_OK;
    if (is_memory(code))
        return MW_ERR_NOMEM;
    return refuse(name, cause_of(cert_causes, code > 0 ? 0 : code), why);
}

static int parse_key(struct mw_mem *mem, const char *name, struct mw_view pem,
                     mbedtls_pk_context *key, char why[WHY_BYTES])
{
    char *copy = mw_mem_copy(mem, pem);
    if (!copy)
        return MW_ERR_NOMEM;
    bool is_pem = strstr(copy, "PRIVATE KEY-----"), is_locked = strstr(copy, "BEGIN ENCRYPTED");
    int code =
        mbedtls_pk_parse_key(key, (unsigned char *)copy, pem.len + 1, NULL, 0, mw_tls_random, NULL);
    wipe(mem, copy, pem.len);
    if (!is_pem || is_locked)
        return refuse(name, is_locked ? locked_key : no_key, why);
    if (code == 0)
        return MW_OK;
    return is_memory(code) ? MW_ERR_NOMEM : refuse(name, cause_of(key_causes, code), why);
}

/* The curves that the signature algorithms we offer have. */
static bool is_curve_offered(const mbedtls_pk_context *key)
{
    size_t bits = mbedtls_pk_get_bitlen(key);
    return bits == 256 || bits == 384 || bits == 521;
}

static const char *what_is_weak(const mbedtls_pk_context *key)
{
    if (mbedtls_pk_can_do(key, MBEDTLS_PK_RSA))
        return mbedtls_pk_get_bitlen(key) < MIN_RSA_BITS ? "the RSA key is shorter than 2048 bits, "
                                                           "which clients refuse; make a longer one"
                                                         : NULL;
    if (!mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA) || !is_curve_offered(key))
        return odd_key;
    return NULL;
}

static bool is_of(const mbedtls_x509_crt *cert, const mbedtls_pk_context *key)
{
    return mbedtls_pk_check_pair(&cert->pk, key, mw_tls_random, NULL) == 0;
}

static int check_pair(const struct mw_tls_pair *from, const struct mw_tls_loaded *pair,
                      char why[WHY_BYTES])
{
    if (is_of(&pair->chain, &pair->key)) {
        const char *weak = what_is_weak(&pair->key);
        return weak ? refuse(from->key_name, weak, why) : MW_OK;
    }
    for (const mbedtls_x509_crt *cert = pair->chain.next; cert; cert = cert->next) {
        if (is_of(cert, &pair->key))
            return refuse(from->chain_name,
                          "the key's certificate is not the first; put it above its issuers", why);
    }
    (void)snprintf(why, WHY_BYTES,
                   "%.64s, %.64s: the private key belongs to another certificate; give those made "
                   "together",
                   from->chain_name, from->key_name);
    return MW_ERR_BAD_ARG;
}

int mw_tls_pair_load(struct mw_mem *mem, const struct mw_tls_pair *from, struct mw_tls_loaded *pair,
                     char why[WHY_BYTES])
{
    int err = parse_certs(mem, from->chain_name, from->chain, &pair->chain, why);
    if (!err)
        err = parse_key(mem, from->key_name, from->key, &pair->key, why);
    return err ? err : check_pair(from, pair, why);
}

int mw_tls_bundle_load(struct mw_mem *mem, struct mw_view pem, mbedtls_x509_crt *ca,
                       char why[WHY_BYTES])
{
    static const char name[] = "the authorities of servers' certificates";
    char *copy = mw_mem_copy(mem, pem);
    if (!copy)
        return MW_ERR_NOMEM;
    int code = mbedtls_x509_crt_parse(ca, (unsigned char *)copy, pem.len + 1);
    mw_free(mem, copy, pem.len + 1);
    if (is_memory(code))
        return MW_ERR_NOMEM;
    return ca->raw.len > 0 ? MW_OK : refuse(name, no_cert, why);
}

int mw_tls_ca_load(struct mw_mem *mem, struct mw_view pem, mbedtls_x509_crt *ca,
                   char why[WHY_BYTES])
{
    return parse_certs(mem, "the authorities of clients' certificates", pem, ca, why);
}
