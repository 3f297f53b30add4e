/*
 * An open WebSocket: the only place that pulls events from session/conn and turns them into calls
 * of the app. Called by client; upgrade.c comes before it.
 *
 * The app is never called from within a call of the app: host functions only queue and ask for
 * settle, which runs at the end of the turn.
 */

#include "core/server/ws_driver.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/server/account.h"
#include "core/server/admit.h"
#include "core/server/away.h"
#include "core/server/comeback.h"
#include "core/server/deliver.h"
#include "core/server/ending.h"
#include "core/server/fair.h"
#include "core/server/fanout.h"
#include "core/server/farewell.h"
#include "core/server/http_driver.h"
#include "core/server/upgrade.h"
#include "core/server/worker.h"
#include "core/session/conn_renew.h"

static mw_ms now(const struct mw_client *client)
{
    return mw_loop_now(client->worker->loop);
}

/*
 * Handlers of a peer that has closed already get this long to hear what it said before; and a
 * script this long for its last word to a peer that the server closes.
 */
#define ENDING_MS 30000

/* ---- the alarm: one per connection, moved to earlier at once and to later when it rings ---- */

/* Whether a peer takes what is in flight is not told: it has to be looked at so often. */
#define LOOK_MS 10000

static mw_ms due_ms(const struct mw_client *client)
{
    bool waits =
        client->ending || (client->conn.phase == MW_CONN_DECIDING && client->ending_due_ms != 0);
    mw_ms due = waits ? client->ending_due_ms : mw_conn_deadline(&client->conn);
    return client->in_flight ? mw_ms_min(due, mw_ms_add(now(client), LOOK_MS)) : due;
}

static void put_alarm(struct mw_client *client)
{
    mw_ms due = due_ms(client);
    if (mw_timer_is_running(&client->alarm.timer) && client->alarm.timer.at_ms <= due)
        return;
    mw_alarm_set(client->worker->loop, &client->alarm, due);
}

/* ---- begin ---- */

static struct mw_conn_setup setup_of(struct mw_client *client, struct mw_route *route)
{
    return (struct mw_conn_setup){
        .role = MW_ROLE_SERVER,
        .home = &route->home,
        .asks = true,
        .terms = client->facts->deflate,
        .sideband = mw_facts_sideband(client->facts),
        .replay = client->session ? &client->session->replay : 0,
    };
}

int mw_ws_driver_begin(struct mw_client *client, struct mw_route *route)
{
    const struct mw_conn_setup setup = setup_of(client, route);
    int err = mw_conn_init(&client->conn, &setup, now(client));
    client->route = route;
    route->client_count++;
    return err;
}

int mw_ws_driver_renew(struct mw_client *client, bool has_peer)
{
    struct mw_conn_setup setup = setup_of(client, client->route);
    if (!has_peer) {
        setup.asks = false;
        setup.terms = (struct mw_ext_deflate){ 0 };
        setup.sideband = 0;
        setup.replay = 0;
    }
    return mw_conn_renew(&client->conn, &setup, now(client));
}

static void leave_route(struct mw_client *client)
{
    struct mw_route *route = client->route;
    if (!route)
        return;
    mw_fanout_leave(client);
    mw_list_remove(&client->waiting);
    route->client_count--;
    client->route = 0;
    mw_route_release_if_unused(route);
}

/* ---- the end ---- */

/* Topics first, so that a publish of on_close does not reach the one who left; then the app. */
static void tell_app(struct mw_client *client, const struct mw_end *end)
{
    struct mw_worker *worker = client->worker;
    mw_fanout_leave(client);
    if (!client->asked)
        return;
    unsigned begun = mw_fair_begin(client->route);
    worker->engine->close(client->route->app, client->id, end);
    if (client->route->next_app)
        worker->engine->close(client->route->next_app, client->id, end);
    mw_fair_end(client->route, begun);
    client->asked = false;
    client->route->asked_count--;
    mw_seat_leave(client->route->seat, client->ip_count);
    client->ip_count = 0;
}

/*
 * App, then log, exactly once. The route is kept until the client is freed: the machine, which may
 * still have something to flush, looks at its limits.
 */
void mw_ws_driver_end_now(struct mw_client *client)
{
    struct mw_ending_room room;
    struct mw_end end;
    mw_ending_describe(client, &room, &end);
    mw_drain_ended(client);
    tell_app(client, &end);
    mw_ending_tell(client, &end, &room);
    mw_admit_leave(client);
    mw_away_leave(client);
    mw_http_driver_close(client);
    if (client->stream)
        mw_client_linger(client);
    else
        mw_client_drop(client, false);
}

/*
 * A peer that says three things and closes has said three things, also where the first one's
 * handler waits.
 */
static void end_when_heard(struct mw_client *client)
{
    if (mw_away_begin(client))
        return;
    enum mw_cause cause = mw_conn_ending(&client->conn)->cause;
    bool by_peer = cause == MW_CAUSE_peer_close || cause == MW_CAUSE_peer_fin;
    if (!by_peer || mw_client_is_heard(client)) {
        mw_ws_driver_end_now(client);
        return;
    }
    client->ending = true;
    client->ending_due_ms = now(client) + ENDING_MS;
    mw_client_settle_later(client);
}

void mw_ws_driver_forget(struct mw_client *client, enum mw_cause cause)
{
    struct mw_ending_room room;
    struct mw_end end;
    (void)mw_conn_close(&client->conn, cause, 0, mw_view(0, 0), now(client));
    mw_conn_eof(&client->conn, MW_CAUSE_peer_fin);
    mw_ending_describe(client, &room, &end);
    tell_app(client, &end);
    mw_admit_leave(client);
    mw_ws_driver_free(client);
}

void mw_ws_driver_free(struct mw_client *client)
{
    struct mw_mem *mem = &client->worker->mem;
    if (client->facts) {
        mw_conn_free(&client->conn);
        mw_free(mem, client->facts, mw_facts_size(client->facts));
        client->facts = 0;
    }
    leave_route(client);
    mw_away_free(client);
    mw_client_forget_unheard(client);
}

void mw_ws_driver_give_up(struct mw_client *client)
{
    /* Who lingers waits for nobody, and has the end of its time in the same place. */
    if (client->phase == MW_CLIENT_OPEN && client->ending && client->route->quarantine.paused)
        client->ending_due_ms = now(client);
    mw_client_settle_later(client);
}

int mw_ws_driver_close(struct mw_client *client, enum mw_cause cause, unsigned code,
                       struct mw_view reason)
{
    return mw_ws_driver_close_advised(client, cause, code, reason, 0);
}

int mw_ws_driver_close_advised(struct mw_client *client, enum mw_cause cause, unsigned code,
                               struct mw_view reason, const struct mw_advice *advice)
{
    int err = mw_conn_close(&client->conn, cause, code, reason, now(client));
    if (!err && advice)
        mw_conn_advise(&client->conn, advice);
    mw_client_settle_later(client);
    return err;
}

/* ---- out ---- */

/* So much at once that control frames still get their turn on a slow line. */
#define WRITE_BYTES 262144

static size_t cut_vectors(struct mw_view *vectors, size_t count)
{
    size_t room = WRITE_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (vectors[i].len >= room) {
            vectors[i].len = room;
            return i + 1;
        }
        room -= vectors[i].len;
    }
    return count;
}

void mw_ws_driver_wrote(struct mw_client *client, size_t bytes)
{
    client->route->metrics.cells->sent_bytes += bytes;
    mw_conn_written(&client->conn, bytes, now(client));
}

void mw_ws_driver_flush(struct mw_client *client)
{
    while (client->in_flight == 0 && mw_conn_has_output(&client->conn)) {
        struct mw_view vectors[MW_STREAM_MAX_VECTORS];
        size_t count = mw_conn_iov(&client->conn, vectors, MW_STREAM_MAX_VECTORS), taken = 0;
        count = cut_vectors(vectors, count);
        if (!mw_client_write(client, vectors, count, &taken))
            return; /* the stream's end follows */
        mw_ws_driver_wrote(client, taken);
    }
}

/*
 * A large payload goes at once, and no copy of it is made where the kernel has room. Before it goes
 * what was queued in this turn.
 */
void mw_ws_driver_offer(struct mw_client *client)
{
    size_t offered = 1, taken = 1;
    while (taken == offered && mw_conn_has_output(&client->conn)) {
        struct mw_view vectors[MW_STREAM_MAX_VECTORS];
        size_t count = mw_conn_show(&client->conn, vectors, MW_STREAM_MAX_VECTORS);
        offered = 0; /* not cut: nothing of it stays in flight before a control frame */
        for (size_t i = 0; i < count; i++)
            offered += vectors[i].len;
        long n = mw_stream_offer(client->stream, vectors, count);
        if (n < 0)
            break; /* the stream's end follows */
        taken = (size_t)n;
        mw_ws_driver_wrote(client, taken);
    }
    mw_conn_settle(&client->conn);
}

/* ---- in ---- */

/* What is kept of a client whose turn will come, before it is left to the kernel. */
#define HELD_BYTES 16384

static void hold(struct mw_client *client, struct mw_view bytes)
{
    if (bytes.len == 0)
        return;
    if (!mw_client_keep_unheard(client) || mw_buf_put_view(&client->unheard->held, bytes))
        (void)mw_ws_driver_close(client, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"));
    else if (client->unheard->held.len >= HELD_BYTES)
        mw_stream_set_reading(client->stream, false);
}

/* Nothing more is pulled until what waits has gone on; what was read already is kept. */
static void stall(struct mw_client *client)
{
    struct mw_view rest = mw_conn_rest(&client->conn);
    mw_conn_detach(&client->conn);
    client->stalled = true;
    mw_conn_pause(&client->conn, true, now(client));
    hold(client, rest);
}

/* Nor is anything read: nobody knows when it will go on. */
static void stall_and_leave(struct mw_client *client)
{
    mw_stream_set_reading(client->stream, false);
    stall(client);
}

/* For its script's last word, a bounded time. */
static void wait_for_word(struct mw_client *client)
{
    if (client->ending_due_ms == 0)
        client->ending_due_ms = now(client) + ENDING_MS;
    stall(client);
}

/*
 * A turn's share of messages. What was read in one turn is bounded, but a thousandth of it is
 * enough for as much once it is inflated, and others wait meanwhile.
 */
#define TURN_BYTES (1u << 20)

/*
 * What it said waits only because others have their turn. Nothing behind it is read until it was
 * heard: a Close that is would leave no way for the answers.
 */
static bool waits_for_turn(const struct mw_client *client)
{
    return client->conn.phase == MW_CONN_OPEN && !client->busy &&
           !mw_route_is_held(client->route) && !mw_client_is_heard(client);
}

/*
 * Before an event is pulled, of a client from which `taken` bytes were in this turn: whether it has
 * to wait. Who does not take its answers still hears that its queue is shorter: nothing else is
 * pulled of it.
 */
static bool has_to_wait(struct mw_client *client, size_t taken)
{
    if (mw_deliver_is_choked(client)) {
        stall_and_leave(client);
        return false;
    }
    if (taken > TURN_BYTES && mw_conn_rest(&client->conn).len > 0) {
        stall_and_leave(client);
        mw_client_settle_later(client);
        return true;
    }
    if (client->unheard && mw_backlog_is_full(&client->unheard->backlog) &&
        client->conn.phase == MW_CONN_OPEN && mw_deliver_must_wait(client)) {
        stall_and_leave(client);
        return true;
    }
    if (!waits_for_turn(client))
        return false;
    stall(client);
    return true;
}

/* What is pulled of a client, as long as it has its share. */
struct pump {
    struct mw_deliver_source source;
    struct mw_client *client;
    size_t taken;
    struct mw_event event;
    bool is_ahead; /* pulled while the message before it was delivered, */
    bool has_next; /* ... and this came of it */
};

/* False: the client has to wait. */
static bool pull(struct pump *pump)
{
    if (has_to_wait(pump->client, pump->taken))
        return false;
    mw_conn_next(&pump->client->conn, &pump->event, now(pump->client));
    return true;
}

static void count_message(struct pump *pump)
{
    pump->taken += pump->event.data.len;
    pump->client->route->metrics.cells->received[mw_metrics_type(pump->event.opcode)]++;
}

/* For the script that has just heard one: what is not for it at once is left to `pump`. */
static bool pull_message(struct mw_deliver_source *source, enum mw_opcode *kind,
                         struct mw_view *data)
{
    struct pump *pump = MW_OWNER(source, struct pump, source);
    pump->has_next = pull(pump);
    pump->is_ahead = !pump->has_next || pump->event.kind != MW_EVENT_MESSAGE ||
                     !mw_client_is_heard(pump->client) || mw_deliver_must_wait(pump->client);
    if (pump->is_ahead)
        return false;
    count_message(pump);
    *kind = pump->event.opcode;
    *data = pump->event.data;
    return true;
}

static bool go_on(struct pump *pump)
{
    bool is_pulled = pump->is_ahead;
    pump->is_ahead = false;
    return is_pulled ? pump->has_next : pull(pump);
}

/* Pulls until nothing is left, the client has had its share, or it stalls or ends. */
static void pump(struct mw_client *client)
{
    struct pump pump = { .source = { pull_message }, .client = client };
    while (go_on(&pump)) {
        switch (pump.event.kind) {
        case MW_EVENT_MORE:
            return;
        case MW_EVENT_MESSAGE:
            count_message(&pump);
            mw_deliver_message(client, pump.event.opcode, pump.event.data, &pump.source);
            break;
        case MW_EVENT_ASIDE:
            pump.taken += pump.event.data.len;
            break;
        case MW_EVENT_PONG:
            break;
        case MW_EVENT_DRAIN:
            mw_deliver_drain(client);
            break;
        case MW_EVENT_DECIDE:
            if (!mw_farewell_say(client)) {
                wait_for_word(client);
                return;
            }
            mw_client_settle_later(client);
            break;
        case MW_EVENT_CLOSED:
            end_when_heard(client);
            return;
        }
    }
}

/* Feeds what was held back. It may be held back again. */
static void feed_held(struct mw_client *client)
{
    struct mw_buf held = { 0 };
    if (client->unheard) {
        held = client->unheard->held;
        mw_buf_init(&client->unheard->held, &client->worker->mem, 0);
    }
    if (held.len)
        mw_conn_feed(&client->conn, held.data, held.len, now(client));
    pump(client);
    mw_buf_free(&held);
}

void mw_ws_driver_start(struct mw_client *client)
{
    mw_stream_set_reading(client->stream, true);
    /* The handshake's alarm is done with. */
    mw_alarm_stop(client->worker->loop, &client->alarm);
    if (client->unheard)
        client->route->metrics.cells->received_bytes += client->unheard->held.len;
    feed_held(client);
    mw_client_settle_later(client);
}

void mw_ws_driver_read(struct mw_client *client, char *bytes, size_t len)
{
    client->route->metrics.cells->received_bytes += len;
    if (client->stalled) { /* one read may have been on its way when reading was switched off */
        hold(client, mw_view(bytes, len));
        return;
    }
    mw_conn_feed(&client->conn, bytes, len, now(client));
    pump(client);
    if (client->phase == MW_CLIENT_OPEN) /* not in settle: the queue is looked at before that */
        mw_deliver_queue_up(client);
    mw_client_settle_later(client);
}

static enum mw_cause cause_of(enum mw_stream_end how)
{
    switch (how) {
    case MW_STREAM_FIN:
        return MW_CAUSE_peer_fin;
    case MW_STREAM_RESET:
        return MW_CAUSE_peer_reset;
    case MW_STREAM_TLS_ERROR:
        return MW_CAUSE_tls_error;
    }
    return MW_CAUSE_peer_reset;
}

/* What was wrong came before the end, and is answered: who has finished sending may still read. */
static void judge_before_fin(struct mw_client *client)
{
    if (client->phase != MW_CLIENT_OPEN || client->conn.phase == MW_CONN_CLOSED)
        return;
    mw_conn_judge(&client->conn, now(client));
    pump(client);
}

void mw_ws_driver_end(struct mw_client *client, enum mw_stream_end how)
{
    if (how == MW_STREAM_FIN && !client->stalled)
        judge_before_fin(client);
    if (client->phase == MW_CLIENT_LINGER) /* that was its end */
        return;
    if (how == MW_STREAM_FIN && client->stalled) /* it comes behind what is held */
        return;
    mw_conn_eof(&client->conn, cause_of(how));
    if (client->phase == MW_CLIENT_OPEN) {
        pump(client);
        mw_client_settle_later(client);
        return;
    }
    mw_ws_driver_end_now(client); /* before the answer: nobody is there to answer */
}

void mw_ws_driver_cut(struct mw_client *client)
{
    mw_conn_eof(&client->conn, MW_CAUSE_peer_reset);
    mw_ws_driver_end_now(client);
}

void mw_ws_driver_alarm(struct mw_client *client)
{
    if (client->phase == MW_CLIENT_OPENING) {
        mw_upgrade_expire(client);
        return;
    }
    bool is_awaited =
        client->route->quarantine.paused && !client->route->removed && !client->worker->stopping;
    if (client->ending && is_awaited) /* nobody can hear it: not its fault */
        client->ending_due_ms = now(client) + ENDING_MS;
    if (client->ending && now(client) >= client->ending_due_ms) {
        mw_ws_driver_end_now(client);
        return;
    }
    if (mw_client_advances(client))
        mw_conn_advance(&client->conn, now(client));
    mw_conn_tick(&client->conn, now(client));
    if (!mw_away_begin(client)) /* before a Close frame leaves: it would end the session */
        mw_client_settle_later(client);
}

/* ---- the end of the turn ---- */

static void settle_opening(struct mw_client *client)
{
    if (client->http->comeback) {
        mw_comeback_settle(client);
        return;
    }
    if (client->unasked && mw_fair_may_call(client->route))
        mw_upgrade_ask(client);
    else if (client->unasked && !mw_route_is_held(client->route))
        mw_fair_wait(client);
    if (client->busy || client->unasked || client->phase != MW_CLIENT_OPENING)
        return;
    struct mw_decided *decided = client->http->decided;
    client->http->decided = 0;
    mw_upgrade_decide(client, decided && !client->open_failed ? &decided->verdict : 0);
    mw_client_free_decided(client->worker, decided);
}

/* Messages that had to wait, then what was held back. */
static void catch_up(struct mw_client *client)
{
    mw_deliver_waiting(client);
    bool has_heard_all = mw_client_is_heard(client);
    if (client->ending && !client->busy && has_heard_all) {
        mw_ws_driver_end_now(client);
        return;
    }
    /* Not for room for one message each time: what is held is copied when it is held back again. */
    if (!client->stalled || (!has_heard_all && client->conn.phase == MW_CONN_OPEN))
        return;
    if (mw_deliver_is_choked(client))
        return;
    if (client->conn.phase == MW_CONN_DECIDING && !mw_farewell_say(client))
        return;
    client->stalled = false;
    mw_conn_pause(&client->conn, false, now(client));
    mw_stream_set_reading(client->stream, true);
    feed_held(client);
    if (client->ended && client->phase == MW_CLIENT_OPEN)
        mw_ws_driver_end(client, MW_STREAM_FIN);
}

/*
 * RFC 6455 5.5.1: with both Close frames through, the server ends the stream at once. The handlers
 * that still hear what was said before can say nothing more to this peer.
 */
static void finish_early(struct mw_client *client)
{
    if (!client->ending || client->half_closed || client->in_flight ||
        mw_conn_has_output(&client->conn))
        return;
    client->half_closed = true;
    mw_stream_finish(client->stream);
}

void mw_ws_driver_settle(struct mw_client *client)
{
    if (client->phase == MW_CLIENT_OPENING)
        settle_opening(client);
    if (client->phase == MW_CLIENT_AWAY)
        mw_away_settle(client);
    if (client->phase != MW_CLIENT_OPEN)
        return;
    catch_up(client);
    if (client->phase == MW_CLIENT_OPEN)
        mw_ws_driver_flush(client);
    if (client->phase == MW_CLIENT_OPEN)
        pump(client);
    mw_client_rest_unheard(client);
    if (client->phase == MW_CLIENT_OPEN) {
        finish_early(client);
        put_alarm(client);
        mw_deliver_queue_up(client);
    }
}
