/* Everything that there is to explain, one after the other. */
#ifndef MW_EXPLAIN_BOOK_H
#define MW_EXPLAIN_BOOK_H

#include "core/explain/render.h"

/* As Markdown: docs/close-codes.md. MW_ERR_NOMEM. */
int mw_book_markdown(struct mw_buf *out, enum mw_lang lang);

/* For a terminal, a blank row between two. MW_ERR_NOMEM. */
int mw_book_terminal(struct mw_buf *out, enum mw_lang lang, const struct mw_here *here,
                     const struct mw_terminal *terminal);

/* An array of what mw_render_json writes. MW_ERR_NOMEM. */
int mw_book_json(struct mw_buf *out, enum mw_lang lang, const struct mw_here *here);

#endif
