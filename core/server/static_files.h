/*
 * Files of the project's public folder, index.html for a folder: GET and HEAD, whole or a part.
 * Read in pieces off the loop, one piece ahead of the socket, so that a file of any size costs one
 * piece of memory. Names that begin with a dot are not there, but for /.well-known/.
 */
#ifndef MW_SERVER_STATIC_FILES_H
#define MW_SERVER_STATIC_FILES_H

#include "moonwire/types.h"

struct mw_client;
struct mw_static;

/*
 * Begins to answer the current request with the file at a normalised path; `missing` is called (now
 * or later) when there is none. MW_OK, or an error: nothing will happen.
 */
int mw_static_serve(struct mw_client *client, struct mw_view path,
                    void (*missing)(struct mw_client *client, struct mw_view path));

/* Nothing is in flight: goes on writing. True when the response has been written whole. */
bool mw_static_step(struct mw_static *body);

/* The client is going away. NULL is allowed. */
void mw_static_cancel(struct mw_static *body);

#endif
