/* Two codes side by side. */
#ifndef MW_EXPLAIN_PAIR_H
#define MW_EXPLAIN_PAIR_H

#include "core/explain/facts.h"

/* Appends the whole explanation, written by hand or composed from the rows. */
void mw_explain_pair(struct mw_doc *doc, const struct mw_fact_code *code,
                     const struct mw_fact_code *other);

#endif
