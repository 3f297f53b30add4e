#include "core/server/fault_fold.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static struct mw_fault fault_at(int line, const char *message)
{
    struct mw_fault fault = { .line = line, .version = 3, .file = "chat.lua" };
    snprintf(fault.message, sizeof fault.message, "%s", message);
    return fault;
}

static bool take(struct mw_fault_fold *fold, int line, const char *message, mw_ms now_ms)
{
    struct mw_fault fault = fault_at(line, message);
    return mw_fault_fold_take(fold, &fault, now_ms);
}

/* ---- which are alike ---- */

static const struct {
    const char *first, *second;
    bool alike;
} texts[] = {
    { "no user", "no user", true },
    { "no user 17", "no user 4", true },
    { "no user 17", "no room 17", false },
    { "attempt to index a nil value (field 'ann')", "attempt to index a nil value (field 'ben')",
      true },
    { "bad \"x y\"", "bad \"z\"", true },
    { "conn 2000000001 is gone", "conn 2000000f01 is gone", true },
    { "an id a1b2 here", "an id c3d4e5 here", true },
    { "it's 5 o'clock", "it's 7 o'clock", true },
    { "one ' alone 5", "one ' alone 6", true },
    { "attempt to call", "attempt to index", false },
    { "", "", true },
    { "", "x", false },
    { "\xff\xfe", "\xff\xfd", false },
};

TEST(numbers_and_quoted_words_make_no_other_kind)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct mw_fault_fold fold = { 0 };
        for (int n = 0; n < MW_FOLD_SHOWN; n++)
            assert_true(take(&fold, 12, texts[i].first, 1000));
        if (take(&fold, 12, texts[i].second, 1000) == texts[i].alike)
            fail_msg("%s | %s", texts[i].first, texts[i].second);
    }
}

TEST(version_place_and_kind_make_another_kind)
{
    struct mw_fault one = fault_at(12, "x"), others[4];
    for (size_t i = 0; i < 4; i++)
        others[i] = one;
    others[0].version = 4;
    others[1].line = 13;
    others[2].kind = MW_FAULT_CPU;
    memcpy(others[3].file, "lib/x.lua", sizeof "lib/x.lua");
    for (size_t i = 0; i < 4; i++) {
        struct mw_fault_fold fold = { 0 };
        for (int n = 0; n < MW_FOLD_SHOWN; n++)
            assert_true(mw_fault_fold_take(&fold, &one, 1000));
        assert_false(mw_fault_fold_take(&fold, &one, 1000));
        assert_true(mw_fault_fold_take(&fold, &others[i], 1000));
    }
}

/* ---- in time ---- */

TEST(five_are_shown_and_the_rest_is_one_line_at_the_end_of_ten_seconds)
{
    struct mw_fault_fold fold = { 0 };
    struct mw_folded folded;
    for (int n = 0; n < 100; n++)
        assert_int_equal(take(&fold, 12, "x", (mw_ms)(1000 + n)), n < MW_FOLD_SHOWN);
    assert_int_equal(mw_fault_fold_due(&fold), 11000);
    assert_false(mw_fault_fold_flush(&fold, 10999, false, &folded));
    assert_true(mw_fault_fold_flush(&fold, 11000, false, &folded));
    assert_int_equal(folded.more, 95);
    assert_int_equal(folded.span_ms, 10000);
    assert_int_equal(folded.line, 12);
    assert_int_equal(folded.version, 3);
    assert_string_equal(folded.file, "chat.lua");
    assert_false(mw_fault_fold_flush(&fold, 11000, false, &folded));
    assert_int_equal(mw_fault_fold_due(&fold), MW_NEVER);
}

TEST(what_goes_on_costs_one_line_each_ten_seconds)
{
    struct mw_fault_fold fold = { 0 };
    struct mw_folded folded;
    unsigned shown = 0, lines = 0;
    uint64_t more = 0;
    for (mw_ms now_ms = 1000; now_ms < 61000; now_ms += 10) {
        if (mw_fault_fold_due(&fold) <= now_ms) {
            assert_true(mw_fault_fold_flush(&fold, now_ms, false, &folded));
            more += folded.more;
            lines++;
        }
        shown += take(&fold, 12, "x", now_ms);
    }
    while (mw_fault_fold_flush(&fold, 61000, true, &folded))
        more += folded.more;
    assert_int_equal(shown, MW_FOLD_SHOWN);
    assert_int_equal(lines, 5);
    assert_int_equal(shown + more, 6000);
}

TEST(after_ten_quiet_seconds_it_is_shown_again)
{
    struct mw_fault_fold fold = { 0 };
    struct mw_folded folded;
    for (int n = 0; n < 20; n++)
        (void)take(&fold, 12, "x", 1000);
    assert_true(mw_fault_fold_flush(&fold, 11000, false, &folded));
    assert_false(take(&fold, 12, "x", 20999)); /* it went on */
    assert_true(mw_fault_fold_flush(&fold, 21000, false, &folded));
    assert_int_equal(folded.more, 1);
    assert_true(take(&fold, 12, "x", 31000));
}

TEST(a_rare_fault_is_never_folded)
{
    struct mw_fault_fold fold = { 0 };
    for (mw_ms now_ms = 1000; now_ms < 500000; now_ms += 2500)
        assert_true(take(&fold, 12, "x", now_ms));
    assert_int_equal(mw_fault_fold_due(&fold), MW_NEVER);
}

/* ---- a script that wants to flood ---- */

TEST(texts_that_are_all_different_fill_no_log_and_none_is_lost_from_the_count)
{
    struct mw_fault_fold fold = { 0 };
    struct mw_folded folded;
    unsigned shown = 0, lines = 0;
    uint64_t more = 0;
    for (unsigned n = 0; n < 20000; n++) {
        char text[8] = { 0 };
        for (unsigned rest = n, i = 0; i < 6; i++, rest /= 20)
            text[i] = (char)('a' + rest % 20);
        mw_ms now_ms = 1000 + n; /* twenty seconds */
        while (mw_fault_fold_flush(&fold, now_ms, false, &folded)) {
            more += folded.more;
            lines++;
        }
        shown += take(&fold, (int)(n % 50), text, now_ms);
    }
    while (mw_fault_fold_flush(&fold, 21000, true, &folded))
        more += folded.more;
    assert_int_equal(shown + more, 20000);
    assert_in_range(shown, MW_FOLD_BURST, MW_FOLD_BURST + 20 * MW_FOLD_PER_S);
    assert_in_range(lines, 1, 3 * (MW_FOLD_KINDS + 1));
}

TEST(the_kind_that_was_quiet_longest_makes_room_and_its_count_is_told)
{
    struct mw_fault_fold fold = { 0 };
    struct mw_folded folded;
    uint64_t more = 0;
    for (int n = 0; n < 8; n++)
        (void)take(&fold, 1, "x", 1000); /* 3 of them counted */
    for (int line = 2; line <= MW_FOLD_KINDS + 1; line++)
        (void)take(&fold, line, "x", 3000);
    assert_int_equal(fold.others, 3);
    assert_int_equal(mw_fault_fold_due(&fold), 11000);
    assert_true(mw_fault_fold_flush(&fold, 11000, false, &folded));
    assert_string_equal(folded.file, "");
    assert_int_equal(folded.line, 0);
    for (more = folded.more; mw_fault_fold_flush(&fold, 13000, false, &folded);)
        more += folded.more;
    assert_int_equal(more, 3);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(numbers_and_quoted_words_make_no_other_kind),
        CASE(version_place_and_kind_make_another_kind),
        CASE(five_are_shown_and_the_rest_is_one_line_at_the_end_of_ten_seconds),
        CASE(what_goes_on_costs_one_line_each_ten_seconds),
        CASE(after_ten_quiet_seconds_it_is_shown_again),
        CASE(a_rare_fault_is_never_folded),
        CASE(texts_that_are_all_different_fill_no_log_and_none_is_lost_from_the_count),
        CASE(the_kind_that_was_quiet_longest_makes_room_and_its_count_is_told),
    };
    return RUN(cases);
}
