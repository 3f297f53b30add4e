/* subject: what words name. */
#include "core/explain/subject.h"

#include "tests/unit/unit.h"

TEST(words_name_codes_pairs_and_causes)
{
    static const struct {
        const char *first, *second;
        bool is_something;
        struct mw_subject subject;
    } cases[] = {
        { "1006", "", true, { MW_SUBJECT_CODE, 1006, 0, 0 } },
        { "0", "", true, { MW_SUBJECT_CODE, 0, 0, 0 } },
        { "99999", "", true, { MW_SUBJECT_CODE, 99999, 0, 0 } },
        { "100000", "", false, { 0 } },
        { "1001", "1006", true, { MW_SUBJECT_PAIR, 1001, 1006, 0 } },
        { "1006", "1006", true, { MW_SUBJECT_CODE, 1006, 1006, 0 } },
        { "1006", "peer_fin", false, { 0 } },
        { "peer_fin", "", true, { MW_SUBJECT_CAUSE, 0, 0, MW_CAUSE_peer_fin } },
        { "peer_fin", "1006", false, { 0 } },
        { "peer_fi", "", false, { 0 } },
        { "", "", false, { 0 } },
        { "-1", "", false, { 0 } },
        { "1006x", "", false, { 0 } },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_subject subject;
        bool is =
            mw_subject_of(&subject, mw_view_text(cases[i].first), mw_view_text(cases[i].second));
        assert_int_equal(is, cases[i].is_something);
        if (!is)
            continue;
        assert_int_equal(subject.kind, cases[i].subject.kind);
        assert_int_equal(subject.code, cases[i].subject.code);
        assert_int_equal(subject.other, cases[i].subject.other);
        assert_int_equal(subject.cause, cases[i].subject.cause);
    }
    assert_string_equal(mw_subject_nearest(mw_view_text("protokol_error")), "protocol_error");
    assert_null(mw_subject_nearest(mw_view_text("something else")));
}

TEST(all_of_them_can_be_walked)
{
    struct mw_subject subject;
    size_t counts[3] = { 0 };
    for (size_t i = 0; mw_subject_at(i, &subject); i++)
        counts[subject.kind]++;
    assert_true(counts[MW_SUBJECT_CODE] > 20);
    assert_int_equal(counts[MW_SUBJECT_CAUSE], MW_CAUSE_COUNT);
    assert_int_equal(counts[MW_SUBJECT_PAIR], 8);
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(words_name_codes_pairs_and_causes),
                                        CASE(all_of_them_can_be_walked) };
    return RUN(cases);
}
