#include "core/server/quarantine.h"

#include "tests/unit/unit.h"

#define MINUTE 60000

/* The moments of stops, and which of them pauses (counted from 1; 0: none). */
static const struct {
    const char *what;
    mw_ms stops_ms[9];
    unsigned count, pauses_at;
} rows[] = {
    { "four", { 1, 2, 3, 4 }, 4, 0 },
    { "five at once", { 7, 7, 7, 7, 7 }, 5, 5 },
    { "five at the very start of time", { 0, 0, 0, 0, 0 }, 5, 5 },
    { "five in a minute to the millisecond", { 5, 10, 20, 30, 5 + MINUTE }, 5, 5 },
    { "five in a little more", { 5, 10, 20, 30, 6 + MINUTE }, 5, 0 },
    { "one old, then five", { 5, 50000, 60000, 66000, 70000, 80000 }, 6, 6 },
    { "one every fifteen seconds", { 0, 15000, 30000, 45000, 60000 }, 5, 5 },
    { "one every sixteen", { 0, 16000, 32000, 48000, 64000, 80000, 96000 }, 7, 0 },
    { "a burst of four, a pause, four more", { 1, 2, 3, 4, 100000, 100001, 100002, 100003 }, 8, 0 },
    { "the ring comes round", { 0, 20000, 40000, 70000, 90000, 91000, 92000, 93000, 94000 }, 9, 7 },
};

TEST(five_stops_within_a_minute_pause)
{
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct mw_quarantine quarantine = { 0 };
        unsigned paused_at = 0;
        for (unsigned i = 0; i < rows[r].count; i++) {
            bool pauses = mw_quarantine_stop(&quarantine, rows[r].stops_ms[i]);
            if (pauses && paused_at == 0)
                paused_at = i + 1;
        }
        if (paused_at != rows[r].pauses_at)
            fail_msg("%s: paused at %u instead of %u", rows[r].what, paused_at, rows[r].pauses_at);
        assert_int_equal(quarantine.paused, rows[r].pauses_at > 0);
    }
}

TEST(what_is_paused_is_not_paused_again)
{
    struct mw_quarantine quarantine = { 0 };
    for (mw_ms now_ms = 1; now_ms < 5; now_ms++)
        assert_false(mw_quarantine_stop(&quarantine, now_ms));
    assert_true(mw_quarantine_stop(&quarantine, 5));
    for (mw_ms now_ms = 6; now_ms < 20; now_ms++)
        assert_false(mw_quarantine_stop(&quarantine, now_ms));
    assert_true(quarantine.paused);
    assert_int_equal(quarantine.since_ms, 5);
}

TEST(a_resume_forgets_what_was_before)
{
    struct mw_quarantine quarantine = { 0 };
    for (mw_ms now_ms = 1; now_ms <= 5; now_ms++)
        (void)mw_quarantine_stop(&quarantine, now_ms);
    mw_quarantine_resume(&quarantine);
    assert_false(quarantine.paused);
    for (mw_ms now_ms = 6; now_ms < 10; now_ms++)
        assert_false(mw_quarantine_stop(&quarantine, now_ms));
    assert_true(mw_quarantine_stop(&quarantine, 10));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(five_stops_within_a_minute_pause),
        CASE(what_is_paused_is_not_paused_again),
        CASE(a_resume_forgets_what_was_before),
    };
    return RUN(cases);
}
