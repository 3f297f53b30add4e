/*
 * GET /_moonwire/explain/1006, /1001/1006, /slow_consumer: what close codes mean, for pages that
 * show it to their users and for people who follow a link. ?lang= or Accept-Language chooses the
 * language; JSON, or a page where Accept puts text/html first.
 */
#ifndef MW_SERVER_EXPLAIN_PAGE_H
#define MW_SERVER_EXPLAIN_PAGE_H

#include "core/server/client.h"

/*
 * Puts the answer to the current request in http->out if it is a GET or HEAD of such a path
 * (normalised). False: it is not, and nothing has happened.
 */
bool mw_explain_page(struct mw_client *client, struct mw_view path);

#endif
