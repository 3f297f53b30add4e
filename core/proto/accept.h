/* Which content codings a client takes (RFC 9110 12.5.3). Pure. */
#ifndef MW_PROTO_ACCEPT_H
#define MW_PROTO_ACCEPT_H

#include "moonwire/types.h"

/*
 * Whether the list of an Accept-Encoding field takes this coding, by its name or by "*", with a
 * weight above 0. An empty list takes none: what is not said to be welcome is not sent.
 */
bool mw_accepts_coding(struct mw_view list, const char *coding);

#endif
