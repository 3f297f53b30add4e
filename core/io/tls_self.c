/*
 * A certificate of its own making, for trying things out on one's own machine. Nothing is kept: a
 * new one each time, so nobody can come to rely on it.
 */
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/sha256.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <time.h>

#include "core/io/tls_mbed.h"

#define NAME         "CN=localhost,O=Moonwire throw-away"
#define AN_HOUR_S    3600
#define A_DAY_S      86400
#define SERIAL_BYTES 16

struct maker {
    mbedtls_pk_context key;
    mbedtls_x509write_cert cert;
};

static unsigned char v4[4] = { 127, 0, 0, 1 };
static unsigned char v6[16] = { [15] = 1 };
static unsigned char host[] = "localhost";

static int put_names(mbedtls_x509write_cert *cert)
{
    mbedtls_x509_san_list last = { 0 }, second = { 0 }, first = { 0 };
    last.node.type = second.node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
    first.node.type = MBEDTLS_X509_SAN_DNS_NAME;
    last.node.san.unstructured_name = (mbedtls_x509_buf){ .p = v6, .len = sizeof(v6) };
    second.node.san.unstructured_name = (mbedtls_x509_buf){ .p = v4, .len = sizeof(v4) };
    first.node.san.unstructured_name = (mbedtls_x509_buf){ .p = host, .len = sizeof(host) - 1 };
    first.next = &second;
    second.next = &last;
    return mbedtls_x509write_crt_set_subject_alternative_name(cert, &first);
}

static int put_usage(mbedtls_x509write_cert *cert)
{
    mbedtls_asn1_sequence server = { 0 };
    server.buf.tag = MBEDTLS_ASN1_OID;
    server.buf.p = (unsigned char *)MBEDTLS_OID_SERVER_AUTH;
    server.buf.len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH);
    int code = mbedtls_x509write_crt_set_ext_key_usage(cert, &server);
    if (!code)
        code = mbedtls_x509write_crt_set_key_usage(cert, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    return code ? code : mbedtls_x509write_crt_set_basic_constraints(cert, 0, -1);
}

/* "20261121103000" of a moment. */
static void write_time(int64_t unix_s, char out[16])
{
    time_t moment = (time_t)unix_s;
    struct tm parts;
    out[0] = '\0';
    if (gmtime_r(&moment, &parts))
        (void)strftime(out, 16, "%Y%m%d%H%M%S", &parts);
}

static int put_times(mbedtls_x509write_cert *cert, int64_t now_unix_s, unsigned days)
{
    char from[16], to[16];
    write_time(now_unix_s - AN_HOUR_S, from);
    write_time(now_unix_s + (int64_t)days * A_DAY_S, to);
    return mbedtls_x509write_crt_set_validity(cert, from, to);
}

static int put_serial(mbedtls_x509write_cert *cert)
{
    unsigned char serial[SERIAL_BYTES];
    int code = mw_tls_random(NULL, serial, sizeof(serial));
    serial[0] = (serial[0] & 0x7f) | 0x40; /* RFC 5280 4.1.2.2: positive, and of this length */
    return code ? code : mbedtls_x509write_crt_set_serial_raw(cert, serial, sizeof(serial));
}

static int put_all(struct maker *maker, int64_t now_unix_s, unsigned days)
{
    mbedtls_x509write_cert *cert = &maker->cert;
    mbedtls_x509write_crt_set_version(cert, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(cert, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(cert, &maker->key);
    mbedtls_x509write_crt_set_issuer_key(cert, &maker->key);
    int code = mbedtls_x509write_crt_set_subject_name(cert, NAME);
    if (!code)
        code = mbedtls_x509write_crt_set_issuer_name(cert, NAME);
    if (!code)
        code = put_serial(cert);
    if (!code)
        code = put_times(cert, now_unix_s, days);
    if (!code)
        code = put_names(cert);
    return code ? code : put_usage(cert);
}

static int make_key(mbedtls_pk_context *key)
{
    int code = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    return code ? code
                : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), mw_tls_random,
                                      NULL);
}

/* As browsers show it: SHA-256 of the DER. */
static int write_fingerprint(const unsigned char *der, size_t len, char out[96])
{
    unsigned char digest[32];
    int code = mbedtls_sha256(der, len, digest, 0);
    for (size_t i = 0; i < sizeof(digest) && !code; i++)
        (void)snprintf(out + 3 * i, 4, i + 1 < sizeof(digest) ? "%02X:" : "%02X", digest[i]);
    return code;
}

static int write_cert(struct maker *maker, char chain[2048], char fingerprint[96])
{
    unsigned char der[1024]; /* mbedTLS writes from the end */
    size_t written;
    int len = mbedtls_x509write_crt_der(&maker->cert, der, sizeof(der), mw_tls_random, NULL);
    if (len < 0)
        return len;
    const unsigned char *begin = der + sizeof(der) - len;
    int code =
        mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
                                 begin, (size_t)len, (unsigned char *)chain, 2048, &written);
    return code ? code : write_fingerprint(begin, (size_t)len, fingerprint);
}

int mw_tls_throw_away(int64_t now_unix_s, unsigned days, char chain[2048], char key[512],
                      char fingerprint[96])
{
    struct maker maker;
    mbedtls_pk_init(&maker.key);
    mbedtls_x509write_crt_init(&maker.cert);
    int code =
        psa_crypto_init() == PSA_SUCCESS ? make_key(&maker.key) : MBEDTLS_ERR_PK_ALLOC_FAILED;
    if (!code)
        code = put_all(&maker, now_unix_s, days);
    if (!code)
        code = write_cert(&maker, chain, fingerprint);
    if (!code)
        code = mbedtls_pk_write_key_pem(&maker.key, (unsigned char *)key, 512);
    mbedtls_x509write_crt_free(&maker.cert);
    mbedtls_pk_free(&maker.key);
    return code ? MW_ERR_NOMEM : MW_OK;
}
