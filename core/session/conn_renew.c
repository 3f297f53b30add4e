/*
 * From one connection of a session to the next. Called by the server when a connection is cut and
 * when its client is back; what the session itself keeps (replay.h) goes by setup.
 */
#include "core/session/conn_renew.h"

#include "core/session/conn_flight.h"

void mw_conn_renew(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms)
{
    struct mw_flight *flight = conn->flight;
    const struct mw_conn old = *conn;
    conn->flight = 0; /* goes on */
    mw_conn_free(conn);
    mw_conn_init(conn, setup, now_ms);
    conn->flight = flight;
    conn->opened_ms = old.opened_ms;
    conn->messages_sent = old.messages_sent;
    conn->messages_received = old.messages_received;
    conn->messages_dropped = old.messages_dropped;
    conn->messages_replaced = old.messages_replaced;
}

void mw_conn_note_move(struct mw_conn *conn, enum mw_flight_kind kind, mw_ms now_ms)
{
    mw_conn_note_state(conn, kind, now_ms);
}
