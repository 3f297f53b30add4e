/* What is known beside the tables: a server's ends of the last hour, and the scripts' codes. */
#ifndef MW_EXPLAIN_HERE_H
#define MW_EXPLAIN_HERE_H

#include "moonwire/advice.h"

struct mw_here_end {
    unsigned code;
    struct mw_view cause, who;
    uint64_t count;
};

/* A row of a script's M.codes. */
struct mw_here_code {
    unsigned code;
    struct mw_view script, text, fix; /* fix: empty where it has none */
    struct mw_advice advice;          /* NONE: the row says nothing about coming back */
};

/* Borrows all of it. */
struct mw_here {
    const struct mw_here_end *ends; /* NULL: nobody was asked, so nothing is said */
    size_t end_count;
    const struct mw_here_code *codes;
    size_t code_count;
    const char *folder; /* NULL: the codes are those that are served; else read from there */
};

#endif
