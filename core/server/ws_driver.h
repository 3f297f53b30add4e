/* A client from its upgrade to its end: phases OPENING and OPEN. */
#ifndef MW_SERVER_WS_DRIVER_H
#define MW_SERVER_WS_DRIVER_H

#include "core/server/client.h"

/* ---- for upgrade: the steps of an opening ---- */

/* facts are set: the machine begins, the client belongs to its route. MW_ERR_NOMEM: forget it. */
int mw_ws_driver_begin(struct mw_client *client, struct mw_route *route);
/* The answer is queued: reading and pulling begin. */
void mw_ws_driver_start(struct mw_client *client);
/*
 * Another machine in the place of the old one, which has ended; without a peer one that only waits.
 * MW_ERR_NOMEM, never without a peer: it is of no use.
 */
int mw_ws_driver_renew(struct mw_client *client, bool has_peer);
/* Refused before the answer: the engine lets go, the client is HTTP again. */
void mw_ws_driver_forget(struct mw_client *client, enum mw_cause cause);

/* ---- for client ---- */

void mw_ws_driver_read(struct mw_client *client, char *bytes, size_t len);
/* The stream has ended. */
void mw_ws_driver_end(struct mw_client *client, enum mw_stream_end how);
void mw_ws_driver_settle(struct mw_client *client);
void mw_ws_driver_alarm(struct mw_client *client);
void mw_ws_driver_free(struct mw_client *client);

/* ---- for everybody ---- */

/*
 * The script of a client whose peer has gone is paused and will not come back: what was said before
 * is not waited for any longer.
 */
void mw_ws_driver_give_up(struct mw_client *client);

/* Tries to write what is queued. */
void mw_ws_driver_flush(struct mw_client *client);
/*
 * Writes what the kernel takes at once and copies what it leaves of a payload that was lent
 * (mw_conn_lend). Only with nothing in flight, on a stream that can (mw_stream_can_offer).
 */
void mw_ws_driver_offer(struct mw_client *client);
/* So many bytes of what was queued have left. */
void mw_ws_driver_wrote(struct mw_client *client, size_t bytes);
/* Begins the end; the rest happens at the end of the turn. As mw_conn_close. */
int mw_ws_driver_close(struct mw_client *client, enum mw_cause cause, unsigned code,
                       struct mw_view reason);
/*
 * With advice (NULL: none): a script's own is what its peer gets; any other stands in the place of
 * the cause's.
 */
int mw_ws_driver_close_advised(struct mw_client *client, enum mw_cause cause, unsigned code,
                               struct mw_view reason, const struct mw_advice *advice);
/* Its machine has ended: the app is told, the log, and who counts. Once for each. */
void mw_ws_driver_end_now(struct mw_client *client);
/* Ends it here and now, whatever it waits for. */
void mw_ws_driver_cut(struct mw_client *client);

#endif
