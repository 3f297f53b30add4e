/* Bars: their lengths, and that no value is lost between the lines. */
#include "core/sim/chart.h"

#include "tests/unit/unit.h"

static char text[65536];

static const char *drawn(const struct mw_chart_series *series, uint32_t top)
{
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, 0);
    assert_int_equal(mw_chart_text(&out, series, top), MW_OK);
    assert_true(out.len < sizeof text);
    memcpy(text, out.len ? out.data : "", out.len);
    text[out.len] = '\0';
    mw_buf_free(&out);
    assert_mem_empty(&mem);
    return text;
}

static const char *pictured(const struct mw_chart_panels *panels)
{
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, 0);
    assert_int_equal(mw_chart_svg(&out, panels), MW_OK);
    assert_true(out.len < sizeof text);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    mw_buf_free(&out);
    assert_mem_empty(&mem);
    return text;
}

TEST(a_bar_is_as_long_as_its_share_and_something_is_never_nothing)
{
    static const uint32_t values[] = { 56, 28, 1, 0 };
    const struct mw_chart_series series = { "x", values, 4 };
    assert_string_equal(drawn(&series, 56),
                        "      0 s      56 "
                        "########################################################\n"
                        "      1 s      28 ############################\n"
                        "      2 s       1 #\n"
                        "      3 s       0\n");
    assert_non_null(strstr(drawn(&series, 560), "      2 s       1 #\n"));
}

TEST(a_line_of_several_seconds_shows_the_highest)
{
    static uint32_t values[100];
    values[37] = 9;
    const struct mw_chart_series series = { "x", values, 100 };
    const char *lines = drawn(&series, 9);
    assert_non_null(strstr(lines, "     35 s       9 ####"));
    size_t count = 0;
    for (const char *at = lines; (at = strchr(at, '\n')); at++)
        count++;
    assert_int_equal(count, 20);
}

TEST(nothing_is_no_lines)
{
    const struct mw_chart_series nothing = { "x", NULL, 0 };
    assert_string_equal(drawn(&nothing, 0), "");
}

TEST(a_picture_has_a_panel_for_each_series)
{
    static const uint32_t values[] = { 10, 0, 5 };
    static const char *const columns[] = { "one", "two" };
    static const uint32_t tops[] = { 10, 20 };
    const struct mw_chart_series series[] = {
        { "a", values, 3 }, { "b", values, 3 }, { "c", values, 3 }, { "d", values, 3 }
    };
    const struct mw_chart_panels panels = {
        .columns = columns,
        .column_count = 2,
        .series = series,
        .row_count = 2,
        .tops = tops,
        .limit = 5,
        .seconds = 3,
    };
    const char *svg = pictured(&panels);
    assert_int_equal(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 38), 0);
    assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
    /* A full bar, nothing, and half a bar. */
    assert_non_null(strstr(svg, "d=\"M300 1400v-900h1266v900zM2833 1400v-450h1267v450z\""));
    static const char *const names[] = { ">a<", ">b<", ">c<", ">d<", ">one<", ">two<", ">3 s<" };
    for (size_t i = 0; i < MW_COUNT(names); i++)
        assert_non_null(strstr(svg, names[i]));
}

TEST(without_memory_it_says_so)
{
    static const uint32_t values[] = { 1 };
    const struct mw_chart_series series = { "x", values, 1 };
    struct mw_mem mem;
    struct mw_buf out;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&out, &mem, 0);
    mem.fail_at = 1;
    assert_int_equal(mw_chart_text(&out, &series, 1), MW_ERR_NOMEM);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_bar_is_as_long_as_its_share_and_something_is_never_nothing),
        CASE(a_line_of_several_seconds_shows_the_highest),
        CASE(nothing_is_no_lines),
        CASE(a_picture_has_a_panel_for_each_series),
        CASE(without_memory_it_says_so),
    };
    return RUN(cases);
}
