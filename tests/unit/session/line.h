/* A queue with a memory of its own, for the tests of outq and outq_keys. */
#ifndef MW_TESTS_SESSION_LINE_H
#define MW_TESTS_SESSION_LINE_H

#include "core/session/outq.h"
#include "tests/unit/unit.h"

struct line {
    struct mw_mem mem;
    struct mw_out_pool pool;
    struct mw_outq queue;
};

static inline void open_line(struct line *line)
{
    mw_mem_init(&line->mem, NULL, 0);
    mw_out_pool_init(&line->pool, &line->mem);
    mw_outq_init(&line->queue, &line->pool, &line->mem);
}

static inline void close_line(struct line *line)
{
    mw_outq_free(&line->queue);
    assert_true(mw_outq_validate(&line->queue));
    assert_int_equal(line->queue.bytes, 0);
    mw_out_pool_free(&line->pool);
    assert_mem_empty(&line->mem);
}

#endif
