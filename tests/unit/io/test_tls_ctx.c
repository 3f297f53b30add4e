#include "core/io/tls_ctx.h"

#include <stdio.h>
#include <time.h>

#include "tests/unit/io/tls_line.h"

static struct cert moon, moon_rsa, star, plain_cn, other, rsa1024;

/* ---- which certificate ---- */

static const struct choice {
    const char *sni;
    int tls;
    bool knows_rsa_alone;
    const char *want;
} choices[] = {
    { "moon.test", 13, false, "CN=moon" },
    { "MOON.Test", 13, false, "CN=moon" },
    { "moon.test", 12, true, "CN=moon-rsa" },
    { "moon.test", 13, true, "CN=moon-rsa" },
    { "a.star.test", 13, false, "CN=star" },
    { "A.STAR.TEST", 12, false, "CN=star" },
    { "star.test", 13, false, "CN=moon" },     /* a label must stand for the asterisk, */
    { "b.a.star.test", 13, false, "CN=moon" }, /* and no more than one */
    { "plain.test", 13, false, "CN=plain.test" },
    { "hidden.test", 13, false, "CN=moon" }, /* a CN does not count beside a SAN */
    { "www.other.test", 12, false, "CN=hidden.test" },
    { "nobody.test", 13, false, "CN=moon" },
    { "nobody.test", 12, true, "CN=moon-rsa" }, /* the sibling of the first of all */
    { NULL, 13, false, "CN=moon" },
    { NULL, 12, true, "CN=moon-rsa" },
};

static const int rsa_ciphers[] = { MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                                   MBEDTLS_TLS1_3_AES_128_GCM_SHA256, 0 };
static const uint16_t rsa_schemes[] = { MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                        MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                        MBEDTLS_TLS1_3_SIG_NONE };

TEST(the_name_and_the_kind_of_key_choose_the_certificate)
{
    struct mw_tls_pair pairs[] = { cert_pair(&moon), cert_pair(&moon_rsa), cert_pair(&star),
                                   cert_pair(&plain_cn), cert_pair(&other) };
    struct mw_tls_setup setup = { .pairs = pairs, .pair_count = MW_COUNT(pairs) };
    for (size_t i = 0; i < MW_COUNT(choices); i++) {
        struct line line;
        char saw[64];
        struct client_wish wish = { .tls = choices[i].tls, .sni = choices[i].sni };
        if (choices[i].knows_rsa_alone) {
            wish.ciphers = rsa_ciphers;
            wish.schemes = rsa_schemes;
        }
        open_line(&line, &setup, &wish);
        wait_until(&line.world, is_shaken, &line);
        assert_string_equal(mw_stream_fault(line.owner.stream), "");
        assert_string_equal(client_saw(&line.client, saw), choices[i].want);
        close_line(&line);
    }
}

/* ---- what is refused ---- */

static const char encrypted_key[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                    "MAAAAAAA\n"
                                    "-----END ENCRYPTED PRIVATE KEY-----\n";

static int try_pair(const char *chain, const char *key, char why[256])
{
    struct mw_mem mem;
    struct mw_tls_ctx *ctx = NULL;
    struct mw_tls_pair pair = { "moon.pem", "moon.key", mw_view_text(chain), mw_view_text(key) };
    struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1 };
    mw_mem_init(&mem, NULL, 0);
    int err = mw_tls_ctx_new(&mem, &setup, &ctx, why);
    if (!err)
        mw_tls_ctx_release(ctx);
    assert_mem_empty(&mem);
    assert_int_equal(mw_shared_bytes(), 0);
    return err;
}

TEST(a_bad_pair_is_refused_by_name_with_what_to_do)
{
    char two[8192];
    (void)snprintf(two, sizeof(two), "%s%s", other.chain, moon.chain);
    const struct {
        const char *chain, *key, *why;
    } bad[] = {
        { "", moon.key,
          "moon.pem: there is no certificate in it; put PEM there, from -----BEGIN "
          "CERTIFICATE----- on" },
        { moon.key, moon.key,
          "moon.pem: there is no certificate in it; put PEM there, from -----BEGIN "
          "CERTIFICATE----- on" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", moon.key,
          "moon.pem: a certificate in it is broken; was the file cut off or edited?" },
        { moon.chain, "",
          "moon.key: there is no private key in it; put PEM there, from -----BEGIN PRIVATE "
          "KEY----- on" },
        { moon.chain, encrypted_key,
          "moon.key: the private key is encrypted; take the password off with 'openssl pkey -in "
          "KEY -out "
          "NEW'" },
        { moon.chain, other.key,
          "moon.pem, moon.key: the private key belongs to another certificate; give those made "
          "together" },
        { two, moon.key,
          "moon.pem: the key's certificate is not the first; put it above its issuers" },
        { rsa1024.chain, rsa1024.key,
          "moon.key: the RSA key is shorter than 2048 bits, which clients refuse; make a longer "
          "one" },
    };
    for (size_t i = 0; i < MW_COUNT(bad); i++) {
        char why[256];
        assert_int_equal(try_pair(bad[i].chain, bad[i].key, why), MW_ERR_BAD_ARG);
        assert_string_equal(why, bad[i].why);
    }
    char why[256];
    assert_int_equal(try_pair(moon.chain, moon.key, why), MW_OK);
    assert_string_equal(why, "");
}

TEST(authorities_that_are_none_are_refused)
{
    struct mw_mem mem;
    struct mw_tls_ctx *ctx = NULL;
    struct mw_tls_pair pair = cert_pair(&moon);
    struct mw_tls_setup setup = { .pairs = &pair,
                                  .pair_count = 1,
                                  .client = MW_TLS_CLIENT_OPTIONAL };
    char why[256];
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_tls_ctx_new(&mem, &setup, &ctx, why), MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "authorities of clients' certificates: there is no certificate"));
    assert_int_equal(mw_shared_bytes(), 0);
}

static bool make_ctx(struct mw_mem *mem)
{
    struct mw_tls_ctx *ctx = NULL;
    struct mw_tls_pair pair = cert_pair(&moon);
    struct mw_tls_setup setup = { .pairs = &pair,
                                  .pair_count = 1,
                                  .client = MW_TLS_CLIENT_REQUIRED,
                                  .client_ca = mw_view_text(other.chain) };
    char why[256];
    int err = mw_tls_ctx_new(mem, &setup, &ctx, why);
    assert_true(err == MW_OK || err == MW_ERR_NOMEM);
    if (!err)
        mw_tls_ctx_release(ctx);
    assert_int_equal(mw_shared_bytes(), 0);
    return err == MW_OK;
}

TEST(without_memory_there_is_no_context)
{
    assert_int_equal(fail_each_allocation(make_ctx), 3);
}

/* ---- what it says about itself ---- */

TEST(a_certificate_tells_its_names_and_when_it_expires)
{
    struct mw_mem mem;
    struct mw_tls_ctx *ctx = NULL;
    struct mw_tls_pair pairs[] = { cert_pair(&moon), cert_pair(&plain_cn) };
    struct mw_tls_setup setup = { .pairs = pairs, .pair_count = 2 };
    struct mw_tls_about about;
    char why[256];
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_tls_ctx_new(&mem, &setup, &ctx, why), MW_OK);
    assert_true(mw_tls_ctx_about(ctx, 0, &about));
    assert_string_equal(about.subject, "CN=moon");
    assert_int_equal(strlen(about.names), strlen("moon.test, www.moon.test, 127.0.0.1"));
    assert_non_null(strstr(about.names, "www.moon.test"));
    assert_non_null(strstr(about.names, "127.0.0.1"));
    int64_t tomorrow = (int64_t)time(NULL) + 86400;
    assert_in_range(about.expires_unix_s, tomorrow - 100, tomorrow);
    assert_true(mw_tls_ctx_about(ctx, 1, &about));
    assert_string_equal(about.names, "plain.test");
    assert_false(mw_tls_ctx_about(ctx, 2, &about));
    mw_tls_ctx_release(ctx);
    mw_tls_ctx_release(NULL);
}

TEST(a_throw_away_certificate_serves)
{
    struct line line;
    struct mw_tls_about about;
    char chain[2048], key[512], fingerprint[96], saw[64];
    assert_int_equal(mw_tls_throw_away((int64_t)time(NULL), 30, chain, key, fingerprint), MW_OK);
    assert_int_equal(strlen(fingerprint), 95);
    struct mw_tls_pair pair = { "throw-away", "throw-away", mw_view_text(chain),
                                mw_view_text(key) };
    struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1 };
    struct cert trust = { .subject = "" };
    (void)snprintf(trust.chain, sizeof(trust.chain), "%s", chain);
    open_line(&line, &setup,
              &(struct client_wish){ .tls = 13, .sni = "localhost", .trust = &trust });
    shake_hands(&line); /* who is given it trusts it for this name */
    assert_non_null(strstr(client_saw(&line.client, saw), "localhost"));
    assert_true(mw_tls_ctx_about(line.ctx, 0, &about));
    assert_non_null(strstr(about.names, "localhost"));
    assert_non_null(strstr(about.names, "127.0.0.1"));
    assert_non_null(strstr(about.names, "::1"));
    int64_t end = (int64_t)time(NULL) + 30 * 86400;
    assert_in_range(about.expires_unix_s, end - 100, end);
    close_line(&line);
}

static void make_certs(void)
{
    cert_make(&moon, &(struct cert_wish){ .subject = "CN=moon",
                                          .hosts = { "moon.test", "www.moon.test", "4:" } });
    cert_make(&moon_rsa, &(struct cert_wish){
                             .subject = "CN=moon-rsa", .hosts = { "moon.test" }, .kind = KEY_RSA });
    cert_make(&star, &(struct cert_wish){
                         .subject = "CN=star", .hosts = { "*.star.test" }, .kind = KEY_EC384 });
    cert_make(&plain_cn, &(struct cert_wish){ .subject = "CN=plain.test" });
    cert_make(&other,
              &(struct cert_wish){ .subject = "CN=hidden.test", .hosts = { "www.other.test" } });
    cert_make(&rsa1024, &(struct cert_wish){ .subject = "CN=weak", .kind = KEY_RSA1024 });
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_name_and_the_kind_of_key_choose_the_certificate),
        CASE(a_bad_pair_is_refused_by_name_with_what_to_do),
        CASE(authorities_that_are_none_are_refused),
        CASE(without_memory_there_is_no_context),
        CASE(a_certificate_tells_its_names_and_when_it_expires),
        CASE(a_throw_away_certificate_serves),
    };
    struct cert *certs[] = { &moon, &moon_rsa, &star, &plain_cn, &other, &rsa1024 };
    make_certs();
    int failed = RUN(cases);
    for (size_t i = 0; i < MW_COUNT(certs); i++)
        cert_free(certs[i]);
    return failed;
}
