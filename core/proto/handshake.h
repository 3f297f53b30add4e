/*
 * The opening handshake, both roles (RFC 6455 4). Decides by headers alone; who may enter is
 * decided above.
 */
#ifndef MW_PROTO_HANDSHAKE_H
#define MW_PROTO_HANDSHAKE_H

#include "core/base/buf.h"
#include "core/proto/ext.h"
#include "core/proto/http.h"

#define MW_WS_KEY_LEN    24 /* base64 of 16 bytes */
#define MW_WS_ACCEPT_LEN 28 /* base64 of 20 bytes */

struct mw_ws_refusal {
    unsigned status;   /* 400, 405, 426, 505 ... */
    const char *error; /* "bad_key" */
    const char *text;  /* a sentence with the RFC section */
    const char *extra; /* further header lines ("Sec-WebSocket-Version: 13\r\n"), or NULL */
};

/*
 * The request wants to become a WebSocket: Upgrade names websocket (whether rightly is for check to
 * say).
 */
bool mw_ws_is_upgrade(const struct mw_http_head *head);

/* Every rule of 4.2.1. MW_OK, or MW_ERR_PROTOCOL with *refusal. */
int mw_ws_check_request(const struct mw_http_head *head, struct mw_ws_refusal *refusal);

/*
 * The first of `mine` (order of preference) that the request offers; index, or -1: none. A
 * malformed or repeated offer (4.1 no. 10) is reported by check.
 */
int mw_ws_pick_protocol(const struct mw_http_head *head, const struct mw_view *mine, size_t count);

/*
 * Same origin: Origin's host and port equal Host (scheme's default ports apply). True without
 * Origin (not a browser). "null" and repeated Origins are foreign.
 */
bool mw_ws_origin_is_same(const struct mw_http_head *head);
/* Origin is in the list: whole origins, letter case ignored; "*" is any. True without Origin. */
bool mw_ws_origin_is_listed(const struct mw_http_head *head, const struct mw_view *list,
                            size_t count);

/* The answer to a key (4.2.2): NUL-terminated text. */
int mw_ws_accept(struct mw_view key, char out[MW_WS_ACCEPT_LEN + 1]);

/* Writes the whole 101 head; protocol empty: none; all-zero terms: none. MW_OK, MW_ERR_NOMEM. */
int mw_ws_answer(struct mw_buf *out, const struct mw_http_head *request, struct mw_view protocol,
                 const struct mw_ext_deflate *terms);

/* Client: writes a whole request. `extra` are whole header lines or NULL. */
int mw_ws_request(struct mw_buf *out, struct mw_view host, struct mw_view target, const char *key,
                  const char *extra);
/*
 * Client: every rule of 4.1 on the answer; *refusal.status is what came, text what was wrong.
 * `terms` comes in as the offer that was made (all zero: none) and goes out as what was agreed on.
 */
int mw_ws_check_answer(const struct mw_http_head *head, const char *key,
                       struct mw_ext_deflate *terms, struct mw_ws_refusal *refusal);

#endif
