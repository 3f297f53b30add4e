/* What conn and conn_time do for a client that speaks the sideband (sideband.h). */
#ifndef MW_SESSION_CONN_SIDEBAND_H
#define MW_SESSION_CONN_SIDEBAND_H

#include "core/session/conn.h"

/*
 * What kind of aside the whole message is; unless NONE it is noted, answered where it asks for
 * that, and not for the application. Only in OPEN, with conn->sideband.
 */
enum mw_aside mw_conn_take_aside(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms);

/*
 * Before a Close frame: how many of the client's messages have come, where it does not know. What
 * is on its way after that has not been heard. Nothing without a session, or without memory.
 */
void mw_conn_tell_count(struct mw_conn *conn, mw_ms now_ms);

/* Says unasked what a probe is answered with. Nothing without a sideband, or where no room is. */
void mw_conn_assure(struct mw_conn *conn, mw_ms now_ms);

#endif
