/*
 * A script whose app is spent: it was paused, or it ran out of memory and still holds most of it.
 * The next version is loaded into an app of its own, which takes over the data (carry of app.h) and
 * with the commit the place of the old one. Between the two no code of the script runs.
 */
#ifndef MW_SERVER_REBUILD_H
#define MW_SERVER_REBUILD_H

#include "core/server/route.h"

bool mw_rebuild_is_due(const struct mw_route *route);

/*
 * Makes route->next_app, with everything carried, for a version to be prepared in it; nothing of
 * the script runs from here to one of the next two. MW_ERR_NOMEM: nothing has changed.
 */
int mw_rebuild_begin(struct mw_route *route);

/* The version in it is live, and calls that waited in the old one have ended as failed. */
void mw_rebuild_commit(struct mw_route *route);
/* All goes on as before. A version in it was discarded already. */
void mw_rebuild_discard(struct mw_route *route);

#endif
