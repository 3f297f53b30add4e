/*
 * Puts a session's record buffers to sleep: gives them to the pool, and takes up another pair
 * before mbedTLS is called again.
 *
 * mbedTLS knows nothing of it, so this reaches into its fields. A buffer may go when no record is
 * in it, read or written in part. What must survive: where the pointers into it point, and the
 * 8 bytes of the receive counter, which TLS keeps at its beginning. That was read in 3.6.3
 * to 3.6.6, so versions before and other branches never sleep; the tests sleep after each record.
 */
#include "core/io/tls_sleep.h"

#include <malloc.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>

#include "core/base/check.h"

/* Buffers of various sizes cannot be lent to just anybody. */
#if MBEDTLS_VERSION_NUMBER >= 0x03060300 && MBEDTLS_VERSION_NUMBER < 0x03070000 && \
    !defined(MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH)
#define CAN_SLEEP 1
#else
#define CAN_SLEEP 0
#endif

#define FIELD(ssl, name) ((ssl)->MBEDTLS_PRIVATE(name))

/* ---- the pool ---- */

static void free_pair(struct mw_tls_pool *pool, struct mw_tls_buffers pair)
{
    mbedtls_platform_zeroize(pair.in, pool->in_bytes); /* plaintext of somebody */
    mbedtls_platform_zeroize(pair.out, pool->out_bytes);
    mbedtls_free(pair.in);
    mbedtls_free(pair.out);
    pool->made_count--;
}

static void keep_pair(struct mw_tls_pool *pool, struct mw_tls_buffers pair)
{
    if (pool->kept_count < MW_TLS_KEPT_PAIRS)
        pool->kept[pool->kept_count++] = pair;
    else
        free_pair(pool, pair);
}

static bool make_pair(struct mw_tls_pool *pool, struct mw_tls_buffers *out)
{
    out->in = mbedtls_calloc(1, pool->in_bytes);
    out->out = mbedtls_calloc(1, pool->out_bytes);
    if (out->in && out->out) {
        pool->made_count++;
        return true;
    }
    mbedtls_free(out->in);
    mbedtls_free(out->out);
    return false;
}

/*
 * The exact size is mbedTLS's secret. What malloc gave for it is never less, but now and then more,
 * and no pair may be taken for larger than it is.
 */
static void take_least(size_t *least, size_t bytes)
{
    if (*least == 0 || bytes < *least)
        *least = bytes;
}

void mw_tls_pool_count_new(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl)
{
    pool->made_count++;
    take_least(&pool->in_bytes, malloc_usable_size(FIELD(ssl, in_buf)));
    take_least(&pool->out_bytes, malloc_usable_size(FIELD(ssl, out_buf)));
}

struct mw_tls_pair_size mw_tls_pool_send(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl)
{
    if (FIELD(ssl, in_buf))
        pool->made_count--;
    return (struct mw_tls_pair_size){ pool->in_bytes, pool->out_bytes };
}

void mw_tls_pool_take(struct mw_tls_pool *pool, const mbedtls_ssl_context *ssl,
                      struct mw_tls_pair_size size)
{
    if (FIELD(ssl, in_buf))
        pool->made_count++;
    take_least(&pool->in_bytes, size.in_bytes);
    take_least(&pool->out_bytes, size.out_bytes);
}

void mw_tls_pool_free(struct mw_tls_pool *pool)
{
    while (pool->kept_count > 0)
        free_pair(pool, pool->kept[--pool->kept_count]);
}

/* ---- sleeping ---- */

static struct mw_tls_buffers take_buffers(mbedtls_ssl_context *ssl)
{
    struct mw_tls_buffers pair = { FIELD(ssl, in_buf), FIELD(ssl, out_buf) };
    FIELD(ssl, in_buf) = NULL;
    FIELD(ssl, out_buf) = NULL;
    return pair;
}

#if CAN_SLEEP

bool mw_tls_is_amid(const mbedtls_ssl_context *ssl)
{
    return FIELD(ssl, badmac_seen_or_in_hsfraglen) != 0;
}

static bool is_empty(const mbedtls_ssl_context *ssl)
{
    return FIELD(ssl, state) == MBEDTLS_SSL_HANDSHAKE_OVER && FIELD(ssl, in_left) == 0 &&
           FIELD(ssl, in_msglen) == 0 && FIELD(ssl, in_hslen) == 0 && !FIELD(ssl, in_offt) &&
           !mw_tls_is_amid(ssl) && !FIELD(ssl, keep_current_message) && FIELD(ssl, out_left) == 0 &&
           !FIELD(ssl, send_alert);
}

/*
 * Of the library, which calls it for TLS 1.2 when a handshake is over, and for DTLS with the first
 * record behind it. In TLS 1.3 it leaves handshake, keys of the handshake and an empty transform of
 * TLS 1.2 until the session is freed: a client needs the first for tickets that come later, a
 * server for nothing. With the state OVER all that may be said is data and alerts, a message of the
 * handshake that comes is refused, and no place of 3.6.6 that is left looks at them.
 */
void mbedtls_ssl_handshake_wrapup_free_hs_transform(mbedtls_ssl_context *ssl);

void mw_tls_forget_handshake(mbedtls_ssl_context *ssl)
{
    const mbedtls_ssl_config *config = mbedtls_ssl_context_get_config(ssl);
    bool is_server = config->MBEDTLS_PRIVATE(endpoint) == MBEDTLS_SSL_IS_SERVER;
    if (!is_server || !FIELD(ssl, handshake) || FIELD(ssl, state) != MBEDTLS_SSL_HANDSHAKE_OVER ||
        FIELD(ssl, tls_version) != MBEDTLS_SSL_VERSION_TLS1_3)
        return;
    mbedtls_free(FIELD(ssl, transform_negotiate)); /* nothing was ever put into it */
    FIELD(ssl, transform_negotiate) = NULL;
    mbedtls_ssl_handshake_wrapup_free_hs_transform(ssl);
}

/* Runs `move` on each pointer into a buffer with the place of its offset. */
#define IN_POINTERS(X) \
    X(in, counter, in_ctr) \
    X(in, header, in_hdr) \
    X(in, length, in_len) \
    X(in, iv, in_iv) \
    X(in, message, in_msg)
#define OUT_POINTERS(X) \
    X(out, counter, out_ctr) \
    X(out, header, out_hdr) \
    X(out, length, out_len) \
    X(out, iv, out_iv) \
    X(out, message, out_msg)
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
#define CID_POINTERS(X) \
    X(in, connection, in_cid) \
    X(out, connection, out_cid)
#else
#define CID_POINTERS(X)
#endif

#define REMEMBER(side, offset, pointer) \
    sleep->side.offset = (uint16_t)(FIELD(ssl, pointer) - FIELD(ssl, side##_buf)); \
    FIELD(ssl, pointer) = NULL;
#define RESTORE(side, offset, pointer) \
    FIELD(ssl, pointer) = FIELD(ssl, side##_buf) + sleep->side.offset;

void mw_tls_fall_asleep(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl,
                        struct mw_tls_pool *pool)
{
    if (sleep->is_asleep || !is_empty(ssl))
        return;
    memcpy(sleep->counter, FIELD(ssl, in_ctr), sizeof(sleep->counter));
    IN_POINTERS(REMEMBER)
    OUT_POINTERS(REMEMBER)
    CID_POINTERS(REMEMBER)
    keep_pair(pool, take_buffers(ssl));
    sleep->is_asleep = true;
}

int mw_tls_wake(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl, struct mw_tls_pool *pool)
{
    struct mw_tls_buffers pair;
    if (!sleep->is_asleep)
        return MW_OK;
    if (pool->kept_count > 0)
        pair = pool->kept[--pool->kept_count];
    else if (!make_pair(pool, &pair))
        return MW_ERR_NOMEM;
    FIELD(ssl, in_buf) = pair.in;
    FIELD(ssl, out_buf) = pair.out;
    IN_POINTERS(RESTORE)
    OUT_POINTERS(RESTORE)
    CID_POINTERS(RESTORE)
    memcpy(FIELD(ssl, in_ctr), sleep->counter, sizeof(sleep->counter));
    sleep->is_asleep = false;
    return MW_OK;
}

#else

bool mw_tls_is_amid(const mbedtls_ssl_context *ssl)
{
    (void)ssl;
    return false;
}

void mw_tls_forget_handshake(mbedtls_ssl_context *ssl)
{
    (void)ssl;
}

void mw_tls_fall_asleep(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl,
                        struct mw_tls_pool *pool)
{
    (void)sleep;
    (void)ssl;
    (void)pool;
}

int mw_tls_wake(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl, struct mw_tls_pool *pool)
{
    (void)sleep;
    (void)ssl;
    (void)pool;
    return MW_OK;
}

#endif

void mw_tls_session_free(struct mw_tls_sleep *sleep, mbedtls_ssl_context *ssl,
                         struct mw_tls_pool *pool)
{
    if (FIELD(ssl, in_buf))
        keep_pair(pool, take_buffers(ssl));
    mbedtls_ssl_free(ssl);
    *sleep = (struct mw_tls_sleep){ .is_asleep = false };
}
