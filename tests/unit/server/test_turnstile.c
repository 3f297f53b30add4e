#include "core/server/turnstile.h"

#include "core/base/rng.h"
#include "tests/unit/unit.h"

#define CROWD 300

TEST(a_burst_is_let_in_and_the_rest_at_the_rate)
{
    static const struct {
        double per_s;
        int burst; /* at one moment */
    } table[] = { { 0.5, 1 }, { 1, 1 }, { 4, 1 }, { 8, 2 }, { 100, 25 }, { 1000, 250 } };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        struct mw_turnstile turnstile = { .next_ms = 0 };
        struct mw_advice later;
        int in = 0;
        for (int n = 0; n < 1000; n++)
            in += mw_turnstile_pass(&turnstile, table[i].per_s, 5000, &later);
        assert_int_equal(in, table[i].burst);
        for (mw_ms now_ms = 5001; now_ms <= 15000; now_ms++)
            in += mw_turnstile_pass(&turnstile, table[i].per_s, now_ms, &later);
        assert_in_range(in - table[i].burst, (int)(table[i].per_s * 10) - 1,
                        (int)(table[i].per_s * 10) + 1);
    }
}

TEST(who_has_to_wait_is_told_a_moment_of_its_own_behind_the_others)
{
    struct mw_turnstile turnstile = { .next_ms = 0 };
    struct mw_advice later = { 0 };
    assert_true(mw_turnstile_pass(&turnstile, 4, 1000, &later));
    for (uint32_t n = 0; n < 8; n++) {
        assert_false(mw_turnstile_pass(&turnstile, 4, 1000, &later));
        assert_int_equal(later.kind, MW_ADVICE_RETURN);
        assert_int_equal(later.after_ms, MW_TURNSTILE_LEAD_MS + n * 250);
        assert_int_equal(later.spread_ms, 250);
    }
    /* Nobody waits any more: it begins anew. */
    assert_true(mw_turnstile_pass(&turnstile, 4, 60000, &later));
    assert_false(mw_turnstile_pass(&turnstile, 4, 60000, &later));
    assert_int_equal(later.after_ms, MW_TURNSTILE_LEAD_MS);
}

TEST(nobody_is_sent_away_for_longer_than_the_bound)
{
    struct mw_turnstile turnstile = { .next_ms = 0 };
    struct mw_advice later = { 0 };
    for (int n = 0; n < 2000; n++) {
        (void)mw_turnstile_pass(&turnstile, 0.1, 1000, &later);
        assert_true(later.after_ms + later.spread_ms <= MW_TURNSTILE_MOST_MS);
    }
    assert_int_equal(later.after_ms, MW_TURNSTILE_MOST_MS / 2);
    assert_int_equal(later.spread_ms, MW_TURNSTILE_MOST_MS / 2);
    assert_true(mw_turnstile_pass(&turnstile, 0.1, 1000 + 20000, &later));
}

TEST(a_clock_that_is_behind_neither_fills_nor_stops_it)
{
    struct mw_turnstile turnstile = { .next_ms = 0 };
    struct mw_advice later = { 0 };
    assert_true(mw_turnstile_pass(&turnstile, 1, 9000, &later));
    for (mw_ms now_ms = 1; now_ms < 9000; now_ms += 7)
        assert_false(mw_turnstile_pass(&turnstile, 1, now_ms, &later));
    assert_true(mw_turnstile_pass(&turnstile, 1, 10000, &later));
}

static int most_in_a_second(const mw_ms *came, int count)
{
    int most = 0;
    for (int i = 0, first = 0; i < count; i++) {
        while (came[i] - came[first] >= 1000)
            first++;
        if (i - first + 1 > most)
            most = i - first + 1;
    }
    return most;
}

/* The server is back after a crash; all of its clients try in the same 200 ms, then as told. */
TEST(a_storm_that_does_as_told_comes_in_at_the_rate_and_soon)
{
    struct mw_turnstile turnstile = { .next_ms = 0 };
    struct mw_rng rng;
    mw_ms due_ms[CROWD], came[CROWD], now_ms = 1000;
    int in = 0, asked = 0;
    mw_rng_seed(&rng, 7);
    for (int i = 0; i < CROWD; i++)
        due_ms[i] = now_ms + mw_rng_below(&rng, 200);
    for (; in < CROWD && now_ms < 100000; now_ms++) {
        for (int i = 0; i < CROWD; i++) {
            struct mw_advice later;
            if (due_ms[i] != now_ms)
                continue;
            asked++;
            if (mw_turnstile_pass(&turnstile, 50, now_ms, &later))
                came[in++] = now_ms;
            else
                due_ms[i] = now_ms + later.after_ms + mw_rng_below(&rng, later.spread_ms);
        }
    }
    assert_int_equal(in, CROWD);
    assert_in_range(most_in_a_second(came, in), 40, 50 + 50 / 4 + 1);
    assert_in_range(came[in - 1] - 1000, 5000, 9000); /* 300 at 50 a second */
    assert_true(asked < 3 * CROWD);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_burst_is_let_in_and_the_rest_at_the_rate),
        CASE(who_has_to_wait_is_told_a_moment_of_its_own_behind_the_others),
        CASE(nobody_is_sent_away_for_longer_than_the_bound),
        CASE(a_clock_that_is_behind_neither_fills_nor_stops_it),
        CASE(a_storm_that_does_as_told_comes_in_at_the_rate_and_soon),
    };
    return RUN(cases);
}
