/*
 * Routes of a worker: made by load, looked up by upgrade and http_driver, freed when file and
 * connections are gone.
 */
#include "core/server/route.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/account.h"
#include "core/server/away.h"
#include "core/server/client.h"
#include "core/server/crew.h"
#include "core/server/ending.h"
#include "core/server/host_real.h"
#include "core/server/pause.h"
#include "core/server/rebuild.h"
#include "core/server/script_counts.h"
#include "core/server/upgrade.h"
#include "core/server/ws_driver.h"

void mw_route_tick(struct mw_route *route)
{
    unsigned begun = mw_fair_begin(route);
    route->worker->engine->tick(route->app, mw_loop_now(route->worker->loop));
    mw_fair_end(route, begun);
}

/* While it is held the wish lapses: the app asks again when it goes on. */
static void on_wake(struct mw_alarm *alarm)
{
    struct mw_route *route = MW_OWNER(alarm, struct mw_route, wake);
    if (mw_route_is_held(route))
        return;
    if (mw_fair_may_call(route))
        mw_route_tick(route);
    else
        mw_fair_wait_tick(route);
}

/* A commit takes no longer for many connections: they are told turn by turn, a few at a time. */
#define TOLD_PER_TURN 500

static void tell_some(struct mw_turn_task *task)
{
    struct mw_route *route = MW_OWNER(task, struct mw_route, tell);
    struct mw_worker *worker = route->worker;
    mw_ms now_ms = mw_loop_now(worker->loop);
    for (int i = 0; i < TOLD_PER_TURN; i++) {
        route->told = mw_slots_next(&worker->slots, route->told);
        if (!route->told)
            return;
        struct mw_client *client = mw_slots_get(&worker->slots, route->told);
        if (client->route != route)
            continue;
        mw_conn_new_limits(&client->conn, now_ms);
        mw_away_told(client);
        mw_client_settle_later(client);
    }
    mw_turn_task_add(worker->loop, task);
}

struct mw_app *mw_route_new_app(struct mw_route *route)
{
    const struct mw_config *config = route->worker->config;
    const struct mw_app_setup setup = {
        .host = mw_host_real(),
        .host_app = route,
        .name = route->name,
        .memory_bytes = (size_t)config->script_memory,
        .string_bytes = (size_t)config->script_string,
        .cpu_stop_ms = (unsigned)config->script_cpu,
        .cpu_warn_ms = (unsigned)config->script_cpu_warn,
    };
    return route->worker->engine->create(&setup);
}

struct mw_route *mw_route_new(struct mw_worker *worker, struct mw_view name)
{
    struct mw_route *route = mw_alloc_zero(&worker->mem, sizeof *route);
    if (!route)
        return 0;
    route->worker = worker;
    mw_list_init(&route->link);
    mw_alarm_init(&route->wake, on_wake);
    mw_turn_task_init(&route->tell, tell_some);
    mw_fair_place_init(&route->fair);
    mw_pause_init(route);
    mw_route_faults_init(&route->faults);
    route->name = mw_view(mw_mem_copy(&worker->mem, name), name.len);
    mw_script_log_init(&route->lines, worker->log, worker->loop, route->name);
    route->account = mw_account_new(worker, route->name);
    route->home = (struct mw_conn_home){
        .mem = &worker->mem,
        .out_mem = route->account ? &route->account->mem : 0,
        .pool = &worker->pool,
        .deflate = &worker->deflate,
        .rng = &worker->rng,
        .limits = &route->limits,
    };
    if (route->name.data)
        route->seat = mw_seat_hold(&worker->crew->seats, route->name);
    if (route->seat && route->account && mw_script_counts_join(route) == MW_OK)
        route->app = mw_route_new_app(route);
    if (!route->app) {
        mw_route_free(route);
        return 0;
    }
    mw_list_push(&worker->routes, &route->link);
    return route;
}

void mw_route_free(struct mw_route *route)
{
    struct mw_worker *worker = route->worker;
    mw_assert(route->client_count == 0);
    if (route->next_spec)
        mw_route_discard(route);
    if (route->app && route->started)
        mw_pause_stop(route);
    mw_script_counts_keep_calls(route);
    worker->engine->destroy(route->app);
    mw_alarm_stop(worker->loop, &route->wake);
    mw_script_log_end(&route->lines);
    mw_account_leave(route->account);
    mw_seat_release(route->seat);
    mw_turn_task_remove(&route->tell);
    mw_turn_task_remove(&route->pausing);
    mw_route_faults_close(route);
    mw_fair_leave(route);
    mw_ending_forget(route);
    mw_script_counts_leave(route);
    mw_list_remove(&route->link);
    mw_pattern_free(&route->pattern, &worker->mem);
    mw_pattern_free(&route->next_pattern, &worker->mem);
    if (route->name.data)
        mw_free(&worker->mem, (char *)route->name.data, route->name.len + 1);
    mw_free(&worker->mem, route, sizeof *route);
}

struct mw_route *mw_route_by_name(struct mw_worker *worker, struct mw_view name)
{
    for (struct mw_link *link = worker->routes.next; link != &worker->routes; link = link->next) {
        struct mw_route *route = MW_OWNER(link, struct mw_route, link);
        if (!route->removed && mw_view_equal(route->name, name))
            return route;
    }
    return 0;
}

struct mw_route *mw_route_match(struct mw_worker *worker, struct mw_view path,
                                struct mw_param params[MW_PATTERN_MAX_SEGMENTS], size_t *count)
{
    for (struct mw_link *link = worker->routes.next; link != &worker->routes; link = link->next) {
        struct mw_route *route = MW_OWNER(link, struct mw_route, link);
        if (!route->removed && route->pattern.text &&
            mw_pattern_match(&route->pattern, path, params, count))
            return route;
    }
    return 0;
}

/*
 * Routes are kept with the most specific pattern first, so the first match is the best; one that
 * serves goes before one that only holds its place.
 */
static void sort_in(struct mw_route *route)
{
    struct mw_link *routes = &route->worker->routes, *place = routes->next;
    mw_list_remove(&route->link);
    for (place = routes->next; place != routes; place = place->next) {
        struct mw_route *other = MW_OWNER(place, struct mw_route, link);
        int order = other->pattern.text ? mw_pattern_compare(&route->pattern, &other->pattern) : -1;
        if (order < 0 || (order == 0 && !other->spec))
            break;
    }
    mw_list_push(place, &route->link);
}

void mw_route_hold_place(struct mw_route *route)
{
    struct mw_worker *worker = route->worker;
    const char *why;
    if (route->pattern.text)
        return;
    if (mw_pattern_of_file(&route->pattern, &worker->mem, route->name,
                           mw_view_text(worker->engine->suffix), &why) == MW_OK)
        sort_in(route);
}

/* Deadlines, and what sessions keep, need to be told: all other limits are looked up. */
static void tell_deadlines(struct mw_route *route, const struct mw_limits_ms *before,
                           mw_ms resume_ms)
{
    const struct mw_limits_ms *limits = &route->limits;
    bool is_kept = route->resume_ms == resume_ms && limits->queue == before->queue;
    if (is_kept && limits->ping_ms == before->ping_ms && limits->pong_ms == before->pong_ms &&
        limits->idle_ms == before->idle_ms && limits->age_ms == before->age_ms)
        return;
    route->told = 0;
    mw_turn_task_add(route->worker->loop, &route->tell);
}

/* Every worker says the same. Without memory the rules before it go on, which somebody must know.
 */
static void tell_topics(struct mw_route *route, const struct mw_topic_spec *topics, size_t count)
{
    struct mw_topic_rules *rules = &route->worker->crew->topics.rules;
    if (mw_topic_rules_set(rules, route->name, topics, count))
        mw_log_note(route->worker->log, MW_LOG_ERROR,
                    "out of memory: M.topics of the version before stays in force");
}

void mw_route_commit(struct mw_route *route)
{
    struct mw_limits_ms before = route->limits;
    mw_ms resume_ms = route->resume_ms;
    const struct mw_engine *engine = route->worker->engine;
    route->spec = route->next_spec;
    route->next_spec = 0;
    mw_pattern_free(&route->pattern, &route->worker->mem);
    mw_pattern_move(&route->pattern, &route->next_pattern);
    mw_limits_from(&route->limits, &route->spec->limits);
    route->resume_ms = (mw_ms)(route->spec->resume_s * 1000);
    tell_deadlines(route, &before, resume_ms);
    tell_topics(route, route->spec->topics, route->spec->topic_count);
    route->max_connections = (size_t)route->spec->limits.connections;
    route->max_per_ip = (size_t)route->spec->limits.connections_per_ip;
    route->version++;
    route->failed = false;
    sort_in(route);
    if (route->next_app)
        mw_rebuild_commit(route);
    else
        engine->commit(route->app);
    mw_route_faults_new_version(route);
    mw_pause_end(route);
    if (!route->started) {
        route->started = true;
        (void)engine->start(route->app);
    }
}

void mw_route_discard(struct mw_route *route)
{
    route->worker->engine->discard(route->next_app ? route->next_app : route->app);
    route->next_spec = 0;
    mw_pattern_free(&route->next_pattern, &route->worker->mem);
    if (route->next_app)
        mw_rebuild_discard(route);
}

void mw_route_remove(struct mw_route *route)
{
    route->removed = true;
    tell_topics(route, 0, 0);
    mw_script_counts_keep_calls(route);
    route->client_count++; /* holds it: the last client may be gone before the walk is over */
    mw_id at = 0;
    struct mw_client *client;
    while ((client = mw_client_next_of(route, &at))) {
        struct mw_view reason = mw_view_text("this service has ended");
        if (client->phase == MW_CLIENT_OPENING)
            mw_upgrade_give_up(client, MW_CAUSE_script_removed, 0, reason, 0);
        else if (client->ending)
            mw_ws_driver_give_up(client);
        else
            (void)mw_ws_driver_close(client, MW_CAUSE_script_removed, 0, reason);
    }
    route->client_count--;
    mw_route_release_if_unused(route);
}

/* A drain ends all of them at its own end: on_close that are owed take time, which is counted. */
void mw_route_release_if_unused(struct mw_route *route)
{
    if (route->removed && route->client_count == 0 && !route->worker->stopping)
        mw_route_free(route);
}
