/* Request targets (RFC 9112 3.2, RFC 3986): split, decode, normalise. */
#ifndef MW_PROTO_URL_H
#define MW_PROTO_URL_H

#include "core/base/mem.h"

struct mw_target {
    struct mw_view authority; /* of an absolute form; empty without */
    struct mw_view path;      /* raw, begins with '/' */
    struct mw_view query;     /* raw, without '?'; empty without */
};

/*
 * A host, which may be empty, and a port or none (RFC 3986 3.2): a name, an IPv4 address, or an
 * IPv6 address in brackets. No user, and no comma in a name: lists of hosts are not taken for one.
 */
bool mw_is_authority(struct mw_view text);

/*
 * Splits an origin-form or absolute-form target; a fragment is not allowed in one, nor a user.
 * MW_OK or MW_ERR_BAD_ARG. Views into `target`, or of a static "/" where it names a host alone.
 */
int mw_target_split(struct mw_view target, struct mw_target *out);

/*
 * Percent-decodes a raw path into out (raw.len bytes at least) and removes dot segments and
 * repeated slashes, so that two ways to write a place are one. Returns the length, or
 * MW_ERR_BAD_ARG: bad escape, NUL, bytes that are not UTF-8, or a ".." that leads above the root.
 */
long mw_path_normalise(struct mw_view raw, char *out);

#endif
