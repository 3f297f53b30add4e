/* Percent-encoding (RFC 3986 2.1), shared by paths, queries and the script's req.query. */
#ifndef MW_BASE_PERCENT_H
#define MW_BASE_PERCENT_H

#include "moonwire/types.h"

/*
 * Decodes into `out`, which holds at least text.len bytes (it may be text.data itself). Returns the
 * number of bytes, or MW_ERR_BAD_ARG where a '%' is not followed by two hex digits. With
 * plus_is_space (queries), '+' is a blank.
 */
long mw_percent_decode(struct mw_view text, bool plus_is_space, char *out);

/*
 * Encodes a path into `out`, which holds at least 3 * path.len bytes: what is neither unreserved
 * (RFC 3986 2.3) nor a slash becomes %XX, so that nobody reads more into it than names. Returns the
 * number of bytes.
 */
size_t mw_percent_encode_path(struct mw_view path, char *out);

#endif
