/*
 * What mbedTLS ties to a connection for its life: record buffers (33 KB with stock settings), lent
 * from one place to those connections that have a record in hand, and what a handshake needed.
 * Nobody but core/io/tls.c.
 */
#ifndef MW_IO_TLS_SLEEP_H
#define MW_IO_TLS_SLEEP_H

#include "core/io/tls_mbed.h"

#define MW_TLS_KEPT_PAIRS 32 /* 1 MB: what a burst of connections in one turn is served from */

/* The pairs of one loop. Zero it to start. */
struct mw_tls_pool {
    struct mw_tls_buffers {
        unsigned char *in, *out;
    } kept[MW_TLS_KEPT_PAIRS];
    size_t kept_count, made_count;
    size_t in_bytes, out_bytes; /* of each at least; 0 until the first was seen */
};

/* What a session without buffers needs to take up another pair. Zero it to start. */
struct mw_tls_sleep {
    bool is_asleep;
    unsigned char counter[8]; /* of records received: mbedTLS keeps it in the buffer itself */
    struct mw_tls_offsets {
        uint16_t counter, header, connection, length, iv, message;
    } in, out;
};

/* After mbedtls_ssl_setup, which makes a pair. */
void mw_tls_pool_count_new(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl);
void mw_tls_pool_free(struct mw_tls_pool *pool);

/*
 * A session goes from one loop to another, with its pair where it does not sleep. What the first
 * has learned about sizes goes with it: the other may never have seen a pair.
 */
struct mw_tls_pair_size {
    size_t in_bytes, out_bytes;
};
struct mw_tls_pair_size mw_tls_pool_send(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl);
void mw_tls_pool_take(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl,
                      struct mw_tls_pair_size size);

/* Gives up the buffers if the session has nothing in them; harmless otherwise. */
void mw_tls_fall_asleep(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl,
                        struct mw_tls_pool *pool);
/* Before any call of mbedTLS for this session. MW_ERR_NOMEM: it sleeps on. */
int mw_tls_wake(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl, struct mw_tls_pool *pool);

/*
 * Once the handshake of a server is over: frees what only that needed, which in TLS 1.3 mbedTLS
 * keeps. An idle connection: 10.5 -> 4.5 KB of heap.
 */
void mw_tls_forget_handshake(mbedtls_ssl_context *ssl);

/* Whether a part of a message of the handshake has come, and the rest has not. */
bool mw_tls_is_amid(const mbedtls_ssl_context *ssl);

/* mbedtls_ssl_free, with its buffers kept for others. */
void mw_tls_session_free(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl,
                         struct mw_tls_pool *pool);

#endif
