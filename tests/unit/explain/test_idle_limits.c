/* idle_limits: who is near a time, and what would prevent it. */
#include "core/explain/idle_limits.h"

#include "tests/unit/unit.h"

TEST(a_time_finds_who_is_known_for_it)
{
    static const struct {
        enum mw_cut_kind kind;
        mw_ms after_ms;
        const char *says; /* NULL: nobody */
    } cases[] = {
        { MW_CUT_SILENCE, 60000, "nginx" },
        { MW_CUT_SILENCE, 61400, "nginx" },
        { MW_CUT_SILENCE, 58600, "nginx" },
        { MW_CUT_SILENCE, 50200, "HAProxy" },
        { MW_CUT_SILENCE, 101900, "Cloudflare" },
        { MW_CUT_SILENCE, 102100, NULL },
        { MW_CUT_SILENCE, 75000, NULL },
        { MW_CUT_SILENCE, 2000, NULL },
        { MW_CUT_LIFETIME, 60000, NULL },
        { MW_CUT_LIFETIME, 7300000, "API Gateway" },
        { MW_CUT_SILENCE, 0, NULL },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        const struct mw_idle_limit *limit = mw_idle_limit_of(cases[i].kind, cases[i].after_ms);
        assert_int_equal(limit != NULL, cases[i].says != NULL);
        if (limit)
            assert_non_null(strstr(limit->says, cases[i].says));
        if (limit)
            assert_true(*limit->change != '\0');
    }
}

TEST(what_prevents_a_cut_leaves_room_for_a_ping_that_is_lost)
{
    static const struct {
        enum mw_cut_kind kind;
        mw_ms after_ms;
        unsigned better_s;
    } cases[] = {
        { MW_CUT_SILENCE, 60000, 25 },      { MW_CUT_SILENCE, 30000, 10 },
        { MW_CUT_SILENCE, 2000, 1 },        { MW_CUT_SILENCE, 350000, 120 },
        { MW_CUT_LIFETIME, 7200000, 6480 },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_idle_better_s(cases[i].kind, cases[i].after_ms), cases[i].better_s);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_time_finds_who_is_known_for_it),
        CASE(what_prevents_a_cut_leaves_room_for_a_ping_that_is_lost),
    };
    return RUN(cases);
}
