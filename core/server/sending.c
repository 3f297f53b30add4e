/*
 * Between what a script sends or publishes (host_real) and the queue of a connection. Ends clients
 * as ws_driver does, at the end of the turn; never calls the app.
 */
#include "core/server/sending.h"

#include "core/server/account.h"
#include "core/server/away.h"
#include "core/server/worker.h"
#include "core/server/ws_driver.h"

static mw_ms now(const struct mw_client *client)
{
    return mw_loop_now(client->worker->loop);
}

int mw_sending_count(struct mw_route *route, enum mw_opcode kind, int outcome)
{
    struct mw_metrics_cells *cells = route->metrics.cells;
    if (outcome == MW_OK)
        cells->sent[mw_metrics_type(kind)]++;
    else if (outcome == MW_ERR_QUOTA)
        cells->dropped[MW_METRICS_DROP_script_queued]++;
    return outcome;
}

static enum mw_policy policy_of(const struct mw_client *client, const struct mw_send_how *how)
{
    return how ? how->policy : client->route->limits.policy;
}

/* It did not fit, and the kernel has no room either: the peer does not read. */
static void give_up(struct mw_client *client, enum mw_policy policy)
{
    uint64_t *dropped = client->route->metrics.cells->dropped;
    switch (policy) {
    case MW_POLICY_CLOSE:
        dropped[MW_METRICS_DROP_slow_consumer]++;
        (void)mw_ws_driver_close(client, MW_CAUSE_slow_consumer, 0,
                                 mw_view_text("the client reads too slowly"));
        break;
    case MW_POLICY_DROP:
    case MW_POLICY_LATEST:
        dropped[MW_METRICS_DROP_drop]++;
        mw_conn_note_dropped(&client->conn, now(client));
        break;
    }
}

static int outcome(struct mw_client *client, enum mw_opcode kind, const struct mw_send_how *how,
                   int err)
{
    if (err == MW_ERR_DROPPED)
        give_up(client, policy_of(client, how));
    mw_client_settle_later(client);
    return mw_sending_count(client->route, kind, err);
}

/*
 * The queue is full, but the kernel may have room by now. Where it has none the message is not put
 * once more: the flight recorder tells of it once.
 */
static bool makes_room(struct mw_client *client)
{
    if (client->phase == MW_CLIENT_OPEN)
        mw_ws_driver_flush(client);
    return !mw_conn_is_full(&client->conn);
}

/* ---- one ---- */

/* The kernel may take it all at once, from where the script has it. */
static bool can_offer(const struct mw_client *client, size_t len)
{
    return client->phase == MW_CLIENT_OPEN && client->in_flight == 0 &&
           mw_stream_can_offer(client->stream) && mw_conn_may_lend(&client->conn, len);
}

/*
 * Who is sent more of it in one turn gets that in one write, and its script sees how much of it
 * waits (conn.queued, on_drain).
 */
static bool is_first_of_turn(const struct mw_client *client)
{
    struct mw_worker *worker = client->worker;
    uint64_t turn = mw_loop_turn(worker->loop);
    bool is_first = worker->offered_to != client->id || worker->offered_turn != turn;
    worker->offered_to = client->id;
    worker->offered_turn = turn;
    return is_first;
}

static int try_one(struct mw_client *client, enum mw_opcode kind, struct mw_view data)
{
    if (!can_offer(client, data.len) || !is_first_of_turn(client))
        return mw_conn_send(&client->conn, kind, data, now(client));
    int err = mw_conn_lend(&client->conn, kind, data, now(client));
    if (!err)
        mw_ws_driver_offer(client);
    return err;
}

static int put_one(struct mw_client *client, enum mw_opcode kind, struct mw_view data)
{
    int err = try_one(client, kind, data);
    return err == MW_ERR_DROPPED && makes_room(client) ? try_one(client, kind, data) : err;
}

static int put_shared(struct mw_client *client, struct mw_broadcast *broadcast)
{
    int err = mw_broadcast_send(broadcast, &client->conn, now(client));
    if (err == MW_ERR_DROPPED && makes_room(client))
        err = mw_broadcast_send(broadcast, &client->conn, now(client));
    return err;
}

static int put_counted(struct mw_client *client, struct mw_broadcast *broadcast)
{
    uint64_t replaced = mw_conn_replaced(&client->conn);
    int err = put_shared(client, broadcast);
    client->route->metrics.cells->dropped[MW_METRICS_DROP_latest] +=
        mw_conn_replaced(&client->conn) - replaced;
    return err;
}

static int put_latest(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                      const struct mw_send_how *how)
{
    struct mw_broadcast broadcast;
    mw_broadcast_begin(&broadcast, &client->route->account->mem, 1, kind, data);
    broadcast.how = how;
    int err = put_counted(client, &broadcast);
    mw_broadcast_end(&broadcast);
    return err;
}

/* The machine of one who is away knows of no session meanwhile. */
static void note_dropped(struct mw_client *client)
{
    mw_conn_note_dropped(&client->conn, now(client));
    if (client->phase == MW_CLIENT_AWAY)
        mw_replay_lost(&client->session->replay, 1);
    if (client->conn.phase != MW_CONN_OPEN) /* without memory it has ended */
        mw_client_settle_later(client);
}

int mw_sending_one(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how)
{
    size_t waited = mw_conn_queued(&client->conn);
    if (!mw_account_has_room(client->route->account, data.len)) {
        note_dropped(client);
        return mw_sending_count(client->route, kind, MW_ERR_QUOTA);
    }
    if (client->phase == MW_CLIENT_AWAY)
        return mw_sending_count(client->route, kind, mw_away_send(client, kind, data));
    bool is_latest = how && how->policy == MW_POLICY_LATEST;
    int err = is_latest ? put_latest(client, kind, data, how) : put_one(client, kind, data);
    /* Most likely by its own handler, which waits; what others do meanwhile does little harm. */
    if (!err && client->busy && mw_conn_queued(&client->conn) > waited)
        mw_conn_note_answer(&client->conn, mw_conn_queued(&client->conn) - waited);
    return outcome(client, kind, how, err);
}

/* ---- one of many ---- */

int mw_sending_shared(struct mw_client *client, struct mw_broadcast *broadcast, mw_ms now_ms)
{
    if (client->phase == MW_CLIENT_OPEN &&
        mw_broadcast_send_more(broadcast, &client->conn, now_ms)) {
        mw_client_settle_later(client);
        return mw_sending_count(client->route, broadcast->kind, MW_OK);
    }
    if (client->phase == MW_CLIENT_AWAY)
        return mw_sending_count(client->route, broadcast->kind,
                                mw_away_send_shared(client, broadcast));
    int err = broadcast->how ? put_counted(client, broadcast) : put_shared(client, broadcast);
    if (err == MW_ERR_NOMEM)
        (void)mw_ws_driver_close(client, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"));
    return outcome(client, broadcast->kind, broadcast->how, err);
}
