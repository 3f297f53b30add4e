/*
 * What a text must not do to the person who reads it: move the cursor, begin a line of its own, or
 * show itself in another order than it has. C0 and DEL; C1 (U+0080 to U+009F), which some
 * terminals obey too; separators of lines and what turns the direction of writing (U+2028 to
 * U+202E, U+2066 to U+2069).
 */
#ifndef MW_BASE_HIDDEN_H
#define MW_BASE_HIDDEN_H

#include "moonwire/types.h"

bool mw_hidden_point(uint32_t point);

/*
 * So many bytes at `at` of UTF-8 are such a character; 0: none. `point` (if not NULL) is which.
 * Broken bytes are none of them.
 */
size_t mw_hidden_at(struct mw_view text, size_t at, uint32_t *point);

#endif
