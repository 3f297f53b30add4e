/* The limits of the whole process at the door of one client: in, or told by name why not. */
#ifndef MW_SERVER_ADMIT_H
#define MW_SERVER_ADMIT_H

#include "core/server/client.h"

/*
 * For a request that wants to become a WebSocket and may by every other rule; not for a session
 * that comes back, which has kept its place. True: it counts until mw_admit_leave. False: it was
 * answered with 503, or 429 where it is the address that has too many.
 */
bool mw_admit(struct mw_client *client);
/* Its WebSocket has ended. Who is not in leaves nothing. */
void mw_admit_leave(struct mw_client *client);

#endif
