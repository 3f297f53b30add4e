/* accept: which codings a client takes. */
#include "core/proto/accept.h"

#include "tests/unit/unit.h"

TEST(a_coding_is_taken_by_name_or_star_but_not_with_a_weight_of_zero)
{
    static const struct {
        const char *list;
        bool takes;
    } table[] = {
        { "gzip", true },
        { "gzip, deflate, br, zstd", true },
        { "br,GZIP", true },
        { "deflate ; q=0.5 , gzip ; q=0.1", true },
        { "*", true },
        { "br, *;q=0.1", true },
        { "gzip;q=1.0", true },
        { "gzip;q=0.001", true },
        { "gzip;level=9", true },
        { "gzip;q=x", true },
        { "", false },
        { "identity", false },
        { "deflate, br", false },
        { "x-gzip", false },
        { "gzipped", false },
        { "gzip;q=0", false },
        { "gzip; Q = 0.000", false },
        { "gzip;q=0.", false },
        { "*, gzip;q=0", false },
        { "gzip;q=0, *", false },
        { "*;q=0", false },
        { ",,;,", false },
        { ";q=0", false },
    };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        if (mw_accepts_coding(mw_view_text(table[i].list), "gzip") != table[i].takes)
            fail_msg("\"%s\"", table[i].list);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_coding_is_taken_by_name_or_star_but_not_with_a_weight_of_zero),
    };
    return RUN(cases);
}
