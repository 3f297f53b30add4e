/* From an upgrade request to an open WebSocket, or to its refusal. */
#ifndef MW_SERVER_UPGRADE_H
#define MW_SERVER_UPGRADE_H

#include "core/server/client.h"

/* The current request wants to become a WebSocket; path is normalised. */
void mw_upgrade(struct mw_client *client, struct mw_view path);
/* It is the turn of a client whose script had to be waited for: on_open. */
void mw_upgrade_ask(struct mw_client *client);
/* What on_open, which had waited, has decided; NULL: it failed. */
void mw_upgrade_decide(struct mw_client *client, const struct mw_verdict *verdict);
/* The time for a decision is over: on_open waits still, or had no turn at all. */
void mw_upgrade_expire(struct mw_client *client);
/*
 * Ends a client whose on_open has not decided yet: it is upgraded first, so that it can read the
 * code (0: the cause's). The advice (NULL: none) stands in the place of the cause's.
 */
void mw_upgrade_give_up(struct mw_client *client, enum mw_cause cause, unsigned code,
                        struct mw_view reason, const struct mw_advice *advice);

#endif
