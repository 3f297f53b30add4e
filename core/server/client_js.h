/*
 * GET /_moonwire/client.js: the client for pages (client/), as it was when the program was built;
 * and /_moonwire/resume.js, which it loads for pages that want sessions. Compressed once, when it
 * is first asked for. A module of any origin may import them.
 */
#ifndef MW_SERVER_CLIENT_JS_H
#define MW_SERVER_CLIENT_JS_H

#include "core/base/buf.h"

struct mw_js_file {
    const unsigned char *bytes;
    size_t len;
    const char *hash; /* of the content, 32 digits */
};

/* Made by client/embed.cmake. */
extern const struct mw_js_file mw_client_js_file, mw_resume_js_file;

/* What a worker has of them: compressed; empty: not asked for yet. */
struct mw_client_js {
    struct mw_buf client_gzip, resume_gzip;
};

struct mw_client;

void mw_client_js_init(struct mw_client_js *js, struct mw_mem *mem);
void mw_client_js_free(struct mw_client_js *js);

/*
 * Puts the answer to the current request in http->out if it is a GET or HEAD of one of these paths
 * (normalised). False: it is not, and nothing has happened.
 */
bool mw_client_js_page(struct mw_client *client, struct mw_view path);

#endif
