/*
 * What there is to say about a code, a pair of codes or a cause, from the rows of the tables and
 * their words. Fills documents; render.h gives them a form.
 */
#ifndef MW_EXPLAIN_EXPLAIN_H
#define MW_EXPLAIN_EXPLAIN_H

#include "core/explain/doc.h"
#include "core/explain/here.h"
#include "core/explain/subject.h"

/* Appends to an empty document. `here` may be NULL. doc->err: no memory. */
void mw_explain(struct mw_doc *doc, const struct mw_subject *subject, const struct mw_here *here);

/* A line for each code and range. */
void mw_explain_overview(struct mw_doc *doc);

#endif
