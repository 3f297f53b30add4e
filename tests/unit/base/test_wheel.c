#include "core/base/wheel.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

#define SECOND_MS UINT64_C(1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define YEAR_MS   (365 * 24 * HOUR_MS)
#define REACH_MS  (UINT64_C(1) << (MW_WHEEL_BITS * MW_WHEEL_LEVELS))

TEST(an_entry_is_due_at_its_moment_and_not_before)
{
    static const mw_ms spans[] = { 1, 63, 64, 65, 4095, 4096, HOUR_MS, YEAR_MS, 138 * YEAR_MS };
    static const mw_ms starts[] = {
        0, 1, 63, 64, 4095, 1234567890123, REACH_MS / 3, REACH_MS - 1,
    };
    static struct mw_wheel wheel;
    for (size_t i = 0; i < MW_COUNT(starts) * MW_COUNT(spans); i++) {
        mw_ms start = starts[i / MW_COUNT(spans)], span = spans[i % MW_COUNT(spans)];
        struct mw_timer timer;
        mw_wheel_init(&wheel, start);
        mw_timer_init(&timer);
        mw_wheel_start(&wheel, &timer, start + span);
        mw_wheel_advance(&wheel, start + span - 1);
        assert_null(mw_wheel_pop(&wheel));
        assert_true(mw_timer_is_running(&timer));
        assert_true(mw_wheel_validate(&wheel));
        assert_true(mw_wheel_next(&wheel) == start + span); /* a millisecond before, it is exact */
        mw_wheel_advance(&wheel, start + span);
        assert_ptr_equal(mw_wheel_pop(&wheel), &timer);
        assert_false(mw_timer_is_running(&timer));
        assert_null(mw_wheel_pop(&wheel));
        assert_true(mw_wheel_next(&wheel) == MW_NEVER);
    }
}

TEST(a_moment_that_has_passed_is_due_at_the_next_advance_and_not_at_once)
{
    static struct mw_wheel wheel;
    struct mw_timer past, now;
    mw_wheel_init(&wheel, 1000);
    mw_timer_init(&past);
    mw_timer_init(&now);
    mw_wheel_start(&wheel, &past, 3);
    mw_wheel_start(&wheel, &now, 1000);
    assert_true(past.at_ms == 1000);
    assert_true(mw_wheel_next(&wheel) == 1000);
    assert_null(mw_wheel_pop(&wheel));
    mw_wheel_advance(&wheel, 1000);
    assert_ptr_equal(mw_wheel_pop(&wheel), &past);
    /* Started again by its own handler it must wait, or the handler would never end. */
    mw_wheel_start(&wheel, &past, 0);
    assert_ptr_equal(mw_wheel_pop(&wheel), &now);
    assert_null(mw_wheel_pop(&wheel));
    mw_wheel_advance(&wheel, 5000);
    assert_ptr_equal(mw_wheel_pop(&wheel), &past);
}

TEST(time_never_goes_back)
{
    static struct mw_wheel wheel;
    struct mw_timer timer;
    mw_wheel_init(&wheel, 1000);
    mw_timer_init(&timer);
    mw_wheel_start(&wheel, &timer, 1001);
    mw_wheel_advance(&wheel, 10);
    assert_true(wheel.now_ms == 1000);
    assert_null(mw_wheel_pop(&wheel));
    mw_wheel_stop(&wheel, &timer);
}

TEST(due_entries_may_still_be_stopped_and_moved)
{
    static struct mw_wheel wheel;
    struct mw_timer timers[4];
    mw_wheel_init(&wheel, 0);
    for (size_t i = 0; i < MW_COUNT(timers); i++) {
        mw_timer_init(&timers[i]);
        mw_wheel_start(&wheel, &timers[i], 10 + i);
    }
    mw_wheel_advance(&wheel, 100);
    assert_true(mw_wheel_next(&wheel) == 10);
    assert_ptr_equal(mw_wheel_pop(&wheel), &timers[0]);
    mw_wheel_stop(&wheel, &timers[1]);
    mw_wheel_start(&wheel, &timers[2], 200);
    assert_ptr_equal(mw_wheel_pop(&wheel), &timers[3]);
    assert_null(mw_wheel_pop(&wheel));
    assert_true(mw_wheel_next(&wheel) <= 200);
    mw_wheel_stop(&wheel, &timers[2]);
    mw_wheel_stop(&wheel, &timers[2]);
    assert_true(mw_wheel_next(&wheel) == MW_NEVER);
    assert_true(mw_wheel_validate(&wheel));
}

TEST(never_waits_for_ever_and_what_is_out_of_reach_still_comes)
{
    static struct mw_wheel wheel;
    struct mw_timer never, far;
    mw_wheel_init(&wheel, 77);
    mw_timer_init(&never);
    mw_timer_init(&far);
    mw_wheel_start(&wheel, &never, MW_NEVER);
    mw_wheel_start(&wheel, &far, 77 + 1000 * YEAR_MS);
    mw_wheel_advance(&wheel, 77 + 1000 * YEAR_MS - 1);
    assert_true(mw_wheel_validate(&wheel));
    assert_null(mw_wheel_pop(&wheel));
    mw_wheel_advance(&wheel, 77 + 1000 * YEAR_MS);
    assert_ptr_equal(mw_wheel_pop(&wheel), &far);
    assert_null(mw_wheel_pop(&wheel));
    assert_true(mw_timer_is_running(&never));
    mw_wheel_stop(&wheel, &never);
}

TEST(the_top_level_goes_round)
{
    const mw_ms slot_ms = REACH_MS / 64;
    static struct mw_wheel wheel;
    struct mw_timer timer;
    mw_timer_init(&timer);
    for (mw_ms here = 64; here < 128; here++) {
        mw_wheel_init(&wheel, here * slot_ms);
        for (mw_ms ahead = 1; ahead < 64; ahead++) {
            mw_wheel_start(&wheel, &timer, (here + ahead) * slot_ms);
            assert_true(mw_wheel_next(&wheel) == timer.at_ms);
        }
        mw_wheel_stop(&wheel, &timer);
    }
}

TEST(a_wheel_whose_entry_is_in_the_wrong_place_is_not_valid)
{
    static struct mw_wheel wheel;
    struct mw_timer timer, due[2];
    mw_wheel_init(&wheel, 0);
    mw_timer_init(&timer);
    mw_wheel_start(&wheel, &timer, 500);
    assert_true(mw_wheel_validate(&wheel));
    timer.at_ms = 400; /* the next slot */
    assert_false(mw_wheel_validate(&wheel));
    timer.at_ms = 5000; /* the next level */
    assert_false(mw_wheel_validate(&wheel));
    timer.at_ms = 500;
    wheel.occupied[1] ^= UINT64_C(1) << 7;
    assert_false(mw_wheel_validate(&wheel));
    wheel.occupied[1] ^= UINT64_C(1) << 7;
    wheel.occupied[3] ^= 1;
    assert_false(mw_wheel_validate(&wheel));
    wheel.occupied[3] ^= 1;
    wheel.now_ms = 501;
    assert_false(mw_wheel_validate(&wheel));
    wheel.now_ms = 0;
    mw_wheel_stop(&wheel, &timer);
    for (size_t i = 0; i < MW_COUNT(due); i++) {
        mw_timer_init(&due[i]);
        mw_wheel_start(&wheel, &due[i], 10);
    }
    mw_wheel_advance(&wheel, 10);
    assert_true(mw_wheel_validate(&wheel));
    due[1].at_ms = 9;
    assert_false(mw_wheel_validate(&wheel));
}

/* ---- against a sorted list ---- */

#define TIMERS 150

struct entry {
    struct mw_timer timer;
    bool running;
    mw_ms at_ms;
    unsigned turn; /* of its start: the order within a millisecond */
};

struct world {
    struct mw_wheel wheel;
    struct mw_rng rng;
    struct entry entries[TIMERS];
    unsigned turn, fired;
};

static mw_ms random_span(struct mw_rng *rng)
{
    if (mw_rng_below(rng, 8) == 0)
        return 0;
    unsigned bits = mw_rng_below(rng, 10) ? 38 : 44; /* 43 are out of reach */
    return mw_rng_below(rng, UINT64_C(1) << (1 + mw_rng_below(rng, bits)));
}

static void start_one(struct world *world, struct entry *entry)
{
    mw_ms now_ms = world->wheel.now_ms, at_ms = now_ms + random_span(&world->rng);
    if (mw_rng_below(&world->rng, 10) == 0)
        at_ms = now_ms - mw_rng_below(&world->rng, now_ms + 1);
    mw_wheel_start(&world->wheel, &entry->timer, at_ms);
    entry->running = true;
    entry->at_ms = at_ms > now_ms ? at_ms : now_ms;
    entry->turn = world->turn++;
}

static void stop_one(struct world *world, struct entry *entry)
{
    mw_wheel_stop(&world->wheel, &entry->timer);
    entry->running = false;
}

static struct entry *random_entry(struct world *world)
{
    return &world->entries[mw_rng_below(&world->rng, TIMERS)];
}

/* The running entry that must come first, or NULL. */
static struct entry *first_of(struct world *world)
{
    struct entry *first = NULL;
    for (size_t i = 0; i < TIMERS; i++) {
        struct entry *entry = &world->entries[i];
        if (!entry->running)
            continue;
        bool is_sooner = !first || entry->at_ms < first->at_ms ||
                         (entry->at_ms == first->at_ms && entry->turn < first->turn);
        if (is_sooner)
            first = entry;
    }
    return first;
}

static void check_world(struct world *world)
{
    assert_true(mw_wheel_validate(&world->wheel));
    struct entry *first = first_of(world);
    mw_ms next_ms = mw_wheel_next(&world->wheel);
    if (first)
        assert_true(next_ms <= first->at_ms && next_ms >= world->wheel.now_ms);
    else
        assert_true(next_ms == MW_NEVER);
    for (size_t i = 0; i < TIMERS; i++)
        assert_int_equal(mw_timer_is_running(&world->entries[i].timer), world->entries[i].running);
}

/* Entries that a handler starts in the past are not due before the next advance. */
static void pop_all(struct world *world)
{
    unsigned turn_of_advance = world->turn;
    for (struct mw_timer *timer; (timer = mw_wheel_pop(&world->wheel));) {
        struct entry *entry = MW_OWNER(timer, struct entry, timer);
        struct entry *first = first_of(world);
        assert_true(entry->at_ms <= world->wheel.now_ms && entry->turn < turn_of_advance);
        assert_ptr_equal(entry, first);
        entry->running = false;
        world->fired++;
        uint64_t what = mw_rng_below(&world->rng, 6);
        if (what == 0)
            start_one(world, random_entry(world));
        else if (what == 1)
            stop_one(world, random_entry(world));
    }
    struct entry *first = first_of(world);
    assert_true(!first || first->at_ms > world->wheel.now_ms || first->turn >= turn_of_advance);
}

static void take_step(struct world *world)
{
    mw_ms now_ms = world->wheel.now_ms, next_ms = mw_wheel_next(&world->wheel);
    switch (mw_rng_below(&world->rng, 8)) {
    case 0:
        stop_one(world, random_entry(world));
        break;
    case 1:
        now_ms += random_span(&world->rng) / 4;
        mw_wheel_advance(&world->wheel, now_ms);
        assert_true(world->wheel.now_ms == now_ms);
        pop_all(world);
        break;
    case 2:
    case 3:
        if (next_ms != MW_NEVER)
            mw_wheel_advance(&world->wheel, next_ms);
        pop_all(world);
        break;
    default:
        start_one(world, random_entry(world));
        break;
    }
    check_world(world);
}

TEST(random_starts_stops_and_jumps_agree_with_a_sorted_list)
{
    static const mw_ms starts[] = {
        0, 1234567890123, REACH_MS / 3, REACH_MS - HOUR_MS, REACH_MS * 5 - 3,
    };
    static struct world world;
    for (size_t i = 0; i < MW_COUNT(starts); i++) {
        memset(&world, 0, sizeof(world));
        mw_rng_seed(&world.rng, i);
        mw_wheel_init(&world.wheel, starts[i]);
        for (size_t j = 0; j < TIMERS; j++)
            mw_timer_init(&world.entries[j].timer);
        for (int step = 0; step < 6000; step++)
            take_step(&world);
        assert_true(world.fired > 500);
    }
}

/* A walk over the slots of level 0 would take 2^41 steps for each jump: this test would not end. */
TEST(a_jump_of_years_costs_no_walk_over_empty_slots)
{
    static struct mw_wheel wheel;
    static struct mw_timer timers[100];
    mw_wheel_init(&wheel, 0);
    for (unsigned round = 0; round < 100; round++) {
        for (size_t i = 0; i < MW_COUNT(timers); i++) {
            mw_timer_init(&timers[i]);
            mw_wheel_start(&wheel, &timers[i], wheel.now_ms + YEAR_MS * (i + 1) / 2);
        }
        mw_wheel_advance(&wheel, wheel.now_ms + 60 * YEAR_MS);
        for (size_t i = 0; i < MW_COUNT(timers); i++)
            assert_ptr_equal(mw_wheel_pop(&wheel), &timers[i]);
        assert_null(mw_wheel_pop(&wheel));
    }
}

/* Whoever advances to each mw_wheel_next gets there in no more steps than there are levels. */
TEST(going_from_next_to_next_reaches_an_entry_in_few_steps)
{
    static struct mw_wheel wheel;
    struct mw_rng rng;
    mw_rng_seed(&rng, 1);
    mw_wheel_init(&wheel, 0);
    for (int round = 0; round < 1000; round++) {
        struct mw_timer timer, *due = NULL;
        mw_timer_init(&timer);
        mw_ms span_ms = mw_rng_below(&rng, UINT64_C(1) << mw_rng_below(&rng, 42));
        mw_wheel_start(&wheel, &timer, wheel.now_ms + span_ms);
        for (int step = 0; step < MW_WHEEL_LEVELS && !due; step++) {
            mw_wheel_advance(&wheel, mw_wheel_next(&wheel));
            due = mw_wheel_pop(&wheel);
        }
        assert_ptr_equal(due, &timer);
        assert_true(timer.at_ms == wheel.now_ms);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_entry_is_due_at_its_moment_and_not_before),
        CASE(a_moment_that_has_passed_is_due_at_the_next_advance_and_not_at_once),
        CASE(time_never_goes_back),
        CASE(due_entries_may_still_be_stopped_and_moved),
        CASE(never_waits_for_ever_and_what_is_out_of_reach_still_comes),
        CASE(the_top_level_goes_round),
        CASE(a_wheel_whose_entry_is_in_the_wrong_place_is_not_valid),
        CASE(random_starts_stops_and_jumps_agree_with_a_sorted_list),
        CASE(a_jump_of_years_costs_no_walk_over_empty_slots),
        CASE(going_from_next_to_next_reaches_an_entry_in_few_steps),
    };
    return RUN(cases);
}
