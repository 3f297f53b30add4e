/* Makes certificates with mbedTLS's writer. */
#include "tests/unit/io/tls_certs.h"

#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <time.h>

#include "core/base/rng.h"

#define CERT_BYTES 4096

static int random_bytes(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    return mw_random_bytes(out, len);
}

/* An RSA key of a size, made at its first use. */
static const char *rsa_pem(unsigned bits)
{
    static char pems[2][2048];
    char *pem = pems[bits > 1024];
    if (pem[0])
        return pem;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    assert_int_equal(mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)), 0);
    assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), random_bytes, NULL, bits, 65537), 0);
    assert_int_equal(mbedtls_pk_write_key_pem(&pk, (unsigned char *)pem, sizeof(pems[0])), 0);
    mbedtls_pk_free(&pk);
    return pem;
}

static void make_rsa(mbedtls_pk_context *pk, unsigned bits)
{
    const char *pem = rsa_pem(bits);
    assert_int_equal(mbedtls_pk_parse_key(pk, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
                                          random_bytes, NULL),
                     0);
}

static void make_ec(mbedtls_pk_context *pk, mbedtls_ecp_group_id group)
{
    assert_int_equal(mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
    assert_int_equal(mbedtls_ecp_gen_key(group, mbedtls_pk_ec(*pk), random_bytes, NULL), 0);
}

static void make_key(mbedtls_pk_context *pk, enum key_kind kind)
{
    mbedtls_pk_init(pk);
    switch (kind) {
    case KEY_EC:
        make_ec(pk, MBEDTLS_ECP_DP_SECP256R1);
        break;
    case KEY_EC384:
        make_ec(pk, MBEDTLS_ECP_DP_SECP384R1);
        break;
    case KEY_RSA:
        make_rsa(pk, 2048);
        break;
    case KEY_RSA1024:
        make_rsa(pk, 1024);
        break;
    }
}

static void put_names(mbedtls_x509write_cert *writer, const struct cert_wish *wish)
{
    static unsigned char loopback[4] = { 127, 0, 0, 1 };
    mbedtls_x509_san_list names[MW_COUNT(wish->hosts)] = { 0 };
    size_t count = 0;
    for (; count < MW_COUNT(wish->hosts) && wish->hosts[count]; count++) {
        const char *host = wish->hosts[count];
        bool is_address = strncmp(host, "4:", 2) == 0;
        mbedtls_x509_subject_alternative_name *node = &names[count].node;
        node->type = is_address ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
        node->san.unstructured_name.p = is_address ? loopback : (unsigned char *)host;
        node->san.unstructured_name.len = is_address ? sizeof(loopback) : strlen(host);
        if (count > 0)
            names[count - 1].next = &names[count];
    }
    if (count > 0)
        assert_int_equal(mbedtls_x509write_crt_set_subject_alternative_name(writer, names), 0);
}

static void put_purpose(mbedtls_x509write_cert *writer, const char *oid, size_t len)
{
    mbedtls_asn1_sequence purpose = { 0 };
    purpose.buf.tag = MBEDTLS_ASN1_OID;
    purpose.buf.p = (unsigned char *)oid;
    purpose.buf.len = len;
    assert_int_equal(mbedtls_x509write_crt_set_ext_key_usage(writer, &purpose), 0);
}

static void put_use(mbedtls_x509write_cert *writer, enum cert_use use)
{
    bool is_ca = use == USE_AUTHORITY;
    assert_int_equal(mbedtls_x509write_crt_set_basic_constraints(writer, is_ca, -1), 0);
    unsigned usage = is_ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    assert_int_equal(mbedtls_x509write_crt_set_key_usage(writer, usage), 0);
    switch (use) {
    case USE_SERVER:
        put_purpose(writer, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
        break;
    case USE_CLIENT:
        put_purpose(writer, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
        break;
    case USE_AUTHORITY:
        break;
    }
}

static void put_times(mbedtls_x509write_cert *writer, const struct cert_wish *wish)
{
    bool is_usual = wish->from_days == 0 && wish->to_days == 0;
    time_t moments[2] = { time(NULL), time(NULL) };
    char texts[2][16];
    moments[0] += (is_usual ? -1 : wish->from_days) * 86400;
    moments[1] += (is_usual ? 1 : wish->to_days) * 86400;
    for (int i = 0; i < 2; i++) {
        struct tm parts;
        assert_non_null(gmtime_r(&moments[i], &parts));
        assert_int_equal(strftime(texts[i], sizeof(texts[i]), "%Y%m%d%H%M%S", &parts), 14);
    }
    assert_int_equal(mbedtls_x509write_crt_set_validity(writer, texts[0], texts[1]), 0);
}

void cert_make(struct cert *cert, const struct cert_wish *wish)
{
    static unsigned char serial = 1;
    const struct cert *issuer = wish->issuer ? wish->issuer : cert;
    mbedtls_x509write_cert writer;
    memset(cert, 0, sizeof(*cert));
    (void)snprintf(cert->subject, sizeof(cert->subject), "%s", wish->subject);
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    make_key(&cert->pk, wish->kind);
    mbedtls_x509write_crt_init(&writer);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &cert->pk);
    mbedtls_x509write_crt_set_issuer_key(&writer, (mbedtls_pk_context *)&issuer->pk);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&writer, cert->subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&writer, issuer->subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&writer, &serial, 1), 0);
    serial++;
    put_times(&writer, wish);
    put_names(&writer, wish);
    put_use(&writer, wish->use);
    assert_int_equal(mbedtls_x509write_crt_pem(&writer, (unsigned char *)cert->chain,
                                               sizeof(cert->chain), random_bytes, NULL),
                     0);
    assert_int_equal(
        mbedtls_pk_write_key_pem(&cert->pk, (unsigned char *)cert->key, sizeof(cert->key)), 0);
    mbedtls_x509write_crt_free(&writer);
}

void cert_free(struct cert *cert)
{
    mbedtls_pk_free(&cert->pk);
}

struct mw_tls_pair cert_pair(const struct cert *cert)
{
    return (struct mw_tls_pair){ cert->subject, cert->subject, mw_view_text(cert->chain),
                                 mw_view_text(cert->key) };
}
