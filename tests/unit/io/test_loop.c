#include "core/io/loop.h"

#include <stdlib.h>

#include "core/io/loop_uv.h"
#include "core/io/mailbox.h"
#include "tests/unit/io/sockets.h"

/* ---- alarms ---- */

struct bell {
    struct mw_alarm alarm;
    struct tower *tower;
    char name;
};

struct tower {
    struct world world;
    struct bell bells[8];
    char rung[16]; /* names in the order of ringing */
    unsigned count;
};

static void ring(struct mw_alarm *alarm)
{
    struct bell *bell = MW_OWNER(alarm, struct bell, alarm);
    bell->tower->rung[bell->tower->count++] = bell->name;
}

static void open_tower(struct tower *tower)
{
    *tower = (struct tower){ .count = 0 };
    open_world(&tower->world);
    for (unsigned i = 0; i < MW_COUNT(tower->bells); i++) {
        tower->bells[i].tower = tower;
        tower->bells[i].name = (char)('a' + i);
        mw_alarm_init(&tower->bells[i].alarm, ring);
    }
}

static void set_bell(struct tower *tower, char name, mw_ms after_ms)
{
    mw_ms at_ms = mw_loop_now(tower->world.loop) + after_ms;
    mw_alarm_set(tower->world.loop, &tower->bells[name - 'a'].alarm, at_ms);
}

TEST(alarms_ring_in_the_order_of_their_moments)
{
    struct tower tower;
    open_tower(&tower);
    set_bell(&tower, 'a', 70);
    set_bell(&tower, 'b', 3);
    set_bell(&tower, 'c', 9);
    set_bell(&tower, 'd', 9);
    set_bell(&tower, 'e', 1);
    wait_for_count(&tower.world, &tower.count, 5);
    assert_string_equal(tower.rung, "ebcda");
    close_world(&tower.world);
}

TEST(an_alarm_in_the_past_rings_at_once)
{
    struct tower tower;
    open_tower(&tower);
    mw_alarm_set(tower.world.loop, &tower.bells[0].alarm, 0);
    wait_for_count(&tower.world, &tower.count, 1);
    close_world(&tower.world);
}

TEST(an_alarm_moved_or_stopped_does_not_ring_at_its_old_moment)
{
    struct tower tower;
    open_tower(&tower);
    set_bell(&tower, 'a', 1);
    set_bell(&tower, 'b', 2);
    set_bell(&tower, 'c', 3);
    set_bell(&tower, 'd', 4);
    set_bell(&tower, 'a', 8);
    mw_alarm_stop(tower.world.loop, &tower.bells[1].alarm);
    mw_alarm_set(tower.world.loop, &tower.bells[2].alarm, MW_NEVER);
    wait_for_count(&tower.world, &tower.count, 2);
    assert_string_equal(tower.rung, "da");
    close_world(&tower.world);
}

/* The timer below the wheel stands at a later moment when an earlier alarm is set from a callback.
 */
static void ring_and_set_earlier(struct mw_alarm *alarm)
{
    struct tower *tower = MW_OWNER(alarm, struct bell, alarm)->tower;
    ring(alarm);
    set_bell(tower, 'c', 1);
}

TEST(an_earlier_alarm_overtakes_one_that_waits)
{
    struct tower tower;
    open_tower(&tower);
    tower.bells[0].alarm.ring = ring_and_set_earlier;
    set_bell(&tower, 'a', 2);
    set_bell(&tower, 'b', 200);
    wait_for_count(&tower.world, &tower.count, 3);
    assert_string_equal(tower.rung, "acb");
    close_world(&tower.world);
}

/*
 * No alarm rings and nothing else happens before the letter comes: the timer below the wheel stands
 * at the far alarm when the near one is set.
 */
static void set_near_alarm(void *ctx, struct mw_mail *mail)
{
    (void)mail;
    set_bell(ctx, 'a', 1);
}

static void ring_and_stop(struct mw_alarm *alarm)
{
    ring(alarm);
    mw_loop_stop(MW_OWNER(alarm, struct bell, alarm)->tower->world.loop);
}

TEST(an_alarm_set_while_the_loop_sleeps_towards_a_later_one_rings_first)
{
    struct tower tower;
    struct mw_mailbox *box;
    struct mw_mail mail;
    open_tower(&tower);
    tower.bells[0].alarm.ring = tower.bells[1].alarm.ring = ring_and_stop;
    set_bell(&tower, 'b', GIVE_UP_MS);
    assert_int_equal(mw_mailbox_open(tower.world.loop, set_near_alarm, &tower, &box), MW_OK);
    mw_mailbox_post(box, &mail);
    mw_loop_run(tower.world.loop);
    assert_string_equal(tower.rung, "a");
    mw_alarm_stop(tower.world.loop, &tower.bells[1].alarm);
    mw_mailbox_close(box);
    close_world(&tower.world);
}

static void ring_forever(struct mw_alarm *alarm)
{
    struct tower *tower = MW_OWNER(alarm, struct bell, alarm)->tower;
    tower->count++;
    mw_alarm_set(tower->world.loop, alarm, 0);
}

TEST(an_alarm_that_is_always_due_starves_nobody)
{
    struct tower tower;
    open_tower(&tower);
    tower.bells[0].alarm.ring = ring_forever;
    set_bell(&tower, 'a', 0);
    run_some_turns(&tower.world);
    assert_true(tower.count > 1);
    mw_alarm_stop(tower.world.loop, &tower.bells[0].alarm);
    close_world(&tower.world);
}

TEST(alarms_ring_while_the_loop_finishes_but_are_not_waited_for)
{
    struct tower tower;
    open_tower(&tower);
    set_bell(&tower, 'a', 3600000);
    close_world(&tower.world);
    assert_int_equal(tower.count, 0);
}

/* ---- tasks ---- */

struct chore {
    struct mw_turn_task task;
    struct household *house;
    char name;
    struct chore *adds[2]; /* put at the end of the turn when it runs */
};

struct household {
    struct world world;
    struct chore chores[4];
    char done[16];
    unsigned count;
    struct mw_alarm alarm;
};

static void do_chore(struct mw_turn_task *task)
{
    struct chore *chore = MW_OWNER(task, struct chore, task);
    struct household *house = chore->house;
    house->done[house->count++] = chore->name;
    for (unsigned i = 0; i < MW_COUNT(chore->adds); i++) {
        if (chore->adds[i])
            mw_turn_task_add(house->world.loop, &chore->adds[i]->task);
    }
}

/* The turn that matters is that of an alarm. */
static void begin_chores(struct mw_alarm *alarm)
{
    struct household *house = MW_OWNER(alarm, struct household, alarm);
    struct mw_loop *loop = house->world.loop;
    mw_turn_task_add(loop, &house->chores[1].task);
    mw_turn_task_add(loop, &house->chores[0].task);
    mw_turn_task_add(loop, &house->chores[1].task);
    mw_turn_task_add(loop, &house->chores[3].task);
    mw_turn_task_remove(&house->chores[3].task);
    mw_turn_task_remove(&house->chores[2].task); /* on no list */
    assert_int_equal(house->count, 0);
    mw_loop_stop(loop);
}

static void open_household(struct household *house)
{
    *house = (struct household){ .count = 0 };
    open_world(&house->world);
    for (unsigned i = 0; i < MW_COUNT(house->chores); i++) {
        house->chores[i].house = house;
        house->chores[i].name = (char)('a' + i);
        mw_turn_task_init(&house->chores[i].task, do_chore);
    }
    mw_alarm_init(&house->alarm, begin_chores);
    mw_alarm_set(house->world.loop, &house->alarm, 0);
}

TEST(a_task_runs_once_at_the_end_of_the_turn_and_in_order)
{
    struct household house;
    open_household(&house);
    mw_loop_run(house.world.loop);
    assert_string_equal(house.done, "ba");
    close_world(&house.world);
}

TEST(tasks_added_by_tasks_wait_for_the_next_round)
{
    struct household house;
    open_household(&house);
    house.chores[1].adds[0] = &house.chores[2];
    house.chores[1].adds[1] = &house.chores[0]; /* is still to come: not twice */
    mw_loop_run(house.world.loop);
    assert_string_equal(house.done, "ba"); /* or two that add each other would stop all others */
    mw_loop_stop(house.world.loop);
    mw_loop_run(house.world.loop);
    assert_string_equal(house.done, "bac");
    close_world(&house.world);
}

static void stop_loop(struct mw_turn_task *task)
{
    mw_loop_stop(MW_OWNER(task, struct chore, task)->house->world.loop);
}

static void add_last_chore(struct mw_alarm *alarm)
{
    struct household *house = MW_OWNER(alarm, struct household, alarm);
    mw_turn_task_add(house->world.loop, &house->chores[0].task);
}

TEST(a_task_of_a_timer_runs_before_the_loop_sleeps)
{
    struct household house;
    open_household(&house);
    house.alarm.ring = add_last_chore;
    house.chores[0].task.run = stop_loop;
    mw_loop_run(house.world.loop); /* without anything else to wake it up */
    close_world(&house.world);
}

TEST(a_task_added_by_a_task_runs_before_the_loop_sleeps)
{
    struct household house;
    open_household(&house);
    mw_alarm_stop(house.world.loop, &house.alarm);
    run_some_turns(&house.world);
    house.chores[0].adds[0] = &house.chores[1];
    house.chores[1].adds[0] = &house.chores[2];
    house.chores[2].task.run = stop_loop;
    mw_turn_task_add(house.world.loop, &house.chores[0].task);
    mw_loop_run(house.world.loop); /* without anything else to wake it up */
    assert_string_equal(house.done, "ab");
    close_world(&house.world);
}

/* ---- sockets beside all else ---- */

struct echo {
    struct household house;
    struct owner owner;
    struct far far;
    struct mw_mailbox *box;
    struct mw_mail mail;
    unsigned letters;
};

static void count_letter(void *ctx, struct mw_mail *mail)
{
    (void)mail;
    ((struct echo *)ctx)->letters++;
}

static void open_echo(struct echo *echo)
{
    int near;
    *echo = (struct echo){ .letters = 0 };
    open_household(&echo->house);
    mw_alarm_stop(echo->house.world.loop, &echo->house.alarm);
    connect_pair(&near, &echo->far.fd);
    struct mw_loop *loop = echo->house.world.loop;
    take_stream(&echo->owner, &echo->house.world, mw_tcp_adopt(loop, near));
    mw_stream_set_reading(echo->owner.stream, true);
    assert_int_equal(mw_mailbox_open(loop, count_letter, echo, &echo->box), MW_OK);
}

static void close_echo(struct echo *echo)
{
    mw_mailbox_close(echo->box);
    drop_stream(&echo->owner, false);
    close(echo->far.fd);
    close_world(&echo->house.world);
}

TEST(a_letter_and_a_socket_are_told_of_in_one_run)
{
    struct echo echo;
    open_echo(&echo);
    run_some_turns(&echo.house.world);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(write(echo.far.fd, "x", 1), 1);
        mw_mailbox_post(echo.box, &echo.mail);
        wait_for_count(&echo.house.world, &echo.letters, i);
        wait_for_count(&echo.house.world, &echo.owner.reads, i);
    }
    close_echo(&echo);
}

static void add_the_other(struct mw_turn_task *task)
{
    struct chore *chore = MW_OWNER(task, struct chore, task);
    mw_turn_task_add(chore->house->world.loop, &chore->adds[0]->task);
}

TEST(two_tasks_that_add_each_other_starve_neither_sockets_nor_letters_nor_alarms)
{
    struct echo echo;
    open_echo(&echo);
    struct chore *chores = echo.house.chores;
    for (unsigned i = 0; i < 2; i++) {
        chores[i].adds[0] = &chores[1 - i];
        chores[i].task.run = add_the_other;
    }
    mw_turn_task_add(echo.house.world.loop, &chores[0].task);
    assert_int_equal(write(echo.far.fd, "x", 1), 1);
    mw_mailbox_post(echo.box, &echo.mail);
    wait_for_count(&echo.house.world, &echo.letters, 1);
    wait_for_count(&echo.house.world, &echo.owner.reads, 1);
    mw_turn_task_remove(&chores[0].task);
    mw_turn_task_remove(&chores[1].task);
    close_echo(&echo);
}

TEST(a_socket_that_is_always_ready_starves_no_letter)
{
    struct echo echo;
    char *bytes = calloc(1, 1 << 16);
    assert_non_null(bytes);
    open_echo(&echo);
    mw_mailbox_post(echo.box, &echo.mail);
    while (echo.letters == 0) {
        (void)!write(echo.far.fd, bytes, 1 << 16);
        mw_loop_stop(echo.house.world.loop); /* one turn, which does not sleep */
        mw_loop_run(echo.house.world.loop);
    }
    free(bytes);
    close_echo(&echo);
}

static void note_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

TEST(a_timer_of_libuv_rings_while_all_sockets_are_idle)
{
    struct echo echo;
    uv_timer_t timer;
    bool has_rung = false;
    open_echo(&echo);
    (void)uv_timer_init(mw_loop_uv(echo.house.world.loop), &timer);
    timer.data = &has_rung;
    for (unsigned i = 0; i < 2; i++) { /* of no wait, and of some */
        has_rung = false;
        (void)uv_timer_start(&timer, note_timer, i * 5, 0);
        wait_for(&echo.house.world, &has_rung);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    close_echo(&echo);
}

static void close_in_task(struct mw_turn_task *task)
{
    struct household *house = MW_OWNER(task, struct chore, task)->house;
    struct echo *echo = MW_OWNER(house, struct echo, house);
    mw_stream_close(echo->owner.stream, false);
}

TEST(finish_waits_for_a_socket_that_a_task_closes)
{
    struct echo echo;
    open_echo(&echo);
    echo.house.chores[0].task.run = close_in_task;
    mw_turn_task_add(echo.house.world.loop, &echo.house.chores[0].task);
    mw_mailbox_close(echo.box);
    mw_loop_finish(echo.house.world.loop);
    assert_int_equal(echo.owner.closed, 1);
    close(echo.far.fd);
    close_world(&echo.house.world);
}

/* ---- life ---- */

TEST(now_is_the_monotonic_clock)
{
    struct world world;
    open_world(&world);
    run_some_turns(&world);
    assert_true(mw_loop_now(world.loop) <= mw_clock_monotonic_ms());
    assert_true(mw_loop_now(world.loop) > 0);
    close_world(&world);
}

static void throw_away(void *ctx, struct mw_mail *mail)
{
    (void)ctx;
    (void)mail;
}

TEST(free_counts_the_handles_that_nobody_closed)
{
    struct mw_mem mem;
    struct mw_loop *loop;
    struct mw_mailbox *box;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_loop_new(&mem, &loop), MW_OK);
    assert_int_equal(mw_mailbox_open(loop, throw_away, NULL, &box), MW_OK);
    assert_int_equal(mw_loop_free(loop), 1);
    assert_int_equal(mem.blocks, 1); /* the box, which is ours to give back now */
    mw_free(&mem, box, mem.bytes);
    assert_int_equal(mw_loop_free(NULL), 0);
}

TEST(free_counts_the_sockets_that_nobody_closed)
{
    struct mw_mem mem;
    struct mw_loop *loop;
    int near, far;
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_loop_new(&mem, &loop), MW_OK);
    connect_pair(&near, &far);
    struct mw_stream *stream = mw_tcp_adopt(loop, near);
    assert_int_equal(mw_loop_free(loop), 1);
    mw_free(&mem, stream, mem.bytes);
    close(near);
    close(far);
}

static bool make_loop(struct mw_mem *mem)
{
    struct mw_loop *loop = NULL;
    int err = mw_loop_new(mem, &loop);
    assert_true(err == MW_OK || (err == MW_ERR_NOMEM && !loop));
    assert_int_equal(mw_loop_free(loop), 0);
    return err == MW_OK;
}

TEST(without_memory_there_is_no_loop)
{
    assert_int_equal(fail_each_allocation(make_loop), 2);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(alarms_ring_in_the_order_of_their_moments),
        CASE(an_alarm_in_the_past_rings_at_once),
        CASE(an_alarm_moved_or_stopped_does_not_ring_at_its_old_moment),
        CASE(an_earlier_alarm_overtakes_one_that_waits),
        CASE(an_alarm_set_while_the_loop_sleeps_towards_a_later_one_rings_first),
        CASE(an_alarm_that_is_always_due_starves_nobody),
        CASE(alarms_ring_while_the_loop_finishes_but_are_not_waited_for),
        CASE(a_task_runs_once_at_the_end_of_the_turn_and_in_order),
        CASE(tasks_added_by_tasks_wait_for_the_next_round),
        CASE(a_task_of_a_timer_runs_before_the_loop_sleeps),
        CASE(a_task_added_by_a_task_runs_before_the_loop_sleeps),
        CASE(a_letter_and_a_socket_are_told_of_in_one_run),
        CASE(two_tasks_that_add_each_other_starve_neither_sockets_nor_letters_nor_alarms),
        CASE(a_socket_that_is_always_ready_starves_no_letter),
        CASE(a_timer_of_libuv_rings_while_all_sockets_are_idle),
        CASE(finish_waits_for_a_socket_that_a_task_closes),
        CASE(now_is_the_monotonic_clock),
        CASE(free_counts_the_handles_that_nobody_closed),
        CASE(free_counts_the_sockets_that_nobody_closed),
        CASE(without_memory_there_is_no_loop),
    };
    return RUN(cases);
}
