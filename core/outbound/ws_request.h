/* The request of a client's handshake, with what its owner wants to have in it. */
#ifndef MW_OUTBOUND_WS_REQUEST_H
#define MW_OUTBOUND_WS_REQUEST_H

#include "core/outbound/ws_client.h"
#include "core/proto/handshake.h"

/* base64 of 16 bytes and a NUL. MW_ERR_IO: the system has no randomness. */
int mw_ws_key_make(char out[MW_WS_KEY_LEN + 1]);

/*
 * Puts the whole request. `why` names the header that is none, that the handshake makes itself, or
 * the subprotocol that is no token or there twice. MW_ERR_BAD_ARG, MW_ERR_NOMEM.
 */
int mw_ws_request_put(struct mw_buf *out, const struct mw_ws_client_setup *setup,
                      const struct mw_ws_url *url, const char *key,
                      const struct mw_ext_deflate *offer, char why[256]);

#endif
