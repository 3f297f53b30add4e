/*
 * A message into the queue of one client, and what becomes of it where that is full: the client
 * ends, or the message is dropped or replaced, as its sender or the route wants it.
 */
#ifndef MW_SERVER_SENDING_H
#define MW_SERVER_SENDING_H

#include "core/server/client.h"
#include "core/session/broadcast.h"

/*
 * conn:send. MW_OK; MW_ERR_CLOSED; MW_ERR_DROPPED: it was not queued, and with MW_POLICY_CLOSE the
 * client is ended; MW_ERR_QUOTA: the script's share is full; MW_ERR_NOMEM. `how` NULL: the route's.
 */
int mw_sending_one(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how);

/*
 * One receiver of a publish (broadcast->how; NULL: its route's). As above, but that a client for
 * which there is no memory is ended: nobody else would hear of the hole.
 */
int mw_sending_shared(struct mw_client *client, struct mw_broadcast *broadcast, mw_ms now_ms);

/* Of a message of this route: to the metrics. Gives the outcome back. */
int mw_sending_count(struct mw_route *route, enum mw_opcode kind, int outcome);

#endif
