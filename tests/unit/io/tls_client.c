/* A client of mbedTLS that never blocks. */
#include "tests/unit/io/tls_client.h"

#include <mbedtls/oid.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "core/base/rng.h"

static int random_bytes(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    return mw_random_bytes(out, len);
}

static int send_some(void *ctx, const unsigned char *bytes, size_t len)
{
    struct client *client = ctx;
    if (client->chunk > 0 && len > client->chunk)
        len = client->chunk;
    ssize_t count = send(client->fd, bytes, len, MSG_NOSIGNAL);
    if (count >= 0)
        return (int)count;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int receive_some(void *ctx, unsigned char *out, size_t len)
{
    struct client *client = ctx;
    ssize_t count = read(client->fd, out, len);
    if (count >= 0)
        return (int)count;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

static void set_versions(mbedtls_ssl_config *config, int tls)
{
    mbedtls_ssl_conf_min_tls_version(config, tls == 13 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                       : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, tls == 12 ? MBEDTLS_SSL_VERSION_TLS1_2
                                                       : MBEDTLS_SSL_VERSION_TLS1_3);
}

static void set_trust(struct client *client, const struct cert *trust)
{
    mbedtls_ssl_conf_authmode(&client->config,
                              trust ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    if (!trust)
        return;
    assert_int_equal(mbedtls_x509_crt_parse(&client->trust, (const unsigned char *)trust->chain,
                                            strlen(trust->chain) + 1),
                     0);
    mbedtls_ssl_conf_ca_chain(&client->config, &client->trust, NULL);
}

static void set_own(struct client *client, const struct cert *cert)
{
    if (!cert)
        return;
    assert_int_equal(mbedtls_x509_crt_parse(&client->own, (const unsigned char *)cert->chain,
                                            strlen(cert->chain) + 1),
                     0);
    assert_int_equal(mbedtls_pk_parse_key(&client->key, (const unsigned char *)cert->key,
                                          strlen(cert->key) + 1, NULL, 0, random_bytes, NULL),
                     0);
    assert_int_equal(mbedtls_ssl_conf_own_cert(&client->config, &client->own, &client->key), 0);
}

static void set_wishes(struct client *client, const struct client_wish *wish)
{
    mbedtls_ssl_config *config = &client->config;
    set_versions(config, wish->tls);
    set_trust(client, wish->trust);
    set_own(client, wish->cert);
    if (wish->alpn)
        assert_int_equal(mbedtls_ssl_conf_alpn_protocols(config, wish->alpn), 0);
    if (wish->ciphers)
        mbedtls_ssl_conf_ciphersuites(config, wish->ciphers);
    if (wish->schemes)
        mbedtls_ssl_conf_sig_algs(config, wish->schemes);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
}

void client_open(struct client *client, int fd, const struct client_wish *wish)
{
    memset(client, 0, sizeof(*client));
    client->fd = fd;
    client->chunk = wish->chunk;
    client->keeps_session = wish->keeps_session;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    mbedtls_ssl_config_init(&client->config);
    mbedtls_ssl_init(&client->ssl);
    mbedtls_ssl_session_init(&client->session);
    mbedtls_x509_crt_init(&client->trust);
    mbedtls_x509_crt_init(&client->own);
    mbedtls_pk_init(&client->key);
    assert_int_equal(mbedtls_ssl_config_defaults(&client->config, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&client->config, random_bytes, NULL);
    set_wishes(client, wish);
    assert_int_equal(mbedtls_ssl_setup(&client->ssl, &client->config), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&client->ssl, wish->sni), 0);
    if (wish->resume)
        assert_int_equal(mbedtls_ssl_set_session(&client->ssl, wish->resume), 0);
    mbedtls_ssl_set_bio(&client->ssl, client, send_some, receive_some, NULL);
}

static bool is_patience(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static void end(struct client *client, int code)
{
    client->is_ended = true;
    client->code = code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : code;
}

static void keep_session(struct client *client)
{
    if (!client->keeps_session)
        return;
    mbedtls_ssl_session_free(&client->session);
    mbedtls_ssl_session_init(&client->session);
    client->has_session = mbedtls_ssl_get_session(&client->ssl, &client->session) == 0;
}

bool client_is_done(void *ctx)
{
    struct client *client = ctx;
    if (client->is_open || client->is_ended)
        return true;
    int code = mbedtls_ssl_handshake(&client->ssl);
    if (code == 0) {
        client->is_open = true;
        if (mbedtls_ssl_get_version_number(&client->ssl) == MBEDTLS_SSL_VERSION_TLS1_2)
            keep_session(client);
    } else if (!is_patience(code)) {
        end(client, code);
    }
    return client->is_open || client->is_ended;
}

static void write_some(struct client *client)
{
    while (client->bytes_len > 0 && !client->is_ended) {
        int count = mbedtls_ssl_write(&client->ssl, (const unsigned char *)client->bytes,
                                      client->bytes_len);
        if (is_patience(count))
            return;
        if (count < 0) {
            end(client, count);
            return;
        }
        client->bytes += count;
        client->bytes_len -= (size_t)count;
    }
}

static void keep(struct client *client, const char *bytes, size_t len)
{
    if (client->len < sizeof(client->kept)) {
        size_t room = sizeof(client->kept) - client->len;
        memcpy(client->kept + client->len, bytes, len < room ? len : room);
    }
    client->sum += sum_of_bytes(bytes, len, client->len);
    client->len += len;
}

static void read_some(struct client *client)
{
    char bytes[16384];
    while (!client->is_ended && !client->reads_nothing) {
        int count = mbedtls_ssl_read(&client->ssl, (unsigned char *)bytes, sizeof(bytes));
        if (count > 0)
            keep(client, bytes, (size_t)count);
        else if (count == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            keep_session(client);
        else if (is_patience(count))
            return;
        else
            end(client, count == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : count);
    }
}

bool client_run(void *ctx)
{
    struct client *client = ctx;
    if (!client_is_done(client))
        return false;
    if (client->is_open) {
        write_some(client);
        read_some(client);
    }
    return client->is_ended || client->bytes_len == 0;
}

bool client_has_ended(void *ctx)
{
    struct client *client = ctx;
    (void)client_run(client);
    return client->is_ended;
}

void client_say_bye(struct client *client)
{
    assert_int_equal(mbedtls_ssl_close_notify(&client->ssl), 0);
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    mbedtls_ssl_free(&client->ssl);
    mbedtls_ssl_config_free(&client->config);
    mbedtls_ssl_session_free(&client->session);
    mbedtls_x509_crt_free(&client->trust);
    mbedtls_x509_crt_free(&client->own);
    mbedtls_pk_free(&client->key);
}

const char *client_saw(struct client *client, char out[64])
{
    const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&client->ssl);
    out[0] = '\0';
    if (cert)
        assert_true(mbedtls_x509_dn_gets(out, 64, &cert->subject) > 0);
    return out;
}
