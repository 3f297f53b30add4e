/*
 * GET /_moonwire/client.js: the client for pages (client/), as it was when the program was built.
 * Compressed once, when it is first asked for. A module of any origin may import it.
 */
#ifndef MW_SERVER_CLIENT_JS_H
#define MW_SERVER_CLIENT_JS_H

#include "core/base/buf.h"

/* Made by client/embed.cmake. */
extern const unsigned char mw_client_js_bytes[];
extern const size_t mw_client_js_len;
extern const char mw_client_js_hash[]; /* of the content, 32 digits */

/* What a worker has of it. All zero but `gzip`, which is an empty buffer: not asked for yet. */
struct mw_client_js {
    struct mw_buf gzip;
};

struct mw_client;

/*
 * Puts the answer to the current request in http->out if it is a GET or HEAD of that path
 * (normalised). False: it is not, and nothing has happened.
 */
bool mw_client_js_page(struct mw_client *client, struct mw_view path);

#endif
