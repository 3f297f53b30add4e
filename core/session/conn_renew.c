/*
 * From one connection of a session to the next. Called by the server when a connection is cut and
 * when its client is back; what the session itself keeps (replay.h) goes by setup.
 */
#include "core/session/conn_renew.h"

#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"

/* Of the connection before: the pool has its block, so there is memory for it. */
static void keep_counts(struct mw_conn *conn, struct mw_conn_sending *old, mw_ms now_ms)
{
    const uint64_t dropped = old->dropped, replaced = old->replaced;
    mw_conn_pool_take_sending(conn->home->pool, old);
    if (!dropped && !replaced)
        return;
    if (MW_ALWAYS(!mw_conn_begin_output(conn, now_ms))) {
        conn->sending->dropped = dropped;
        conn->sending->replaced = replaced;
    }
}

int mw_conn_renew(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms)
{
    const struct mw_conn old = *conn;
    conn->flight = 0; /* goes on */
    conn->sending = 0;
    mw_conn_free(conn);
    int err = mw_conn_init(conn, setup, now_ms);
    conn->flight = old.flight;
    conn->opened_ms = old.opened_ms;
    conn->messages_sent = old.messages_sent;
    conn->messages_received = old.messages_received;
    if (old.sending)
        keep_counts(conn, old.sending, now_ms);
    return err;
}

void mw_conn_note_move(struct mw_conn *conn, enum mw_flight_kind kind, mw_ms now_ms)
{
    mw_conn_note_state(conn, kind, now_ms);
}
