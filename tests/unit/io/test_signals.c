#include "core/io/signals.h"

#include <unistd.h>

#include "tests/unit/io/io.h"

struct ears {
    struct world world;
    struct mw_signals *signals;
    unsigned caught[3];
    unsigned count;
    bool closes_on_signal;
};

static void hear(void *ctx, enum mw_signal which)
{
    struct ears *ears = ctx;
    ears->caught[which]++;
    ears->count++;
    if (ears->closes_on_signal)
        mw_signals_close(ears->signals);
}

static void open_ears(struct ears *ears)
{
    *ears = (struct ears){ .count = 0 };
    open_world(&ears->world);
    assert_int_equal(mw_signals_open(ears->world.loop, hear, ears, &ears->signals), MW_OK);
}

static void close_ears(struct ears *ears)
{
    if (!ears->closes_on_signal)
        mw_signals_close(ears->signals);
    close_world(&ears->world);
}

TEST(each_signal_is_an_event)
{
    static const struct {
        int number;
        enum mw_signal which;
    } rows[] = {
        { SIGINT, MW_SIGNAL_INTERRUPT },
        { SIGTERM, MW_SIGNAL_TERMINATE },
        { SIGHUP, MW_SIGNAL_HANGUP },
    };
    struct ears ears;
    open_ears(&ears);
    for (unsigned i = 0; i < MW_COUNT(rows); i++) {
        assert_int_equal(kill(getpid(), rows[i].number), 0);
        wait_for_count(&ears.world, &ears.count, i + 1);
        assert_int_equal(ears.caught[rows[i].which], 1);
    }
    close_ears(&ears);
}

TEST(a_second_signal_is_a_second_event)
{
    struct ears ears;
    open_ears(&ears);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(raise(SIGTERM), 0);
        wait_for_count(&ears.world, &ears.count, i);
    }
    assert_int_equal(ears.caught[MW_SIGNAL_TERMINATE], 2);
    close_ears(&ears);
}

TEST(a_broken_pipe_is_an_error_and_not_the_end)
{
    struct ears ears = { .count = 0 };
    int ends[2];
    open_world(&ears.world);
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(mw_signals_open(ears.world.loop, hear, &ears, &ears.signals), MW_OK);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
    close_ears(&ears);
}

TEST(signals_may_be_closed_from_inside_one)
{
    struct ears ears;
    open_ears(&ears);
    ears.closes_on_signal = true;
    assert_int_equal(raise(SIGHUP), 0);
    wait_for_count(&ears.world, &ears.count, 1);
    close_ears(&ears);
    mw_signals_close(NULL);
}

static bool make_signals(struct mw_mem *mem)
{
    struct mw_loop *loop = NULL;
    struct mw_signals *signals = NULL;
    int err = mw_loop_new(mem, &loop);
    if (err == MW_OK)
        err = mw_signals_open(loop, hear, NULL, &signals);
    assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !signals));
    mw_signals_close(signals);
    assert_int_equal(mw_loop_free(loop), 0);
    return err == MW_OK;
}

TEST(without_memory_no_signals_are_heard)
{
    assert_int_equal(fail_each_allocation(make_signals), 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_signal_is_an_event),
        CASE(a_second_signal_is_a_second_event),
        CASE(a_broken_pipe_is_an_error_and_not_the_end),
        CASE(signals_may_be_closed_from_inside_one),
        CASE(without_memory_no_signals_are_heard),
    };
    return RUN(cases);
}
