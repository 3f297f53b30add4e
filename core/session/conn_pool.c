/*
 * The spare blocks of a worker's connections. Called by conn where bytes come in or are about to go
 * out; each message takes one of both and gives it back, so the usual way through here is a few
 * loads and stores. What is given back is as new, and is not cleared again.
 */
#include "core/session/conn_pool.h"

#include "core/base/check.h"
#include "core/base/clock.h"

/* Frames are seldom cut; a fan-out puts something into all queues before the first is written. */
#define READING_MAX 32
#define SENDING_MAX 1024

void mw_conn_pool_init(struct mw_conn_pool *pool, struct mw_mem *mem)
{
    *pool = (struct mw_conn_pool){ .mem = mem };
    mw_out_pool_init(&pool->out, mem);
}

void mw_conn_pool_free(struct mw_conn_pool *pool)
{
    while (pool->reading) {
        struct mw_conn_reading *reading = pool->reading;
        pool->reading = reading->next;
        mw_free(pool->mem, reading, sizeof *reading);
    }
    while (pool->sending) {
        struct mw_conn_sending *sending = pool->sending;
        pool->sending = sending->next;
        mw_free(pool->mem, sending, sizeof *sending);
    }
    pool->reading_count = pool->sending_count = 0;
    mw_out_pool_free(&pool->out);
}

struct mw_conn_reading *mw_conn_pool_lend_reading(struct mw_conn_pool *pool)
{
    struct mw_conn_reading *reading = pool->reading;
    if (reading) {
        pool->reading = reading->next;
        pool->reading_count--;
        return reading;
    }
    reading = mw_alloc(pool->mem, sizeof *reading);
    if (!reading)
        return 0;
    mw_reader_init(&reading->reader, pool->mem, MW_ROLE_SERVER);
    reading->frame_ms = MW_NEVER;
    return reading;
}

void mw_conn_pool_take_reading(struct mw_conn_pool *pool, struct mw_conn_reading *reading)
{
    bool is_as_new = mw_reader_is_idle(&reading->reader);
    if (is_as_new && pool->reading_count < READING_MAX) {
        reading->frame_ms = MW_NEVER;
        reading->next = pool->reading;
        pool->reading = reading;
        pool->reading_count++;
        return;
    }
    mw_reader_free(&reading->reader);
    mw_free(pool->mem, reading, sizeof *reading);
}

struct mw_conn_sending *mw_conn_pool_lend_sending(struct mw_conn_pool *pool, struct mw_mem *out_mem)
{
    struct mw_conn_sending *sending = pool->sending;
    if (sending) {
        pool->sending = sending->next;
        pool->sending_count--;
    } else {
        sending = mw_alloc_zero(pool->mem, sizeof *sending);
    }
    if (sending)
        mw_outq_init(&sending->out, &pool->out, out_mem);
    return sending;
}

void mw_conn_pool_take_sending(struct mw_conn_pool *pool, struct mw_conn_sending *sending)
{
    mw_outq_free(&sending->out);
    mw_free(pool->mem, sending->owed, sizeof *sending->owed);
    if (pool->sending_count == SENDING_MAX) {
        mw_free(pool->mem, sending, sizeof *sending);
        return;
    }
    *sending = (struct mw_conn_sending){ .next = pool->sending };
    pool->sending = sending;
    pool->sending_count++;
}
