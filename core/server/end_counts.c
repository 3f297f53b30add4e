/*
 * Counting ends by the minute. Called by ending for each of them, by inquiry for who asks. A row
 * without an end in the last hour goes, so the table is as long as what happens is various.
 */
#include "core/server/end_counts.h"

#include "core/base/check.h"

#define MINUTE_MS 60000
#define FIRST_CAP 8

/* From here on a peer says what it likes. */
#define FIRST_FREE_CODE 3000

void mw_end_counts_init(struct mw_end_counts *counts, struct mw_mem *mem, mw_ms now_ms)
{
    *counts =
        (struct mw_end_counts){ .mem = mem, .began_ms = now_ms, .minute = now_ms / MINUTE_MS };
}

void mw_end_counts_free(struct mw_end_counts *counts)
{
    mw_free(counts->mem, counts->rows, counts->cap * sizeof *counts->rows);
    counts->rows = 0;
    counts->count = counts->cap = 0;
}

static void forget_minute(struct mw_end_counts *counts, uint64_t minute)
{
    for (size_t i = 0; i < counts->count; i++) {
        uint32_t *cell = &counts->rows[i].minutes[minute % MW_END_COUNT_MINUTES];
        counts->rows[i].total -= *cell;
        *cell = 0;
    }
}

static void drop_empty(struct mw_end_counts *counts)
{
    size_t kept = 0;
    for (size_t i = 0; i < counts->count; i++) {
        if (counts->rows[i].total)
            counts->rows[kept++] = counts->rows[i];
    }
    counts->count = kept;
}

void mw_end_counts_at(struct mw_end_counts *counts, mw_ms now_ms)
{
    uint64_t minute = now_ms / MINUTE_MS, passed = minute - counts->minute;
    if (passed == 0)
        return;
    for (uint64_t i = 0; i < passed && i < MW_END_COUNT_MINUTES; i++)
        forget_minute(counts, minute - i);
    counts->minute = minute;
    drop_empty(counts);
}

mw_ms mw_end_counts_span(const struct mw_end_counts *counts, mw_ms now_ms)
{
    mw_ms span = now_ms - counts->began_ms, hour = (mw_ms)MW_END_COUNT_MINUTES * MINUTE_MS;
    return span < hour ? span : hour;
}

static struct mw_end_count *find(const struct mw_end_counts *counts,
                                 const struct mw_end_count *like)
{
    for (size_t i = 0; i < counts->count; i++) {
        struct mw_end_count *row = &counts->rows[i];
        if (row->code == like->code && row->cause == like->cause &&
            !strcmp(row->script, like->script))
            return row;
    }
    return 0;
}

static bool grow(struct mw_end_counts *counts)
{
    size_t cap = counts->cap ? 2 * counts->cap : FIRST_CAP, row = sizeof *counts->rows;
    struct mw_end_count *rows = mw_realloc(counts->mem, counts->rows, counts->cap * row, cap * row);
    if (!rows)
        return false;
    counts->rows = rows;
    counts->cap = cap;
    return true;
}

/* NULL: no room, or no memory for it. */
static struct mw_end_count *add_row(struct mw_end_counts *counts, const struct mw_end_count *like)
{
    if (counts->count == MW_END_COUNT_ROWS || (counts->count == counts->cap && !grow(counts)))
        return 0;
    counts->rows[counts->count] = *like;
    return &counts->rows[counts->count++];
}

/*
 * A peer may say two thousand codes: half of the room is for those, so that the codes of everything
 * else find some; and the last quarter is for what is counted without one.
 */
static bool has_room(const struct mw_end_counts *counts, const struct mw_end_count *like)
{
    bool is_free = like->cause == MW_CAUSE_peer_close && like->code >= FIRST_FREE_CODE;
    return counts->count < (is_free ? MW_END_COUNT_ROWS / 2 : MW_END_COUNT_ROWS / 4 * 3);
}

static struct mw_end_count *find_or_add(struct mw_end_counts *counts, struct mw_end_count *like)
{
    struct mw_end_count *row = find(counts, like);
    if (!row && has_room(counts, like))
        return add_row(counts, like);
    if (row)
        return row;
    like->code = 0;
    row = find(counts, like);
    return row ? row : add_row(counts, like);
}

void mw_end_counts_add(struct mw_end_counts *counts, struct mw_view script, unsigned code,
                       enum mw_cause cause, mw_ms now_ms)
{
    struct mw_end_count like = { .code = code, .cause = cause };
    size_t len = script.len < sizeof like.script ? script.len : sizeof like.script - 1;
    if (len)
        memcpy(like.script, script.data, len);
    mw_end_counts_at(counts, now_ms);
    struct mw_end_count *row = find_or_add(counts, &like);
    if (!row)
        return;
    row->total++;
    row->minutes[counts->minute % MW_END_COUNT_MINUTES]++;
}
