/*
 * What a script can ask of the server. Every function only queues, looks up or notes down: nothing
 * here calls the app or frees a client, so a script's own call is never under its feet. Called by
 * the engine.
 */
#include "core/server/host_real.h"
#include "core/server/host_codes.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/hub/members.h"
#include "core/server/account.h"
#include "core/server/away.h"
#include "core/server/client.h"
#include "core/server/deliver.h"
#include "core/server/fanout.h"
#include "core/server/remote.h"
#include "core/server/sending.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"
#include "moonwire/app.h"

/* The script's own live connection, or NULL. */
static struct mw_client *find(void *host_app, mw_id id)
{
    struct mw_route *route = host_app;
    struct mw_client *client = mw_slots_get(&route->worker->slots, id);
    bool is_live = client && (client->phase == MW_CLIENT_OPENING ||
                              client->phase == MW_CLIENT_OPEN || client->phase == MW_CLIENT_AWAY);
    return is_live && client->route == route ? client : 0;
}

static mw_ms now(const struct mw_route *route)
{
    return mw_loop_now(route->worker->loop);
}

/* ---- sending ---- */

static int host_send(void *host_app, mw_id id, enum mw_opcode kind, struct mw_view data,
                     const struct mw_send_how *how)
{
    struct mw_route *route = host_app;
    if (mw_deliver_is_text_broken(route->worker, kind, data))
        return MW_ERR_BAD_UTF8;
    struct mw_client *client = find(host_app, id);
    if (client)
        return mw_sending_one(client, kind, data, how);
    return mw_remote_is_elsewhere(host_app, id) ? mw_remote_send(host_app, id, kind, data, how)
                                                : MW_ERR_GONE;
}

static long host_publish(void *host_app, struct mw_view topic, enum mw_opcode kind,
                         struct mw_view data, mw_id except, const struct mw_send_how *how,
                         uint64_t *offset)
{
    const struct mw_saying saying = {
        .topic = topic, .data = data, .kind = kind, .except = except, .how = how
    };
    return mw_fanout_publish(host_app, &saying, offset);
}

static int host_close(void *host_app, mw_id id, unsigned code, struct mw_view reason,
                      const struct mw_advice *advice)
{
    if (!mw_close_code_is_sendable(code))
        return MW_ERR_BAD_CODE;
    if (!mw_utf8_valid(reason))
        return MW_ERR_BAD_UTF8;
    struct mw_client *client = find(host_app, id);
    if (!client)
        return mw_remote_is_elsewhere(host_app, id)
                   ? mw_remote_close(host_app, id, code, reason, advice)
                   : MW_ERR_GONE;
    return mw_ws_driver_close_advised(client, MW_CAUSE_script_close, code, reason, advice);
}

static int host_ping(void *host_app, mw_id id)
{
    struct mw_client *client = find(host_app, id);
    if (!client)
        return MW_ERR_GONE;
    if (client->phase != MW_CLIENT_OPEN)
        return MW_ERR_AGAIN; /* a ping before the answer to the handshake would be read as HTTP */
    if (!mw_account_has_room(client->route->account, MW_CONTROL_MAX))
        return MW_ERR_DROPPED;
    mw_client_settle_later(client);
    return mw_conn_ping(&client->conn, now(host_app));
}

/* ---- facts ---- */

static enum mw_conn_state state_of(const struct mw_client *client)
{
    switch ((enum mw_conn_phase)client->conn.phase) {
    case MW_CONN_OPEN:
        if (client->phase == MW_CLIENT_AWAY)
            return MW_CONN_STATE_AWAY;
        return client->phase == MW_CLIENT_OPENING ? MW_CONN_STATE_OPENING : MW_CONN_STATE_OPEN;
    case MW_CONN_DECIDING:
    case MW_CONN_CLOSE_SENT:
        return MW_CONN_STATE_CLOSING;
    case MW_CONN_CLOSED:
        return MW_CONN_STATE_CLOSED;
    }
    return MW_CONN_STATE_CLOSED;
}

static int host_info(void *host_app, mw_id id, struct mw_conn_info *out)
{
    const struct mw_client *client = find(host_app, id);
    if (!client)
        return MW_ERR_GONE;
    const struct mw_conn *conn = &client->conn;
    *out = (struct mw_conn_info){
        .path = mw_facts_path(client->facts),
        .protocol = mw_facts_protocol(client->facts),
        .params = client->facts->params,
        .param_count = client->facts->param_count,
        .opened_unix_ms = client->facts->opened_unix_ms,
        .rtt_s = conn->rtt_ms == UINT32_MAX ? -1.0 : conn->rtt_ms / 1000.0,
        .queued_bytes = mw_conn_queued(conn) + mw_away_kept_bytes(client),
        .dropped = mw_conn_dropped(conn),
        .replaced = mw_conn_replaced(conn),
        .state = state_of(client),
        .accepted = client->accepted && client->asked,
        .resumed = client->session && client->session->resumed,
    };
    out->ip = mw_client_ip(client, out->ip_room);
    return MW_OK;
}

static bool host_next_message(void *host_app, mw_id conn, enum mw_opcode *kind,
                              struct mw_view *data)
{
    struct mw_route *route = host_app;
    return mw_deliver_next(route->worker, conn, kind, data);
}

static void host_heard(void *host_app, struct mw_view copy)
{
    struct mw_route *route = host_app;
    mw_deliver_heard(route->worker, copy);
}

static mw_id host_next_conn(void *host_app, mw_id after)
{
    const struct mw_route *route = host_app;
    const struct mw_slots *slots = &route->worker->slots;
    for (mw_id id = mw_slots_next(slots, after); id; id = mw_slots_next(slots, id)) {
        const struct mw_client *client = mw_slots_get(slots, id);
        bool is_open = client->phase == MW_CLIENT_OPEN || client->phase == MW_CLIENT_AWAY;
        if (client->route == route && client->accepted && is_open)
            return id;
    }
    return 0;
}

/* ---- topics ---- */

static int host_subscribe(void *host_app, mw_id id, struct mw_view topic,
                          const struct mw_subscribe_how *how, struct mw_subscribed *told)
{
    struct mw_client *client = find(host_app, id);
    return client ? mw_fanout_subscribe(client, topic, how, told) : MW_ERR_GONE;
}

static int host_unsubscribe(void *host_app, mw_id id, struct mw_view topic)
{
    struct mw_client *client = find(host_app, id);
    if (!client)
        return MW_ERR_GONE;
    return mw_fanout_unsubscribe(client, topic);
}

static bool host_topic_at(void *host_app, mw_id id, size_t n, struct mw_view *topic)
{
    const struct mw_client *client = find(host_app, id);
    if (!client || !client->subscriber || n >= client->subscriber->count)
        return false;
    *topic = mw_subscriber_topic(client->subscriber, n);
    return true;
}

static int host_members(void *host_app, struct mw_view topic,
                        int (*put)(void *ctx, mw_id id, struct mw_view presence), void *ctx,
                        size_t *total)
{
    struct mw_route *route = host_app;
    struct mw_members members;
    if (topic.len == 0 || topic.len > MW_BOUND_TOPIC_BYTES)
        return MW_ERR_BAD_ARG;
    int err = mw_hub_members(&route->worker->hub, topic, &members);
    *total = members.total;
    for (size_t i = 0; i < members.count && !err; i++) {
        struct mw_msg *presence = members.list[i].presence;
        err = put(ctx, members.list[i].id, presence ? mw_msg_wire(presence) : mw_view(0, 0));
    }
    mw_members_free(&members, &route->worker->mem);
    return err;
}

static bool host_is_elsewhere(void *host_app, mw_id id)
{
    return mw_remote_is_elsewhere(host_app, id);
}

/* ---- handlers that waited ---- */

static struct mw_decided *copy_verdict(struct mw_mem *mem, const struct mw_verdict *verdict)
{
    size_t size = sizeof(struct mw_decided) + verdict->reason.len;
    struct mw_decided *decided = mw_alloc(mem, size);
    if (!decided)
        return 0;
    decided->size = size;
    decided->verdict = *verdict;
    if (verdict->reason.len)
        memcpy(decided->reason, verdict->reason.data, verdict->reason.len);
    decided->verdict.reason = mw_view(decided->reason, verdict->reason.len);
    return decided;
}

static void host_finished(void *host_app, mw_id id, bool was_open, const struct mw_verdict *verdict)
{
    struct mw_client *client = find(host_app, id);
    if (!client)
        return;
    client->busy = false;
    if (!was_open)
        mw_conn_note_call(&client->conn, MW_FLIGHT_ON_MESSAGE, MW_FLIGHT_WENT_ON, 0, now(host_app));
    bool is_asked = client->phase == MW_CLIENT_OPENING ||
                    (client->phase == MW_CLIENT_AWAY && client->session->asked);
    if (was_open && is_asked) {
        struct mw_decided *decided = verdict ? copy_verdict(&client->worker->mem, verdict) : 0;
        client->open_failed = !decided;
        if (client->phase == MW_CLIENT_OPENING)
            client->http->decided = decided;
        else
            client->session->decided = decided;
    }
    mw_client_settle_later(client);
}

/* ---- time, log, chance ---- */

static bool host_may_call(void *host_app)
{
    struct mw_route *route = host_app;
    bool may = mw_fair_may_call(route);
    if (may) {
        route->worker->fair.share.calls++;
        route->trial.live.calls++;
    }
    return may;
}

static void host_wake_at(void *host_app, mw_ms at_ms)
{
    struct mw_route *route = host_app;
    mw_alarm_set(route->worker->loop, &route->wake, at_ms);
}

/* Not the turn's: scripts measure with it, and a call may be long. */
static mw_ms host_monotonic_ms(void *host_app)
{
    (void)host_app;
    return mw_clock_monotonic_ms();
}

static mw_ms host_unix_ms(void *host_app)
{
    (void)host_app;
    return mw_clock_unix_ms();
}

static void host_log(void *host_app, enum mw_log_level level, unsigned version, mw_id conn,
                     struct mw_view message, const struct mw_log_field *fields, size_t count)
{
    struct mw_route *route = host_app;
    mw_script_log_write(&route->lines, level, version, conn, message, fields, count);
}

static void host_fault(void *host_app, const struct mw_fault *fault)
{
    struct mw_route *route = host_app;
    mw_route_fault(route, fault);
    if (mw_trial_fault(&route->trial, fault->version, now(route)))
        mw_worker_tell_worse(route);
}

static int host_random(void *host_app, void *out, size_t len)
{
    (void)host_app;
    return mw_random_bytes(out, len);
}

static const struct mw_host host = {
    .send = host_send,
    .close = host_close,
    .code_refusal = mw_close_code_refusal,
    .code_facts = mw_host_code_facts,
    .explain = mw_host_explain,
    .ping = host_ping,
    .info = host_info,
    .subscribe = host_subscribe,
    .unsubscribe = host_unsubscribe,
    .topic_at = host_topic_at,
    .publish = host_publish,
    .members = host_members,
    .is_elsewhere = host_is_elsewhere,
    .next_message = host_next_message,
    .heard = host_heard,
    .next_conn = host_next_conn,
    .finished = host_finished,
    .may_call = host_may_call,
    .wake_at = host_wake_at,
    .monotonic_ms = host_monotonic_ms,
    .unix_ms = host_unix_ms,
    .log = host_log,
    .fault = host_fault,
    .random = host_random,
};

const struct mw_host *mw_host_real(void)
{
    return &host;
}
