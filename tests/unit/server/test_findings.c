#include "core/server/findings.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct mw_finding finding(const char *file, int line, int column, const char *message)
{
    return (struct mw_finding){
        .file = mw_view_text(file),
        .line = line,
        .column = column,
        .width = 1,
        .text = mw_view_text("text"),
        .severity = MW_SEVERITY_ERROR,
        .rule = "rule",
        .message = message,
        .hint = "",
    };
}

static void add(struct mw_findings *findings, const char *folder, const char *file, int line,
                int column)
{
    struct mw_finding one = finding(file, line, column, "message");
    mw_findings_add(findings, folder, &one);
}

TEST(findings_stand_in_order_of_file_line_and_column)
{
    static const char *const want[] = { "a/b.lua", "a/b.lua", "a/b.lua", "a/c.lua" };
    static const int lines[] = { 1, 2, 2, 1 }, columns[] = { 9, 1, 3, 1 };
    struct mw_mem mem;
    struct mw_findings findings;
    mw_mem_init(&mem, NULL, 0);
    mw_findings_init(&findings, &mem);
    add(&findings, "a", "c.lua", 1, 1);
    add(&findings, "a", "b.lua", 2, 3);
    add(&findings, "a", "b.lua", 2, 1);
    add(&findings, "a", "b.lua", 1, 9);
    mw_findings_sort(&findings);
    assert_int_equal(findings.count, 4);
    for (size_t i = 0; i < findings.count; i++) {
        assert_string_equal(findings.items[i].file, want[i]);
        assert_int_equal(findings.items[i].line, lines[i]);
        assert_int_equal(findings.items[i].column, columns[i]);
    }
    assert_int_equal(mw_findings_count(&findings, MW_SEVERITY_ERROR), 4);
    assert_int_equal(mw_findings_count(&findings, MW_SEVERITY_WARNING), 0);
    mw_findings_free(&findings);
    assert_mem_empty(&mem);
}

TEST(paths_are_those_that_can_be_opened)
{
    static const char *const table[][2] = {
        { ".", "a.lua" },       { "./scripts", "scripts/a.lua" }, { "/srv/app", "/srv/app/a.lua" },
        { "././x", "x/a.lua" }, { "../x", "../x/a.lua" },         { "", "a.lua" },
    };
    struct mw_mem mem;
    struct mw_findings findings;
    mw_mem_init(&mem, NULL, 0);
    mw_findings_init(&findings, &mem);
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        add(&findings, table[i][0], "a.lua", 1, 1);
        assert_string_equal(findings.items[i].file, table[i][1]);
    }
    mw_findings_free(&findings);
    assert_mem_empty(&mem);
}

TEST(what_is_known_by_line_or_message_is_not_told_again)
{
    struct mw_mem mem;
    struct mw_findings findings;
    struct mw_finding warning = finding("b.lua", 5, 1, "only a warning");
    struct mw_view a = mw_view_text("a.lua");
    warning.severity = MW_SEVERITY_WARNING;
    mw_mem_init(&mem, NULL, 0);
    mw_findings_init(&findings, &mem);
    add(&findings, "x", "a.lua", 3, 1);
    mw_findings_add(&findings, "x", &warning);
    assert_true(mw_findings_has(&findings, NULL, "x", a, 3, "another"));
    assert_true(mw_findings_has(&findings, NULL, "x", a, 0, "message"));
    assert_false(mw_findings_has(&findings, NULL, "x", a, 4, "another"));
    assert_false(mw_findings_has(&findings, NULL, "y", a, 3, "message"));
    assert_false(mw_findings_has(&findings, NULL, "x", mw_view_text("b.lua"), 5, "only a warning"));
    assert_true(mw_findings_has(&findings, findings.items[0].rule, "x", a, 3, "another"));
    assert_false(mw_findings_has(&findings, "load", "x", a, 3, "message"));
    mw_findings_free(&findings);
    assert_mem_empty(&mem);
}

TEST(a_line_that_nobody_wrote_by_hand_is_not_kept)
{
    char line[1001];
    struct mw_mem mem;
    struct mw_findings findings;
    struct mw_finding one = finding("a.lua", 1, 1, "message");
    memset(line, 'x', sizeof(line));
    mw_mem_init(&mem, NULL, 0);
    mw_findings_init(&findings, &mem);
    one.text = mw_view(line, 1000);
    mw_findings_add(&findings, "x", &one);
    one.text = mw_view(line, 1001);
    mw_findings_add(&findings, "x", &one);
    assert_int_equal(strlen(findings.items[0].text), 1000);
    assert_string_equal(findings.items[1].text, "");
    mw_findings_free(&findings);
    assert_mem_empty(&mem);
}

static bool add_two(struct mw_mem *mem)
{
    struct mw_findings findings;
    mw_findings_init(&findings, mem);
    add(&findings, "x", "a.lua", 1, 1);
    add(&findings, "x", "b.lua", 1, 1);
    bool is_whole = findings.count == 2;
    assert_true(is_whole == (findings.err == MW_OK));
    mw_findings_free(&findings);
    return is_whole;
}

TEST(without_memory_it_says_that_some_are_missing)
{
    assert_int_equal(fail_each_allocation(add_two), 11);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(findings_stand_in_order_of_file_line_and_column),
        CASE(paths_are_those_that_can_be_opened),
        CASE(what_is_known_by_line_or_message_is_not_told_again),
        CASE(a_line_that_nobody_wrote_by_hand_is_not_kept),
        CASE(without_memory_it_says_that_some_are_missing),
    };
    return RUN(cases);
}
