/* close_catalog: the rows are whole, sorted and make sense. */
#include "core/proto/close_catalog.h"

#include "core/proto/close.h"
#include "tests/unit/unit.h"

TEST(the_rows_reach_every_code_once_and_have_keys_of_their_own)
{
    unsigned next = 0;
    for (size_t i = 0; mw_close_row_at(i); i++) {
        const struct mw_close_row *row = mw_close_row_at(i);
        assert_int_equal(row->first, next);
        assert_true(row->last >= row->first);
        next = row->last + 1;
        assert_ptr_equal(mw_close_row(row->first), row);
        assert_ptr_equal(mw_close_row(row->last), row);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(mw_close_row_at(j)->key, row->key);
    }
    assert_int_equal(next, 65536);
    assert_string_equal(mw_close_row(70000)->key, "ABOVE");
}

TEST(a_policy_is_whole_or_says_to_stay_away)
{
    for (size_t i = 0; mw_close_row_at(i); i++) {
        const struct mw_close_policy *policy = &mw_close_row_at(i)->policy;
        if (!policy->retry) {
            assert_false(policy->resume || policy->most_ms || policy->tries);
            continue;
        }
        assert_true(policy->least_ms >= 250 && policy->least_ms < policy->most_ms);
        assert_true(policy->most_ms <= policy->cap_ms && policy->growth >= 2);
    }
}

TEST(whoever_may_send_it_agrees_with_what_may_be_sent)
{
    for (unsigned code = 0; code < 70000; code++)
        assert_int_equal(mw_close_row(code)->sender != MW_CLOSE_BY_NOBODY,
                         mw_close_code_is_sendable(code));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_rows_reach_every_code_once_and_have_keys_of_their_own),
        cmocka_unit_test(a_policy_is_whole_or_says_to_stay_away),
        cmocka_unit_test(whoever_may_send_it_agrees_with_what_may_be_sent),
    };
    return RUN(cases);
}
