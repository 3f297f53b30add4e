/*
 * The calls of on_message and on_drain, and the backlog before them. Called by ws_driver with what
 * it has pulled from the connection; knows nothing of streams.
 */
#include "core/server/deliver.h"

#include "core/base/cpu_tick.h"
#include "core/server/fair.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

bool mw_deliver_must_wait(const struct mw_client *client)
{
    return client->busy || mw_conn_is_choked(&client->conn) || !mw_fair_may_call(client->route);
}

bool mw_deliver_is_choked(struct mw_client *client)
{
    if (mw_conn_is_choked(&client->conn) && client->phase == MW_CLIENT_OPEN)
        mw_ws_driver_flush(client);
    return mw_conn_is_choked(&client->conn);
}

/* What its peer says is still for the script. */
static bool is_heard(const struct mw_client *client)
{
    return client->ending || client->conn.phase == MW_CONN_OPEN;
}

/* For the flight recorder. A single tick says nothing: it may have been due anyhow. */
static void note(struct mw_client *client, enum mw_flight_handler handler,
                 enum mw_flight_result result, unsigned begun)
{
    unsigned ticks = mw_cpu_tick_count() - begun;
    mw_conn_note_call(&client->conn, handler, result, ticks > 1 ? ticks * MW_CPU_TICK_MS : 0,
                      mw_loop_now(client->worker->loop));
}

static enum mw_flight_result result_of(enum mw_app_result result)
{
    switch (result) {
    case MW_APP_DONE:
        return MW_FLIGHT_DONE;
    case MW_APP_WAITING:
        return MW_FLIGHT_WAITS;
    case MW_APP_FAILED:
        return MW_FLIGHT_FAILED;
    case MW_APP_BAD_JSON:
        return MW_FLIGHT_BAD_JSON;
    }
    return MW_FLIGHT_FAILED;
}

static void call(struct mw_client *client, enum mw_opcode kind, struct mw_view data)
{
    struct mw_route *route = client->route;
    if (!route->spec->wants_messages)
        return;
    size_t waited = mw_conn_queued(&client->conn);
    unsigned begun = mw_fair_begin(route);
    enum mw_app_result result = client->worker->engine->message(route->app, client->id, kind, data);
    mw_fair_end(route, begun);
    note(client, MW_FLIGHT_ON_MESSAGE, result_of(result), begun);
    if (mw_conn_queued(&client->conn) > waited)
        mw_conn_note_answer(&client->conn, mw_conn_queued(&client->conn) - waited);
    switch (result) {
    case MW_APP_DONE:
    case MW_APP_FAILED: /* the engine has told; the message is dropped, the connection stays */
        break;
    case MW_APP_WAITING:
        client->busy = true;
        break;
    case MW_APP_BAD_JSON:
        (void)mw_ws_driver_close(client, MW_CAUSE_bad_json, 0,
                                 mw_view_text("the message is not valid JSON"));
        break;
    }
}

void mw_deliver_message(struct mw_client *client, enum mw_opcode kind, struct mw_view data)
{
    if (mw_client_is_heard(client) && !mw_deliver_must_wait(client))
        call(client, kind, data);
    else if (!mw_client_keep_unheard(client) ||
             mw_backlog_put(&client->unheard->backlog, kind, data))
        (void)mw_ws_driver_close(client, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"));
}

/* It may come while a handler waits. */
void mw_deliver_drain(struct mw_client *client)
{
    struct mw_route *route = client->route;
    client->drained = !route->quarantine.paused && !mw_fair_may_call(route);
    if (route->quarantine.paused || client->drained)
        return;
    unsigned begun = mw_fair_begin(route);
    client->worker->engine->drain(route->app, client->id);
    mw_fair_end(route, begun);
    note(client, MW_FLIGHT_ON_DRAIN, MW_FLIGHT_DONE, begun);
}

void mw_deliver_waiting(struct mw_client *client)
{
    enum mw_opcode kind;
    struct mw_view data;
    if (client->drained)
        mw_deliver_drain(client);
    while (is_heard(client) && !mw_deliver_is_choked(client) && !mw_deliver_must_wait(client) &&
           client->unheard && mw_backlog_take(&client->unheard->backlog, &kind, &data))
        call(client, kind, data);
}

void mw_deliver_queue_up(struct mw_client *client)
{
    bool is_held = client->busy || mw_conn_is_choked(&client->conn);
    bool has_messages = !is_held && is_heard(client) && !mw_client_is_heard(client);
    bool is_asked = client->conn.phase == MW_CONN_DECIDING;
    if ((has_messages || client->drained || is_asked) && !mw_route_is_held(client->route))
        mw_fair_wait(client);
}
