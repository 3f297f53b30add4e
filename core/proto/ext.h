/*
 * Sec-WebSocket-Extensions (RFC 6455 9.1), of which one extension is spoken: permessage-deflate
 * (RFC 7692 7.1), both roles. Words only; the bytes are deflate's.
 *
 * Other extensions, unknown or repeated parameters and bad values decline an offer, and the next
 * one is looked at; they never refuse the handshake. A header that is against the grammar does.
 */
#ifndef MW_PROTO_EXT_H
#define MW_PROTO_EXT_H

#include "core/proto/http.h"

/* The window that either side gets at most: an eighth of zlib's for nine tenths of its gain. */
#define MW_EXT_WINDOW_BITS 12

/* A text that mw_ext_write can write, with its NUL. */
#define MW_EXT_TEXT_MAX 160

/* Terms of permessage-deflate: an offer's, or what was agreed on. All zero: there is none. */
struct mw_ext_deflate {
    bool on : 1;
    bool server_no_takeover : 1, client_no_takeover : 1; /* that side's messages stand alone */
    uint8_t server_bits, client_bits; /* of that side's window; 0: nothing was said */
};

/* What the header says of a window, or the 32 KiB of DEFLATE where it says nothing. */
static inline uint8_t mw_ext_bits(uint8_t bits)
{
    return bits ? bits : 15;
}

/* The grammar holds in every such header; also where there is none. */
bool mw_ext_is_wellformed(const struct mw_http_head *head);

/*
 * Server: the terms for the first offer that can be kept; all zero where there is none. Without
 * `takeover` both sides' messages stand alone. A client that does not let its window be bounded
 * keeps no context either: it would cost 32 KiB here.
 *
 * server_max_window_bits=8 is declined, because zlib has no raw stream with that window.
 * client_max_window_bits=8 is kept: what the client promises costs nothing here.
 */
void mw_ext_pick(const struct mw_http_head *head, bool takeover, struct mw_ext_deflate *terms);

/*
 * Writes the header's value: a server's answer or a client's offer, in which client_bits 15 is
 * said without a number. Empty where there are no terms.
 */
void mw_ext_write(char out[MW_EXT_TEXT_MAX], const struct mw_ext_deflate *terms);

/*
 * Client: checks the answer against what was offered (RFC 7692 7.1). MW_OK with *terms (all zero
 * where the server declined), or MW_ERR_PROTOCOL: the handshake has failed.
 */
int mw_ext_check(const struct mw_http_head *head, const struct mw_ext_deflate *offer,
                 struct mw_ext_deflate *terms);

#endif
