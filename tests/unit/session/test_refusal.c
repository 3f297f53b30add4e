/* refusal: the cause of a refused request and when to ask again. */
#include "core/session/refusal.h"

#include "core/session/cause.h"
#include "tests/unit/unit.h"

TEST(causes_with_advice_of_their_own_pass_it_on)
{
    struct mw_http_told told = mw_refusal_told(503, "script_paused");
    assert_string_equal(told.cause, "script_paused");
    assert_int_equal(told.retry.after_ms, mw_cause_row(MW_CAUSE_script_paused)->advice.after_ms);
    assert_null(mw_refusal_told(404, "not_found").cause);
    assert_int_equal(mw_refusal_told(404, "not_found").retry.kind, MW_ADVICE_STAY);
}

TEST(what_passes_by_itself_is_told_to_come_back)
{
    static const unsigned later[] = { 408, 425, 429, 500, 502, 503, 504 };
    static const unsigned never[] = { 400, 403, 404, 405, 426, 431, 501, 505 };
    for (size_t i = 0; i < MW_COUNT(later); i++)
        assert_int_equal(mw_refusal_told(later[i], "x").retry.kind, MW_ADVICE_RETURN);
    for (size_t i = 0; i < MW_COUNT(never); i++)
        assert_int_equal(mw_refusal_told(never[i], "x").retry.kind, MW_ADVICE_STAY);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(causes_with_advice_of_their_own_pass_it_on),
        CASE(what_passes_by_itself_is_told_to_come_back),
    };
    return RUN(cases);
}
