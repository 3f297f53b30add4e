/* Breaking a text into rows of a terminal. Pure. */
#ifndef MW_EXPLAIN_WRAP_H
#define MW_EXPLAIN_WRAP_H

#include "core/explain/width.h"

/*
 * Takes the next row off the text: at most `cells` wide (2 at least), broken at a blank, between
 * two wide characters where East Asia may, or inside a word that is longer than a row. Blanks at
 * the break are dropped. False at the end.
 */
bool mw_wrap_next(struct mw_view *rest, size_t cells, struct mw_view *row);

#endif
