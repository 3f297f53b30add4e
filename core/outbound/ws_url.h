/* The address of a WebSocket (RFC 6455 3): what to dial, and what to ask for there. */
#ifndef MW_OUTBOUND_WS_URL_H
#define MW_OUTBOUND_WS_URL_H

#include "core/base/mem.h"

struct mw_ws_url {
    bool is_secure;
    uint16_t port;         /* 80 or 443 where none is written */
    const char *host;      /* as to be dialled: without brackets */
    const char *authority; /* as Host has it: brackets, port where it is not the scheme's */
    const char *target;    /* path and query */
    char *block;           /* private: the three texts */
    size_t size;
};

/*
 * "ws://host:port/path?query"; http and https are taken for ws and wss, and no scheme at all for
 * ws. MW_ERR_NOMEM, or MW_ERR_BAD_ARG with a sentence: a fragment, a user, a port that is none.
 */
int mw_ws_url_parse(struct mw_mem *mem, struct mw_view text, struct mw_ws_url *out, char why[256]);
void mw_ws_url_free(struct mw_mem *mem, struct mw_ws_url *url);

#endif
