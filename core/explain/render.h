/*
 * The forms of an explanation: for a terminal, as JSON, as Markdown, as a page. All append to a
 * buffer and end with a line's end. MW_ERR_NOMEM, also where the document itself ran out of memory.
 */
#ifndef MW_EXPLAIN_RENDER_H
#define MW_EXPLAIN_RENDER_H

#include "core/explain/doc.h"
#include "core/explain/here.h"
#include "core/explain/subject.h"

struct mw_terminal {
    unsigned cells; /* in a row; fewer than 24 are taken for 24 */
    bool ascii;     /* what is not ASCII becomes '?' */
    bool bold;      /* titles and headings, by escapes */
};

/* No row is wider than the terminal. */
int mw_render_terminal(struct mw_buf *out, const struct mw_doc *doc,
                       const struct mw_terminal *terminal);

/*
 * An object without a line's end: what the tables hold, then the sections, each text with its
 * language. Keys are English in every language.
 */
int mw_render_json(struct mw_buf *out, const struct mw_doc *doc, const struct mw_subject *subject,
                   const struct mw_here *here);

/* A section of docs/close-codes.md; its title is a heading of this level. */
int mw_render_markdown(struct mw_buf *out, const struct mw_doc *doc, unsigned level);

/*
 * A whole page that needs nothing else. `path` is where it is ("/_moonwire/explain/1006"), for the
 * links to the other languages.
 */
int mw_render_html(struct mw_buf *out, const struct mw_doc *doc, struct mw_view path);

#endif
