/*
 * The steps of a drain, by alarms of the worker's loop; the arithmetic of slots is
 * session/return_plan's. Called by worker. A script is not waited for beyond its time: the last
 * steps only count what is owed.
 */
#include "core/server/drain.h"

#include "core/base/clock.h"
#include "core/proto/close_catalog.h"
#include "core/server/away.h"
#include "core/server/crew.h"
#include "core/server/door.h"
#include "core/server/http_driver.h"
#include "core/server/upgrade.h"
#include "core/server/ws_driver.h"

/* Of drain.timeout: the closes, and what is kept for the end; and the most that is kept. */
#define CLOSES_SHARE 10
#define END_SHARE    4
#define END_MOST_MS  2000

#define CLOSES_PER_TURN 500
#define OWED_MS         10 /* how often it is asked whether something is still owed */

/* What is on its way when the grace ends is here in this time, or never was. */
#define LAST_MS 1000

/* Where there are several workers: by then all have counted, unless one is held by a script. */
#define COUNTED_MS 50

static mw_ms now(const struct mw_worker *worker)
{
    return mw_loop_now(worker->loop);
}

static void for_each_client(struct mw_worker *worker, void (*act)(struct mw_client *client))
{
    struct mw_client *client;
    mw_id at = 0;
    while ((client = mw_client_next(worker, &at)))
        act(client);
}

static bool is_socket(const struct mw_client *client)
{
    return client->phase == MW_CLIENT_OPENING || client->phase == MW_CLIENT_OPEN;
}

static size_t count_sockets(const struct mw_worker *worker)
{
    const struct mw_client *client;
    size_t count = 0;
    mw_id at = 0;
    while ((client = mw_client_next(worker, &at)))
        count += is_socket(client);
    return count;
}

/* For the server, which adds them up and tells (stopping.c). */
static void show_progress(struct mw_alarm *alarm)
{
    struct mw_worker *worker = MW_OWNER(alarm, struct mw_worker, drain.tell);
    struct mw_drain *drain = &worker->drain;
    atomic_store(&drain->seen_left, count_sockets(worker));
    atomic_store(&drain->seen_told, drain->tally.told);
    atomic_store(&drain->seen_clean, drain->tally.clean);
    mw_alarm_set(worker->loop, alarm, now(worker) + MW_DRAIN_TELL_MS / 4);
}

/* ---- closing ---- */

/*
 * The slot, of those of all workers, of number i of this one: each worker takes its share of them
 * in even steps, from another one on. Who comes when all are given stands behind the last.
 */
static uint64_t slot_of(const struct mw_worker *worker, uint64_t i)
{
    const struct mw_drain *drain = &worker->drain;
    uint64_t all = drain->plan.count, workers = worker->crew->count;
    if (i >= drain->count)
        return all + (i - drain->count) * workers + worker->number;
    return (i * all + all * worker->number / workers) / drain->count;
}

/* What a client is told that is closed as number i, unless its script knows better. */
static void close_socket(struct mw_client *client, uint64_t i)
{
    struct mw_drain *drain = &client->worker->drain;
    const struct mw_advice slot = mw_return_slot(&drain->plan, slot_of(client->worker, i));
    bool restart = drain->facts.restart;
    unsigned code = restart ? MW_CLOSE_RESTART : MW_CLOSE_GOING_AWAY;
    struct mw_view text = mw_view_text(restart ? "server is restarting" : "server is stopping");
    if (client->phase == MW_CLIENT_OPENING) {
        drain->tally.told += mw_conn_ending(&client->conn) == 0;
        mw_upgrade_give_up(client, MW_CAUSE_drain, code, text, &slot);
    } else if (client->ending) {
        mw_ws_driver_give_up(client);
    } else if (mw_ws_driver_close_advised(client, MW_CAUSE_drain, code, text, &slot) == MW_OK) {
        drain->tally.told++;
    }
}

/* Those whose moment has come, a share of them. */
static void close_some(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    mw_ms since_ms = now(worker) - drain->closing_ms;
    for (int i = 0; i < CLOSES_PER_TURN && drain->clients && drain->next < drain->count; i++) {
        if (mw_return_close_ms(&drain->plan, slot_of(worker, drain->next)) > since_ms)
            return;
        struct mw_client *client = mw_slots_get(&worker->slots, drain->clients[drain->next]);
        if (client && is_socket(client))
            close_socket(client, drain->next);
        drain->next++;
    }
}

/* Whoever has no slot, for lack of memory for a plan: one after the other. */
static void close_rest(struct mw_client *client)
{
    struct mw_drain *drain = &client->worker->drain;
    if (is_socket(client) && !mw_conn_ending(&client->conn))
        close_socket(client, drain->next++);
}

/* An answer that has begun is finished, and is the last; who has asked nothing yet is not heard. */
static void close_http(struct mw_client *client)
{
    if (client->phase != MW_CLIENT_HTTP)
        return;
    client->http->conn.keep_alive = false;
    if (client->http->conn.phase == MW_HTTP_PHASE_HEAD &&
        !mw_http_conn_has_begun(&client->http->conn))
        mw_client_drop(client, false);
}

mw_ms mw_drain_lead_ms(const struct mw_drain_facts *facts)
{
    return facts->restart ? mw_close_row(MW_CLOSE_RESTART)->policy.least_ms : 0;
}

/* Those of all workers; what came to this one since it has counted is added. */
static size_t count_all(struct mw_worker *worker, size_t count)
{
    size_t counted = worker->drain.facts.connections, more = count > counted ? count - counted : 0;
    return atomic_fetch_add(&worker->crew->draining, more) + more;
}

static void make_plan(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    const struct mw_drain_facts *facts = &drain->facts;
    size_t count = count_sockets(worker), n = 0;
    drain->count = count;
    drain->plan = mw_return_plan(count_all(worker, count), facts->rate_per_s,
                                 mw_drain_lead_ms(facts), facts->timeout_ms / CLOSES_SHARE);
    drain->clients = count ? mw_alloc(&worker->mem, count * sizeof *drain->clients) : 0;
    if (!drain->clients)
        return;
    const struct mw_client *client;
    mw_id at = 0;
    while ((client = mw_client_next(worker, &at))) {
        if (is_socket(client))
            drain->clients[n++] = client->id;
    }
    mw_return_shuffle(drain->clients, n, &worker->rng);
}

static void forget_plan(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    mw_free(&worker->mem, drain->clients, drain->count * sizeof *drain->clients);
    drain->clients = 0;
}

mw_ms mw_drain_last_ms(const struct mw_worker *worker)
{
    return mw_ms_min(worker->drain.facts.grace_ms, LAST_MS);
}

/* Who stands in the kernel's queue has come in the grace as well, and is not reset. */
static void shut_door(struct mw_worker *worker)
{
    mw_ms last_ms = mw_drain_last_ms(worker);
    if (last_ms)
        mw_listener_take_rest(worker->listener);
    mw_listener_close(worker->listener);
    worker->listener = 0;
    if (last_ms)
        mw_door_hurry_all(worker, last_ms);
    else
        mw_door_close_all(worker);
}

static void begin_closing(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    drain->phase = MW_DRAIN_CLOSING;
    drain->closing_ms = now(worker);
    worker->stopping = true;
    for_each_client(worker, close_http);
    shut_door(worker);
    mw_away_end_all(worker);
    make_plan(worker);
    show_progress(&drain->tell);
}

static void end_closing(struct mw_worker *worker)
{
    for_each_client(worker, close_rest);
    forget_plan(worker);
    worker->drain.phase = MW_DRAIN_WAITING;
}

/* ---- cutting ---- */

static enum mw_drain_cut why_cut(const struct mw_client *client)
{
    if (!is_socket(client))
        return MW_DRAIN_CUT_request;
    if (client->ending)
        return MW_DRAIN_CUT_unheard;
    if (client->conn.phase == MW_CONN_DECIDING)
        return MW_DRAIN_CUT_undecided;
    bool is_read = client->in_flight == 0 && !mw_conn_has_output(&client->conn);
    return is_read ? MW_DRAIN_CUT_unanswered : MW_DRAIN_CUT_unread;
}

static void cut(struct mw_client *client)
{
    switch ((enum mw_client_phase)client->phase) {
    case MW_CLIENT_HTTP:
    case MW_CLIENT_OPENING:
    case MW_CLIENT_OPEN:
        client->worker->drain.tally.cut[why_cut(client)]++;
        break;
    case MW_CLIENT_AWAY:   /* nobody is cut off by it */
    case MW_CLIENT_LINGER: /* it has ended already, and was counted */
    case MW_CLIENT_GONE:
        break;
    }
    mw_client_cut(client);
}

static void begin_cutting(struct mw_worker *worker)
{
    if (worker->drain.phase == MW_DRAIN_CLOSING)
        end_closing(worker);
    worker->drain.phase = MW_DRAIN_CUTTING;
    mw_door_close_all(worker);
    for_each_client(worker, cut);
}

/* ---- the end ---- */

static size_t count_owed(const struct mw_worker *worker, bool of_paused)
{
    size_t owed = 0;
    for (const struct mw_link *at = worker->routes.next; at != &worker->routes; at = at->next) {
        const struct mw_route *route = MW_OWNER(at, struct mw_route, link);
        struct mw_app_stats stats = { 0 };
        if (!of_paused && mw_route_is_held(route))
            continue;
        worker->engine->stats(route->app, &stats);
        owed += stats.owed_closes;
    }
    return owed;
}

bool mw_drain_is_late(const struct mw_worker *worker)
{
    return worker->drain.phase >= MW_DRAIN_CUTTING &&
           mw_clock_monotonic_ms() >= worker->drain.end_ms;
}

bool mw_drain_may_ask(const struct mw_worker *worker)
{
    return worker->drain.phase < MW_DRAIN_CLOSING || now(worker) < worker->drain.ask_ms;
}

static void end_worker(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    drain->phase = MW_DRAIN_OVER;
    atomic_store(&drain->is_over, true);
    drain->tally.owed = count_owed(worker, true);
    drain->tally.took_ms = now(worker) - drain->asked_ms;
    mw_alarm_stop(worker->loop, &drain->alarm);
    mw_alarm_stop(worker->loop, &drain->tell);
    forget_plan(worker);
    while (!mw_list_is_empty(&worker->routes))
        mw_route_free(MW_OWNER(worker->routes.next, struct mw_route, link));
    if (worker->server)
        mw_mailbox_post(worker->server, &drain->over.mail);
}

/* False: somebody is left, or something that a script is owed. */
static bool is_over(const struct mw_worker *worker)
{
    enum mw_drain_phase phase = (enum mw_drain_phase)worker->drain.phase;
    return phase >= MW_DRAIN_CLOSING && phase < MW_DRAIN_OVER && worker->client_count == 0 &&
           mw_list_is_empty(&worker->doors) &&
           (count_owed(worker, false) == 0 || mw_drain_is_late(worker));
}

/* ---- step by step ---- */

/* With several workers it takes a moment until all have counted. */
static mw_ms grace_ms(const struct mw_worker *worker)
{
    mw_ms least_ms = worker->crew->count > 1 ? COUNTED_MS : 0;
    mw_ms wanted_ms = worker->drain.facts.grace_ms;
    return wanted_ms > least_ms ? wanted_ms : least_ms;
}

static mw_ms next_step_ms(const struct mw_worker *worker)
{
    const struct mw_drain *drain = &worker->drain;
    switch ((enum mw_drain_phase)drain->phase) {
    case MW_DRAIN_SERVES:
        break;
    case MW_DRAIN_GRACE:
        return mw_ms_min(drain->asked_ms + grace_ms(worker), drain->cut_ms);
    case MW_DRAIN_CLOSING:
        return mw_ms_min(drain->closing_ms +
                             mw_return_close_ms(&drain->plan, slot_of(worker, drain->next)),
                         drain->cut_ms);
    case MW_DRAIN_WAITING:
        return worker->client_count ? drain->cut_ms
                                    : mw_ms_min(now(worker) + OWED_MS, drain->cut_ms);
    case MW_DRAIN_CUTTING:
        return now(worker) + OWED_MS;
    case MW_DRAIN_OVER:
        break;
    }
    return MW_NEVER;
}

/* The end, or the alarm for what comes next. */
static void go_on(struct mw_worker *worker)
{
    if (is_over(worker))
        end_worker(worker);
    else
        mw_alarm_set(worker->loop, &worker->drain.alarm, next_step_ms(worker));
}

static void step(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    if (drain->phase == MW_DRAIN_GRACE && now(worker) >= next_step_ms(worker))
        begin_closing(worker);
    if (drain->phase == MW_DRAIN_CLOSING)
        close_some(worker);
    if (drain->phase == MW_DRAIN_CLOSING && (!drain->clients || drain->next == drain->count))
        end_closing(worker);
    if (drain->phase < MW_DRAIN_CUTTING && now(worker) >= drain->cut_ms)
        begin_cutting(worker);
    go_on(worker);
}

static void on_alarm(struct mw_alarm *alarm)
{
    step(MW_OWNER(alarm, struct mw_worker, drain.alarm));
}

void mw_drain_init(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    drain->order.kind = MW_LETTER_DRAIN;
    drain->begun.kind = MW_LETTER_DRAINING;
    drain->over.kind = MW_LETTER_STOPPED;
    mw_alarm_init(&drain->alarm, on_alarm);
    mw_alarm_init(&drain->tell, show_progress);
}

void mw_drain_begin(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    mw_ms timeout_ms = drain->facts.timeout_ms;
    mw_ms kept_ms = mw_ms_min(timeout_ms / END_SHARE, END_MOST_MS);
    if (drain->phase != MW_DRAIN_SERVES)
        return;
    drain->phase = MW_DRAIN_GRACE;
    drain->asked_ms = mw_ms_min(drain->asked_ms, now(worker)); /* this turn may have begun before */
    drain->facts.connections = count_sockets(worker);
    atomic_fetch_add(&worker->crew->draining, drain->facts.connections);
    drain->cut_ms = drain->asked_ms + timeout_ms - kept_ms;
    drain->end_ms = drain->cut_ms + kept_ms / 2;
    drain->ask_ms = drain->asked_ms + timeout_ms / 2;
    if (worker->server)
        mw_mailbox_post(worker->server, &drain->begun.mail);
    step(worker);
}

void mw_drain_gone(struct mw_worker *worker)
{
    enum mw_drain_phase phase = (enum mw_drain_phase)worker->drain.phase;
    if (phase >= MW_DRAIN_CLOSING && phase < MW_DRAIN_OVER && worker->client_count == 0)
        go_on(worker);
}

/* ---- for the drivers ---- */

void mw_drain_ended(struct mw_client *client)
{
    struct mw_drain *drain = &client->worker->drain;
    const struct mw_conn_end *ending = mw_conn_ending(&client->conn);
    if (drain->phase < MW_DRAIN_CLOSING || drain->phase >= MW_DRAIN_CUTTING ||
        client->phase == MW_CLIENT_AWAY)
        return;
    if (ending->cause != MW_CAUSE_drain) /* its own way, though at the same time */
        return;
    if (ending->clean)
        drain->tally.clean++;
    else
        drain->tally.unanswered++;
}

void mw_drain_refuse(struct mw_client *client)
{
    struct mw_drain *drain = &client->worker->drain;
    const struct mw_advice slot =
        mw_return_slot(&drain->plan, slot_of(client->worker, drain->count + drain->refused++));
    mw_http_driver_refuse_until(client, 503, "drain", mw_view_text("the server is stopping"),
                                &slot);
}
