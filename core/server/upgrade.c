/*
 * From an upgrade request to an open WebSocket, or to its refusal: RFC 6455's rules, the route, the
 * Origin, limits, and last the script's on_open, which may take its time. Called by http_driver;
 * what comes after is ws_driver's.
 */
#include "core/server/upgrade.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/proto/handshake.h"
#include "core/proto/url.h"
#include "core/server/admit.h"
#include "core/server/away.h"
#include "core/server/comeback.h"
#include "core/server/fair.h"
#include "core/server/handover.h"
#include "core/server/http_driver.h"
#include "core/server/pause.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"
#include "core/session/sideband.h"
#include "moonwire/bounds.h"

/* on_open may wait for others; a browser waits as long. */
#define OPENING_MS 30000

/* The sideband's place is behind the params, which leave it aligned. */
_Static_assert(_Alignof(struct mw_sideband) <= _Alignof(struct mw_param), "see facts_new");

_Static_assert(MW_HTTP_MAX_TARGET <= UINT16_MAX && MW_HTTP_MAX_HEAD <= UINT16_MAX,
               "the length of a path, or of a protocol, is 16 bits of struct mw_facts");
_Static_assert(MW_PATTERN_MAX_SEGMENTS <= 0x7F, "so is the number of parameters 7 bits");

/* Copies what outlives the request into one block. `mark`: empty, or one. NULL: no memory. */
static struct mw_facts *facts_new(struct mw_mem *mem, struct mw_view path, struct mw_view protocol,
                                  struct mw_view mark, const struct mw_param *params, size_t count)
{
    size_t sideband_len = mark.len ? sizeof(struct mw_sideband) : 0;
    size_t size =
        sizeof(struct mw_facts) + count * sizeof *params + sideband_len + path.len + protocol.len;
    for (size_t i = 0; i < count; i++)
        size += params[i].name.len + params[i].value.len;
    struct mw_facts *facts = mw_alloc(mem, size);
    if (!facts)
        return 0;
    *facts = (struct mw_facts){ .path_len = (uint16_t)path.len,
                                .protocol_len = (uint16_t)protocol.len,
                                .has_sideband = mark.len > 0,
                                .opened_unix_ms = mw_clock_unix_ms(),
                                .param_count = count & 0x7F };
    if (facts->has_sideband)
        mw_sideband_init(mw_facts_sideband(facts), mark);
    char *at = (char *)facts->params + mw_facts_texts_at(facts);
    memcpy(at, path.data, path.len);
    at += path.len;
    if (protocol.len)
        memcpy(at, protocol.data, protocol.len);
    at += protocol.len;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, params[i].name.data, params[i].name.len);
        facts->params[i].name = mw_view(at, params[i].name.len);
        at += params[i].name.len;
        if (params[i].value.len)
            memcpy(at, params[i].value.data, params[i].value.len);
        facts->params[i].value = mw_view(at, params[i].value.len);
        at += params[i].value.len;
    }
    return facts;
}

/* ---- who may not enter ---- */

/* The request was sent to this machine by one of its own names. */
static bool host_is_local(const struct mw_http_head *head)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    size_t count;
    struct mw_view host = mw_http_header(head, "host", &count);
    size_t after_v6 = host.len && host.data[0] == '[' ? mw_view_find(host, ']', 0) : 0;
    host.len = mw_view_find(host, ':', after_v6);
    for (size_t i = 0; i < MW_COUNT(names); i++) {
        if (mw_view_is_nocase(host, names[i]))
            return true;
    }
    return mw_view_ends_with(host, ".localhost");
}

/*
 * While somebody develops on their own machine, a page whose name was made to point here (DNS
 * rebinding) has the same host and origin, and is foreign all the same.
 */
static bool is_rebound(const struct mw_client *client, const struct mw_http_head *head)
{
    size_t count;
    (void)mw_http_header(head, "origin", &count);
    char room[MW_IP_TEXT_LEN];
    const struct mw_view ip = mw_client_ip(client, room);
    bool is_local = mw_view_starts_with(ip, "127.") || mw_view_is(ip, "::1");
    return count && client->worker->config->dev && is_local && !host_is_local(head);
}

static bool origin_is_welcome(const struct mw_client *client, const struct mw_http_head *head,
                              const struct mw_route_spec *spec)
{
    if (spec->origin_count)
        return mw_ws_origin_is_listed(head, spec->origins, spec->origin_count);
    return mw_ws_origin_is_same(head) && !is_rebound(client, head);
}

static void refuse_origin(struct mw_client *client, const struct mw_http_head *head)
{
    size_t count;
    struct mw_view origin = mw_http_header(head, "origin", &count);
    char text[384];
    snprintf(text, sizeof text,
             "pages of %.*s may not connect here; list it in origins of the script, M.origins = { "
             "\"%.*s\" }",
             (int)(origin.len < 120 ? origin.len : 120), origin.data,
             (int)(origin.len < 120 ? origin.len : 120), origin.data);
    mw_http_driver_refuse(client, 403, "origin", mw_view_text(text), 0);
}

/* True where the request was answered with a refusal that needs no script. */
static bool refused(struct mw_client *client, const struct mw_http_head *head,
                    const struct mw_route *route, struct mw_view path)
{
    struct mw_ws_refusal refusal;
    if (mw_ws_check_request(head, &refusal))
        mw_http_driver_refuse(client, refusal.status, refusal.error, mw_view_text(refusal.text),
                              refusal.extra);
    else if (!route)
        mw_http_driver_refuse(client, 404, "no_route", path, 0);
    else if (!route->spec || route->removed)
        mw_http_driver_refuse(
            client, 503, "script_not_loaded",
            mw_view_text("the script of this route has an error: see the server's log"), 0);
    else if (!origin_is_welcome(client, head, route->spec))
        refuse_origin(client, head);
    else
        return false;
    return true;
}

/* ---- the decision ---- */

/* Behind the answer to the handshake, so before all that on_open may have sent. */
int mw_upgrade_put_hello(const struct mw_client *client, const struct mw_sideband *sideband,
                         const uint64_t *missed, struct mw_buf *answer)
{
    char id[17], token[MW_RESUME_TOKEN_LEN + 1], text[MW_SIDEBAND_HELLO_MAX];
    uint8_t head[MW_FRAME_HEAD_MAX];
    if (!sideband)
        return MW_OK;
    struct mw_sideband_session said = { .token = token, .for_ms = client->route->resume_ms };
    if (client->session) {
        mw_resume_tokens_text(&client->session->tokens, token);
        said.got = client->session->replay.received;
        said.back = missed != NULL;
        said.missed = missed ? *missed : 0;
    }
    mw_id_text(client->id, id);
    size_t len =
        mw_sideband_hello(sideband, id, &client->route->limits, client->session ? &said : 0, text);
    int err = mw_buf_put(answer, head, mw_frame_encode(head, MW_OPCODE_TEXT, true, len, 0));
    return err ? err : mw_buf_put(answer, text, len);
}

void mw_upgrade_keep_rest(struct mw_client *client, struct mw_http_conn *http)
{
    if (http->in.len == 0)
        return;
    client->unheard->held = http->in;
    client->unheard->held.max_bytes = 0;
    mw_buf_init(&http->in, &client->worker->mem, 0);
}

/* Leaves OPENING for good. False: no memory. */
static bool send_answer(struct mw_client *client)
{
    struct mw_buf answer;
    mw_buf_init(&answer, &client->worker->mem, 0);
    int err = mw_ws_answer(&answer, mw_http_conn_head(&client->http->conn),
                           mw_facts_protocol(client->facts), &client->facts->deflate);
    if (!err)
        err = mw_upgrade_put_hello(client, client->conn.sideband, 0, &answer);
    if (!err && client->http->conn.in.len > 0 && !mw_client_keep_unheard(client))
        err = MW_ERR_NOMEM;
    if (!err)
        err =
            mw_conn_put_raw(&client->conn, mw_buf_view(&answer), mw_loop_now(client->worker->loop));
    mw_buf_free(&answer);
    if (err)
        return false;
    mw_upgrade_keep_rest(client, &client->http->conn);
    mw_http_driver_close(client);
    client->phase = MW_CLIENT_OPEN;
    client->route->metrics.cells->opened++;
    return true;
}

static void refuse_with_status(struct mw_client *client, const struct mw_verdict *verdict)
{
    /* The reason belongs to the engine, which is called before it is used up. */
    char body[MW_BOUND_REFUSAL_BYTES];
    size_t len = verdict->reason.len < sizeof body ? verdict->reason.len : sizeof body;
    if (len)
        memcpy(body, verdict->reason.data, len);
    unsigned status = verdict->code;
    mw_ws_driver_forget(client, MW_CAUSE_script_close);
    client->phase = MW_CLIENT_HTTP;
    mw_http_driver_refuse(client, status, "refused", mw_view(body, len), 0);
}

/* What the script has queued already must not reach the peer without an answer before it. */
static void refuse_for_memory(struct mw_client *client)
{
    mw_ws_driver_forget(client, MW_CAUSE_out_of_memory);
    client->phase = MW_CLIENT_HTTP;
    mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
}

/* Upgrades, then closes with a code that a browser's script can read. */
static void open_and_close(struct mw_client *client, enum mw_cause cause, unsigned code,
                           struct mw_view reason, const struct mw_advice *advice)
{
    if (!send_answer(client)) {
        refuse_for_memory(client);
        return;
    }
    (void)mw_ws_driver_close_advised(client, cause, code, reason, advice);
    mw_ws_driver_start(client);
}

void mw_upgrade_give_up(struct mw_client *client, enum mw_cause cause, unsigned code,
                        struct mw_view reason, const struct mw_advice *advice)
{
    client->unasked = false; /* nobody will be asked any more */
    open_and_close(client, cause, code, reason, advice);
}

static void tell_of_failure(struct mw_client *client)
{
    struct mw_view failed = mw_view_text("on_open failed");
    switch ((enum mw_fault_kind)client->open_fault) {
    case MW_FAULT_ERROR:
        open_and_close(client, MW_CAUSE_script_error, 0, failed, 0);
        break;
    case MW_FAULT_CPU:
        open_and_close(client, MW_CAUSE_script_budget, 0, failed, 0);
        break;
    case MW_FAULT_MEMORY:
        open_and_close(client, MW_CAUSE_script_memory, 0, failed, 0);
        break;
    }
}

void mw_upgrade_expire(struct mw_client *client)
{
    if (client->http->comeback) {
        mw_comeback_expire(client);
        return;
    }
    if (!client->unasked) {
        mw_upgrade_decide(client, 0);
        return;
    }
    mw_upgrade_give_up(client, MW_CAUSE_script_busy, 0, mw_view_text("the script is busy"), 0);
}

void mw_upgrade_decide(struct mw_client *client, const struct mw_verdict *verdict)
{
    if (!verdict) {
        tell_of_failure(client);
    } else if (!verdict->accept && verdict->code < 1000) {
        refuse_with_status(client, verdict);
    } else if (!verdict->accept) {
        open_and_close(client, MW_CAUSE_script_close, verdict->code, verdict->reason, 0);
    } else {
        client->accepted = true; /* from here on on_close is owed, also if no answer can be sent */
        if (send_answer(client))
            mw_ws_driver_start(client);
        else
            refuse_for_memory(client);
    }
}

/* ---- who finds no room ---- */

/* Takes a place among those of its address, which the end of the app's knowledge gives back. */
static int enter_by_ip(struct mw_client *client)
{
    struct mw_route *route = client->route;
    if (!route->max_per_ip)
        return MW_OK;
    return mw_seat_take_ip(route->seat, &client->ip, route->max_per_ip, &client->ip_count);
}

/* True where it was turned away: then on_open is not called, and it takes nobody's place. */
static bool turned_away(struct mw_client *client)
{
    const struct mw_route *route = client->route;
    const char *reason = "the route is full";
    int err = MW_ERR_FULL;
    if (mw_seat_take(route->seat, route->max_connections)) {
        reason = "more connections than limits.connections_per_ip";
        err = enter_by_ip(client);
        if (err)
            mw_seat_leave(route->seat, 0);
    }
    if (err == MW_ERR_FULL)
        open_and_close(client, MW_CAUSE_connection_limit, 0, mw_view_text(reason), 0);
    else if (err)
        refuse_for_memory(client);
    return err != MW_OK;
}

/* ---- asking the script ---- */

/*
 * What one read has brought already is still fed behind the handshake: a client may send before it
 * has the answer, and this is no flood, for nothing more is read.
 */
void mw_upgrade_wait(struct mw_client *client)
{
    struct mw_loop *loop = client->worker->loop;
    client->http->conn.in.max_bytes = 0;
    mw_stream_set_reading(client->stream, false);
    mw_alarm_set(loop, &client->alarm, mw_loop_now(loop) + OPENING_MS);
}

void mw_upgrade_request(const struct mw_client *client, struct mw_upgrade_room *room,
                        struct mw_request *request)
{
    const struct mw_http_head *head = mw_http_conn_head(&client->http->conn);
    struct mw_target target = { 0 };
    (void)mw_target_split(head->target, &target); /* it was split before */
    *request = (struct mw_request){
        .conn = client->id,
        .path = mw_facts_path(client->facts),
        .target = head->target,
        .query = mw_sideband_hide(target.query, room->query),
        .headers = head->headers,
        .header_count = head->header_count,
        .tls = mw_stream_tls(client->stream, &room->tls) ? &room->tls : 0,
    };
}

static enum mw_app_result call_open(struct mw_client *client, struct mw_verdict *verdict)
{
    struct mw_upgrade_room room;
    struct mw_request request;
    mw_upgrade_request(client, &room, &request);
    client->asked = true;
    client->route->asked_count++;
    unsigned begun = mw_fair_begin(client->route);
    enum mw_app_result result = client->worker->engine->open(client->route->app, &request, verdict);
    mw_fair_end(client->route, begun);
    return result;
}

void mw_upgrade_ask(struct mw_client *client)
{
    struct mw_verdict verdict = { .accept = true };
    client->unasked = false;
    if (turned_away(client))
        return;
    switch (call_open(client, &verdict)) {
    case MW_APP_DONE:
        mw_upgrade_decide(client, &verdict);
        break;
    case MW_APP_WAITING:
        client->busy = true;
        mw_upgrade_wait(client);
        break;
    case MW_APP_FAILED:
    case MW_APP_BAD_JSON:
        mw_upgrade_decide(client, 0);
        break;
    }
}

static struct mw_view pick_protocol(const struct mw_http_head *head,
                                    const struct mw_route_spec *spec)
{
    int index = mw_ws_pick_protocol(head, spec->protocols, spec->protocol_count);
    return index < 0 ? mw_view(0, 0) : spec->protocols[index];
}

/* RFC 7692 7.1.1.2: a server may ask any client to keep no context. */
static void pick_compression(const struct mw_worker *worker, const struct mw_http_head *head,
                             struct mw_ext_deflate *terms)
{
    mw_ext_pick(head, worker->config->compression_memory > 0, terms);
    bool has_room = mw_deflate_pool_has_room(&worker->deflate, mw_ext_bits(terms->client_bits));
    if (terms->on && !has_room)
        terms->client_no_takeover = true;
}

/* Nobody was asked yet. */
static void begin(struct mw_client *client)
{
    struct mw_route *route = client->route;
    if (route->quarantine.paused) {
        mw_pause_turn_away(client);
    } else if (mw_fair_may_call(route)) {
        mw_upgrade_ask(client);
    } else {
        client->unasked = true;
        mw_upgrade_wait(client);
        mw_fair_wait(client);
    }
}

void mw_upgrade(struct mw_client *client, struct mw_view path)
{
    struct mw_worker *worker = client->worker;
    const struct mw_http_head *head = mw_http_conn_head(&client->http->conn);
    struct mw_param params[MW_PATTERN_MAX_SEGMENTS];
    size_t count = 0;
    struct mw_route *route = mw_route_match(worker, path, params, &count);
    if (refused(client, head, route, path) || mw_handover_begin(client, route, params, count))
        return;
    const struct mw_sideband_ask ask = mw_sideband_ask(head->target);
    enum mw_resume_match match = MW_RESUME_UNKNOWN;
    struct mw_client *session = ask.back ? mw_comeback_find(route, path, &ask, &match) : 0;
    if (!session && !mw_admit(client)) /* a session has kept its place */
        return;
    client->facts =
        facts_new(&worker->mem, path, pick_protocol(head, route->spec), ask.mark, params, count);
    if (!client->facts) {
        mw_admit_leave(client);
        mw_http_driver_refuse(client, 503, "out_of_memory", mw_view_text("try again"), 0);
        return;
    }
    if (route->spec->compression)
        pick_compression(worker, head, &client->facts->deflate);
    if (!session && ask.session)
        mw_away_open(client, route);
    int err = mw_ws_driver_begin(client, route);
    client->phase = MW_CLIENT_OPENING;
    if (err)
        refuse_for_memory(client);
    else if (session)
        mw_comeback_begin(client, session, &ask, match);
    else
        begin(client);
}
