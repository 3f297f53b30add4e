/*
 * Who is behind the proxies: Forwarded (RFC 7239) or else X-Forwarded-For, read from the nearest
 * proxy outwards as far as they are trusted.
 */
#ifndef MW_PROTO_FORWARDED_H
#define MW_PROTO_FORWARDED_H

#include "core/base/ip.h"
#include "core/proto/http.h"

/*
 * `peer` has sent the head and is itself trusted. *client becomes the last address of the chain
 * that is not in a trusted network, or the farthest one that can be read: what stands behind an
 * entry that is no address (unknown, _hidden, nonsense) is not believed. Without such headers:
 * peer.
 *
 * Several lines of one name are one list. Where there is a Forwarded line, X-Forwarded-For is not
 * looked at: a proxy that writes only the latter has to take the former out of what it passes on.
 */
void mw_forwarded_client(const struct mw_http_head *head, const struct mw_net *trusted,
                         size_t trusted_count, const struct mw_ip *peer, struct mw_ip *client);

#endif
