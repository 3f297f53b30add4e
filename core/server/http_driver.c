/*
 * Requests before an upgrade: pulls them out of session/http_conn one after the other, lets
 * ws_driver or static_files answer, and writes the answer. Called by client.
 */
#include "core/server/http_driver.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/forwarded.h"
#include "core/proto/handshake.h"
#include "core/proto/http_out.h"
#include "core/proto/url.h"
#include "core/server/client_js.h"
#include "core/server/comeback.h"
#include "core/server/explain_page.h"
#include "core/server/handover.h"
#include "core/server/health.h"
#include "core/server/metrics_page.h"
#include "core/server/pause.h"
#include "core/server/refused_page.h"
#include "core/server/static_files.h"
#include "core/server/upgrade.h"
#include "core/server/worker.h"
#include "core/session/refusal.h"

/* A client that takes nothing of its answer for this long is gone. */
#define WRITE_STALL_MS 30000

/* No head is larger, so one piece at most is looked at that belongs to something else. */
#define READ_PIECE_BYTES MW_HTTP_MAX_HEAD

bool mw_http_driver_open(struct mw_client *client, mw_ms at_ms)
{
    struct mw_worker *worker = client->worker;
    struct mw_requests *http = mw_alloc_zero(&worker->mem, sizeof *http);
    if (!http)
        return false;
    if (mw_http_conn_init(&http->conn, &worker->mem, at_ms)) {
        mw_free(&worker->mem, http, sizeof *http);
        return false;
    }
    http->peer = client->ip;
    client->http = http;
    if (worker->stopping) /* it comes at the last moment, and must not keep it for long */
        http->conn.due_ms =
            mw_ms_min(http->conn.due_ms, mw_loop_now(worker->loop) + mw_drain_last_ms(worker));
    mw_alarm_set(worker->loop, &client->alarm, http->conn.due_ms);
    return true;
}

void mw_http_driver_close(struct mw_client *client)
{
    if (!client->http)
        return;
    mw_static_cancel(client->http->body);
    mw_comeback_free(client);
    mw_client_free_decided(client->worker, client->http->decided);
    mw_http_conn_free(&client->http->conn);
    mw_free(&client->worker->mem, &client->http->conn, sizeof *client->http);
    client->http = 0;
}

/*
 * A page never learns why its socket was refused, so the log has to tell. The query stays out: it
 * may hold what is secret.
 */
static void tell_of_handshake(struct mw_client *client, unsigned status, const char *error,
                              struct mw_view detail)
{
    struct mw_worker *worker = client->worker;
    struct mw_view target = mw_http_conn_head(&client->http->conn)->target;
    struct mw_view path = mw_view(target.data, mw_view_find(target, '?', 0));
    struct mw_log_line line;
    char ip[MW_IP_TEXT_LEN];
    mw_rare_begin(&worker->strangers, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_INFO,
                  "handshake refused");
    mw_log_text(&line, "path", path);
    mw_log_text(&line, "ip", mw_client_ip(client, ip));
    mw_log_integer(&line, "status", status);
    mw_log_text(&line, "error", mw_view_text(error));
    if (detail.len && !mw_view_equal(detail, target) && !mw_view_equal(detail, path))
        mw_log_text(&line, "detail", detail);
    mw_log_end(&line);
}

/*
 * A handshake; or what may have been one before a proxy took its Upgrade away. Of any other request
 * the answer would tell every page that makes it which files there are.
 */
static bool may_be_asked_for(const struct mw_http_head *head, unsigned status)
{
    return mw_ws_is_upgrade(head) || status == 426 || status == 503;
}

/* For who asks by its mark what a browser did not show it. */
static void keep_for_asker(struct mw_client *client, const struct mw_refused_said *said)
{
    struct mw_worker *worker = client->worker;
    struct mw_view mark = mw_sideband_mark(mw_http_conn_target(&client->http->conn));
    mw_refused_put(&worker->refused, mark, said, mw_loop_now(worker->loop));
}

static void refuse(struct mw_client *client, unsigned status, const char *error,
                   struct mw_view detail, const char *extra, const struct mw_http_told *told)
{
    const struct mw_http_head *head = mw_http_conn_head(&client->http->conn);
    if (may_be_asked_for(head, status))
        keep_for_asker(client, &(struct mw_refused_said){ status, error, detail, *told });
    if (mw_ws_is_upgrade(head)) {
        tell_of_handshake(client, status, error, detail);
        mw_metrics_count_refusal(&client->worker->metrics, error, told->cause);
    }
    (void)mw_http_conn_refuse(&client->http->conn, status, error, detail, extra, told,
                              mw_clock_unix_ms());
    mw_client_settle_later(client);
}

void mw_http_driver_refuse(struct mw_client *client, unsigned status, const char *error,
                           struct mw_view detail, const char *extra)
{
    struct mw_http_told told = mw_refusal_told(status, error);
    refuse(client, status, error, detail, extra, &told);
}

void mw_http_driver_refuse_until(struct mw_client *client, unsigned status, const char *error,
                                 struct mw_view detail, const struct mw_advice *retry)
{
    struct mw_http_told told = mw_refusal_told(status, error);
    told.retry = *retry;
    refuse(client, status, error, detail, 0, &told);
}

void mw_http_driver_answered(struct mw_client *client)
{
    client->http->body = 0;
    mw_client_settle_later(client);
}

/* ---- who asks ---- */

/* About somebody who never got as far as a request. */
static void tell_stranger(struct mw_client *client, const char *what, const char *error)
{
    struct mw_worker *worker = client->worker;
    struct mw_log_line line;
    char ip[MW_IP_TEXT_LEN];
    mw_rare_begin(&worker->strangers, mw_loop_now(worker->loop), &line, worker->log, MW_LOG_INFO,
                  what);
    mw_log_text(&line, "peer", mw_client_ip(client, ip));
    mw_log_text(&line, "error", mw_view_text(error));
    mw_log_end(&line);
}

static void tell_of_bad_request(struct mw_client *client)
{
    const struct mw_http_refusal *why = &client->http->conn.refusal;
    const struct mw_refused_said said = { why->status, why->error, mw_view_text(why->text),
                                          mw_refusal_told(why->status, why->error) };
    keep_for_asker(client, &said);
    bool is_tls = !strcmp(why->error, "tls_on_plain_port");
    tell_stranger(client, is_tls ? "tls on a plain port" : "request refused", why->text);
}

/* Whom the headers of a trusted proxy name: with every request perhaps somebody else. */
static void note_client(struct mw_client *client, const struct mw_http_head *head)
{
    const struct mw_config *config = client->worker->config;
    const struct mw_ip *peer = &client->http->peer;
    if (mw_config_trusts(config, peer))
        mw_forwarded_client(head, mw_config_forwarded_by(config), config->trusted.items,
                            config->trusted.count, peer, &client->ip);
}

/* ---- a request ---- */

static void refuse_for_memory(struct mw_client *client)
{
    mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
}

static void no_such_file(struct mw_client *client, struct mw_view path)
{
    struct mw_param params[MW_PATTERN_MAX_SEGMENTS];
    size_t count;
    const struct mw_route *route = mw_route_match(client->worker, path, params, &count);
    if (route && route->quarantine.paused)
        mw_http_driver_refuse(client, 503, "script_paused", mw_view_text(MW_PAUSE_TEXT), 0);
    else if (route)
        mw_http_driver_refuse(
            client, 426, "upgrade_required",
            mw_view_text("this is a WebSocket route: connect with ws://, not with http://"),
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    else
        mw_http_driver_refuse(client, 404, "not_found", path, 0);
}

#define METHODS "GET, HEAD, OPTIONS"

/* The same for every path and for "*": the server has nothing that takes another method. */
static void answer_options(struct mw_client *client)
{
    struct mw_http_conn *http = &client->http->conn;
    int err = mw_http_conn_start(http, 204, mw_clock_unix_ms());
    if (!err)
        err = mw_http_field(&http->out, "Allow", mw_view_text(METHODS));
    if (err || mw_http_end(&http->out))
        refuse_for_memory(client);
}

static void refuse_method(struct mw_client *client)
{
    mw_http_driver_refuse(client, 405, "method_not_allowed",
                          mw_http_conn_head(&client->http->conn)->method, "Allow: " METHODS "\r\n");
}

static void serve_file(struct mw_client *client, struct mw_view path)
{
    struct mw_view method = mw_http_conn_head(&client->http->conn)->method;
    if (mw_view_is(method, "OPTIONS"))
        answer_options(client);
    else if (!mw_view_is(method, "GET") && !mw_view_is(method, "HEAD"))
        refuse_method(client);
    else if (mw_static_serve(client, path, no_such_file))
        refuse_for_memory(client);
}

/* What the server says itself, before any file of the same name. */
static bool is_answered_by_page(struct mw_client *client, struct mw_view path)
{
    static bool (*const pages[])(struct mw_client * client, struct mw_view path) = {
        mw_health_answer, mw_metrics_page, mw_explain_page, mw_refused_page, mw_client_js_page,
    };
    for (size_t i = 0; i < MW_COUNT(pages); i++) {
        if (pages[i](client, path))
            return true;
    }
    return false;
}

/* RFC 9112 3.2.4 */
static bool asks_about_server(const struct mw_http_head *head)
{
    return mw_view_is(head->method, "OPTIONS") && mw_view_is(head->target, "*");
}

static void upgrade(struct mw_client *client, struct mw_view path)
{
    if (client->worker->stopping)
        mw_drain_refuse(client);
    else
        mw_upgrade(client, path);
}

static void handle_request(struct mw_client *client)
{
    const struct mw_http_head *head = mw_http_conn_head(&client->http->conn);
    struct mw_target target;
    char path[MW_HTTP_MAX_TARGET];
    long len = MW_ERR_BAD_ARG;
    /* What had begun is still answered, and is the last; who must not stay asks one thing. */
    if (client->worker->stopping || client->is_last)
        client->http->conn.keep_alive = false;
    note_client(client, head);
    if (mw_target_split(head->target, &target) == MW_OK && target.path.len <= sizeof path)
        len = mw_path_normalise(target.path, path);
    if (asks_about_server(head))
        answer_options(client);
    else if (mw_view_is(head->method, "CONNECT"))
        refuse_method(client);
    else if (len < 0)
        mw_http_driver_refuse(client, 400, "bad_target", head->target, 0);
    else if (mw_ws_is_upgrade(head))
        upgrade(client, mw_view(path, (size_t)len));
    else if (!is_answered_by_page(client, mw_view(path, (size_t)len)))
        serve_file(client, mw_view(path, (size_t)len));
}

/* ---- step by step ---- */

/* Heads and short bodies. The buffer is cleared only when the stream has let go of it. */
static bool send_out(struct mw_client *client)
{
    struct mw_http_conn *http = &client->http->conn;
    if (http->out_sent) {
        http->out_sent = false;
        mw_buf_clear(&http->out);
        return true;
    }
    struct mw_view vector = mw_buf_view(&http->out);
    size_t taken = 0;
    if (!mw_client_write(client, &vector, 1, &taken)) {
        mw_client_drop(client, true);
        return false;
    }
    http->out_sent = true;
    return true;
}

static bool next_request(struct mw_client *client)
{
    enum mw_http_event event = mw_http_conn_next(&client->http->conn, mw_clock_unix_ms());
    if (event == MW_HTTP_GOT_REQUEST)
        handle_request(client);
    if (event == MW_HTTP_REFUSED)
        tell_of_bad_request(client);
    if (event == MW_HTTP_MORE && client->ended) /* nothing more can come */
        mw_client_drop(client, false);
    return event != MW_HTTP_MORE;
}

/* One step from a request to having answered it; false: something else has to happen first. */
static bool step(struct mw_client *client)
{
    struct mw_http_conn *http = &client->http->conn;
    if (http->out.len)
        return send_out(client);
    if (client->http->body)
        return mw_static_step(client->http->body);
    if (client->http->awaits)
        return false;
    switch (http->phase) {
    case MW_HTTP_PHASE_BUSY:
        mw_http_conn_answered(http, mw_loop_now(client->worker->loop));
        return true;
    case MW_HTTP_PHASE_DONE:
        mw_client_linger(client);
        return false;
    case MW_HTTP_PHASE_HEAD:
        return next_request(client);
    }
    return false;
}

static void put_alarm(struct mw_client *client)
{
    struct mw_loop *loop = client->worker->loop;
    bool waits_for_head = client->http->conn.phase == MW_HTTP_PHASE_HEAD;
    mw_alarm_set(loop, &client->alarm,
                 waits_for_head ? client->http->conn.due_ms : mw_loop_now(loop) + WRITE_STALL_MS);
}

void mw_http_driver_settle(struct mw_client *client)
{
    if (client->is_leaving)
        mw_handover_leave(client);
    while (client->phase == MW_CLIENT_HTTP && !client->is_leaving && client->in_flight == 0 &&
           step(client)) {
    }
    if (client->phase == MW_CLIENT_HTTP)
        put_alarm(client);
}

size_t mw_http_driver_read(struct mw_client *client, char *bytes, size_t len)
{
    size_t piece = len < READ_PIECE_BYTES ? len : READ_PIECE_BYTES;
    if (client->is_leaving)
        return mw_handover_keep(client, mw_view(bytes, len)) ? len : 0;
    if (mw_http_conn_feed(&client->http->conn, mw_view(bytes, piece)))
        return 0;
    if (client->phase == MW_CLIENT_HTTP && client->http->conn.phase == MW_HTTP_PHASE_HEAD)
        mw_http_driver_settle(client);
    return piece;
}

void mw_http_driver_alarm(struct mw_client *client)
{
    if (client->http->conn.phase != MW_HTTP_PHASE_HEAD) {
        if (mw_client_advances(client))
            put_alarm(client);
        else
            mw_client_drop(client, true);
        return;
    }
    bool has_begun = mw_http_conn_has_begun(&client->http->conn);
    mw_http_conn_time_out(&client->http->conn, mw_clock_unix_ms());
    if (has_begun)
        tell_of_bad_request(client);
    mw_client_settle_later(client);
}

void mw_http_driver_end(struct mw_client *client, enum mw_stream_end how)
{
    switch (how) {
    case MW_STREAM_FIN: /* a client may half-close and read: the answers are finished first */
        mw_client_settle_later(client);
        break;
    case MW_STREAM_RESET:
        mw_client_drop(client, true);
        break;
    case MW_STREAM_TLS_ERROR:
        tell_stranger(client, "tls refused", mw_stream_fault(client->stream));
        mw_client_linger(client);
        break;
    }
}
