/*
 * How often connections have ended, by script, code and cause, in the last hour: a ring of minutes
 * for each. Belongs to a worker's thread; the time is told.
 */
#ifndef MW_SERVER_END_COUNTS_H
#define MW_SERVER_END_COUNTS_H

#include "core/base/mem.h"
#include "core/session/cause.h"

#define MW_END_COUNT_MINUTES 60
/* A peer chooses its own code: what goes beyond is counted without one. */
#define MW_END_COUNT_ROWS 256
#define MW_END_COUNT_NAME 64 /* of a script; longer ones are cut */

struct mw_end_count {
    char script[MW_END_COUNT_NAME];
    unsigned code; /* 0: of codes that found no room */
    enum mw_cause cause;
    uint64_t total; /* of the last hour */
    uint32_t minutes[MW_END_COUNT_MINUTES];
};

struct mw_end_counts {
    struct mw_mem *mem; /* borrowed */
    struct mw_end_count *rows;
    size_t count, cap;
    mw_ms began_ms;
    uint64_t minute; /* the one that is counted in, since the clock began */
};

void mw_end_counts_init(struct mw_end_counts *counts, struct mw_mem *mem, mw_ms now_ms);
void mw_end_counts_free(struct mw_end_counts *counts);

/* Without memory, or room, the end is not counted. */
void mw_end_counts_add(struct mw_end_counts *counts, struct mw_view script, unsigned code,
                       enum mw_cause cause, mw_ms now_ms);

/* Forgets what is older than an hour: before looking at rows and count. */
void mw_end_counts_at(struct mw_end_counts *counts, mw_ms now_ms);

/* How far back they go. */
mw_ms mw_end_counts_span(const struct mw_end_counts *counts, mw_ms now_ms);

#endif
