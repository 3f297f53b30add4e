#include "core/io/tls_queue.h"

#include "tests/unit/io/io.h"

#define ONES 3

/* What a stream is to the queue. */
struct one {
    struct mw_tls_turn turn;
    unsigned steps, drops;
};

static struct {
    struct world world;
    struct mw_tls_queue queue;
    struct one ones[ONES];
} all;

static void on_step(struct mw_tls_turn *turn)
{
    struct one *one = MW_OWNER(turn, struct one, turn);
    if (one->steps++ == 0)
        mw_tls_queue_begin(&all.queue, turn);
}

static void on_drop(struct mw_tls_turn *turn)
{
    MW_OWNER(turn, struct one, turn)->drops++;
    mw_tls_queue_end(&all.queue, turn);
}

/* All are new and wait, but one may begin. */
static void open_all(mw_ms min_ms)
{
    memset(&all, 0, sizeof(all));
    open_world(&all.world);
    mw_tls_queue_init(&all.queue, all.world.loop, on_step, on_drop);
    all.queue.max_begun = 1;
    all.queue.min_ms = min_ms;
    for (size_t i = 0; i < ONES; i++) {
        mw_tls_turn_init(&all.ones[i].turn);
        mw_tls_queue_add(&all.queue, &all.ones[i].turn);
    }
}

static void leave(struct one *one)
{
    mw_tls_queue_remove(&all.queue, &one->turn);
    mw_tls_queue_end(&all.queue, &one->turn);
}

static void close_all(void)
{
    for (size_t i = 0; i < ONES; i++)
        leave(&all.ones[i]);
    mw_tls_queue_free(&all.queue);
    close_world(&all.world);
}

static void assert_steps(unsigned first, unsigned second, unsigned third)
{
    const unsigned want[ONES] = { first, second, third };
    run_some_turns(&all.world);
    for (size_t i = 0; i < ONES; i++)
        assert_int_equal(all.ones[i].steps, want[i]);
}

TEST(where_too_many_have_begun_new_ones_wait_in_order)
{
    open_all(GIVE_UP_MS);
    assert_steps(1, 0, 0);
    assert_int_equal(all.queue.waiting, 2);
    mw_tls_queue_add(&all.queue, &all.ones[0].turn); /* who has begun goes on */
    assert_steps(2, 0, 0);
    leave(&all.ones[0]);
    assert_steps(2, 1, 0);
    close_all();
}

TEST(a_place_that_became_free_is_not_lost_when_the_next_leaves_before_its_turn)
{
    open_all(GIVE_UP_MS);
    assert_steps(1, 0, 0);
    leave(&all.ones[0]);
    leave(&all.ones[1]);
    assert_steps(1, 0, 1);
    close_all();
}

TEST(who_took_its_time_makes_room)
{
    open_all(0);
    assert_steps(1, 1, 1);
    assert_int_equal(all.ones[0].drops, 1);
    assert_int_equal(all.ones[1].drops, 1);
    assert_int_equal(all.ones[2].drops, 0);
    close_all();
}

static void step_and_come_again(struct mw_tls_turn *turn)
{
    on_step(turn);
    if (MW_OWNER(turn, struct one, turn)->steps < 9)
        mw_tls_queue_add(&all.queue, turn);
}

TEST(who_has_something_to_say_is_not_dropped)
{
    open_all(0);
    all.queue.step = step_and_come_again;
    assert_steps(9, 9, 9);
    assert_int_equal(all.ones[0].drops, 1);
    close_all();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(where_too_many_have_begun_new_ones_wait_in_order),
        CASE(a_place_that_became_free_is_not_lost_when_the_next_leaves_before_its_turn),
        CASE(who_took_its_time_makes_room),
        CASE(who_has_something_to_say_is_not_dropped),
    };
    return RUN(cases);
}
