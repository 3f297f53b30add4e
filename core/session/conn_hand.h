/* Frames that the owner of a connection cuts itself: for tools that try what is on the path. */
#ifndef MW_SESSION_CONN_HAND_H
#define MW_SESSION_CONN_HAND_H

#include "core/session/conn.h"

/*
 * One frame of a message: TEXT or BINARY first, then CONTINUATION, the last with fin; never
 * compressed. That they make a message is up to the caller, and that no other one goes in between.
 * Errors as mw_conn_send.
 */
int mw_conn_send_frame(struct mw_conn *conn, enum mw_opcode opcode, bool fin,
                       struct mw_view payload, mw_ms now_ms);

/*
 * A ping with this payload, MW_CONTROL_MAX bytes at most. Nobody waits for its answer but the
 * caller. Errors as mw_conn_ping.
 */
int mw_conn_ping_with(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms);

#endif
