/*
 * What conn, conn_send and conn_end do about a peer that reads slowly: it is not read from while
 * the answers to what it said wait, and it is told of messages that it did not get.
 */
#ifndef MW_SESSION_CONN_PRESSURE_H
#define MW_SESSION_CONN_PRESSURE_H

#include "core/session/conn.h"

/* So many bytes of output have left, of those that had waited before: it was sending. */
void mw_conn_ease(struct mw_conn *conn, size_t bytes, size_t waited);

/*
 * Puts the note of what was dropped into the data lane, where there is something to tell and
 * somebody to understand it. MW_ERR_NOMEM: what comes next must not be put either, or the hole
 * could not be seen.
 */
int mw_conn_tell_gap(struct mw_conn *conn, mw_ms now_ms);

#endif
