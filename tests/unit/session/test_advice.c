/* advice: the suffix of a close reason, both ways. */
#include "core/session/advice.h"

#include "core/base/utf8.h"
#include "tests/unit/unit.h"

static const struct {
    const char *reason, *text;
    struct mw_advice advice;
} forms[] = {
    { "", "", { 0 } },
    { "bye", "bye", { 0 } },
    { "bye;retry=no", "bye", { .kind = MW_ADVICE_STAY } },
    { ";retry=no", "", { .kind = MW_ADVICE_STAY } },
    { "bye;retry=no;resume=no", "bye", { .kind = MW_ADVICE_STAY, .afresh = true } },
    { "bye;retry=0", "bye", { .kind = MW_ADVICE_RETURN } },
    { "bye;retry=1500", "bye", { .kind = MW_ADVICE_RETURN, .after_ms = 1500 } },
    { "bye;retry=5000-30000",
      "bye",
      { .kind = MW_ADVICE_RETURN, .after_ms = 5000, .spread_ms = 25000 } },
    { "a;b;retry=1-2;resume=no",
      "a;b",
      { .kind = MW_ADVICE_RETURN, .afresh = true, .after_ms = 1, .spread_ms = 1 } },
    { "x;retry=no;retry=7", "x;retry=no", { .kind = MW_ADVICE_RETURN, .after_ms = 7 } },
};

TEST(each_form_is_read_and_written_back)
{
    for (size_t i = 0; i < MW_COUNT(forms); i++) {
        struct mw_advice advice;
        struct mw_view reason = mw_view_text(forms[i].reason);
        size_t len = mw_advice_read(reason, &advice);
        assert_int_equal(len, strlen(forms[i].text));
        assert_memory_equal(&advice, &forms[i].advice, sizeof advice);
        char out[MW_CLOSE_REASON_MAX];
        len = mw_advice_put(out, mw_view_text(forms[i].text), &advice);
        assert_int_equal(len, reason.len);
        assert_memory_equal(out, reason.data, len);
    }
}

TEST(what_is_no_advice_in_every_byte_is_text)
{
    static const char *const texts[] = {
        ";retry=",    ";retry=yes",         ";retry=no ",          ";retry=-5",
        ";retry=5-",  ";retry=9-5",         ";retry=5;resume=yes", ";retry=1e3",
        ";retry=no;", "retry=no",           ";Retry=no",           ";retry=172800001",
        ";retry= 5",  ";retry=99999999999", ";retry=5-6-7",        ";retry=5;resume=no;x",
    };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        struct mw_advice advice;
        assert_int_equal(mw_advice_read(mw_view_text(texts[i]), &advice), strlen(texts[i]));
        assert_int_equal(advice.kind, MW_ADVICE_NONE);
    }
}

TEST(a_long_text_is_cut_on_a_code_point_and_the_advice_kept_whole)
{
    char text[200], out[MW_CLOSE_REASON_MAX];
    for (size_t i = 0; i + 2 < sizeof text; i += 3)
        memcpy(text + i, "\xED\x95\x9C", 3);
    for (size_t len = 0; len <= 198; len += 3) {
        const struct mw_advice advice = { .kind = MW_ADVICE_RETURN,
                                          .afresh = true,
                                          .after_ms = MW_ADVICE_MAX_MS,
                                          .spread_ms = MW_ADVICE_MAX_MS };
        size_t got = mw_advice_put(out, mw_view(text, len), &advice);
        assert_in_range(got, 0, MW_CLOSE_REASON_MAX);
        assert_true(mw_utf8_valid(mw_view(out, got)));
        struct mw_advice read;
        size_t kept = mw_advice_read(mw_view(out, got), &read);
        assert_memory_equal(&read, &advice, sizeof read);
        assert_int_equal(kept, len < 87 ? len : 87); /* 123 - 35, whole characters */
    }
}

TEST(a_suffix_is_for_what_the_code_does_not_say)
{
    static const struct {
        unsigned code;
        struct mw_advice advice;
        bool tells;
    } rows[] = {
        { 1000, { 0 }, false },
        { 1000, { .kind = MW_ADVICE_STAY }, false },
        { 1000, { .kind = MW_ADVICE_RETURN, .after_ms = 5 }, true },
        { 1001, { .kind = MW_ADVICE_STAY }, true },
        { 1001, { .kind = MW_ADVICE_RETURN, .after_ms = 1000, .spread_ms = 4000 }, false },
        { 1001,
          { .kind = MW_ADVICE_RETURN, .afresh = true, .after_ms = 1000, .spread_ms = 4000 },
          true },
        { 1002, { .kind = MW_ADVICE_RETURN, .after_ms = 5000, .spread_ms = 5000 }, false },
        { 1013, { .kind = MW_ADVICE_RETURN, .after_ms = 5000, .spread_ms = 25000 }, true },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++)
        assert_int_equal(mw_advice_tells_more(&rows[i].advice, rows[i].code), rows[i].tells);
}

TEST(a_text_that_looks_like_advice_does_not_advise)
{
    static const struct {
        unsigned code;
        const char *text;
        struct mw_advice advice;
        const char *seen;
    } rows[] = {
        { 1000, "bye;retry=5", { 0 }, "bye;retry=5;retry=no" },
        { 1000, "bye;retry=5", { .kind = MW_ADVICE_STAY }, "bye;retry=5;retry=no" },
        { 1001, "bye;retry=no", { 0 }, "bye;retry=no;retry=1000-5000" },
        { 1001,
          "bye;retry=no",
          { .kind = MW_ADVICE_RETURN, .after_ms = 7 },
          "bye;retry=no;retry=7" },
        { 1001, "bye;retry=no!", { 0 }, "bye;retry=no!" },
    };
    char out[MW_CLOSE_REASON_MAX], text[MW_CLOSE_REASON_MAX + 1];
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_view said = mw_view_text(rows[i].text);
        struct mw_advice put = mw_advice_to_put(said, &rows[i].advice, rows[i].code);
        size_t len = mw_advice_put(out, said, &put);
        assert_int_equal(len, strlen(rows[i].seen));
        assert_memory_equal(out, rows[i].seen, len);
    }
    /* ... nor does one that looks so only once it is cut */
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 10, ";retry=12!", 10);
    const struct mw_advice none = { 0 };
    struct mw_advice put = mw_advice_to_put(mw_view(text, sizeof text), &none, 1000);
    assert_int_equal(put.kind, MW_ADVICE_STAY);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(each_form_is_read_and_written_back),
        cmocka_unit_test(what_is_no_advice_in_every_byte_is_text),
        cmocka_unit_test(a_long_text_is_cut_on_a_code_point_and_the_advice_kept_whole),
        cmocka_unit_test(a_suffix_is_for_what_the_code_does_not_say),
        cmocka_unit_test(a_text_that_looks_like_advice_does_not_advise),
    };
    return RUN(cases);
}
