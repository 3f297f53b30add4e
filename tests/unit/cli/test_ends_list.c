/* Many ends that are alike are two lines, and none that differs is hidden. */
#include "core/cli/ends_list.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static struct mw_mem mem;

struct end {
    double at_s, lasted_s;
    const char *cause, *ip;
    unsigned code;
};

static const char *list_of(const struct end *ends, size_t count, bool is_all, size_t max_rows)
{
    static char text[8192];
    struct mw_buf json, out;
    struct mw_json_error error;
    mw_buf_init(&json, &mem, 0);
    mw_buf_init(&out, &mem, 0);
    for (size_t i = 0; i < count; i++) {
        int err = mw_buf_putf(&json,
                              "%c{\"conn\":\"a%zu\",\"script\":\"chat.lua\",\"path\":\"/chat/%zu\","
                              "\"ip\":\"%s\",\"at\":%.3f,\"lasted\":%.3f,\"code\":%u,"
                              "\"cause\":\"%s\",\"who\":\"network\"}",
                              i ? ',' : '[', i, i, ends[i].ip, 1700000000 + ends[i].at_s,
                              ends[i].lasted_s, ends[i].code, ends[i].cause);
        assert_int_equal(err, MW_OK);
    }
    assert_int_equal(mw_buf_put_byte(&json, ']'), MW_OK);
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_buf_view(&json), &error);
    assert_non_null(doc);
    assert_int_equal(mw_ends_list(&out, mw_json_root(doc), is_all, max_rows), MW_OK);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.data);
    mw_json_doc_free(doc);
    mw_buf_free(&json);
    mw_buf_free(&out);
    assert_mem_empty(&mem);
    return text;
}

#define RESET(at, lasted) \
    { \
        at, lasted, "peer_reset", "10.0.0.2", 1006 \
    }

TEST(ends_of_one_moment_are_two_lines)
{
    static const struct end ends[] = { RESET(9, 60),   RESET(8.5, 0.008), RESET(8, 12),
                                       RESET(6.5, 11), RESET(5, 340),     RESET(2, 1) };
    assert_string_equal(
        list_of(ends, MW_COUNT(ends), true, 10),
        "2023-11-14 22:13:29 UTC  a0  /chat/0  1006 peer_reset, by the network, after 60 s\n"
        "    and 4 more like it within 4.0 s, all from 10.0.0.2, after 8 ms to 340 s\n"
        "2023-11-14 22:13:22 UTC  a5  /chat/5  1006 peer_reset, by the network, after 1.0 s\n");
}

TEST(a_run_that_reaches_the_end_of_what_was_asked_for_may_be_longer)
{
    struct end ends[] = { RESET(1, 5), RESET(1, 5), RESET(1, 5), RESET(1, 5), RESET(1, 5) };
    ends[3].ip = "10.0.0.3";
    const char *text = list_of(ends, MW_COUNT(ends), false, 10);
    assert_non_null(strstr(text, "and at least 4 more like it within 0 ms, from several addresses, "
                                 "each after 5.0 s\n"));
}

TEST(what_differs_has_a_line_of_its_own)
{
    static const struct end ends[] = {
        RESET(9, 1), RESET(9, 1), { 9, 1, "drain", "10.0.0.2", 1001 },
        RESET(9, 1), RESET(9, 1), { 9, 1, "peer_close", "10.0.0.2", 1001 },
        RESET(9, 1), RESET(9, 1), { 9, 1, "peer_close", "10.0.0.2", 4001 },
    };
    const char *text = list_of(ends, MW_COUNT(ends), true, 20);
    assert_null(strstr(text, "more like it"));
    assert_non_null(strstr(text, "  a8  "));
}

TEST(no_more_rows_than_asked_for)
{
    static const struct end ends[] = { RESET(9, 1), RESET(8, 1), RESET(7, 1) };
    const char *text = list_of(ends, MW_COUNT(ends), true, 2);
    assert_non_null(strstr(text, "  a1  "));
    assert_null(strstr(text, "  a2  "));
}

int main(void)
{
    mw_mem_init(&mem, NULL, 0);
    const struct CMUnitTest cases[] = {
        CASE(ends_of_one_moment_are_two_lines),
        CASE(a_run_that_reaches_the_end_of_what_was_asked_for_may_be_longer),
        CASE(what_differs_has_a_line_of_its_own),
        CASE(no_more_rows_than_asked_for),
    };
    return RUN(cases);
}
