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

#endif
