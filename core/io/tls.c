/*
 * TLS as a stream over a stream: its life. Where events come from below and calls from above, and
 * how it ends. Never interprets what it carries, and calls its owner from the loop alone: what a
 * call of the owner's brings about is told at the turn's end.
 */
#include "core/io/tls.h"

#include "core/base/check.h"
#include "core/io/tls_fault.h"
#include "core/io/tls_stream.h"

/* Of ciphertext that waits for the stream below: a batch, or a handshake, and alerts. */
#define MAX_WAITING_BYTES 131072U

/* Of ciphertext that waits for its turn: a read, and what was kept before it. */
#define MAX_INPUT_BYTES (MW_LOOP_READ_BYTES + 2U * (MW_TLS_RECORD_BYTES + MW_TLS_MORE_BYTES))

#define ALERT_RECORD 21 /* RFC 8446 5.1 */
#define ALERT_FATAL  2

static struct mw_tls_stream *from_stream(const struct mw_stream *stream)
{
    return MW_OWNER(stream, struct mw_tls_stream, stream);
}

/* ---- how it ends ---- */

void mw_tls_leave_queue(struct mw_tls_stream *tls)
{
    mw_tls_queue_remove(&tls->loop->queue, &tls->turn);
    mw_tls_queue_end(&tls->loop->queue, &tls->turn);
}

void mw_tls_quit(struct mw_tls_stream *tls)
{
    mw_tls_leave_queue(tls);
    tls->state = MW_TLS_OVER;
    mw_tls_session_free(&tls->sleep, &tls->ssl, &tls->loop->pool);
    mw_buf_free(&tls->input);
    mw_tls_do_later(tls);
}

void mw_tls_end(struct mw_tls_stream *tls, enum mw_stream_end how)
{
    if (tls->is_end_told || (tls->has_end && tls->end == MW_STREAM_TLS_ERROR))
        return;
    tls->has_end = true;
    tls->end = how;
    mw_tls_do_later(tls);
}

void mw_tls_break(struct mw_tls_stream *tls)
{
    tls->is_broken = true;
    mw_tls_quit(tls);
    mw_tls_end(tls, MW_STREAM_RESET);
}

static void say_alert(struct mw_tls_stream *tls, int alert)
{
    if (tls->state == MW_TLS_HELLO) { /* nobody is there yet to say it */
        const char record[] = { ALERT_RECORD, 3, 3, 0, 2, ALERT_FATAL, (char)alert };
        (void)mw_buf_put(&tls->waiting, record, sizeof(record));
    } else {
        (void)mbedtls_ssl_send_alert_message(&tls->ssl, ALERT_FATAL, (unsigned char)alert);
    }
}

/* Of an alert that came, the level and behind it which: mbedTLS gives no other way to know. */
static int fault_of_alert(const struct mw_tls_stream *tls)
{
    const unsigned char *message = tls->ssl.MBEDTLS_PRIVATE(in_msg);
    return MW_TLS_FAULT_ALERT + message[1];
}

void mw_tls_fail(struct mw_tls_stream *tls, int code, bool has_said)
{
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        code = fault_of_alert(tls);
    struct mw_tls_fault fault = tls->is_client ? mw_tls_fault_of_server(code, tls->peer)
                                               : mw_tls_fault_of(code, mw_tls_ctx_least(tls->ctx));
    if (!has_said && fault.alert >= 0)
        say_alert(tls, fault.alert);
    if (tls->state != MW_TLS_OPEN)
        tls->loop->failed++;
    tls->fault = fault.what;
    mw_tls_end(tls, MW_STREAM_TLS_ERROR);
    mw_tls_quit(tls);
    mw_tls_flush(tls);
}

static void tell_end(struct mw_tls_stream *tls)
{
    bool may_tell = tls->is_wanted || tls->end != MW_STREAM_FIN;
    if (!tls->has_end || tls->is_end_told || !may_tell || tls->is_closing || !tls->stream.events)
        return;
    tls->is_end_told = true;
    tls->stream.events->end(tls->stream.owner, tls->end);
}

/* ---- at the end of the turn ---- */

void mw_tls_do_later(struct mw_tls_stream *tls)
{
    if (!tls->is_closing)
        mw_turn_task_add(tls->loop->loop, &tls->later);
}

static bool may_take_in(const struct mw_tls_stream *tls)
{
    return tls->state == MW_TLS_OPEN && tls->is_wanted && !tls->has_end && !tls->is_closing;
}

static void on_later(struct mw_turn_task *task)
{
    struct mw_tls_stream *tls = MW_OWNER(task, struct mw_tls_stream, later);
    if (tls->owes_written)
        mw_tls_push_out(tls);
    if (may_take_in(tls) && mw_tls_has_whole_input(tls))
        mw_tls_take_in(tls, mw_view(NULL, 0));
    tell_end(tls);
    mw_tls_update_reading(tls);
}

/* ---- from below ---- */

static bool should_read(const struct mw_tls_stream *tls)
{
    if (tls->is_closing || tls->is_below_over)
        return false;
    switch (tls->state) {
    case MW_TLS_HELLO:
    case MW_TLS_SHAKING:
        return !mw_tls_turn_is_waiting(&tls->turn);
    case MW_TLS_OPEN:
        if (tls->has_end)
            return tls->is_end_told; /* and what comes is dropped, so that it ends */
        return tls->is_wanted && !mw_tls_has_whole_input(tls);
    case MW_TLS_OVER:
        break;
    }
    return true;
}

void mw_tls_update_reading(struct mw_tls_stream *tls)
{
    bool should = should_read(tls);
    if (should == tls->is_reading || tls->is_closing)
        return;
    tls->is_reading = should;
    mw_stream_set_reading(tls->below, should);
}

static void on_read(void *owner, char *bytes, size_t len)
{
    struct mw_tls_stream *tls = owner;
    switch (tls->state) {
    case MW_TLS_HELLO:
    case MW_TLS_SHAKING:
        mw_tls_hear(tls, mw_view(bytes, len));
        break;
    case MW_TLS_OPEN:
        if (may_take_in(tls))
            mw_tls_take_in(tls, mw_view(bytes, len));
        else if (!tls->has_end)
            (void)mw_tls_keep_input(tls, mw_view(bytes, len));
        break;
    case MW_TLS_OVER:
        break;
    }
    mw_tls_update_reading(tls);
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct mw_tls_stream *tls = owner;
    tls->is_below_over = true;
    tls->is_reading = false;
    if (tls->state == MW_TLS_SHAKING)
        tls->loop->failed++;
    if (tls->state == MW_TLS_HELLO || tls->state == MW_TLS_SHAKING)
        mw_tls_quit(tls);
    if (how == MW_STREAM_RESET)
        mw_tls_break(tls);
    else if (!tls->has_end)
        mw_tls_end(tls, how);
}

static void on_written(void *owner)
{
    struct mw_tls_stream *tls = owner;
    mw_buf_free(&tls->flying);
    mw_tls_push_out(tls);
    mw_tls_update_reading(tls);
}

static void on_closed(void *owner)
{
    struct mw_tls_stream *tls = owner;
    struct mw_mem *mem = mw_loop_mem(tls->loop->loop);
    mw_tls_session_free(&tls->sleep, &tls->ssl, &tls->loop->pool);
    mw_buf_free(&tls->input);
    mw_buf_free(&tls->flying);
    mw_buf_free(&tls->waiting);
    mw_tls_drop_rest(tls);
    mw_free(mem, tls->sni, tls->sni ? strlen(tls->sni) + 1 : 0);
    mw_free(mem, tls->peer, sizeof(*tls->peer));
    mw_tls_ctx_release(tls->ctx);
    tls->loop->streams--;
    if (tls->stream.events)
        tls->stream.events->closed(tls->stream.owner);
    mw_free(mem, tls, sizeof(*tls));
}

static const struct mw_stream_events events = {
    .read = on_read,
    .end = on_end,
    .written = on_written,
    .closed = on_closed,
};

/* ---- from above ---- */

static void set_reading(struct mw_stream *stream, bool on)
{
    struct mw_tls_stream *tls = from_stream(stream);
    mw_assert(stream->events || !on);
    tls->is_wanted = on;
    if (on && (tls->has_end || mw_tls_has_whole_input(tls)))
        mw_tls_do_later(tls);
    mw_tls_update_reading(tls);
}

static void close_stream(struct mw_stream *stream, bool reset)
{
    struct mw_tls_stream *tls = from_stream(stream);
    if (MW_NEVER_IF(tls->is_closing))
        return;
    mw_tls_leave_queue(tls);
    mw_turn_task_remove(&tls->later);
    tls->is_closing = true;
    mw_stream_close(tls->below, reset);
}

static void tell_peer(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    mw_stream_peer(from_stream(stream)->below, out);
}

static void copy_text(char *out, size_t max_bytes, const char *text)
{
    struct mw_view view = mw_view_text(text);
    size_t len = view.len < max_bytes ? view.len : max_bytes - 1;
    if (len > 0)
        memcpy(out, view.data, len);
    out[len] = '\0';
}

/* mbedTLS writes "TLS1-3-AES-128-GCM-SHA256" for IANA's "TLS_AES_128_GCM_SHA256". */
static void copy_cipher(char *out, size_t max_bytes, const char *name)
{
    static const char odd[] = "TLS1-3-", prefix[] = "TLS_";
    bool is_odd = strncmp(name, odd, sizeof(odd) - 1) == 0;
    copy_text(out, max_bytes, is_odd ? prefix : "");
    size_t len = strlen(out);
    copy_text(out + len, max_bytes - len, is_odd ? name + sizeof(odd) - 1 : name);
    for (; *out; out++) {
        if (*out == '-')
            *out = '_';
    }
}

static bool tell_facts(const struct mw_stream *stream, struct mw_tls_facts *out)
{
    const struct mw_tls_stream *tls = from_stream(stream);
    if (tls->state != MW_TLS_OPEN)
        return false;
    const mbedtls_x509_crt *client = tls->is_client ? NULL : mbedtls_ssl_get_peer_cert(&tls->ssl);
    copy_text(out->version, sizeof(out->version), mbedtls_ssl_get_version(&tls->ssl));
    copy_cipher(out->cipher, sizeof(out->cipher), mbedtls_ssl_get_ciphersuite(&tls->ssl));
    copy_text(out->sni, sizeof(out->sni), tls->sni);
    out->client_subject[0] = '\0';
    if (client && mbedtls_x509_dn_gets(out->client_subject, sizeof(out->client_subject),
                                       &client->subject) < 0)
        copy_text(out->client_subject, sizeof(out->client_subject), "(a very long name)");
    return true;
}

static const char *tell_fault(const struct mw_stream *stream)
{
    const char *fault = from_stream(stream)->fault;
    return fault ? fault : "";
}

static const struct mw_stream_ops ops = {
    .set_reading = set_reading,
    .write = mw_tls_write,
    .finish = mw_tls_finish,
    .close = close_stream,
    .peer = tell_peer,
    .untaken = mw_tls_untaken,
    .tls = tell_facts,
    .fault = tell_fault,
    .pack = mw_tls_pack,
};

void mw_tls_put_on(struct mw_tls_stream *tls, struct mw_tls_loop *loop, struct mw_stream *below)
{
    tls->loop = loop;
    tls->below = below;
    loop->streams++;
    mw_stream_attach(below, &events, tls);
}

static struct mw_tls_stream *stream_new(struct mw_tls_loop *loop, struct mw_tls_ctx *ctx,
                                        struct mw_stream *below)
{
    struct mw_mem *mem = mw_loop_mem(loop->loop);
    struct mw_tls_stream *tls = mw_alloc_zero(mem, sizeof(*tls));
    if (!tls)
        return NULL;
    tls->stream.ops = &ops;
    tls->ctx = mw_tls_ctx_hold(ctx);
    mw_tls_turn_init(&tls->turn);
    mw_turn_task_init(&tls->later, on_later);
    mw_buf_init(&tls->input, mem, MAX_INPUT_BYTES);
    mw_buf_init(&tls->flying, mem, MAX_WAITING_BYTES);
    mw_buf_init(&tls->waiting, mem, MAX_WAITING_BYTES);
    mbedtls_ssl_init(&tls->ssl);
    mw_tls_put_on(tls, loop, below);
    return tls;
}

struct mw_stream *mw_tls_accept(struct mw_tls_loop *loop, struct mw_tls_ctx *ctx,
                                struct mw_stream *below, struct mw_view first)
{
    struct mw_tls_stream *tls = stream_new(loop, ctx, below);
    if (!tls) {
        mw_stream_close(below, false);
        return NULL;
    }
    mw_tls_hear(tls, first);
    mw_tls_update_reading(tls);
    return &tls->stream;
}

struct mw_stream *mw_tls_connect(struct mw_tls_loop *loop, struct mw_tls_ctx *ctx,
                                 struct mw_stream *below, const char *host)
{
    struct mw_tls_stream *tls = NULL;
    char *sni = mw_mem_copy(mw_loop_mem(loop->loop), mw_view_text(host));
    if (sni)
        tls = stream_new(loop, ctx, below);
    if (!tls) {
        mw_free(mw_loop_mem(loop->loop), sni, sni ? strlen(sni) + 1 : 0);
        mw_stream_close(below, false);
        return NULL;
    }
    tls->is_client = true;
    tls->sni = sni;
    mw_tls_queue_add(&loop->queue, &tls->turn); /* ours is the first word */
    return &tls->stream;
}

const struct mw_tls_peer *mw_tls_peer(const struct mw_stream *stream)
{
    return from_stream(stream)->peer;
}

/* ---- what those of a loop share ---- */

struct mw_tls_loop *mw_tls_loop_new(struct mw_loop *loop)
{
    struct mw_mem *mem = mw_loop_mem(loop);
    struct mw_tls_loop *tls = mw_alloc_zero(mem, sizeof(*tls));
    if (!tls)
        return NULL;
    tls->loop = loop;
    mw_tls_queue_init(&tls->queue, loop, mw_tls_on_turn, mw_tls_on_drop);
    tls->plain = mw_alloc(mem, MW_TLS_PLAIN_BYTES);
    tls->packed = mw_alloc(mem, MW_TLS_RECORD_BYTES);
    if (tls->plain && tls->packed)
        return tls;
    mw_tls_loop_free(tls);
    return NULL;
}

void mw_tls_loop_free(struct mw_tls_loop *tls)
{
    if (!tls)
        return;
    struct mw_mem *mem = mw_loop_mem(tls->loop);
    mw_assert(tls->streams == 0);
    mw_tls_queue_free(&tls->queue);
    mw_tls_pool_free(&tls->pool);
    mw_free(mem, tls->plain, MW_TLS_PLAIN_BYTES);
    mw_free(mem, tls->packed, MW_TLS_RECORD_BYTES);
    mw_free(mem, tls, sizeof(*tls));
}

void mw_tls_loop_stats(const struct mw_tls_loop *tls, struct mw_tls_stats *out)
{
    *out = (struct mw_tls_stats){
        .streams = tls->streams,
        .handshaking = tls->queue.begun,
        .queued = tls->queue.waiting,
        .record_buffers = tls->pool.made_count,
        .full = tls->full,
        .resumed = tls->resumed,
        .failed = tls->failed,
    };
}
