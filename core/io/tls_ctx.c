/*
 * The context: one configuration of mbedTLS with its certificates, immutable once made, so that
 * every thread reads it without a lock. What is negotiable is said here, in tables.
 */
#include <psa/crypto.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/io/tls_mbed.h"

/*
 * Forward secrecy and authenticated encryption only (RFC 9325 4.2). AES-128 first: as safe, and
 * cheaper where the processor has AES; what a phone without it prefers is up to its own order in
 * TLS 1.3.
 */
static const int ciphers[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,       MBEDTLS_TLS1_3_SIG_NONE,
};

/*
 * A client's: the same, but PKCS #1 before PSS. A server of TLS 1.2 that goes by the client's
 * order takes the first that it knows, and with that version mbedTLS does not verify PSS
 * (MW_TLS_FAULT_SIGNATURE); in TLS 1.3 only PSS may be taken anyway.
 */
static const uint16_t client_signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE,
};

/* RFC 7301: who offers others alone is refused, so that nobody takes us for HTTP/2. */
static const char *protocols[] = { "http/1.1", NULL };

struct mw_tls_ctx {
    atomic_uint holders;
    enum mw_tls_version least;
    mbedtls_ssl_config config;
    mbedtls_x509_crt trusted; /* who signs for the other side */
    struct mw_tls_tickets *tickets;
    size_t room, count; /* of pairs; count: loaded so far */
    struct mw_tls_loaded pairs[];
};

static size_t bytes_of(size_t count)
{
    return sizeof(struct mw_tls_ctx) + count * sizeof(struct mw_tls_loaded);
}

int mw_tls_random(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    return mw_random_bytes(out, len) ? MBEDTLS_ERR_SSL_NO_RNG : 0;
}

/* ---- which certificate ---- */

static bool is_rsa(const struct mw_tls_loaded *pair)
{
    return mbedtls_pk_can_do(&pair->key, MBEDTLS_PK_RSA);
}

/* The first pair of a kind whose names fit, or NULL. */
static struct mw_tls_loaded *find_pair(struct mw_tls_ctx *ctx, struct mw_view name, bool wants_rsa)
{
    for (size_t i = 0; i < ctx->count; i++) {
        struct mw_tls_loaded *pair = &ctx->pairs[i];
        if (is_rsa(pair) == wants_rsa && mw_tls_names_fit(&pair->chain, name))
            return pair;
    }
    return NULL;
}

/* The first pair of a kind for a host of the first of all: itself, or NULL. */
static struct mw_tls_loaded *find_sibling(struct mw_tls_ctx *ctx, bool wants_rsa)
{
    struct mw_tls_loaded *first = &ctx->pairs[0];
    for (size_t i = 0; i < ctx->count; i++) {
        struct mw_tls_loaded *pair = &ctx->pairs[i];
        bool is_akin = pair == first || mw_tls_names_share(&first->chain, &pair->chain);
        if (is_rsa(pair) == wants_rsa && is_akin)
            return pair;
    }
    return NULL;
}

static int offer(mbedtls_ssl_context *ssl, struct mw_tls_loaded *pair)
{
    return pair ? mbedtls_ssl_set_hs_own_cert(ssl, &pair->chain, &pair->key) : 0;
}

/*
 * Of each kind of key the first that fits, and mbedTLS takes what the client can verify. Who asks
 * for no name of ours gets the first of all, or its sibling of the other kind.
 */
static int choose_pairs(mbedtls_ssl_context *ssl, struct mw_tls_ctx *ctx, struct mw_view name)
{
    struct mw_tls_loaded *ecdsa = find_pair(ctx, name, false), *rsa = find_pair(ctx, name, true);
    if (!ecdsa && !rsa) {
        ecdsa = find_sibling(ctx, false);
        rsa = find_sibling(ctx, true);
    }
    int code = mbedtls_ssl_set_hs_own_cert(ssl, NULL, NULL); /* a second hello asks again */
    if (!code)
        code = offer(ssl, ecdsa);
    return code ? code : offer(ssl, rsa);
}

static bool is_host_name(struct mw_view name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '.' && c != '-' && c != '_')
            return false;
    }
    return name.len > 0;
}

static int on_hello(mbedtls_ssl_context *ssl)
{
    size_t len = 0;
    const unsigned char *text = mbedtls_ssl_get_hs_sni(ssl, &len);
    struct mw_view name = mw_view((const char *)text, text ? len : 0);
    struct mw_tls_hello *hello = mbedtls_ssl_get_user_data_p(ssl);
    if (!is_host_name(name) || name.len >= sizeof(hello->name))
        name.len = 0;
    if (name.len > 0)
        memcpy(hello->name, name.data, name.len);
    hello->name[name.len] = '\0';
    const mbedtls_ssl_config *config = mbedtls_ssl_context_get_config(ssl);
    return choose_pairs(ssl, mbedtls_ssl_conf_get_user_data_p((mbedtls_ssl_config *)config), name);
}

/* ---- making one ---- */

static int authmode(enum mw_tls_client client)
{
    switch (client) {
    case MW_TLS_CLIENT_NONE:
        return MBEDTLS_SSL_VERIFY_NONE;
    case MW_TLS_CLIENT_OPTIONAL: /* what mbedTLS lets pass here is looked at after the handshake */
        return MBEDTLS_SSL_VERIFY_OPTIONAL;
    case MW_TLS_CLIENT_REQUIRED:
        return MBEDTLS_SSL_VERIFY_REQUIRED;
    }
    return MBEDTLS_SSL_VERIFY_REQUIRED;
}

static mbedtls_ssl_protocol_version number_of(enum mw_tls_version version)
{
    switch (version) {
    case MW_TLS_1_2:
        return MBEDTLS_SSL_VERSION_TLS1_2;
    case MW_TLS_1_3:
        break;
    }
    return MBEDTLS_SSL_VERSION_TLS1_3;
}

static void set_protocol(struct mw_tls_ctx *ctx)
{
    mbedtls_ssl_config *config = &ctx->config;
    mbedtls_ssl_conf_min_tls_version(config, number_of(ctx->least));
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_ciphersuites(config, ciphers);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL); /* never without secrecy */
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_EARLY_DATA) /* can be replayed */
    mbedtls_ssl_conf_early_data(config, MBEDTLS_SSL_EARLY_DATA_DISABLED);
#endif
    mbedtls_ssl_conf_rng(config, mw_tls_random, NULL);
}

/* A resumed session of TLS 1.3 does not prove the client anew, so who asks for that has none. */
static void set_tickets(struct mw_tls_ctx *ctx, const struct mw_tls_setup *setup)
{
    if (!setup->tickets || setup->client != MW_TLS_CLIENT_NONE)
        return;
    ctx->tickets = mw_tls_tickets_hold(setup->tickets);
    mw_tls_tickets_use(ctx->tickets, &ctx->config);
}

static int set_clients(struct mw_mem *mem, struct mw_tls_ctx *ctx, const struct mw_tls_setup *setup,
                       char why[256])
{
    mbedtls_ssl_conf_authmode(&ctx->config, authmode(setup->client));
    if (setup->client == MW_TLS_CLIENT_NONE)
        return MW_OK;
    int err = mw_tls_ca_load(mem, setup->client_ca, &ctx->trusted, why);
    if (!err)
        mbedtls_ssl_conf_ca_chain(&ctx->config, &ctx->trusted, NULL);
    return err;
}

static int load_pairs(struct mw_mem *mem, struct mw_tls_ctx *ctx, const struct mw_tls_setup *setup,
                      char why[256])
{
    int err = MW_OK;
    for (size_t i = 0; i < setup->pair_count && !err; i++) {
        mw_tls_loaded_init(&ctx->pairs[i]);
        ctx->count++;
        err = mw_tls_pair_load(mem, &setup->pairs[i], &ctx->pairs[i], why);
    }
    return err;
}

/* What both roles have in common: MBEDTLS_SSL_IS_SERVER or _CLIENT. */
static int begin_config(struct mw_tls_ctx *ctx, int role)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return MW_ERR_NOMEM;
    if (mbedtls_ssl_config_defaults(&ctx->config, role, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return MW_ERR_NOMEM;
    set_protocol(ctx);
    return mbedtls_ssl_conf_alpn_protocols(&ctx->config, protocols) ? MW_ERR_NOMEM : MW_OK;
}

static struct mw_tls_ctx *new_ctx(size_t pairs, enum mw_tls_version least)
{
    struct mw_tls_ctx *ctx = mw_shared_alloc(bytes_of(pairs));
    if (!ctx)
        return NULL;
    memset(ctx, 0, bytes_of(pairs));
    atomic_init(&ctx->holders, 1);
    ctx->least = least;
    ctx->room = pairs;
    mbedtls_ssl_config_init(&ctx->config);
    mbedtls_x509_crt_init(&ctx->trusted);
    return ctx;
}

static int give(struct mw_tls_ctx *ctx, int err, struct mw_tls_ctx **out)
{
    if (err)
        mw_tls_ctx_release(ctx);
    else
        *out = ctx;
    return err;
}

/* ---- a server's ---- */

static int fill(struct mw_mem *mem, struct mw_tls_ctx *ctx, const struct mw_tls_setup *setup,
                char why[256])
{
    if (begin_config(ctx, MBEDTLS_SSL_IS_SERVER))
        return MW_ERR_NOMEM;
    mbedtls_ssl_conf_set_user_data_p(&ctx->config, ctx);
    mbedtls_ssl_conf_cert_cb(&ctx->config, on_hello);
    set_tickets(ctx, setup);
    int err = load_pairs(mem, ctx, setup, why);
    return err ? err : set_clients(mem, ctx, setup, why);
}

int mw_tls_ctx_new(struct mw_mem *mem, const struct mw_tls_setup *setup, struct mw_tls_ctx **out,
                   char why[256])
{
    mw_assert(setup->pair_count > 0);
    struct mw_tls_ctx *ctx = new_ctx(setup->pair_count, setup->least);
    if (!ctx)
        return MW_ERR_NOMEM;
    why[0] = '\0';
    return give(ctx, fill(mem, ctx, setup, why), out);
}

/* ---- a client's ---- */

/* A bad certificate is looked at to its end in both cases, so that it can be told what is bad. */
static int fill_client(struct mw_mem *mem, struct mw_tls_ctx *ctx,
                       const struct mw_tls_client_setup *setup, char why[256])
{
    if (begin_config(ctx, MBEDTLS_SSL_IS_CLIENT))
        return MW_ERR_NOMEM;
    mbedtls_ssl_conf_sig_algs(&ctx->config, client_signatures);
    mbedtls_ssl_conf_authmode(&ctx->config, setup->insecure ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                            : MBEDTLS_SSL_VERIFY_REQUIRED);
#if defined(MBEDTLS_SSL_SESSION_TICKETS) /* a session is never taken up again */
    mbedtls_ssl_conf_session_tickets(&ctx->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
    if (setup->insecure && setup->ca.len == 0)
        return MW_OK;
    int err = mw_tls_bundle_load(mem, setup->ca, &ctx->trusted, why);
    if (!err)
        mbedtls_ssl_conf_ca_chain(&ctx->config, &ctx->trusted, NULL);
    return err;
}

int mw_tls_ctx_new_client(struct mw_mem *mem, const struct mw_tls_client_setup *setup,
                          struct mw_tls_ctx **out, char why[256])
{
    struct mw_tls_ctx *ctx = new_ctx(0, setup->least);
    if (!ctx)
        return MW_ERR_NOMEM;
    why[0] = '\0';
    return give(ctx, fill_client(mem, ctx, setup, why), out);
}

struct mw_tls_ctx *mw_tls_ctx_hold(struct mw_tls_ctx *ctx)
{
    atomic_fetch_add(&ctx->holders, 1);
    return ctx;
}

void mw_tls_ctx_release(struct mw_tls_ctx *ctx)
{
    if (!ctx || atomic_fetch_sub(&ctx->holders, 1) > 1)
        return;
    mbedtls_ssl_config_free(&ctx->config);
    mbedtls_x509_crt_free(&ctx->trusted);
    for (size_t i = 0; i < ctx->count; i++)
        mw_tls_loaded_free(&ctx->pairs[i]);
    mw_tls_tickets_release(ctx->tickets);
    mw_shared_free(ctx, bytes_of(ctx->room));
}

const mbedtls_ssl_config *mw_tls_ctx_config(const struct mw_tls_ctx *ctx)
{
    return &ctx->config;
}

enum mw_tls_version mw_tls_ctx_least(const struct mw_tls_ctx *ctx)
{
    return ctx->least;
}

/* ---- what it says about itself ---- */

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t before = year - (month <= 2); /* the year begins in March: its odd day comes last */
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return before * 365 + before / 4 - before / 100 + before / 400 + day_of_year - 719468;
}

static int64_t unix_s(const mbedtls_x509_time *time)
{
    int64_t days = days_of(time->year, time->mon, time->day);
    return ((days * 24 + time->hour) * 60 + time->min) * 60 + time->sec;
}

void mw_tls_about(const mbedtls_x509_crt *leaf, struct mw_tls_about *out)
{
    if (mbedtls_x509_dn_gets(out->subject, sizeof(out->subject), &leaf->subject) < 0)
        (void)snprintf(out->subject, sizeof(out->subject), "(a very long name)");
    mw_tls_names_list(leaf, out->names, sizeof(out->names));
    out->begins_unix_s = unix_s(&leaf->valid_from);
    out->expires_unix_s = unix_s(&leaf->valid_to);
}

bool mw_tls_ctx_about(const struct mw_tls_ctx *ctx, size_t index, struct mw_tls_about *out)
{
    if (index >= ctx->count)
        return false;
    mw_tls_about(&ctx->pairs[index].chain, out);
    return true;
}
