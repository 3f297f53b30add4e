/*
 * The ends of connections that are remembered: a queue of records, bounded in number, bytes and
 * age. Belongs to a worker's thread; the time is told.
 */
#ifndef MW_SERVER_ENDS_H
#define MW_SERVER_ENDS_H

#include "core/server/end_record.h"

#define MW_ENDS_MAX     2000
#define MW_ENDS_BYTES   4194304
#define MW_ENDS_KEEP_MS 900000

struct mw_ends {
    struct mw_mem *mem;
    struct mw_link records; /* the oldest first */
    size_t count, bytes;
};

void mw_ends_init(struct mw_ends *ends, struct mw_mem *mem); /* borrowed */
void mw_ends_free(struct mw_ends *ends);

/* Keeps a copy; facts->at_ms is now. Without memory this one is not remembered. */
void mw_ends_add(struct mw_ends *ends, const struct mw_end_record *facts);

/* NULL: it has not ended, or that is forgotten. Until the next call. */
const struct mw_end_record *mw_ends_find(struct mw_ends *ends, mw_id id, mw_ms now_ms);

/* The one that ended before `record`, the last one where that is NULL; NULL: there is none. */
const struct mw_end_record *mw_ends_before(struct mw_ends *ends, const struct mw_end_record *record,
                                           mw_ms now_ms);

#endif
