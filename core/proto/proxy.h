/*
 * The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a proxy says, before
 * anything else, about the connection it passes on. Whom to believe is decided above.
 */
#ifndef MW_PROTO_PROXY_H
#define MW_PROTO_PROXY_H

#include "core/base/ip.h"

#define MW_PROXY_V1_MAX   107 /* bytes of a whole line with its CR LF */
#define MW_PROXY_V2_MAX   536 /* 16 bytes of head, and as much behind it as we are ready to hold */
#define MW_PROXY_HEAD_MAX MW_PROXY_V2_MAX

struct mw_proxy_head {
    /*
     * None where the proxy speaks for itself (LOCAL, health checks), of what is no TCP over IP, or
     * of what it does not know: the stream's own addresses hold.
     */
    struct mw_ip from, to;
    uint16_t from_port, to_port;
};

/*
 * Reads a header at the beginning of bytes. A length above 0: the header is whole and took that
 * many bytes. MW_ERR_AGAIN: more are needed, MW_PROXY_HEAD_MAX in all at most. MW_ERR_PROTOCOL: no
 * header, or a broken one; *why is a static sentence. Only a length touches *out.
 *
 * Reads from the left and judges a field with its last byte, or with the first that no such field
 * has there; so the answer to a beginning is the answer to everything longer.
 */
long mw_proxy_read(struct mw_view bytes, struct mw_proxy_head *out, const char **why);

/* These are (the beginning of) a header, as far as one can see: 1 at least. */
bool mw_proxy_may_begin(struct mw_view bytes);

#endif
