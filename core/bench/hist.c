/* Counting spans. Pure: it never asks for the time. Called by the load for each answer. */
#include "core/bench/hist.h"

#define EXACT      2048 /* below this a part is one value */
#define PER_POWER  1024 /* parts of each power of two above */
#define POWER_BITS 10
#define PARTS      (EXACT + (36 - 11) * PER_POWER)

/* Leading zeros tell the power: recording has no loop. */
size_t mw_hist_part_of(uint64_t value)
{
    if (value < EXACT)
        return (size_t)value;
    if (value > MW_HIST_MOST)
        value = MW_HIST_MOST;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - POWER_BITS;
    return EXACT + (size_t)(shift - 1) * PER_POWER + (size_t)(value >> shift) - PER_POWER;
}

uint64_t mw_hist_part_first(size_t part)
{
    if (part < EXACT)
        return part;
    size_t above = part - EXACT;
    return (uint64_t)(above % PER_POWER + PER_POWER) << (above / PER_POWER + 1);
}

uint64_t mw_hist_part_last(size_t part)
{
    return mw_hist_part_first(part + 1) - 1;
}

int mw_hist_init(struct mw_hist *hist, struct mw_mem *mem)
{
    *hist = (struct mw_hist){ .mem = mem, .min = UINT64_MAX };
    hist->counts = mw_alloc_zero(mem, PARTS * sizeof *hist->counts);
    return hist->counts ? MW_OK : MW_ERR_NOMEM;
}

void mw_hist_free(struct mw_hist *hist)
{
    if (hist->counts)
        mw_free(hist->mem, hist->counts, PARTS * sizeof *hist->counts);
    hist->counts = NULL;
}

void mw_hist_clear(struct mw_hist *hist)
{
    memset(hist->counts, 0, PARTS * sizeof *hist->counts);
    hist->count = hist->sum = hist->max = 0;
    hist->min = UINT64_MAX;
}

void mw_hist_record(struct mw_hist *hist, uint64_t value)
{
    hist->counts[mw_hist_part_of(value)]++;
    hist->count++;
    hist->sum += value;
    if (value < hist->min)
        hist->min = value;
    if (value > hist->max)
        hist->max = value;
}

void mw_hist_merge(struct mw_hist *hist, const struct mw_hist *other)
{
    for (size_t i = 0; i < PARTS; i++)
        hist->counts[i] += other->counts[i];
    hist->count += other->count;
    hist->sum += other->sum;
    if (other->min < hist->min)
        hist->min = other->min;
    if (other->max > hist->max)
        hist->max = other->max;
}

uint64_t mw_hist_at(const struct mw_hist *hist, double share)
{
    double exact = share * (double)hist->count;
    uint64_t wanted = (uint64_t)exact, seen = 0;
    if ((double)wanted < exact || wanted == 0)
        wanted++;
    if (hist->count == 0)
        return 0;
    for (size_t i = 0; i < PARTS; i++) {
        seen += hist->counts[i];
        if (seen < wanted)
            continue;
        uint64_t last = mw_hist_part_last(i);
        return last < hist->max && i + 1 < PARTS ? last : hist->max;
    }
    return hist->max;
}
