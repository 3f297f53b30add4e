/* The machine of a session's next connection, in the place of the one that the network has cut. */
#ifndef MW_SESSION_CONN_RENEW_H
#define MW_SESSION_CONN_RENEW_H

#include "core/session/conn.h"

/*
 * Frees the machine and begins another one by `setup` (as mw_conn_init): OPEN, nothing queued,
 * nothing read. When it was opened, what it has counted of messages and its flight recorder go on.
 * MW_ERR_NOMEM as there.
 */
int mw_conn_renew(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms);

/* For the flight recorder: AWAY or BACK. */
void mw_conn_note_move(struct mw_conn *conn, enum mw_flight_kind kind, mw_ms now_ms);

#endif
