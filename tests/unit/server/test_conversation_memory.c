/*
 * Whole conversations in which one allocation fails, each in its turn, and such in which all fail
 * from there on: no crash, nothing left behind, and a peer sees the right answer or an end.
 */
#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/talk.h"

static const char *const scripts[][2] = {
    { "room.capp", "join room\njoin lobby\npublish room" },
    { "refuse.capp", "refuse 403 not you" },
    { "late.capp", "wait-open\nrefuse 4001 not you either" },
    { "slow.capp", "route /slow/:name\nwait-open\ngreet hi\nwait\necho" },
    { "echo.capp", "echo" },
    { "bye.capp", "close 4000\necho" },
};

static struct talk talk;

static void begin_engine(struct talk *of)
{
    assert_int_equal(c_engine.closes, c_engine.opens); /* of the talk before */
    assert_int_equal(c_engine.nested + c_engine.overlaps, 0);
    c_engine = (struct c_engine){ .mem = &of->world.worker.mem };
}

static int set_up(void **state)
{
    (void)state;
    open_talk(&talk, c_engine_table(), scripts, MW_COUNT(scripts));
    talk.opened = begin_engine;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_talk(&talk);
    assert_int_equal(c_engine.closes, c_engine.opens);
    return 0;
}

TEST(without_a_failure_everybody_sees_the_right_answer)
{
    assert_talk_is_right(&talk);
}

TEST(each_failing_allocation_is_a_right_answer_or_an_end)
{
    for (talk.seed = 1; talk.seed <= 3; talk.seed++)
        fail_everywhere(&talk);
}

TEST(when_all_memory_ends_everybody_sees_a_right_beginning_and_an_end)
{
    talk.fail_after = true;
    for (talk.seed = 1; talk.seed <= 3; talk.seed++)
        fail_everywhere(&talk);
}

#define IN_A_TALK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_TALK(without_a_failure_everybody_sees_the_right_answer),
        IN_A_TALK(each_failing_allocation_is_a_right_answer_or_an_end),
        IN_A_TALK(when_all_memory_ends_everybody_sees_a_right_beginning_and_an_end),
    };
    return RUN(cases);
}
