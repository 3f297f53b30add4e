/* ending_limit: the option behind a cause, with the value in force. */
#include "core/server/ending_limit.h"

#include "core/server/config.h"
#include "core/session/limits.h"
#include "tests/unit/unit.h"

TEST(a_cause_of_one_limit_names_it_with_its_value)
{
    static const struct {
        enum mw_cause cause;
        const char *option, *unit;
        double value;
    } rows[] = {
        { MW_CAUSE_message_too_big, "limits.message", "bytes", 100 },
        { MW_CAUSE_inflated_too_big, "limits.inflated", "bytes", 200 },
        { MW_CAUSE_too_many_fragments, "limits.fragments", "pieces", 3 },
        { MW_CAUSE_slow_consumer, "limits.queue", "bytes", 4000 },
        { MW_CAUSE_rate_limited, "limits.rate", "messages/s", 0.5 },
        { MW_CAUSE_ping_timeout, "limits.pong", "s", 7 },
        { MW_CAUSE_max_age, "limits.age", "s", 90 },
        { MW_CAUSE_script_budget, "script.cpu", "ms", 50 },
        { MW_CAUSE_script_memory, "script.memory", "bytes", 1048576 },
    };
    const struct mw_limits script = { .message = 100,
                                      .inflated = 200,
                                      .fragments = 3,
                                      .queue = 4000,
                                      .rate = 0.5,
                                      .pong = 7,
                                      .age = 90 };
    struct mw_limits_ms limits;
    struct mw_config config;
    mw_limits_from(&limits, &script);
    mw_config_default(&config);
    config.script_cpu = 50;
    config.script_memory = 1048576;
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_end_record facts = { .cause = rows[i].cause };
        mw_ending_limit(&facts, &limits, &config);
        assert_string_equal(facts.option, rows[i].option);
        assert_string_equal(facts.unit, rows[i].unit);
        assert_true(facts.limit == rows[i].value);
    }
}

TEST(no_limit_is_named_that_may_not_have_been_it)
{
    static const enum mw_cause rows[] = { MW_CAUSE_peer_fin, MW_CAUSE_connection_limit,
                                          MW_CAUSE_idle_timeout, MW_CAUSE_COUNT };
    struct mw_limits_ms limits = { 0 };
    struct mw_config config;
    mw_config_default(&config);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_end_record facts = { .cause = rows[i] };
        mw_ending_limit(&facts, &limits, &config);
        assert_null(facts.option);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_cause_of_one_limit_names_it_with_its_value),
        CASE(no_limit_is_named_that_may_not_have_been_it),
    };
    return RUN(cases);
}
