/* trial: when a fresh version is said to be worse than the one before it. */
#include "core/server/trial.h"

#include "tests/unit/unit.h"

TEST(worse_is_often_enough_much_more_and_compared_with_something)
{
    static const struct {
        struct mw_tally live, before;
        bool worse;
    } table[] = {
        { { 100, 20 }, { 1000, 0 }, true },
        { { 20, 20 }, { 20, 0 }, true },
        { { 19, 19 }, { 1000, 0 }, false },    /* too few faults */
        { { 400, 20 }, { 1000, 0 }, true },    /* 5 % */
        { { 401, 20 }, { 1000, 0 }, false },   /* less */
        { { 100, 100 }, { 1000, 100 }, true }, /* ten times */
        { { 100, 99 }, { 1000, 100 }, false }, /* less */
        { { 100, 50 }, { 100, 50 }, false },   /* as bad as before */
        { { 100, 100 }, { 19, 0 }, false },    /* nothing is known of the one before */
        { { 100, 100 }, { 0, 0 }, false },     /* nor of this */
        { { 10, 60 }, { 1000, 0 }, true },     /* several faults in one call */
        { { UINT32_MAX, UINT32_MAX }, { UINT32_MAX, 1 }, true },
        { { 0, 0 }, { 1000, 1000 }, false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++)
        assert_int_equal(mw_tally_is_worse(&table[i].live, &table[i].before), table[i].worse);
}

/* A version with so many calls, then another one, of which every call fails. */
static struct mw_trial replaced(unsigned calls, bool judged, mw_ms now_ms)
{
    struct mw_trial trial = { 0 };
    mw_trial_begin(&trial, 1, false, 0);
    trial.live.calls = calls;
    mw_trial_begin(&trial, 2, judged, now_ms);
    return trial;
}

/* The number of the fault with which the verdict comes; 0: it does not. */
static unsigned verdict_after(struct mw_trial *trial, unsigned version, mw_ms now_ms)
{
    for (unsigned n = 1; n <= 100; n++) {
        trial->live.calls++;
        if (mw_trial_fault(trial, version, now_ms))
            return n;
    }
    return 0;
}

TEST(a_verdict_comes_once_and_in_time)
{
    struct mw_trial trial = replaced(1000, true, 5000);
    assert_int_equal(verdict_after(&trial, 2, 5000), MW_TRIAL_MIN_FAULTS);
    assert_int_equal(verdict_after(&trial, 2, 5001), 0);
    trial = replaced(1000, true, 5000);
    assert_int_equal(verdict_after(&trial, 2, 5000 + MW_TRIAL_MS), MW_TRIAL_MIN_FAULTS);
    trial = replaced(1000, true, 5000);
    assert_int_equal(verdict_after(&trial, 2, 5001 + MW_TRIAL_MS), 0);
}

TEST(who_is_not_on_trial_is_not_judged)
{
    struct mw_trial trial = replaced(1000, false, 5000);
    assert_int_equal(verdict_after(&trial, 2, 5000), 0);
    assert_int_equal(trial.live.faults, 100);
}

TEST(what_still_runs_of_an_old_version_says_nothing_about_the_new_one)
{
    struct mw_trial trial = replaced(1000, true, 5000);
    assert_int_equal(verdict_after(&trial, 1, 5000), 0);
    assert_int_equal(trial.live.faults, 0);
}

TEST(the_first_version_has_nothing_before_it)
{
    struct mw_trial trial = { 0 };
    mw_trial_begin(&trial, 1, true, 5000);
    assert_int_equal(verdict_after(&trial, 1, 5000), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(worse_is_often_enough_much_more_and_compared_with_something),
        CASE(a_verdict_comes_once_and_in_time),
        CASE(who_is_not_on_trial_is_not_judged),
        CASE(what_still_runs_of_an_old_version_says_nothing_about_the_new_one),
        CASE(the_first_version_has_nothing_before_it),
    };
    return RUN(cases);
}
