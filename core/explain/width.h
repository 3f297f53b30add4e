/*
 * How many cells of a terminal a text takes: two for what East Asia writes wide, none for what is
 * set upon the letter before. Pure.
 */
#ifndef MW_EXPLAIN_WIDTH_H
#define MW_EXPLAIN_WIDTH_H

#include "moonwire/types.h"

/* One character of a text, with all that is set upon it. */
struct mw_glyph {
    struct mw_view bytes;
    uint32_t first; /* its first code point; U+FFFD where the bytes are not UTF-8 */
    unsigned cells;
};

/* Takes the next one off; false at the end. */
bool mw_glyph_next(struct mw_view *rest, struct mw_glyph *glyph);

size_t mw_width(struct mw_view text);

#endif
