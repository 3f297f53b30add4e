/* Between upgrade.c and ws_driver.c: the steps of an opening. Nobody else includes this. */
#ifndef MW_SERVER_WS_DRIVER_H
#define MW_SERVER_WS_DRIVER_H

#include "core/server/client.h"

/* facts are set: the machine begins, the client belongs to its route. */
void mw_ws_driver_begin(struct mw_client *client, struct mw_route *route);
/* The answer is queued: reading and pulling begin. */
void mw_ws_driver_start(struct mw_client *client);
/* Refused before the answer: the engine lets go, the client is HTTP again. */
void mw_ws_driver_forget(struct mw_client *client, enum mw_cause cause);
/* What on_open has decided; NULL: it failed. */
void mw_ws_driver_decide(struct mw_client *client, const struct mw_verdict *verdict);

#endif
