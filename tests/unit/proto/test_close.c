/* close: each of the 65536 codes, bodies both ways, the cut of a reason. */
#include "core/base/utf8.h"
#include "core/proto/close.h"
#include "tests/unit/proto/notation.h"

static bool standard_allows(unsigned code)
{
    if (code == 1004 || code == 1005 || code == 1006)
        return false;
    return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}

TEST(every_code_is_sendable_or_says_why_not)
{
    for (unsigned code = 0; code < 70000; code++) {
        const char *refusal = mw_close_code_refusal(code);
        assert_int_equal(refusal == NULL, standard_allows(code));
        assert_int_equal(mw_close_code_is_sendable(code), standard_allows(code));
        if (refusal)
            assert_non_null(strstr(refusal, "RFC 6455 7.4"));
    }
}

TEST(every_code_has_a_name)
{
    static const struct {
        unsigned code;
        const char *name;
    } names[] = {
        { 0, "not used" },
        { 999, "not used" },
        { 1000, "normal closure" },
        { 1001, "going away" },
        { 1006, "abnormal closure" },
        { 1012, "service restart" },
        { 1014, "bad gateway" },
        { 1016, "reserved for the protocol" },
        { 2999, "reserved for the protocol" },
        { 3000, "unauthorized" },
        { 3003, "forbidden" },
        { 3008, "timeout" },
        { 3009, "registered use" },
        { 4000, "private use" },
        { 4999, "private use" },
        { 5000, "not a close code" },
    };
    for (size_t i = 0; i < MW_COUNT(names); i++)
        assert_string_equal(mw_close_code_name(names[i].code), names[i].name);
}

static const struct body_case {
    const char *body;
    enum mw_rule rule;
    unsigned code;
    const char *reason;
} body_cases[] = {
    { "", MW_RULE_NONE, MW_CLOSE_NO_STATUS, "" },
    { "03", MW_RULE_CLOSE_ONE_BYTE, 0, NULL },
    { "03 E8", MW_RULE_NONE, 1000, "" },
    { "03 E8 'bye'", MW_RULE_NONE, 1000, "bye" },
    { "0F A0 C3 A4", MW_RULE_NONE, 4000, "\xC3\xA4" },
    { "03 F2", MW_RULE_NONE, 1010, "" },
    { "00 00", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 E7", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 EC", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 ED", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 EE", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 F7", MW_RULE_CLOSE_CODE, 0, NULL },
    { "0B B7", MW_RULE_CLOSE_CODE, 0, NULL },
    { "13 88", MW_RULE_CLOSE_CODE, 0, NULL },
    { "FF FF", MW_RULE_CLOSE_CODE, 0, NULL },
    { "03 E8 FF", MW_RULE_CLOSE_UTF8, 0, NULL },
    { "03 E8 C3", MW_RULE_CLOSE_UTF8, 0, NULL },
    { "03 E8 ED A0 80", MW_RULE_CLOSE_UTF8, 0, NULL },
    { "03 EE FF", MW_RULE_CLOSE_CODE, 0, NULL },
};

TEST(bodies_are_read_or_refused_by_their_rule)
{
    for (size_t i = 0; i < MW_COUNT(body_cases); i++) {
        const struct body_case *c = &body_cases[i];
        uint8_t bytes[125];
        size_t len = bytes_of(c->body, bytes, sizeof bytes);
        char *body = exact_copy(bytes, len);
        struct mw_close close = { 0 };
        enum mw_rule rule = MW_RULE_NONE;
        int err = mw_close_decode(mw_view(body, len), &close, &rule);
        if (rule != c->rule || err != (c->rule ? MW_ERR_PROTOCOL : MW_OK))
            fail_msg("%s: %s", c->body, mw_rule_name(rule));
        if (!c->rule) {
            assert_int_equal(close.code, c->code);
            assert_view(close.reason, c->reason);
        }
        free(body);
    }
}

TEST(what_is_encoded_decodes_to_the_same)
{
    for (unsigned code = 1000; code < 5000; code++) {
        if (!mw_close_code_is_sendable(code))
            continue;
        uint8_t body[125];
        size_t len = mw_close_encode(body, code, mw_view_text("why"));
        assert_int_equal(len, 5);
        struct mw_close close;
        enum mw_rule rule;
        assert_int_equal(mw_close_decode(mw_view((char *)body, len), &close, &rule), MW_OK);
        assert_int_equal(close.code, code);
        assert_view(close.reason, "why");
    }
}

TEST(no_status_is_an_empty_body)
{
    uint8_t body[125];
    assert_int_equal(mw_close_encode(body, MW_CLOSE_NO_STATUS, mw_view_text("lost")), 0);
}

/*
 * 2 + 3 * k bytes never end at 123 exactly for every shift, so each cut inside a character is seen.
 */
TEST(long_reasons_are_cut_between_characters)
{
    for (size_t shift = 0; shift < 4; shift++) {
        char reason[300];
        size_t len = 0;
        while (len < shift)
            reason[len++] = 'x';
        for (; len + 4 <= sizeof reason; len += 4)
            memcpy(reason + len, "\xF0\x9F\x8C\x99", 4);
        uint8_t body[125];
        size_t size = mw_close_encode(body, 1001, mw_view(reason, len));
        assert_in_range(size, 122, 125);
        assert_true(mw_utf8_valid(mw_view((char *)body + 2, size - 2)));
    }
    uint8_t body[125];
    char ascii[200];
    memset(ascii, 'a', sizeof ascii);
    assert_int_equal(mw_close_encode(body, 1001, mw_view(ascii, sizeof ascii)), 125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_code_is_sendable_or_says_why_not),
        CASE(every_code_has_a_name),
        CASE(bodies_are_read_or_refused_by_their_rule),
        CASE(what_is_encoded_decodes_to_the_same),
        CASE(no_status_is_an_empty_body),
        CASE(long_reasons_are_cut_between_characters),
    };
    return RUN(tests);
}
