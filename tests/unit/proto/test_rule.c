/* rule: each row has a name, a sentence with its section and a code that may be sent. */
#include "core/proto/close.h"
#include "core/proto/rule.h"
#include "tests/unit/unit.h"

static const enum mw_rule all[] = {
#define MW_RULE(name, code, text) MW_RULE_##name,
#include "core/proto/rule.def"
#undef MW_RULE
};

TEST(each_rule_names_its_section_and_a_sendable_code)
{
    for (size_t i = 0; i < MW_COUNT(all); i++) {
        assert_true(strlen(mw_rule_name(all[i])) > 0);
        const char *text = mw_rule_text(all[i]);
        assert_true(strstr(text, "RFC 6455 ") == text || strstr(text, "RFC 7692 ") == text);
        assert_true(mw_close_code_is_sendable(mw_rule_code(all[i])));
    }
}

TEST(each_rule_text_fits_a_close_reason)
{
    for (size_t i = 0; i < MW_COUNT(all); i++)
        assert_in_range(strlen(mw_rule_text(all[i])), 1, MW_CLOSE_REASON_MAX);
}

TEST(none_is_no_breach)
{
    assert_int_equal(mw_rule_code(MW_RULE_NONE), 0);
    assert_string_equal(mw_rule_text(MW_RULE_NONE), "");
    assert_string_equal(mw_rule_name(MW_RULE_NONE), "NONE");
}

TEST(codes_are_those_of_the_standard)
{
    assert_int_equal(mw_rule_code(MW_RULE_UNMASKED), 1002);
    assert_int_equal(mw_rule_code(MW_RULE_TEXT_UTF8), 1007);
    assert_int_equal(mw_rule_code(MW_RULE_DEFLATE_DATA), 1007);
    assert_int_equal(mw_rule_code(MW_RULE_INFLATED_TOO_BIG), 1009);
    assert_int_equal(mw_rule_code(MW_RULE_MESSAGE_TOO_BIG), 1009);
    assert_int_equal(mw_rule_code(MW_RULE_TOO_MANY_FRAGMENTS), 1008);
    assert_string_equal(mw_rule_name(MW_RULE_UNMASKED), "UNMASKED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_rule_names_its_section_and_a_sendable_code),
        CASE(each_rule_text_fits_a_close_reason),
        CASE(none_is_no_breach),
        CASE(codes_are_those_of_the_standard),
    };
    return RUN(tests);
}
