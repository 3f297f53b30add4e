/*
 * A queue of messages in one buffer: kind, length, bytes, one behind the other. Called by
 * server/ws_driver.
 */
#include "core/session/backlog.h"

#include "core/base/check.h"

struct record {
    size_t len;
    enum mw_opcode kind;
};

void mw_backlog_init(struct mw_backlog *backlog, struct mw_mem *mem)
{
    backlog->front = 0;
    mw_buf_init(&backlog->records, mem, 0);
}

void mw_backlog_free(struct mw_backlog *backlog)
{
    mw_buf_free(&backlog->records);
    backlog->front = 0;
}

/*
 * What was taken goes when it is the larger part, so that a queue that never runs empty does not
 * grow.
 */
static void drop_taken(struct mw_backlog *backlog)
{
    if (backlog->front < backlog->records.len / 2)
        return;
    mw_buf_skip(&backlog->records, backlog->front);
    backlog->front = 0;
}

int mw_backlog_put(struct mw_backlog *backlog, enum mw_opcode kind, struct mw_view data)
{
    struct record record = { data.len, kind };
    drop_taken(backlog);
    int err = mw_buf_reserve(&backlog->records, sizeof record + data.len);
    if (err)
        return err;
    (void)mw_buf_put(&backlog->records, &record, sizeof record);
    return mw_buf_put_view(&backlog->records, data);
}

bool mw_backlog_take(struct mw_backlog *backlog, enum mw_opcode *kind, struct mw_view *data)
{
    if (mw_backlog_is_empty(backlog)) {
        mw_backlog_free(backlog);
        return false;
    }
    struct record record;
    const char *at = backlog->records.data + backlog->front;
    memcpy(&record, at, sizeof record);
    *kind = record.kind;
    *data = mw_view(at + sizeof record, record.len);
    backlog->front += sizeof record + record.len;
    mw_assert(backlog->front <= backlog->records.len);
    return true;
}
