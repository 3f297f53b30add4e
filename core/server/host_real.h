/*
 * The real host of app engines: host.h over a worker's connections, topics and clock. `host_app` is
 * a struct mw_route.
 */
#ifndef MW_SERVER_HOST_REAL_H
#define MW_SERVER_HOST_REAL_H

#include "moonwire/host.h"

const struct mw_host *mw_host_real(void);

#endif
