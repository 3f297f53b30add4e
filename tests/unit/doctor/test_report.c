/* report: its lines, and how they look to people and to programs. */
#include "core/doctor/report.h"

#include "tests/unit/unit.h"

static struct mw_doctor_report report;

static void begin(void)
{
    report = (struct mw_doctor_report){ .title = "a title" };
}

static void render(struct mw_mem *mem, struct mw_buf *out, bool json, bool ascii)
{
    const struct mw_terminal terminal = { .cells = 40, .ascii = ascii };
    mw_mem_init(mem, NULL, 0);
    mw_buf_init(out, mem, 0);
    int err =
        json ? mw_doctor_render_json(out, &report) : mw_doctor_render(out, &report, &terminal);
    assert_int_equal(err, MW_OK);
}

static void assert_renders(bool json, bool ascii, const char *want)
{
    struct mw_mem mem;
    struct mw_buf out;
    render(&mem, &out, json, ascii);
    assert_view(mw_buf_view(&out), want);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

static void add_all_states(void)
{
    begin();
    mw_doctor_value(mw_doctor_add(&report, "dns"), "192.0.2.1");
    report.lines[0].took_ms = 4;
    struct mw_doctor_line *line = mw_doctor_add(&report, "handshake");
    line->state = MW_DOCTOR_FAIL;
    mw_doctor_value(line, "HTTP 403 from %s", "\"nginx\"");
    mw_doctor_why(line, "A browser shows 1006 without a reason here.");
    mw_doctor_fix(line, "one thing that is longer than a row is\nanother");
    line = mw_doctor_add(&report, "port");
    line->state = MW_DOCTOR_WARN;
    line = mw_doctor_add(&report, "echo");
    line->state = MW_DOCTOR_SKIPPED;
    mw_doctor_value(line, "no handshake");
}

TEST(a_report_is_a_row_a_line_with_what_to_do_below)
{
    add_all_states();
    assert_renders(false, false,
                   "a title\n"
                   " \u2713 dns        192.0.2.1 (4 ms)\n"
                   " \u2717 handshake  HTTP 403 from \"nginx\"\n"
                   "              A browser shows 1006\n"
                   "              without a reason here.\n"
                   "              \u2192 one thing that is longer than a row is\n"
                   "              \u2192 another\n"
                   " ! port       ok\n"
                   " \u2013 echo       no handshake\n"
                   "1 failed, 1 warning\n");
}

TEST(a_terminal_without_utf8_gets_ascii)
{
    begin();
    mw_doctor_value(mw_doctor_add(&report, "dns"), "a\033[2Jb\u00e9\u202e");
    mw_doctor_add(&report, "port")->state = MW_DOCTOR_FAIL;
    assert_renders(false, true,
                   "a title\n"
                   " ok   dns   a?[2Jb??\n"
                   " FAIL port  ok\n"
                   "1 failed, 0 warnings\n");
}

TEST(what_moves_a_cursor_is_not_shown)
{
    begin();
    mw_doctor_value(mw_doctor_add(&report, "dns"), "a\033[2Jb\u00e9\u202e");
    assert_renders(false, false, "a title\n \u2713 dns  a?[2Jb\u00e9?\nnothing found\n");
}

TEST(programs_get_one_object)
{
    begin();
    struct mw_doctor_line *line = mw_doctor_add(&report, "port");
    line->state = MW_DOCTOR_WARN;
    line->took_ms = 0;
    mw_doctor_value(line, "v");
    mw_doctor_why(line, "w");
    mw_doctor_fix(line, "a\nb");
    assert_renders(true, false,
                   "{\"ok\":false,\"target\":\"a title\",\"failed\":0,\"warnings\":1,\"checks\":["
                   "{\"name\":\"port\",\"state\":\"warn\",\"value\":\"v\",\"why\":\"w\","
                   "\"fix\":[\"a\",\"b\"],\"took_ms\":0}]}\n");
}

TEST(texts_that_are_too_long_are_cut_at_a_character)
{
    char text[700];
    begin();
    struct mw_doctor_line *line = mw_doctor_add(&report, "port");
    memset(text, 'a', sizeof text);
    text[sizeof line->value - 2] = '\xc3'; /* the last byte that has room, and one more */
    text[sizeof line->value - 1] = '\xa9';
    text[sizeof text - 1] = '\0';
    mw_doctor_value(line, "%s", text);
    assert_int_equal(strlen(line->value), sizeof line->value - 2);
    assert_int_equal(line->value[sizeof line->value - 3], 'a');
}

TEST(findings_are_warnings_and_failures)
{
    begin();
    (void)mw_doctor_add(&report, "a");
    mw_doctor_add(&report, "b")->state = MW_DOCTOR_SKIPPED;
    assert_true(mw_doctor_is_well(&report));
    mw_doctor_add(&report, "c")->state = MW_DOCTOR_WARN;
    assert_false(mw_doctor_is_well(&report));
    assert_int_equal(mw_doctor_count(&report, MW_DOCTOR_SKIPPED), 1);
}

static bool render_both(struct mw_mem *mem)
{
    const struct mw_terminal terminal = { .cells = 80 };
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    add_all_states();
    bool ok = mw_doctor_render(&out, &report, &terminal) == MW_OK &&
              mw_doctor_render_json(&out, &report) == MW_OK;
    mw_buf_free(&out);
    return ok;
}

TEST(no_memory_is_an_answer)
{
    assert_true(fail_each_allocation(render_both) > 1);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_report_is_a_row_a_line_with_what_to_do_below),
        CASE(a_terminal_without_utf8_gets_ascii),
        CASE(what_moves_a_cursor_is_not_shown),
        CASE(programs_get_one_object),
        CASE(texts_that_are_too_long_are_cut_at_a_character),
        CASE(findings_are_warnings_and_failures),
        CASE(no_memory_is_an_answer),
    };
    return RUN(cases);
}
