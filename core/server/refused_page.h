/*
 * GET /_moonwire/why/MARK: what a refused handshake was told, as JSON. A browser shows its script
 * neither status nor body of one; by the mark that only the two of them know the client may ask
 * afterwards, from whatever page it runs in.
 */
#ifndef MW_SERVER_REFUSED_PAGE_H
#define MW_SERVER_REFUSED_PAGE_H

#include "core/server/client.h"

/*
 * Puts the answer to the current request in http->out if it is a GET or HEAD of such a path
 * (normalised). False: it is not, and nothing has happened.
 */
bool mw_refused_page(struct mw_client *client, struct mw_view path);

#endif
