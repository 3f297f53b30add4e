/* wrap: rows end where they may and are never too wide. */
#include "core/explain/wrap.h"

#include "tests/unit/unit.h"

TEST(rows_end_where_they_may)
{
    static const struct {
        const char *text;
        size_t cells;
        const char *rows[6];
    } cases[] = {
        { "", 10, { 0 } },
        { "   ", 10, { 0 } },
        { "one two three", 13, { "one two three" } },
        { "one two three", 12, { "one two", "three" } },
        { "one two three", 7, { "one two", "three" } },
        { "one two three", 6, { "one", "two", "three" } },
        { "one  two", 4, { "one", "two" } },
        { "abcdefgh ij", 4, { "abcd", "efgh", "ij" } },
        { "説明です", 4, { "説明", "です" } },
        { "説明です", 5, { "説明", "です" } },
        { "説明。です", 4, { "説", "明。", "です" } },
        { "設定（例）は", 6, { "設定", "（例）", "は" } },
        { "四一～五", 4, { "四", "一～", "五" } },
        { "四一〜五", 4, { "四", "一〜", "五" } },
        { "1006は", 5, { "1006", "は" } },
        { "이 코드를 보게", 9, { "이 코드를", "보게" } },
        /* inside a word if it must be */
        { "이 코드를", 5, { "이", "코드", "를" } },
        { "이 코드를 보게", 6, { "이", "코드를", "보게" } },
        { "説", 1, { "説" } }, /* nothing is narrower than one character */
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_view rest = mw_view_text(cases[i].text), row;
        size_t n = 0;
        while (mw_wrap_next(&rest, cases[i].cells, &row)) {
            assert_non_null(cases[i].rows[n]);
            assert_view(row, cases[i].rows[n++]);
        }
        assert_null(cases[i].rows[n]);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(rows_end_where_they_may) };
    return RUN(cases);
}
