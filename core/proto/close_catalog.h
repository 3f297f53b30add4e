/*
 * The rows of close_catalog.def: what is known of each close code without words. The words, in four
 * languages, are core/explain's.
 */
#ifndef MW_PROTO_CLOSE_CATALOG_H
#define MW_PROTO_CLOSE_CATALOG_H

#include "moonwire/types.h"

enum mw_close_sender {
    MW_CLOSE_BY_BOTH,
    MW_CLOSE_BY_CLIENT,
    MW_CLOSE_BY_SERVER,
    MW_CLOSE_BY_NOBODY, /* never on the wire */
};

enum mw_close_level { MW_CLOSE_DEBUG, MW_CLOSE_INFO, MW_CLOSE_WARN, MW_CLOSE_ERROR };

/* What a client does that was told nothing else. All zero: it stays away. */
struct mw_close_policy {
    bool retry, resume;
    uint32_t least_ms, most_ms; /* of the first return */
    unsigned growth;            /* factor of the most at each failure */
    uint32_t cap_ms;
    unsigned tries; /* in a row; 0: without end */
};

struct mw_close_row {
    unsigned first, last;
    const char *key;   /* "GOING_AWAY": how texts are found; unique */
    const char *name;  /* "going away" */
    const char *title; /* "Going Away" */
    enum mw_close_sender sender;
    struct mw_close_policy policy;
    enum mw_close_level level; /* of the log line of such an end */
};

/* Of any number. Static. */
const struct mw_close_row *mw_close_row(unsigned code);

/* All rows in order: the n-th one, or NULL past the last. */
const struct mw_close_row *mw_close_row_at(size_t n);

#endif
