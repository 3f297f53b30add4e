/*
 * Begin and end of a pause, for the route and for its clients. Called by route_fault and route; the
 * gates are in fair (may_call), upgrade and http_driver.
 */
#include "core/server/pause.h"

#include "core/server/client.h"
#include "core/server/comeback.h"
#include "core/server/upgrade.h"
#include "core/server/worker.h"

void mw_pause_turn_away(struct mw_client *client)
{
    if (client->http->comeback) {
        mw_comeback_put_off(client);
        return;
    }
    mw_upgrade_give_up(client, MW_CAUSE_script_paused, 0, mw_view_text(MW_PAUSE_TEXT), 0);
}

static void for_each_client(struct mw_route *route, void (*act)(struct mw_client *client))
{
    mw_id at = 0;
    struct mw_client *client;
    while ((client = mw_client_next_of(route, &at)))
        act(client);
}

/* ---- begin ---- */

static void turn_away_undecided(struct mw_client *client)
{
    if (client->phase == MW_CLIENT_OPEN && client->conn.phase == MW_CONN_DECIDING)
        mw_client_settle_later(client); /* it had waited to be asked */
    if (client->phase == MW_CLIENT_OPENING && (client->busy || client->unasked))
        mw_pause_turn_away(client);
}

/* The route is held: a client without memory for its answer lets go of it at once. */
static void pause(struct mw_turn_task *task)
{
    struct mw_route *route = MW_OWNER(task, struct mw_route, pausing);
    if (!route->quarantine.paused)
        return;
    route->worker->engine->pause(route->app, true);
    route->client_count++;
    for_each_client(route, turn_away_undecided);
    route->client_count--;
    mw_route_release_if_unused(route);
}

void mw_pause_init(struct mw_route *route)
{
    mw_turn_task_init(&route->pausing, pause);
}

void mw_pause_begin(struct mw_route *route)
{
    mw_fair_leave(route);
    mw_turn_task_add(route->worker->loop, &route->pausing);
}

/* ---- end ---- */

static void wake(struct mw_client *client)
{
    bool has_waited = !mw_client_is_heard(client) || client->stalled || client->ending ||
                      client->drained || client->conn.phase == MW_CONN_DECIDING;
    if (has_waited || client->phase == MW_CLIENT_OPENING || client->phase == MW_CLIENT_AWAY)
        mw_client_settle_later(client);
}

static void tell_of_resume(const struct mw_route *route)
{
    struct mw_log_line line;
    mw_log_begin(&line, route->worker->log, MW_LOG_INFO, mw_view_text("script resumed"));
    mw_log_text(&line, "script", route->name);
    mw_log_integer(&line, "v", route->version);
    mw_log_integer(&line, "waited", (int64_t)route->asked_count);
    mw_log_say(&line, "%.*s v%u resumed: %zu socket%s had waited", (int)route->name.len,
               route->name.data, route->version, route->asked_count,
               route->asked_count == 1 ? "" : "s");
    mw_log_end(&line);
}

void mw_pause_wake_clients(struct mw_route *route)
{
    for_each_client(route, wake);
}

void mw_pause_end(struct mw_route *route)
{
    if (!route->quarantine.paused)
        return;
    mw_quarantine_resume(&route->quarantine);
    tell_of_resume(route);
    route->worker->engine->pause(route->app, false);
    mw_pause_wake_clients(route);
}

/* ---- the end of the script ---- */

static void tell_of_owed(const struct mw_route *route)
{
    struct mw_app_stats stats = { 0 };
    struct mw_log_line line;
    route->worker->engine->stats(route->app, &stats);
    if (stats.owed_closes == 0)
        return;
    mw_log_begin(&line, route->worker->log, MW_LOG_WARN, mw_view_text("on_close was not called"));
    mw_log_text(&line, "script", route->name);
    mw_log_integer(&line, "v", route->version);
    mw_log_integer(&line, "owed", (int64_t)stats.owed_closes);
    mw_log_say(&line,
               "%.*s v%u has ended: %zu on_close were not called, since the script was paused or "
               "took too long",
               (int)route->name.len, route->name.data, route->version, stats.owed_closes);
    mw_log_end(&line);
}

void mw_pause_stop(struct mw_route *route)
{
    if (!route->quarantine.paused && !mw_drain_is_late(route->worker))
        route->worker->engine->stop(route->app);
    tell_of_owed(route);
}
