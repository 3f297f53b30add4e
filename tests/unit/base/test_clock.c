#include "core/base/clock.h"

#include "tests/unit/unit.h"

TEST(monotonic_time_never_goes_back)
{
    mw_ms last = mw_clock_monotonic_ms();
    for (int i = 0; i < 1000; i++) {
        mw_ms now = mw_clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
}

TEST(unix_time_is_of_this_century_and_in_milliseconds)
{
    assert_true(mw_clock_unix_ms() > UINT64_C(1577836800000)); /* 2020 */
    assert_true(mw_clock_unix_ms() < UINT64_C(4102444800000)); /* 2100 */
}

TEST(adding_to_never_is_never)
{
    assert_true(mw_ms_add(5, 7) == 12);
    assert_true(mw_ms_add(MW_NEVER, 0) == MW_NEVER);
    assert_true(mw_ms_add(MW_NEVER, 1) == MW_NEVER);
    assert_true(mw_ms_add(1, MW_NEVER) == MW_NEVER);
    assert_true(mw_ms_add(MW_NEVER - 5, 6) == MW_NEVER);
    assert_true(mw_ms_add(MW_NEVER - 5, 4) == MW_NEVER - 1);
    assert_true(mw_ms_min(3, MW_NEVER) == 3);
    assert_true(mw_ms_min(4, 3) == 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(monotonic_time_never_goes_back),
        CASE(unix_time_is_of_this_century_and_in_milliseconds),
        CASE(adding_to_never_is_never),
    };
    return RUN(cases);
}
