/*
 * Two apps for one route, from prepare to commit or discard. Called by load and route, which know
 * what a version is; here it is only apps that come and go.
 *
 * The data is carried before the new version is loaded, so its file and its on_reload find `state`
 * as in any reload. It stays true until the commit because the script is held meanwhile, for the
 * few milliseconds that the others need to prepare; only connections may end, and both apps hear of
 * that.
 */
#include "core/server/rebuild.h"

#include "core/server/client.h"
#include "core/server/comeback.h"
#include "core/server/pause.h"
#include "core/server/worker.h"

/* ---- when ---- */

/* What could be collected was when the call was stopped: the rest is held by the script. */
static bool is_full(const struct mw_route *route)
{
    size_t cap = (size_t)route->worker->config->script_memory;
    struct mw_app_stats stats = { 0 };
    route->worker->engine->stats(route->app, &stats);
    return cap && stats.memory_bytes > cap / 4 * 3;
}

bool mw_rebuild_is_due(const struct mw_route *route)
{
    if (route->version == 0)
        return false;
    return route->quarantine.paused || (route->faults.was_out_of_memory && is_full(route));
}

/* ---- begin ---- */

int mw_rebuild_begin(struct mw_route *route)
{
    const struct mw_engine *engine = route->worker->engine;
    struct mw_app *app = mw_route_new_app(route);
    if (!app)
        return MW_ERR_NOMEM;
    if (engine->carry(route->app, app, &route->carried) != MW_OK) {
        engine->destroy(app);
        return MW_ERR_NOMEM;
    }
    route->next_app = app;
    mw_fair_leave(route);
    engine->pause(route->app, true);
    engine->pause(app, true);
    return MW_OK;
}

/* ---- end ---- */

/* Of a script that is paused the pause goes on, or ends as for any other version. */
static void go_on(struct mw_route *route)
{
    if (route->quarantine.paused)
        return;
    route->worker->engine->pause(route->app, false);
    mw_pause_wake_clients(route);
}

/* As host->finished tells of a failure. */
static void end_call(struct mw_client *client)
{
    client->busy = false;
    if (client->phase == MW_CLIENT_OPENING) {
        client->open_failed = true;
        client->open_fault = MW_FAULT_MEMORY;
    }
    if (client->phase == MW_CLIENT_AWAY)
        mw_comeback_ask_again(client);
    mw_client_settle_later(client);
}

void mw_rebuild_commit(struct mw_route *route)
{
    struct mw_worker *worker = route->worker;
    struct mw_app *old = route->app;
    worker->engine->commit(route->next_app);
    route->app = route->next_app;
    route->next_app = 0;
    worker->engine->destroy(old);
    mw_alarm_stop(worker->loop, &route->wake); /* it was the old one's */
    mw_id at = 0;
    struct mw_client *client;
    while ((client = mw_client_next_of(route, &at))) {
        if (client->busy)
            end_call(client);
    }
    go_on(route);
}

void mw_rebuild_discard(struct mw_route *route)
{
    route->worker->engine->destroy(route->next_app);
    route->next_app = 0;
    go_on(route);
}
