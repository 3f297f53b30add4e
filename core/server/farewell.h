/* What the Close frame of an end says that the server begins: code, reason, advice. */
#ifndef MW_SERVER_FAREWELL_H
#define MW_SERVER_FAREWELL_H

#include "core/server/client.h"

/*
 * For a client in MW_CONN_DECIDING: asks its script where that can be asked, and decides. May call
 * the app. False: it is not the script's turn; to be asked again when it is (fair.h),
 * or at client->ending_due_ms, when all is said without it.
 */
bool mw_farewell_say(struct mw_client *client);

#endif
