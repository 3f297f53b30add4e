/* The crowd: what each policy makes of a drain and of a crash. */
#include "core/sim/herd.h"

#include "tests/unit/unit.h"

static const struct mw_herd_setup crowd = {
    .clients = 10000,
    .seed = 1,
    .rate_per_s = 500,
    .capacity_per_s = 2000,
};

static struct mw_mem mem;

static struct mw_herd_run run_of(const struct mw_herd_setup *setup, enum mw_herd_event event,
                                 enum mw_herd_policy policy)
{
    struct mw_herd_run run;
    assert_int_equal(mw_herd_simulate(&mem, setup, event, policy, &run), MW_OK);
    return run;
}

static void end(struct mw_herd_run *run)
{
    mw_herd_free(&mem, run);
    assert_mem_empty(&mem);
}

static uint64_t sum(const struct mw_herd_run *run)
{
    uint64_t all = 0;
    for (size_t i = 0; i < run->seconds; i++)
        all += run->arrivals[i];
    return all;
}

TEST(everybody_comes_back_by_every_policy)
{
    for (int event = 0; event < MW_HERD_EVENTS; event++) {
        for (int policy = 0; policy < MW_HERD_POLICIES; policy++) {
            struct mw_herd_run run =
                run_of(&crowd, (enum mw_herd_event)event, (enum mw_herd_policy)policy);
            assert_int_equal(run.back, crowd.clients);
            assert_int_equal(sum(&run), run.attempts);
            assert_true(run.attempts >= crowd.clients);
            assert_int_equal(run.back_ms / 1000 + 1, run.seconds);
            end(&run);
        }
    }
}

TEST(without_jitter_all_arrive_in_one_second)
{
    struct mw_herd_run run = run_of(&crowd, MW_HERD_drain, MW_HERD_BY_no_jitter);
    assert_int_equal(run.peak, crowd.clients);
    assert_int_equal(run.arrivals[1], crowd.clients); /* 1001: a second */
    assert_int_equal(run.arrivals[3], crowd.clients - crowd.capacity_per_s);
    end(&run);
}

TEST(slots_keep_arrivals_below_the_rate_and_nobody_is_refused)
{
    static const size_t counts[] = { 1, 499, 2000, 10000, 20000 };
    for (size_t i = 0; i < MW_COUNT(counts); i++) {
        struct mw_herd_setup setup = crowd;
        setup.clients = counts[i];
        struct mw_herd_run run = run_of(&setup, MW_HERD_drain, MW_HERD_BY_slots);
        assert_true(run.peak <= setup.rate_per_s);
        assert_int_equal(run.attempts, setup.clients);
        end(&run);
    }
}

TEST(slots_beat_every_other_policy)
{
    struct mw_herd_run slots = run_of(&crowd, MW_HERD_drain, MW_HERD_BY_slots);
    for (int policy = 0; policy < MW_HERD_BY_slots; policy++) {
        struct mw_herd_run other = run_of(&crowd, MW_HERD_drain, (enum mw_herd_policy)policy);
        assert_true(other.peak > 5 * slots.peak);
        mw_herd_free(&mem, &other);
    }
    end(&slots);
}

TEST(after_a_crash_nobody_is_taken_before_the_server_is_there)
{
    struct mw_herd_setup huge = crowd;
    huge.capacity_per_s = 1000000;
    struct mw_herd_run run = run_of(&huge, MW_HERD_crash, MW_HERD_BY_no_jitter);
    assert_int_equal(run.back_ms, 3750); /* 250 + 500 + 1000 + 2000 */
    assert_int_equal(run.attempts, 4 * huge.clients);
    end(&run);
}

TEST(a_server_that_takes_hardly_anybody_ends_the_run_all_the_same)
{
    struct mw_herd_setup slow = crowd;
    slow.capacity_per_s = 1;
    struct mw_herd_run run = run_of(&slow, MW_HERD_drain, MW_HERD_BY_full_jitter);
    assert_true(run.back < slow.clients);
    assert_true(run.seconds <= MW_HERD_MAX_S);
    end(&run);
}

TEST(the_same_seed_is_the_same_run)
{
    struct mw_herd_setup other = crowd;
    other.seed = 2;
    struct mw_herd_run a = run_of(&crowd, MW_HERD_crash, MW_HERD_BY_slots),
                       b = run_of(&crowd, MW_HERD_crash, MW_HERD_BY_slots),
                       c = run_of(&other, MW_HERD_crash, MW_HERD_BY_slots);
    assert_int_equal(a.seconds, b.seconds);
    assert_memory_equal(a.arrivals, b.arrivals, a.seconds * sizeof *a.arrivals);
    assert_true(a.back_ms != c.back_ms || a.attempts != c.attempts || a.peak != c.peak);
    mw_herd_free(&mem, &a);
    mw_herd_free(&mem, &b);
    end(&c);
}

TEST(without_memory_nothing_is_left_behind)
{
    for (uint64_t n = 1; n <= 2; n++) {
        struct mw_mem poor;
        struct mw_herd_run run;
        mw_mem_init(&poor, NULL, 0);
        poor.fail_at = n;
        assert_int_equal(mw_herd_simulate(&poor, &crowd, MW_HERD_drain, MW_HERD_BY_slots, &run),
                         MW_ERR_NOMEM);
        assert_mem_empty(&poor);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(everybody_comes_back_by_every_policy),
        CASE(without_jitter_all_arrive_in_one_second),
        CASE(slots_keep_arrivals_below_the_rate_and_nobody_is_refused),
        CASE(slots_beat_every_other_policy),
        CASE(after_a_crash_nobody_is_taken_before_the_server_is_there),
        CASE(a_server_that_takes_hardly_anybody_ends_the_run_all_the_same),
        CASE(the_same_seed_is_the_same_run),
        CASE(without_memory_nothing_is_left_behind),
    };
    mw_mem_init(&mem, NULL, 0);
    return RUN(cases);
}
