/* The table of facts at the head of an explanation: one line a fact, one column a code. */
#ifndef MW_EXPLAIN_FACTS_H
#define MW_EXPLAIN_FACTS_H

#include "core/explain/doc.h"
#include "core/explain/here.h"
#include "core/proto/close_catalog.h"

/* A code as a column of the table. */
struct mw_fact_code {
    unsigned code;
    const struct mw_close_row *row;
    const struct mw_here_code *script; /* the first voice; NULL: no script says what it means */
    const struct mw_here *here;        /* where further ones are; NULL: there is none */
};

struct mw_fact_code mw_fact_code(unsigned code, const struct mw_here *here);

/* Room for a code's title with its gloss, or with the words of scripts. */
#define MW_FACT_TITLE_MAX 192

/*
 * "1006 비정상 종료 (Abnormal Closure)"; of a script's code its own words: "4001 kicked", or
 * "4001 kicked / moved".
 */
void mw_fact_title(enum mw_lang lang, const struct mw_fact_code *code, char out[MW_FACT_TITLE_MAX]);

/* Of one code, or of two side by side. */
void mw_facts_of_code(struct mw_doc *doc, const struct mw_fact_code *code);
void mw_facts_of_pair(struct mw_doc *doc, const struct mw_fact_code *code,
                      const struct mw_fact_code *other);
void mw_facts_of_cause(struct mw_doc *doc, const struct mw_cause_row *cause);

/*
 * What a client does after it: as its row says, unless a script says otherwise. Where scripts do
 * not agree it is the row's.
 */
struct mw_close_policy mw_fact_policy(const struct mw_fact_code *code);

/* A cell: "yes, after 1 to 5 s, then longer, up to 30 s". */
void mw_fact_put_retry(struct mw_doc *doc, const struct mw_close_policy *policy);

/* "debug" to "error"; the same in all languages. Static. */
const char *mw_fact_level(const struct mw_close_row *row);

/* MW_LABEL_BOTH, MW_LABEL_CLIENT, MW_LABEL_SERVER, MW_LABEL_NOBODY. */
enum mw_label mw_fact_sender(const struct mw_close_row *row);

/* "0.25", "30". */
#define MW_FACT_SECONDS_MAX 16
void mw_fact_seconds(uint32_t ms, char out[MW_FACT_SECONDS_MAX]);

#endif
