/*
 * Requests before an upgrade. Called by server/http_driver; knows no files, routes or sockets.
 * Heads are short, so what came is copied: the receive buffer is never held while an answer is
 * made.
 */
#include "core/session/http_conn.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/http_out.h"
#include "core/session/refusal.h"

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

/* RFC 9110 9.3.2: the answer to HEAD is the head that GET would have got. */
static void drop_body(struct mw_buf *out)
{
    static const char end[] = "\r\n\r\n";
    for (size_t i = 4; i <= out->len; i++) {
        if (!memcmp(out->data + i - 4, end, 4))
            out->len = i;
    }
}

static enum mw_http_event refuse(struct mw_http_conn *http, mw_ms unix_ms)
{
    const struct mw_http_refusal *why = &http->refusal;
    const struct mw_http_told told = mw_refusal_told(why->status, why->error);
    http->phase = MW_HTTP_PHASE_DONE;
    http->keep_alive = false;
    mw_buf_clear(&http->in);
    /* Without memory the client sees the stream's end only. */
    (void)mw_http_refuse(&http->out, why->status, why->error, mw_view_text(why->text), "close", 0,
                         &told, unix_ms);
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

struct mw_view mw_http_conn_target(const struct mw_http_conn *http)
{
    return mw_http_reader_target(http->reader);
}

bool mw_http_conn_has_begun(const struct mw_http_conn *http)
{
    return http->in.len > 0 || !mw_http_reader_is_fresh(http->reader);
}

/* ---- answers ---- */

/*
 * What a client has to be told (RFC 9112 9.3): that this answer is the last one, or to HTTP/1.0
 * that it is not. Of 426 that Upgrade is for the next hop alone (RFC 9110 7.8).
 */
static const char *connection_of(const struct mw_http_conn *http, unsigned status)
{
    bool names_upgrade = status == 426;
    if (!http->keep_alive)
        return names_upgrade ? "close, Upgrade" : "close";
    if (mw_http_conn_head(http)->minor == 0)
        return names_upgrade ? "keep-alive, Upgrade" : "keep-alive";
    return names_upgrade ? "Upgrade" : NULL;
}

int mw_http_conn_start(struct mw_http_conn *http, unsigned status, mw_ms unix_ms)
{
    const char *connection = connection_of(http, status);
    int err = mw_http_start(&http->out, status, unix_ms);
    if (!err && connection)
        err = mw_http_field(&http->out, "Connection", mw_view_text(connection));
    return err;
}

/*
 * What asks for the impossible and is sound otherwise. Of all else the sender may mean something
 * different by what follows; and behind an upgrade, or CONNECT, it may be another protocol's.
 */
static bool may_go_on_after(const struct mw_http_head *head, unsigned status)
{
    static const unsigned harmless[] = { 301, 404, 405, 412, 416, 426 };
    size_t upgrades;
    mw_http_header(head, "upgrade", &upgrades);
    if (upgrades > 0 || mw_view_is(head->method, "CONNECT"))
        return false;
    for (size_t i = 0; i < MW_COUNT(harmless); i++) {
        if (harmless[i] == status)
            return true;
    }
    return false;
}

int mw_http_conn_refuse(struct mw_http_conn *http, unsigned status, const char *error,
                        struct mw_view detail, const char *extra, const struct mw_http_told *told,
                        mw_ms unix_ms)
{
    const struct mw_http_head *head = mw_http_conn_head(http);
    http->keep_alive = http->keep_alive && may_go_on_after(head, status);
    mw_buf_clear(&http->out);
    int err = mw_http_refuse(&http->out, status, error, detail, connection_of(http, status), extra,
                             told, unix_ms);
    http->keep_alive = http->keep_alive && !err;
    if (mw_view_is(head->method, "HEAD"))
        drop_body(&http->out);
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

void mw_http_conn_turn_away(struct mw_http_conn *http, const struct mw_http_refusal *why,
                            mw_ms unix_ms)
{
    http->refusal = *why;
    (void)refuse(http, unix_ms);
}

void mw_http_conn_time_out(struct mw_http_conn *http, mw_ms unix_ms)
{
    http->refusal = (struct mw_http_refusal){ 408, "timeout", "the request head took too long" };
    if (mw_http_conn_has_begun(http))
        (void)refuse(http, unix_ms);
    else
        http->phase = MW_HTTP_PHASE_DONE;
}
