/*
 * A histogram of spans with three significant digits: up to 2047 each value counts alone, above
 * that each power of two is cut into 1024 equal parts, so a value is told to 0.1 % whatever its
 * size. The unit is the caller's; with nanoseconds it reaches beyond a minute. Recording is O(1).
 */
#ifndef MW_BENCH_HIST_H
#define MW_BENCH_HIST_H

#include "core/base/mem.h"

struct mw_hist {
    struct mw_mem *mem;            /* borrowed */
    uint64_t *counts;              /* 220 KB */
    uint64_t count, sum, min, max; /* of what was recorded, exact; min: UINT64_MAX while empty */
};

/* Above this a value is counted as if it were this; max stays exact. 68 s in nanoseconds. */
#define MW_HIST_MOST ((UINT64_C(1) << 36) - 1)

/* MW_ERR_NOMEM. */
int mw_hist_init(struct mw_hist *hist, struct mw_mem *mem);
/* All zero is allowed. */
void mw_hist_free(struct mw_hist *hist);
void mw_hist_clear(struct mw_hist *hist);

void mw_hist_record(struct mw_hist *hist, uint64_t value);
/* Adds what `other` has recorded. */
void mw_hist_merge(struct mw_hist *hist, const struct mw_hist *other);

/*
 * The value that `share` (0 to 1) of those recorded do not exceed: the upper edge of its part, and
 * never above max. 0 while empty.
 */
uint64_t mw_hist_at(const struct mw_hist *hist, double share);

/* ---- the parts, for tests ---- */

size_t mw_hist_part_of(uint64_t value);
uint64_t mw_hist_part_first(size_t part);
uint64_t mw_hist_part_last(size_t part);

#endif
