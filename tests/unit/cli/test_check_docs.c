/* docs/check.md shows the rules as the code has them, all of them, and no others. */
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "lua/lint/lint.h"
#include "tests/unit/unit.h"

static void read_page(struct mw_buf *page)
{
    char block[4096];
    size_t len;
    FILE *file = fopen("docs/check.md", "r");
    assert_non_null(file);
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        assert_int_equal(mw_buf_put(page, block, len), MW_OK);
    fclose(file);
    assert_non_null(mw_buf_cstr(page));
}

static size_t rows_of(const char *page)
{
    size_t rows = 0;
    const char *at = strstr(page, "\n## Rules\n");
    assert_non_null(at);
    while ((at = strstr(at, "\n| `"))) {
        rows++;
        at++;
    }
    return rows;
}

static void expect_row(const char *page, const char *name, const char *severity, const char *what)
{
    char row[512];
    snprintf(row, sizeof(row), "\n| `%s` | %s | %s |\n", name, severity, what);
    if (!strstr(page, row))
        fail_msg("docs/check.md has not this row:%s", row);
}

TEST(the_page_has_the_table_of_the_code)
{
    static const struct {
        const char *name, *what;
    } server_rules[] = {
#define MW_SERVER_RULE(id, name, what) { name, what },
#include "core/server/check_rules.def"
#undef MW_SERVER_RULE
    };
    struct mw_mem mem;
    struct mw_buf page;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&page, &mem, 0);
    read_page(&page);
    for (size_t i = 0; i < MW_RULES; i++)
        expect_row(page.data, mw_rules[i].name,
                   mw_rules[i].severity == MW_SEVERITY_ERROR ? "error" : "warning",
                   mw_rules[i].what);
    for (size_t i = 0; i < MW_COUNT(server_rules); i++)
        expect_row(page.data, server_rules[i].name, "error", server_rules[i].what);
    assert_int_equal(rows_of(page.data), MW_RULES + MW_COUNT(server_rules));
    mw_buf_free(&page);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(the_page_has_the_table_of_the_code) };
    return RUN(cases);
}
