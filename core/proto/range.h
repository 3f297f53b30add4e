/* Which bytes a Range field asks for (RFC 9110 14.1.2, 14.2). Pure. */
#ifndef MW_PROTO_RANGE_H
#define MW_PROTO_RANGE_H

#include "moonwire/types.h"

struct mw_range {
    uint64_t start, len; /* bytes */
};

enum mw_range_kind {
    MW_RANGE_WHOLE,   /* the field is passed over: other units, bad syntax, more than one range */
    MW_RANGE_PART,    /* *out lies within the representation and is not empty */
    MW_RANGE_OUTSIDE, /* not one byte of it is there: 416 */
};

/* For a representation of `size` bytes; *out is its whole or, with PART, the part. */
enum mw_range_kind mw_range_read(struct mw_view field, uint64_t size, struct mw_range *out);

#endif
