/*
 * The far end of a TLS connection: mbedTLS's client on a plain socket. It never blocks; client_run
 * is given to wait_until and makes whatever progress there is.
 */
#ifndef MW_TESTS_UNIT_IO_TLS_CLIENT_H
#define MW_TESTS_UNIT_IO_TLS_CLIENT_H

#include <mbedtls/ssl.h>

#include "tests/unit/io/sockets.h"
#include "tests/unit/io/tls_certs.h"

struct client_wish {
    int tls;                  /* 12, 13, or 0 for both */
    const char *sni;          /* NULL: none */
    const char **alpn;        /* NULL: not offered */
    const int *ciphers;       /* NULL: all */
    const uint16_t *schemes;  /* signature algorithms; NULL: all */
    const struct cert *trust; /* NULL: everybody */
    const struct cert *cert;  /* its own, or NULL */
    mbedtls_ssl_session *resume;
    size_t chunk; /* bytes a write to the socket; 0: no limit */
    bool keeps_session;
};

struct client {
    int fd;
    size_t chunk;
    bool is_open, is_ended, reads_nothing;
    int code; /* why it ended: 0 for a close_notify, else mbedTLS's */
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt trust, own;
    mbedtls_pk_context key;
    mbedtls_ssl_session session; /* the last ticket */
    bool keeps_session, has_session;
    const char *bytes; /* borrowed: to be written */
    size_t bytes_len;
    char kept[256]; /* the first that came */
    size_t len;
    uint64_t sum;
};

/* Takes the socket. */
void client_open(struct client *client, int fd, const struct client_wish *wish);
/* For wait_until: the handshake is over, one way or the other. */
bool client_is_done(void *client);
/* For wait_until: nothing is left to write, and what is there was read. */
bool client_run(void *client);
bool client_has_ended(void *client);
/* Says goodbye without closing. */
void client_say_bye(struct client *client);
void client_close(struct client *client);

/* CN of the certificate that the server showed. */
const char *client_saw(struct client *client, char out[64]);

#endif
