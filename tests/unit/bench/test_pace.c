#include "core/bench/pace.h"

#include "core/bench/hist.h"
#include "tests/unit/unit.h"

static const uint64_t rates[] = { 1, 3, 7, 1000, 30000, 999999, 10000000 };

TEST(a_message_is_due_at_its_moment_and_not_before)
{
    for (size_t i = 0; i < MW_COUNT(rates); i++) {
        struct mw_pace pace = { 12345, rates[i] };
        for (uint64_t k = 0; k < 100000; k += 1 + k / 7) {
            uint64_t at = mw_pace_at(&pace, k);
            assert_true(mw_pace_due(&pace, at) >= k + 1);
            assert_true(at == 0 || mw_pace_due(&pace, at - 1) <= k);
        }
    }
}

TEST(nothing_is_due_before_it_begins)
{
    struct mw_pace pace = { 1000, 5 };
    assert_int_equal(mw_pace_due(&pace, 999), 0);
    assert_int_equal(mw_pace_due(&pace, 1000), 1);
}

/* No rounding adds up: after a day it is as many as the rate says. */
TEST(it_does_not_drift)
{
    for (size_t i = 0; i < MW_COUNT(rates); i++) {
        struct mw_pace pace = { 0, rates[i] };
        uint64_t day_ns = 86400 * MW_PACE_SECOND_NS;
        assert_int_equal(mw_pace_due(&pace, day_ns), 86400 * rates[i] + 1);
        assert_int_equal(mw_pace_at(&pace, 86400 * rates[i]), day_ns);
    }
}

/*
 * A server that answers in 1 ms, but stalls for a second once in ten: measured from the sends, of
 * which there are none meanwhile, one in 9000 is slow; measured from the timetable one in ten is.
 */
TEST(a_stall_is_seen_by_all_that_were_due_in_it)
{
    struct mw_mem mem;
    struct mw_hist hist;
    struct mw_pace pace = { 0, 1000 };
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_hist_init(&hist, &mem), MW_OK);
    uint64_t sent = 0, stall_ends = 2 * MW_PACE_SECOND_NS;
    for (uint64_t now = 0; now < 10 * MW_PACE_SECOND_NS; now += 1000000) {
        bool stalls = now >= MW_PACE_SECOND_NS && now < stall_ends;
        for (uint64_t due = mw_pace_due(&pace, now); sent < due && !stalls; sent++)
            mw_hist_record(&hist, now + 1000000 - mw_pace_at(&pace, sent));
    }
    assert_int_equal(hist.count, 10000);
    assert_in_range(mw_hist_at(&hist, 0.5), 1000000, 1001000);
    assert_in_range(mw_hist_at(&hist, 0.95), 490000000, 510000000);
    assert_int_equal(hist.max, 1001000000);
    mw_hist_free(&hist);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_message_is_due_at_its_moment_and_not_before),
        CASE(nothing_is_due_before_it_begins),
        CASE(it_does_not_drift),
        CASE(a_stall_is_seen_by_all_that_were_due_in_it),
    };
    return RUN(cases);
}
