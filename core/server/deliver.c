/*
 * The calls of on_message and on_drain, and the backlog before them. Called by ws_driver with what
 * it has pulled from the connection; knows nothing of streams.
 */
#include "core/server/deliver.h"

#include "core/base/cpu_tick.h"
#include "core/base/utf8.h"
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

/* A call of on_message that runs. On the stack of `call`; its worker knows of it meanwhile. */
struct mw_delivery {
    struct mw_client *client;
    struct mw_deliver_source *source; /* NULL: nothing follows */
    struct mw_view heard;             /* where the script has the text of the message; or empty */
    size_t waited;                    /* what was queued before it */
    unsigned begun;                   /* as mw_fair_begin gave it */
    bool is_over;                     /* the last one is, and the engine knows */
};

static void begin(struct mw_delivery *delivery)
{
    struct mw_client *client = delivery->client;
    delivery->waited = mw_conn_queued(&client->conn);
    delivery->begun = mw_fair_begin(client->route);
}

static void end(struct mw_delivery *delivery, enum mw_app_result result)
{
    struct mw_client *client = delivery->client;
    size_t queued = mw_conn_queued(&client->conn);
    mw_fair_end(client->route, delivery->begun);
    note(client, MW_FLIGHT_ON_MESSAGE, result_of(result), delivery->begun);
    if (queued > delivery->waited)
        mw_conn_note_answer(&client->conn, queued - delivery->waited);
    delivery->heard = mw_view(0, 0);
}

bool mw_deliver_next(struct mw_worker *worker, mw_id conn, enum mw_opcode *kind,
                     struct mw_view *data)
{
    struct mw_delivery *delivery = worker->delivery;
    bool may_follow = delivery && delivery->source && delivery->client->id == conn;
    if (!may_follow || delivery->is_over)
        return false;
    end(delivery, MW_APP_DONE);
    delivery->is_over = !delivery->source->next(delivery->source, kind, data);
    if (!delivery->is_over)
        begin(delivery);
    return !delivery->is_over;
}

void mw_deliver_heard(struct mw_worker *worker, struct mw_view copy)
{
    if (worker->delivery)
        worker->delivery->heard = copy;
}

/* What it hears just now was judged when it came. Of an echo of 64 bytes that was 110 of
 * 4 090 instructions, of 16 KiB a pass over them. */
bool mw_deliver_is_text_broken(const struct mw_worker *worker, enum mw_opcode kind,
                               struct mw_view data)
{
    const struct mw_delivery *delivery = worker->delivery;
    bool is_heard =
        delivery && data.data == delivery->heard.data && data.len == delivery->heard.len;
    return kind == MW_OPCODE_TEXT && !is_heard && !mw_utf8_valid(data);
}

static enum mw_app_result run(struct mw_delivery *delivery, enum mw_opcode kind,
                              struct mw_view data)
{
    struct mw_client *client = delivery->client;
    struct mw_worker *worker = client->worker;
    begin(delivery);
    worker->delivery = delivery;
    enum mw_app_result result = worker->engine->message(client->route->app, client->id, kind, data);
    worker->delivery = NULL;
    if (!delivery->is_over)
        end(delivery, result);
    return result;
}

static void call(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                 struct mw_deliver_source *source)
{
    if (!client->route->spec->wants_messages)
        return;
    struct mw_delivery delivery = { .client = client, .source = source };
    enum mw_app_result result = run(&delivery, kind, data);
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

void mw_deliver_message(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                        struct mw_deliver_source *source)
{
    if (mw_client_is_heard(client) && !mw_deliver_must_wait(client))
        call(client, kind, data, source);
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
        call(client, kind, data, NULL);
}

void mw_deliver_queue_up(struct mw_client *client)
{
    bool is_held = client->busy || mw_conn_is_choked(&client->conn);
    bool has_messages = !is_held && is_heard(client) && !mw_client_is_heard(client);
    bool is_asked = client->conn.phase == MW_CONN_DECIDING;
    if ((has_messages || client->drained || is_asked) && !mw_route_is_held(client->route))
        mw_fair_wait(client);
}
