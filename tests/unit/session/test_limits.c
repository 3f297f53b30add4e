#include "core/session/limits.h"

#include "tests/unit/unit.h"

TEST(the_defaults_are_those_of_the_contract)
{
    struct mw_limits limits;
    struct mw_limits_ms ms;
    mw_limits_default(&limits);
    mw_limits_from(&ms, &limits);
    assert_int_equal(ms.message, 1024 * 1024);
    assert_int_equal(ms.fragments, 131072);
    assert_int_equal(ms.inflated, ms.message);
    assert_int_equal(ms.queue, 1024 * 1024);
    assert_true(ms.idle_ms == MW_NEVER && ms.age_ms == MW_NEVER);
    assert_int_equal(ms.ping_ms, 25000);
    assert_int_equal(ms.pong_ms, 20000);
    assert_true(ms.rate_per_s <= 0.0);
    assert_true(limits.connections <= 0.0 && limits.connections_per_ip <= 0.0);
}

TEST(seconds_become_milliseconds_and_zero_is_off)
{
    static const struct {
        double seconds;
        mw_ms span_ms;
    } spans[] = {
        { 0, MW_NEVER }, { 1, 1000 }, { 0.25, 250 }, { 86400, 86400000 }, { 31536000, 31536000000 },
    };
    for (size_t i = 0; i < MW_COUNT(spans); i++) {
        struct mw_limits limits;
        struct mw_limits_ms ms;
        mw_limits_default(&limits);
        limits.idle = limits.ping = limits.age = spans[i].seconds;
        mw_limits_from(&ms, &limits);
        assert_true(ms.idle_ms == spans[i].span_ms);
        assert_true(ms.ping_ms == spans[i].span_ms);
        assert_true(ms.age_ms == spans[i].span_ms);
    }
}

/* A span of nothing would ring in each turn of the loop, for ever. */
TEST(a_span_below_a_millisecond_is_one)
{
    struct mw_limits limits;
    struct mw_limits_ms ms;
    mw_limits_default(&limits);
    limits.ping = limits.idle = 0.0001;
    mw_limits_from(&ms, &limits);
    assert_int_equal(ms.ping_ms, 1);
    assert_int_equal(ms.idle_ms, 1);
}

TEST(a_burst_is_the_rate_unless_it_is_said_and_holds_one_at_least)
{
    static const struct {
        double rate, burst, want;
    } rates[] = { { 10, 0, 10 }, { 10, 40, 40 }, { 0.1, 0, 1 }, { 5, 0.5, 1 }, { 100, 2, 2 } };
    for (size_t i = 0; i < MW_COUNT(rates); i++) {
        struct mw_limits limits;
        struct mw_limits_ms ms;
        mw_limits_default(&limits);
        limits.rate = rates[i].rate;
        limits.burst = rates[i].burst;
        mw_limits_from(&ms, &limits);
        assert_true(ms.burst >= rates[i].want && ms.burst <= rates[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_defaults_are_those_of_the_contract),
        CASE(seconds_become_milliseconds_and_zero_is_off),
        CASE(a_span_below_a_millisecond_is_one),
        CASE(a_burst_is_the_rate_unless_it_is_said_and_holds_one_at_least),
    };
    return RUN(cases);
}
