/*
 * Requests before an upgrade. Called by server/http_driver; knows no files, routes or sockets.
 * Heads are short, so what came is copied: the receive buffer is never held while an answer is
 * made.
 */
#include "core/session/http_conn.h"

#include "core/proto/http_out.h"

/*
 * Pipelined bytes kept while an answer is made: more than any honest client sends ahead of a 101.
 */
#define MAX_AHEAD 65536

int mw_http_conn_init(struct mw_http_conn *http, struct mw_mem *mem, mw_ms now_ms)
{
    struct mw_http_reader *reader = mw_http_reader_new(mem, MW_HTTP_REQUEST);
    if (!reader)
        return MW_ERR_NOMEM;
    *http = (struct mw_http_conn){ .reader = reader, .due_ms = now_ms + MW_HTTP_HEAD_MS };
    mw_buf_init(&http->in, mem, MAX_AHEAD + MW_HTTP_MAX_HEAD);
    mw_buf_init(&http->out, mem, 0);
    return MW_OK;
}

void mw_http_conn_free(struct mw_http_conn *http)
{
    mw_http_reader_free(http->reader);
    mw_buf_free(&http->in);
    mw_buf_free(&http->out);
    http->reader = 0;
}

int mw_http_conn_feed(struct mw_http_conn *http, struct mw_view bytes)
{
    if (http->phase == MW_HTTP_PHASE_DONE)
        return MW_OK; /* read and dropped: see lingering close */
    if (http->phase == MW_HTTP_PHASE_BUSY && mw_http_conn_head(http)->has_body)
        return MW_OK; /* nobody wants the body, and nothing follows it */
    return mw_buf_put_view(&http->in, bytes);
}

static enum mw_http_event refuse(struct mw_http_conn *http, mw_ms unix_ms)
{
    const struct mw_http_refusal *why = &http->refusal;
    http->phase = MW_HTTP_PHASE_DONE;
    http->keep_alive = false;
    mw_buf_clear(&http->in);
    /* Without memory the client sees the stream's end only. */
    (void)mw_http_refuse(&http->out, why->status, why->error, mw_view_text(why->text), 0, unix_ms);
    return MW_HTTP_REFUSED;
}

enum mw_http_event mw_http_conn_next(struct mw_http_conn *http, mw_ms unix_ms)
{
    if (http->phase != MW_HTTP_PHASE_HEAD || http->in.len == 0)
        return MW_HTTP_MORE;
    size_t used = 0;
    int err = mw_http_reader_feed(http->reader, mw_buf_view(&http->in), &used, &http->refusal);
    if (err == MW_ERR_NOMEM)
        http->refusal =
            (struct mw_http_refusal){ 503, "out_of_memory", "the server is out of memory" };
    if (err == MW_ERR_AGAIN) {
        mw_buf_clear(&http->in);
        return MW_HTTP_MORE;
    }
    if (err)
        return refuse(http, unix_ms);
    mw_buf_skip(&http->in, used);
    http->phase = MW_HTTP_PHASE_BUSY;
    const struct mw_http_head *head = mw_http_reader_head(http->reader);
    http->keep_alive = head->keep_alive && !head->has_body;
    return MW_HTTP_GOT_REQUEST;
}

const struct mw_http_head *mw_http_conn_head(const struct mw_http_conn *http)
{
    return mw_http_reader_head(http->reader);
}

bool mw_http_conn_has_begun(const struct mw_http_conn *http)
{
    return http->in.len > 0 || !mw_http_reader_is_fresh(http->reader);
}

int mw_http_conn_start(struct mw_http_conn *http, unsigned status, mw_ms unix_ms)
{
    int err = mw_http_start(&http->out, status, unix_ms);
    if (!err && !http->keep_alive)
        err = mw_http_field(&http->out, "Connection", mw_view_text("close"));
    else if (!err && mw_http_conn_head(http)->minor == 0)
        err = mw_http_field(&http->out, "Connection", mw_view_text("keep-alive"));
    return err;
}

void mw_http_conn_answered(struct mw_http_conn *http, mw_ms now_ms)
{
    if (http->phase != MW_HTTP_PHASE_BUSY)
        return;
    if (!http->keep_alive) {
        http->phase = MW_HTTP_PHASE_DONE;
        return;
    }
    mw_http_reader_reset(http->reader);
    http->phase = MW_HTTP_PHASE_HEAD;
    http->due_ms = now_ms + MW_HTTP_KEEP_MS;
}

void mw_http_conn_time_out(struct mw_http_conn *http, mw_ms unix_ms)
{
    http->refusal = (struct mw_http_refusal){ 408, "timeout", "the request head took too long" };
    if (mw_http_conn_has_begun(http))
        (void)refuse(http, unix_ms);
    else
        http->phase = MW_HTTP_PHASE_DONE;
}
