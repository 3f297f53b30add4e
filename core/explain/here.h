/* What a running server knows beside the tables: its ends of the last hour, its scripts' codes. */
#ifndef MW_EXPLAIN_HERE_H
#define MW_EXPLAIN_HERE_H

#include "moonwire/types.h"

struct mw_here_end {
    unsigned code;
    struct mw_view cause, who;
    uint64_t count;
};

/* A row of a script's M.codes. */
struct mw_here_code {
    unsigned code;
    struct mw_view script, text, fix; /* fix: empty where it has none */
    bool has_retry, retry;
};

/* Borrows both lists. */
struct mw_here {
    const struct mw_here_end *ends; /* NULL: nobody was asked, so nothing is said */
    size_t end_count;
    const struct mw_here_code *codes;
    size_t code_count;
};

#endif
