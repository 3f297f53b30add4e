/* An idle limit on the path is named; chance, a deploy and our own timeouts are not taken for one.
 */
#include "core/base/rng.h"
#include "core/server/cuts.h"
#include "tests/unit/unit.h"

#define S 1000ULL

static bool die(struct mw_cuts *cuts, mw_ms at_s, double silent_s, double lasted_s,
                struct mw_cut_finding *finding)
{
    const struct mw_cut_death death = {
        .at_ms = at_s * S,
        .silent_ms = (mw_ms)(silent_s * 1000),
        .lasted_ms = (mw_ms)(lasted_s * 1000),
    };
    return mw_cuts_note(cuts, &death, finding);
}

TEST(five_deaths_at_one_silence_name_the_limit_and_the_ping)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    const double silent_s[] = { 60.0, 60.3, 59.9, 60.6, 60.1 };
    for (unsigned i = 0; i < 4; i++)
        assert_false(die(&cuts, 1000 + 40 * i, silent_s[i], 100 + 77 * i, &finding));
    assert_true(die(&cuts, 1200, silent_s[4], 500, &finding));
    assert_int_equal(finding.kind, MW_CUT_SILENCE);
    assert_int_equal(finding.moments, 5);
    assert_int_equal(finding.after_ms, 60100);
    assert_int_equal(finding.better_s, 25);
    assert_non_null(strstr(finding.known, "nginx"));
}

TEST(the_same_is_told_once_an_hour)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    unsigned told = 0;
    for (unsigned i = 0; i < 180; i++) /* three hours, one a minute */
        told += die(&cuts, 60 * i, 100, 300 + i, &finding);
    assert_int_equal(told, 3);
    assert_non_null(strstr(finding.known, "Cloudflare"));
    assert_int_equal(finding.better_s, 45);
}

TEST(a_limit_of_life_is_named_and_the_age_before_it)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    unsigned told = 0;
    for (unsigned i = 0; i < 12; i++)
        told += die(&cuts, 10000 + 280 * i, 1 + i, 7200, &finding);
    assert_int_equal(told, 1);
    assert_int_equal(finding.kind, MW_CUT_LIFETIME);
    assert_int_equal(finding.better_s, 6480);
    assert_non_null(strstr(finding.known, "Gateway"));
}

TEST(some_who_die_otherwise_do_not_hide_it)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    unsigned told = 0;
    for (unsigned i = 0; i < 30; i++)
        told += die(&cuts, 40 * i, i % 5 == 2 ? 3 + 2 * i : 350, 1000 + 50 * i, &finding);
    assert_int_equal(told, 1);
    assert_int_equal(finding.after_ms / S, 350);
}

TEST(many_who_leave_at_one_moment_are_one)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    for (unsigned deploy = 0; deploy < 4; deploy++) {
        for (unsigned i = 0; i < 1000; i++)
            assert_false(die(&cuts, 5000 + 600 * deploy + i / 100, 60, 60, &finding));
    }
}

/* They came within a minute and leave within four, an hour later. */
TEST(who_came_together_and_leaves_together_shows_no_limit)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    for (unsigned i = 0; i < 240; i++)
        assert_false(die(&cuts, 9000 + i, 5 + i % 7, 3580 + i % 40, &finding));
}

TEST(how_long_we_waited_for_a_pong_is_no_silence_of_the_path)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    for (unsigned i = 0; i < 60; i++) {
        const struct mw_cut_death death = { .at_ms = 50 * S * i,
                                            .silent_ms = 45 * S,
                                            .lasted_ms = (1000 + 97 * i) * S,
                                            .by_timeout = true };
        assert_false(mw_cuts_note(&cuts, &death, &finding));
    }
}

TEST(who_never_answered_a_ping_lived_as_long_as_we_waited)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    for (unsigned i = 0; i < 60; i++) {
        const struct mw_cut_death death = {
            .at_ms = 50 * S * i, .silent_ms = 80 * S, .lasted_ms = 80 * S, .by_timeout = true
        };
        assert_false(mw_cuts_note(&cuts, &death, &finding));
    }
}

TEST(short_silences_are_no_limit)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    for (unsigned i = 0; i < 60; i++)
        assert_false(die(&cuts, 50 * i, 2, 20 + i, &finding));
}

/* ---- chance ---- */

static double fraction(struct mw_rng *rng)
{
    return ((double)mw_rng_below(rng, 1000000) + 0.5) / 1000000;
}

/* Without a logarithm: von Neumann's way, by the length of runs that fall. */
static double exponential(struct mw_rng *rng, double mean_s)
{
    for (unsigned whole = 0;; whole++) {
        double first = fraction(rng), last = first, next;
        unsigned run = 1;
        while ((next = fraction(rng)) < last) {
            last = next;
            run++;
        }
        if (run % 2)
            return mean_s * (whole + first);
    }
}

static unsigned alarms_of(uint64_t seed, double mean_s, double width_s)
{
    struct mw_cuts cuts = { 0 };
    struct mw_cut_finding finding;
    struct mw_rng rng;
    double at_s = 1000;
    unsigned told = 0;
    mw_rng_seed(&rng, seed);
    for (unsigned i = 0; i < 300; i++) {
        at_s += exponential(&rng, 40);
        double lasted_s =
            width_s > 0 ? mean_s + width_s * fraction(&rng) : exponential(&rng, mean_s);
        told += die(&cuts, (mw_ms)at_s, lasted_s * fraction(&rng), lasted_s, &finding);
    }
    return told;
}

TEST(random_lifetimes_of_many_seeds_raise_no_alarm)
{
    static const double shapes[][2] = { { 5, 0 },  { 10, 0 },  { 20, 0 },  { 60, 0 },   { 600, 0 },
                                        { 0, 60 }, { 20, 20 }, { 60, 30 }, { 100, 200 } };
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
        for (uint64_t seed = 1; seed <= 200; seed++)
            assert_int_equal(alarms_of(seed, shapes[shape][0], shapes[shape][1]), 0);
    }
}

/* Who connects and never says a word: silent for as long as it lived. */
TEST(random_lifetimes_of_silent_ones_raise_no_alarm)
{
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct mw_cuts cuts = { 0 };
        struct mw_cut_finding finding;
        struct mw_rng rng;
        double at_s = 0;
        mw_rng_seed(&rng, seed);
        for (unsigned i = 0; i < 100; i++) {
            at_s += exponential(&rng, 60);
            double lasted_s = exponential(&rng, (double)(10 * (1 + seed % 20)));
            assert_false(die(&cuts, (mw_ms)at_s, lasted_s, lasted_s, &finding));
        }
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(five_deaths_at_one_silence_name_the_limit_and_the_ping),
        CASE(the_same_is_told_once_an_hour),
        CASE(a_limit_of_life_is_named_and_the_age_before_it),
        CASE(some_who_die_otherwise_do_not_hide_it),
        CASE(many_who_leave_at_one_moment_are_one),
        CASE(who_came_together_and_leaves_together_shows_no_limit),
        CASE(how_long_we_waited_for_a_pong_is_no_silence_of_the_path),
        CASE(who_never_answered_a_ping_lived_as_long_as_we_waited),
        CASE(short_silences_are_no_limit),
        CASE(random_lifetimes_of_many_seeds_raise_no_alarm),
        CASE(random_lifetimes_of_silent_ones_raise_no_alarm),
    };
    return RUN(cases);
}
