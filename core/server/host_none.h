/* A host without a server: for loading a script to see whether it loads, and nothing else. */
#ifndef MW_SERVER_HOST_NONE_H
#define MW_SERVER_HOST_NONE_H

#include "moonwire/host.h"

/* `host_app` is not used. There is no connection, nobody hears, and what is logged is dropped. */
const struct mw_host *mw_host_none(void);

#endif
