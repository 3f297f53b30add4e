/*
 * Whether the server lives and whether scripts serve, for whoever starts servers and sends them
 * clients: short JSON at the paths of the options health.live and health.ready.
 */
#ifndef MW_SERVER_HEALTH_H
#define MW_SERVER_HEALTH_H

#include "core/server/client.h"

/*
 * Puts the answer to the current request in http->out if it is a GET or HEAD of one of the two
 * paths (normalised). False: it is not, and nothing has happened.
 */
bool mw_health_answer(struct mw_client *client, struct mw_view path);

#endif
