#include "core/hub/topic_rules.h"

#include "tests/unit/unit.h"

static void set(struct mw_topic_rules *rules, const char *script, const struct mw_topic_spec *specs,
                size_t count)
{
    assert_int_equal(mw_topic_rules_set(rules, mw_view_text(script), specs, count), MW_OK);
}

static void check(struct mw_topic_rules *rules, const char *topic, uint32_t history, mw_ms ttl_ms)
{
    struct mw_topic_rule rule = mw_topic_rules_find(rules, mw_view_text(topic));
    assert_int_equal(rule.history, history);
    assert_int_equal(rule.ttl_ms, ttl_ms);
}

static const struct mw_topic_spec chat[] = {
    { MW_VIEW("*"), 1, 1 },
    { MW_VIEW("room:*"), 2, 2 },
    { MW_VIEW("room:big*"), 3, 3 },
    { MW_VIEW("room:1"), 4, 4 },
};

TEST(the_longest_pattern_that_fits_counts)
{
    struct mw_topic_rules rules;
    mw_topic_rules_init(&rules);
    assert_true(mw_topic_rules_are_none(&rules));
    check(&rules, "room:1", 0, 0);
    set(&rules, "chat.lua", chat, MW_COUNT(chat));
    assert_false(mw_topic_rules_are_none(&rules));
    check(&rules, "x", 1, 1000);
    check(&rules, "room", 1, 1000);
    check(&rules, "room:", 2, 2000);
    check(&rules, "room:2", 2, 2000);
    check(&rules, "room:big", 3, 3000);
    check(&rules, "room:bigger", 3, 3000);
    check(&rules, "room:1", 4, 4000);
    check(&rules, "room:11", 2, 2000);
    mw_topic_rules_free(&rules);
    assert_mem_empty(&rules.mem);
}

TEST(of_equal_patterns_of_two_scripts_the_larger_numbers_count)
{
    static const struct mw_topic_spec other[] = { { MW_VIEW("room:*"), 9, 1 } };
    struct mw_topic_rules rules;
    mw_topic_rules_init(&rules);
    set(&rules, "chat.lua", chat, MW_COUNT(chat));
    set(&rules, "other.lua", other, 1);
    check(&rules, "room:2", 9, 2000);
    set(&rules, "chat.lua", NULL, 0);
    check(&rules, "room:2", 9, 1000);
    check(&rules, "x", 0, 0);
    mw_topic_rules_free(&rules);
    assert_mem_empty(&rules.mem);
}

TEST(only_a_change_raises_the_generation)
{
    struct mw_topic_rules rules;
    mw_topic_rules_init(&rules);
    unsigned begin = mw_topic_rules_generation(&rules);
    set(&rules, "echo.lua", NULL, 0);
    assert_int_equal(mw_topic_rules_generation(&rules), begin);
    set(&rules, "chat.lua", chat, 3);
    unsigned after = mw_topic_rules_generation(&rules);
    assert_int_not_equal(after, begin);
    set(&rules, "chat.lua", chat, 3);
    assert_int_equal(mw_topic_rules_generation(&rules), after);
    set(&rules, "chat.lua", chat, 2);
    assert_int_not_equal(mw_topic_rules_generation(&rules), after);
    mw_topic_rules_free(&rules);
}

TEST(without_memory_the_old_rules_stay)
{
    struct mw_topic_rules rules;
    mw_topic_rules_init(&rules);
    set(&rules, "chat.lua", chat, 2);
    for (uint64_t n = 1; n <= 4; n++) {
        rules.mem.fail_at = rules.mem.count + n;
        assert_int_equal(mw_topic_rules_set(&rules, mw_view_text("chat.lua"), chat + 1, 3),
                         MW_ERR_NOMEM);
        check(&rules, "room:1", 2, 2000);
    }
    mw_topic_rules_free(&rules);
    assert_mem_empty(&rules.mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_longest_pattern_that_fits_counts),
        CASE(of_equal_patterns_of_two_scripts_the_larger_numbers_count),
        CASE(only_a_change_raises_the_generation),
        CASE(without_memory_the_old_rules_stay),
    };
    return RUN(cases);
}
