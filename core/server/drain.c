/*
 * The steps of a drain, by alarms of the worker's loop; the arithmetic of slots is
 * session/return_plan's. Called by worker. A script is not waited for beyond its time: the last
 * steps only count what is owed.
 */
#include "core/server/drain.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/proto/close_catalog.h"
#include "core/server/away.h"
#include "core/server/door.h"
#include "core/server/http_driver.h"
#include "core/server/upgrade.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

/* Of drain.timeout: the closes, and what is kept for the end; and the most that is kept. */
#define CLOSES_SHARE 10
#define END_SHARE    4
#define END_MOST_MS  2000

#define CLOSES_PER_TURN 500
#define OWED_MS         10 /* how often it is asked whether something is still owed */
#define TELL_MS         1000

static mw_ms now(const struct mw_worker *worker)
{
    return mw_loop_now(worker->loop);
}

static void for_each_client(struct mw_worker *worker, void (*act)(struct mw_client *client))
{
    struct mw_link *link = worker->clients.next, *next;
    for (; link != &worker->clients; link = next) {
        next = link->next;
        act(MW_OWNER(link, struct mw_client, in_worker));
    }
}

static bool is_socket(const struct mw_client *client)
{
    return client->phase == MW_CLIENT_OPENING || client->phase == MW_CLIENT_OPEN;
}

static size_t count_sockets(const struct mw_worker *worker)
{
    size_t count = 0;
    for (const struct mw_link *at = worker->clients.next; at != &worker->clients; at = at->next)
        count += is_socket(MW_OWNER(at, struct mw_client, in_worker));
    return count;
}

/* ---- what is told ---- */

static void say_begun(struct mw_worker *worker)
{
    const struct mw_drain_facts *facts = &worker->drain.facts;
    double grace_s = (double)facts->grace_ms / 1000, timeout_s = (double)facts->timeout_ms / 1000;
    struct mw_log_line line;
    mw_log_begin(&line, worker->log, MW_LOG_INFO, mw_view_text("draining"));
    mw_log_integer(&line, "connections", (int64_t)facts->connections);
    mw_log_integer(&line, "code", facts->restart ? MW_CLOSE_RESTART : MW_CLOSE_GOING_AWAY);
    mw_log_integer(&line, "rate", (int64_t)facts->rate_per_s);
    mw_log_number(&line, "grace", grace_s);
    mw_log_number(&line, "timeout", timeout_s);
    mw_log_say(&line,
               "stopping: %zu connections are told when to come back, %llu a second; new ones are "
               "taken for %g s more\n    gone in %g s at the latest; a second signal ends at once",
               facts->connections, (unsigned long long)facts->rate_per_s, grace_s, timeout_s);
    mw_log_end(&line);
}

static void say_progress(struct mw_alarm *alarm)
{
    struct mw_worker *worker = MW_OWNER(alarm, struct mw_worker, drain.tell);
    const struct mw_drain_tally *tally = &worker->drain.tally;
    struct mw_log_line line;
    mw_log_begin(&line, worker->log, MW_LOG_INFO, mw_view_text("drain goes on"));
    mw_log_integer(&line, "left", (int64_t)count_sockets(worker));
    mw_log_integer(&line, "told", (int64_t)tally->told);
    mw_log_integer(&line, "clean", (int64_t)tally->clean);
    mw_log_end(&line);
    mw_alarm_set(worker->loop, alarm, now(worker) + TELL_MS);
}

size_t mw_drain_count_cut(const struct mw_drain_tally *tally)
{
    size_t count = 0;
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++)
        count += tally->cut[i];
    return count;
}

void mw_drain_cut_text(const struct mw_drain_tally *tally, char out[MW_DRAIN_TEXT_MAX])
{
    static const char *const texts[] = {
#define MW_DRAIN_CUT(name, text) text,
        MW_DRAIN_CUT_LIST(MW_DRAIN_CUT)
#undef MW_DRAIN_CUT
    };
    size_t cut = mw_drain_count_cut(tally), at = 0;
    const char *before = ": ";
    out[0] = '\0';
    if (cut)
        at = (size_t)snprintf(out, MW_DRAIN_TEXT_MAX, "%zu cut", cut);
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++) {
        if (tally->cut[i] == 0)
            continue;
        at += (size_t)snprintf(out + at, MW_DRAIN_TEXT_MAX - at, "%s%zu %s", before, tally->cut[i],
                               texts[i]);
        before = ", ";
    }
}

static void say_over(struct mw_worker *worker)
{
    static const char *const names[] = {
#define MW_DRAIN_CUT(name, text) "cut_" #name,
        MW_DRAIN_CUT_LIST(MW_DRAIN_CUT)
#undef MW_DRAIN_CUT
    };
    const struct mw_drain_tally *tally = &worker->drain.tally;
    char cut[MW_DRAIN_TEXT_MAX];
    struct mw_log_line line;
    bool is_whole = mw_drain_count_cut(tally) == 0 && tally->owed == 0;
    mw_drain_cut_text(tally, cut);
    mw_log_begin(&line, worker->log, is_whole ? MW_LOG_INFO : MW_LOG_WARN, mw_view_text("drained"));
    mw_log_integer(&line, "told", (int64_t)tally->told);
    mw_log_integer(&line, "clean", (int64_t)tally->clean);
    mw_log_integer(&line, "unanswered", (int64_t)tally->unanswered);
    mw_log_integer(&line, "cut", (int64_t)mw_drain_count_cut(tally));
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++) {
        if (tally->cut[i])
            mw_log_integer(&line, names[i], (int64_t)tally->cut[i]);
    }
    mw_log_integer(&line, "owed", (int64_t)tally->owed);
    mw_log_number(&line, "took", (double)tally->took_ms / 1000);
    mw_log_say(&line, "drained in %.1f s: %zu told, %zu closed cleanly, %zu did not answer%s%s",
               (double)tally->took_ms / 1000, tally->told, tally->clean, tally->unanswered,
               *cut ? "\n    " : "", cut);
    mw_log_end(&line);
}

/* ---- closing ---- */

/* What a client is told that is closed as number i, unless its script knows better. */
static void close_socket(struct mw_client *client, uint64_t i)
{
    struct mw_drain *drain = &client->worker->drain;
    const struct mw_advice slot = mw_return_slot(&drain->plan, i);
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
    for (int i = 0; i < CLOSES_PER_TURN && drain->clients && drain->next < drain->plan.count; i++) {
        if (mw_return_close_ms(&drain->plan, drain->next) > since_ms)
            return;
        struct mw_client *client = mw_slots_get(&worker->slots, drain->clients[drain->next]);
        if (client && is_socket(client))
            close_socket(client, drain->next);
        drain->next++;
    }
}

/* Whoever has no slot, for lack of memory for a plan: one after the other, by age. */
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
    client->http->keep_alive = false;
    if (client->http->phase == MW_HTTP_PHASE_HEAD && !mw_http_conn_has_begun(client->http))
        mw_client_drop(client, false);
}

mw_ms mw_drain_lead_ms(const struct mw_drain_facts *facts)
{
    return facts->restart ? mw_close_row(MW_CLOSE_RESTART)->policy.least_ms : 0;
}

static void make_plan(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    const struct mw_drain_facts *facts = &drain->facts;
    size_t count = count_sockets(worker), n = 0;
    drain->plan = mw_return_plan(count, facts->rate_per_s, mw_drain_lead_ms(facts),
                                 facts->timeout_ms / CLOSES_SHARE);
    drain->clients = count ? mw_alloc(&worker->mem, count * sizeof *drain->clients) : 0;
    if (!drain->clients)
        return;
    for (const struct mw_link *at = worker->clients.next; at != &worker->clients; at = at->next) {
        const struct mw_client *client = MW_OWNER(at, struct mw_client, in_worker);
        if (is_socket(client))
            drain->clients[n++] = client->id;
    }
    mw_return_shuffle(drain->clients, n, &worker->rng);
}

static void forget_plan(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    mw_free(&worker->mem, drain->clients, drain->plan.count * sizeof *drain->clients);
    drain->clients = 0;
}

static void begin_closing(struct mw_worker *worker)
{
    struct mw_drain *drain = &worker->drain;
    drain->phase = MW_DRAIN_CLOSING;
    drain->closing_ms = now(worker);
    worker->stopping = true;
    mw_listener_close(worker->listener);
    worker->listener = 0;
    mw_door_close_all(worker);
    for_each_client(worker, close_http);
    mw_away_end_all(worker);
    make_plan(worker);
    mw_alarm_set(worker->loop, &drain->tell, drain->closing_ms + TELL_MS);
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
    drain->tally.owed = count_owed(worker, true);
    drain->tally.took_ms = now(worker) - drain->asked_ms;
    mw_alarm_stop(worker->loop, &drain->alarm);
    mw_alarm_stop(worker->loop, &drain->tell);
    forget_plan(worker);
    say_over(worker);
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

static mw_ms next_step_ms(const struct mw_worker *worker)
{
    const struct mw_drain *drain = &worker->drain;
    switch ((enum mw_drain_phase)drain->phase) {
    case MW_DRAIN_SERVES:
        break;
    case MW_DRAIN_GRACE:
        return mw_ms_min(drain->asked_ms + drain->facts.grace_ms, drain->cut_ms);
    case MW_DRAIN_CLOSING:
        return mw_ms_min(drain->closing_ms + mw_return_close_ms(&drain->plan, drain->next),
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
    if (drain->phase == MW_DRAIN_CLOSING && (!drain->clients || drain->next == drain->plan.count))
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
    mw_alarm_init(&drain->tell, say_progress);
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
    drain->cut_ms = drain->asked_ms + timeout_ms - kept_ms;
    drain->end_ms = drain->cut_ms + kept_ms / 2;
    drain->ask_ms = drain->asked_ms + timeout_ms / 2;
    say_begun(worker);
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
        mw_return_slot(&drain->plan, drain->plan.count + drain->refused++);
    mw_http_driver_refuse_until(client, 503, "drain", mw_view_text("the server is stopping"),
                                &slot);
}
