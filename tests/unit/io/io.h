/*
 * A loop for a test, and waiting on it for what shall happen. Nothing is expected by a certain
 * time; a test that waits in vain gives up after GIVE_UP_MS.
 */
#ifndef MW_TESTS_UNIT_IO_H
#define MW_TESTS_UNIT_IO_H

#include <signal.h>

#include "core/base/clock.h"
#include "core/io/loop.h"
#include "tests/unit/unit.h"

#define GIVE_UP_MS 60000
#define LOOK_MS    2

struct world {
    struct mw_mem mem;
    struct mw_loop *loop;
    /* private */
    struct mw_alarm look;
    bool (*is_there)(void *ctx);
    void *ctx;
    mw_ms give_up_ms;
    bool has_come;
};

static inline void look_(struct mw_alarm *alarm)
{
    struct world *world = MW_OWNER(alarm, struct world, look);
    mw_ms now_ms = mw_loop_now(world->loop);
    world->has_come = world->is_there(world->ctx);
    if (world->has_come || now_ms > world->give_up_ms)
        mw_loop_stop(world->loop);
    else
        mw_alarm_set(world->loop, alarm, now_ms + LOOK_MS);
}

static inline void open_world(struct world *world)
{
    *world = (struct world){ .loop = NULL };
    mw_mem_init(&world->mem, NULL, 0);
    mw_alarm_init(&world->look, look_);
    (void)signal(SIGPIPE, SIG_IGN); /* mw_signals does it in the server */
    assert_int_equal(mw_loop_new(&world->mem, &world->loop), MW_OK);
}

/* Everything on the loop has been closed by now: no handle and no byte stays. */
static inline void close_world(struct world *world)
{
    mw_loop_finish(world->loop);
    assert_int_equal(mw_loop_free(world->loop), 0);
    assert_mem_empty(&world->mem);
}

/* Runs the loop until is_there(ctx). */
static inline void wait_until(struct world *world, bool (*is_there)(void *ctx), void *ctx)
{
    world->is_there = is_there;
    world->ctx = ctx;
    world->give_up_ms = mw_ms_add(mw_clock_monotonic_ms(), GIVE_UP_MS);
    mw_alarm_set(world->loop, &world->look, 0);
    mw_loop_run(world->loop);
    assert_true(world->has_come);
}

static inline bool is_true_(void *flag)
{
    return *(bool *)flag;
}

static inline void wait_for(struct world *world, bool *flag)
{
    wait_until(world, is_true_, flag);
}

struct counted_ {
    const unsigned *count;
    unsigned least;
};

static inline bool is_reached_(void *ctx)
{
    const struct counted_ *counted = ctx;
    return *counted->count >= counted->least;
}

static inline void wait_for_count(struct world *world, const unsigned *count, unsigned least)
{
    struct counted_ counted = { count, least };
    wait_until(world, is_reached_, &counted);
}

/* Some turns, for what must not happen. */
static inline bool is_down_(void *turns)
{
    return --*(unsigned *)turns == 0;
}

static inline void run_some_turns(struct world *world)
{
    unsigned turns = 20;
    wait_until(world, is_down_, &turns);
}

#endif
