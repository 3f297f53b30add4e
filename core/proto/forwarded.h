/*
 * Who is behind the proxies: X-Forwarded-For or Forwarded (RFC 7239), read from the nearest proxy
 * outwards as far as they are trusted.
 */
#ifndef MW_PROTO_FORWARDED_H
#define MW_PROTO_FORWARDED_H

#include "core/base/ip.h"
#include "core/proto/http.h"

/*
 * The one header that the proxies write. The other one comes through them as the client has sent
 * it, and says whatever it likes, so one is read and never both.
 */
enum mw_forwarded_by { MW_FORWARDED_BY_X_FORWARDED_FOR, MW_FORWARDED_BY_FORWARDED };

/*
 * `peer` has sent the head and is itself trusted. *client becomes the last address of the chain
 * that is not in a trusted network, or the farthest one that can be read: what stands behind an
 * entry that is no address (unknown, _hidden, nonsense) is not believed. Without such headers:
 * peer. Several lines of one name are one list.
 */
void mw_forwarded_client(const struct mw_http_head *head, enum mw_forwarded_by by,
                         const struct mw_net *trusted, size_t trusted_count,
                         const struct mw_ip *peer, struct mw_ip *client);

#endif
