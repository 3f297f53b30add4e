/*
 * Repeated faults of one script become one line with a count. Faults are of one kind when version,
 * place and text agree but for the numbers and quoted words in it. Of each kind the first five in
 * ten seconds are shown, the others counted and told of at the end of the ten seconds; while they
 * go on, each ten seconds cost one line. A script that makes each text different is bounded all the
 * same: so many kinds are told apart, and so many lines a second are shown in all.
 *
 * Pure: the time is told. Zero it to start.
 */
#ifndef MW_SERVER_FAULT_FOLD_H
#define MW_SERVER_FAULT_FOLD_H

#include "core/base/rate.h"
#include "moonwire/app.h"

#define MW_FOLD_SHOWN   5
#define MW_FOLD_SPAN_MS 10000
#define MW_FOLD_KINDS   8
#define MW_FOLD_PER_S   5
#define MW_FOLD_BURST   10

struct mw_fold_kind {
    uint64_t key; /* 0: the place is free */
    mw_ms begun_ms, last_ms;
    unsigned shown;
    uint64_t more; /* counted, not told of yet */
    unsigned version;
    int line;
    char file[256];
};

struct mw_fault_fold {
    struct mw_fold_kind kinds[MW_FOLD_KINDS];
    struct mw_rate rate;
    uint64_t others; /* counted, of kinds that had to make room */
    mw_ms others_ms; /* since when */
};

/* What was counted and not shown. */
struct mw_folded {
    uint64_t more;
    mw_ms span_ms; /* in how long */
    unsigned version;
    int line;         /* 0 where unknown */
    const char *file; /* of the fold, until the next take; "" where unknown or various */
};

/* True: it is shown. False: it is counted. */
bool mw_fault_fold_take(struct mw_fault_fold *fold, const struct mw_fault *fault, mw_ms now_ms);

/* When to flush; MW_NEVER: nothing was counted. */
mw_ms mw_fault_fold_due(const struct mw_fault_fold *fold);

/* The next count that is due, until there is none (false); `all`: due or not. */
bool mw_fault_fold_flush(struct mw_fault_fold *fold, mw_ms now_ms, bool all,
                         struct mw_folded *folded);

#endif
