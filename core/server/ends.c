/*
 * The queue of remembered ends. Called by ending, which adds, and inquiry, which looks. What is too
 * old, too many or too much goes from the front whenever somebody comes.
 */
#include "core/server/ends.h"

#include "core/base/check.h"

void mw_ends_init(struct mw_ends *ends, struct mw_mem *mem)
{
    *ends = (struct mw_ends){ .mem = mem };
    mw_list_init(&ends->records);
}

static struct mw_end_record *record_of(struct mw_link *link)
{
    return MW_OWNER(link, struct mw_end_record, link);
}

static void forget_first(struct mw_ends *ends)
{
    struct mw_end_record *first = record_of(ends->records.next);
    ends->count--;
    ends->bytes -= first->size;
    mw_end_record_free(ends->mem, first);
}

void mw_ends_free(struct mw_ends *ends)
{
    while (ends->count)
        forget_first(ends);
}

static bool is_too_much(const struct mw_ends *ends, mw_ms now_ms)
{
    if (ends->count == 0)
        return false;
    return ends->count > MW_ENDS_MAX || ends->bytes > MW_ENDS_BYTES ||
           now_ms - record_of(ends->records.next)->at_ms > MW_ENDS_KEEP_MS;
}

static void forget_old(struct mw_ends *ends, mw_ms now_ms)
{
    while (is_too_much(ends, now_ms))
        forget_first(ends);
}

void mw_ends_add(struct mw_ends *ends, const struct mw_end_record *facts)
{
    struct mw_end_record *record = mw_end_record_new(ends->mem, facts);
    if (!record)
        return;
    mw_list_push(&ends->records, &record->link);
    ends->count++;
    ends->bytes += record->size;
    forget_old(ends, facts->at_ms);
}

const struct mw_end_record *mw_ends_find(struct mw_ends *ends, mw_id id, mw_ms now_ms)
{
    const struct mw_end_record *record = 0;
    while ((record = mw_ends_before(ends, record, now_ms)) && record->id != id) {
    }
    return record;
}

const struct mw_end_record *mw_ends_before(struct mw_ends *ends, const struct mw_end_record *record,
                                           mw_ms now_ms)
{
    if (!record)
        forget_old(ends, now_ms);
    struct mw_link *link = record ? record->link.prev : ends->records.prev;
    return link == &ends->records ? 0 : record_of(link);
}
