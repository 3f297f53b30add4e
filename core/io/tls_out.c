/*
 * Plaintext to ciphertext. A write is packed into full records and encrypted a batch at a time, the
 * next when the stream below has taken the one before: what a slow peer does not take stays with
 * its owner, unencrypted, and costs one batch here.
 */
#include "core/base/check.h"
#include "core/io/tls_stream.h"

#define BATCH_BYTES      (4U * MW_TLS_RECORD_BYTES)
#define BATCHES_A_TURN   4
#define OVERHEAD_BYTES   40U /* of a record: header, nonce, kind, tag; our ciphers need 29 */
#define RECORDS_OF(size) (((size) + MW_TLS_RECORD_BYTES - 1) / MW_TLS_RECORD_BYTES)

/* ---- ciphertext ---- */

/*
 * mbedTLS's writing. It never blocks; what is too much is a failure, for a record is lost then.
 * Behind our close_notify nothing is said, no alert either (RFC 8446 6.1).
 *
 * While it decrypts it has nothing to say but alerts about what came, and one is enough: a record
 * may hold thousands of hellos that ask for another handshake (RFC 5246 7.4.1.2). The first ends
 * the connection, and its alert goes out with that.
 */
int mw_tls_transmit(void *ctx, const unsigned char *bytes, size_t len)
{
    struct mw_tls_stream *tls = ctx;
    if (tls->loop->is_decrypting)
        return MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    if (tls->has_said_bye)
        return (int)len;
    int err = mw_buf_put(&tls->waiting, bytes, len);
    return err ? MBEDTLS_ERR_SSL_ALLOC_FAILED : (int)len;
}

static void finish_below(struct mw_tls_stream *tls)
{
    if (!tls->has_said_bye || tls->is_below_finished || tls->flying.len > 0 || tls->is_closing)
        return;
    tls->is_below_finished = true;
    mw_stream_finish(tls->below);
}

void mw_tls_fly_on(struct mw_tls_stream *tls)
{
    struct mw_view bytes = mw_buf_view(&tls->flying);
    long taken = mw_stream_write(tls->below, &bytes, 1);
    if (taken < 0 || (size_t)taken == bytes.len)
        mw_buf_free(&tls->flying);
    if (taken < 0)
        mw_tls_break(tls);
}

void mw_tls_flush(struct mw_tls_stream *tls)
{
    if (tls->is_broken || tls->is_closing)
        mw_buf_free(&tls->waiting);
    if (tls->waiting.len > 0 && tls->flying.len == 0) {
        struct mw_buf empty = tls->flying;
        tls->flying = tls->waiting;
        tls->waiting = empty;
        mw_tls_fly_on(tls);
    }
    finish_below(tls);
}

/* ---- plaintext ---- */

static struct mw_tls_rest rest_of(const struct mw_view *vectors, size_t count)
{
    struct mw_tls_rest rest = { .vectors = vectors, .count = count };
    for (size_t i = 0; i < count; i++)
        rest.bytes += vectors[i].len;
    return rest;
}

/* The unread part of the vector in hand. */
static struct mw_view vector_left(const struct mw_tls_rest *rest)
{
    return mw_view(rest->vectors[rest->at].data + rest->skip,
                   rest->vectors[rest->at].len - rest->skip);
}

static void advance(struct mw_tls_rest *rest, size_t len)
{
    rest->skip += len;
    rest->bytes -= len;
    while (rest->at < rest->count && rest->skip == rest->vectors[rest->at].len) {
        rest->at++;
        rest->skip = 0;
    }
}

/* Takes the next bytes for a record: where they lie if they lie together, else packed. */
static struct mw_view take_piece(struct mw_tls_rest *rest, size_t max_bytes, char *packed)
{
    advance(rest, 0); /* over empty vectors */
    size_t want = rest->bytes < max_bytes ? rest->bytes : max_bytes, len = 0;
    struct mw_view left = vector_left(rest);
    if (left.len >= want) {
        advance(rest, want);
        return mw_view(left.data, want);
    }
    while (len < want) {
        left = vector_left(rest);
        size_t part = left.len < want - len ? left.len : want - len;
        memcpy(packed + len, left.data, part);
        advance(rest, part);
        len += part;
    }
    return mw_view(packed, len);
}

/* Encrypts up to a batch. False: mbedTLS failed, and records are lost. */
static bool encrypt(struct mw_tls_stream *tls, struct mw_tls_rest *rest)
{
    int max_bytes = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    size_t goal = rest->bytes < BATCH_BYTES ? rest->bytes : BATCH_BYTES;
    size_t until = rest->bytes - goal;
    if (max_bytes <= 0 ||
        mw_buf_reserve(&tls->waiting, goal + RECORDS_OF(goal) * OVERHEAD_BYTES) != MW_OK)
        return false;
    if (max_bytes > MW_TLS_RECORD_BYTES)
        max_bytes = MW_TLS_RECORD_BYTES;
    while (rest->bytes > until) {
        size_t left = rest->bytes - until;
        size_t most = left < (size_t)max_bytes ? left : (size_t)max_bytes;
        struct mw_view piece = take_piece(rest, most, tls->loop->packed);
        int count = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)piece.data, piece.len);
        if (count < 0 || (size_t)count != piece.len)
            return false;
    }
    return true;
}

/* Writes batches until the stream below is full or the turn's share is used; gives what it took. */
static size_t send_batches(struct mw_tls_stream *tls, struct mw_tls_rest *rest)
{
    size_t all = rest->bytes, taken = 0;
    if (mw_tls_wake(&tls->sleep, &tls->ssl, &tls->loop->pool)) {
        mw_tls_break(tls);
        return 0;
    }
    for (int i = 0; i < BATCHES_A_TURN && rest->bytes > 0 && tls->flying.len == 0; i++) {
        if (!encrypt(tls, rest))
            mw_tls_break(tls);
        mw_tls_flush(tls);
        if (tls->is_broken)
            return taken;
        if (tls->flying.len == 0)
            taken = all - rest->bytes;
    }
    mw_tls_fall_asleep(&tls->sleep, &tls->ssl, &tls->loop->pool);
    return taken;
}

/* ---- flights ---- */

static size_t bytes_of(const struct mw_tls_rest *rest)
{
    return rest->count * sizeof(rest->vectors[0]);
}

void mw_tls_drop_rest(struct mw_tls_stream *tls)
{
    mw_free(mw_loop_mem(tls->loop->loop), (void *)tls->rest.vectors, bytes_of(&tls->rest));
    tls->rest = (struct mw_tls_rest){ .bytes = 0 };
}

/* The bytes stay the owner's, where they lie; only the vectors are copied. */
static bool keep_rest(struct mw_tls_stream *tls, struct mw_tls_rest rest)
{
    if (rest.bytes > 0) {
        rest.vectors += rest.at;
        rest.count -= rest.at;
        rest.at = 0;
        struct mw_view *copy = mw_alloc(mw_loop_mem(tls->loop->loop), bytes_of(&rest));
        if (!copy)
            return false;
        memcpy(copy, rest.vectors, bytes_of(&rest));
        rest.vectors = copy;
        tls->rest = rest;
    }
    tls->owes_written = true;
    return true;
}

long mw_tls_write(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct mw_tls_stream *tls = MW_OWNER(stream, struct mw_tls_stream, stream);
    struct mw_tls_rest rest = rest_of(vectors, count);
    size_t len = rest.bytes, taken = 0;
    mw_assert(!tls->owes_written && count <= MW_STREAM_MAX_VECTORS);
    if (tls->is_broken || tls->is_finished || tls->is_closing || tls->state == MW_TLS_OVER)
        return MW_ERR_CLOSED;
    if (len == 0)
        return 0;
    if (tls->state == MW_TLS_OPEN)
        taken = send_batches(tls, &rest);
    if (tls->is_broken)
        return MW_ERR_CLOSED;
    if (taken == len)
        return (long)len;
    if (!keep_rest(tls, rest)) {
        mw_tls_break(tls);
        return MW_ERR_CLOSED;
    }
    if (tls->state == MW_TLS_OPEN && tls->flying.len == 0)
        mw_tls_do_later(tls);
    return (long)taken;
}

static void say_bye(struct mw_tls_stream *tls)
{
    if (tls->state != MW_TLS_OPEN) {
        mw_tls_quit(tls);
    } else if (mw_tls_wake(&tls->sleep, &tls->ssl, &tls->loop->pool) == MW_OK) {
        (void)mbedtls_ssl_close_notify(&tls->ssl);
        mw_tls_fall_asleep(&tls->sleep, &tls->ssl, &tls->loop->pool);
    }
    tls->has_said_bye = true;
    mw_tls_flush(tls);
}

void mw_tls_finish(struct mw_stream *stream)
{
    struct mw_tls_stream *tls = MW_OWNER(stream, struct mw_tls_stream, stream);
    if (tls->is_finished || tls->is_closing)
        return;
    tls->is_finished = true;
    if (!tls->owes_written)
        say_bye(tls);
}

void mw_tls_push_out(struct mw_tls_stream *tls)
{
    mw_tls_flush(tls);
    if (tls->is_broken || tls->state == MW_TLS_OVER)
        mw_tls_drop_rest(tls);
    else if (tls->state == MW_TLS_OPEN && tls->rest.bytes > 0 && tls->flying.len == 0)
        (void)send_batches(tls, &tls->rest);
    if (!tls->owes_written || (tls->flying.len > 0 && !tls->is_broken))
        return;
    if (tls->rest.bytes > 0 && !tls->is_broken) {
        if (tls->state == MW_TLS_OPEN)
            mw_tls_do_later(tls);
        return;
    }
    mw_tls_drop_rest(tls);
    tls->owes_written = false;
    tls->stream.events->written(tls->stream.owner);
    bool owes_bye = tls->is_finished && !tls->has_said_bye;
    if (owes_bye && !tls->owes_written && !tls->is_closing) /* the owner may have written again */
        say_bye(tls);
}

size_t mw_tls_untaken(const struct mw_stream *stream)
{
    const struct mw_tls_stream *tls = MW_OWNER(stream, struct mw_tls_stream, stream);
    /* With what encryption will add, so that it only falls. */
    size_t rest = tls->rest.bytes + RECORDS_OF(tls->rest.bytes) * OVERHEAD_BYTES;
    return mw_stream_untaken(tls->below) + tls->waiting.len + rest;
}
