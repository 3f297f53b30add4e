/* The line that is typed: keys in any pieces, what stands there then, and how it is drawn. */
#include "core/cli/line_edit.h"

#include <stdio.h>

#include "tests/unit/unit.h"

struct desk {
    struct mw_mem mem;
    struct mw_line line;
};

static void open_desk(struct desk *desk)
{
    mw_mem_init(&desk->mem, NULL, 0);
    mw_line_init(&desk->line, &desk->mem);
}

static void close_desk(struct desk *desk)
{
    mw_line_free(&desk->line);
    assert_mem_empty(&desk->mem);
}

/* All keys, and the event of the last one; what is entered is taken. */
static enum mw_line_event type(struct desk *desk, const char *keys)
{
    enum mw_line_event event = MW_LINE_NOTHING;
    for (; *keys; keys++) {
        event = mw_line_key(&desk->line, *keys);
        if (event == MW_LINE_ENTERED && keys[1])
            mw_line_take(&desk->line);
    }
    return event;
}

TEST(keys_edit_the_line)
{
    static const struct {
        const char *keys, *text;
        size_t at;
    } rows[] = {
        { "hello", "hello", 5 },
        { "helo\x1b[Dl", "hello", 4 },
        { "helo\x1bODl", "hello", 4 },
        { "ello\x01h", "hello", 1 },
        { "ello\x1b[Hh\x1b[F!", "hello!", 6 },
        { "ello\x1b[1~h\x1b[4~!", "hello!", 6 },
        { "hellooo\x7f\b", "hello", 5 },
        { "\x7f\b\x04", "", 0 },
        { "xhello\x01\x04", "hello", 0 },
        { "xhello\x01\x1b[3~", "hello", 0 },
        { "one two\x17", "one ", 4 },
        { "one two  \x17", "one ", 4 },
        { "one two\x02\x02\x0b", "one t", 5 },
        { "one two\x02\x02\x15", "wo", 0 },
        { "one two\x15\x19\x19", "one twoone two", 14 },
        { "one two\x1b"
          "b>",
          "one >two", 5 },
        { "one two\x01\x1b"
          "f>",
          "one> two", 4 },
        { "one two\x01\x1b"
          "d",
          " two", 0 },
        { "one two\x1b[1;5D>", "one >two", 5 },
        { "\xc3\xa4\xe6\x97\xa5\x7f", "\xc3\xa4", 2 }, /* whole characters */
        { "e\xcc\x81x\x02\x02y", "ye\xcc\x81x", 1 },   /* with what is set upon them */
        { "a\xff\xc3(b", "ab", 2 },                    /* what is no UTF-8 is dropped */
        { "a\tb", "a\tb", 3 },
        { "a\x1b[99;99Zb", "ab", 2 },        /* unknown keys do nothing */
        { "a\x1b[200~b\x1b[201~", "ab", 2 }, /* a paste in brackets */
        { "a\x1b\x1b[Db", "ba", 1 },         /* Escape, then an arrow */
        { "a\x1b[1111111111111111111111111111111111111111mb", "ab", 2 },
        { "a\x02\x02\x06\x06\x06", "a", 1 },
        { "a\x07\x1c", "a", 1 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct desk desk;
        open_desk(&desk);
        (void)type(&desk, rows[i].keys);
        assert_view(mw_line_text(&desk.line), rows[i].text);
        assert_int_equal(desk.line.at, rows[i].at);
        close_desk(&desk);
    }
}

TEST(a_single_escape_waits_for_nobody)
{
    struct desk desk;
    open_desk(&desk);
    assert_int_equal(type(&desk, "a\x1b"), MW_LINE_NOTHING);
    assert_int_equal(type(&desk, "\n"), MW_LINE_ENTERED);
    assert_view(mw_line_text(&desk.line), "a");
    close_desk(&desk);
}

TEST(enter_end_and_clear_are_told)
{
    struct desk desk;
    open_desk(&desk);
    assert_int_equal(type(&desk, "\x04"), MW_LINE_ENDED);
    assert_int_equal(type(&desk, "\x0c"), MW_LINE_CLEAR);
    assert_int_equal(type(&desk, "x\x04"), MW_LINE_NOTHING);
    assert_int_equal(type(&desk, "\r"), MW_LINE_ENTERED);
    close_desk(&desk);
}

#define UP   "\x1b[A"
#define DOWN "\x1b[B"

TEST(the_past_is_looked_through_and_the_draft_comes_back)
{
    static const struct {
        const char *keys, *text;
    } rows[] = {
        { "one\ntwo\n" UP, "two" },
        { "one\ntwo\n" UP UP, "one" },
        { "one\ntwo\n" UP UP UP, "one" },
        { "one\ntwo\ndraft" UP UP DOWN, "two" },
        { "one\ntwo\ndraft" UP UP DOWN DOWN, "draft" },
        { "one\ntwo\ndraft" DOWN, "draft" },
        { "one\none\n" UP UP, "one" },
        { "one\n\n\n" UP, "one" },
        { "one\n" UP "!\n" UP UP, "one" },
        { "one\ntwo\n\x10\x10\x0e", "two" },
        { UP DOWN, "" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct desk desk;
        open_desk(&desk);
        (void)type(&desk, rows[i].keys);
        assert_view(mw_line_text(&desk.line), rows[i].text);
        close_desk(&desk);
    }
}

TEST(the_past_is_bounded_and_loses_the_oldest)
{
    struct desk desk;
    open_desk(&desk);
    for (int i = 0; i < MW_LINE_PAST_MAX + 10; i++) {
        char text[24];
        snprintf(text, sizeof text, "line %d", i);
        mw_line_remember(&desk.line, mw_view_text(text));
    }
    assert_int_equal(desk.line.past_count, MW_LINE_PAST_MAX);
    assert_string_equal(desk.line.past[0].text, "line 10");
    close_desk(&desk);
}

TEST(a_line_is_bounded)
{
    struct desk desk;
    open_desk(&desk);
    for (size_t i = 0; i < MW_LINE_MAX + 5; i++)
        (void)mw_line_key(&desk.line, 'x');
    assert_int_equal(desk.line.text.len, MW_LINE_MAX);
    close_desk(&desk);
}

TEST(what_is_drawn_is_one_row_with_the_cursor_in_its_place)
{
    static const struct {
        const char *keys;
        unsigned cells;
        bool ascii;
        const char *out;
    } rows[] = {
        { "", 80, false, "\r\x1b[K> \r\x1b[2C" },
        { "abc\x02", 80, false, "\r\x1b[K> abc\r\x1b[4C" },
        { "\xe6\x97\xa5x", 80, false, "\r\x1b[K> \xe6\x97\xa5x\r\x1b[5C" },
        { "\xe6\x97\xa5\xc3\xa4x", 80, true, "\r\x1b[K> ???x\r\x1b[6C" },
        { "a\tb", 80, false, "\r\x1b[K> a b\r\x1b[5C" },
        { "a\xe2\x80\xae"
          "b",
          80, false, "\r\x1b[K> a?b\r\x1b[5C" }, /* U+202E */
        { "0123456789abcdefghij", 13, false, "\r\x1b[K> bcdefghij\r\x1b[11C" },
        { "0123456789abcdefghij\x01", 13, false, "\r\x1b[K> 0123456789\r\x1b[2C" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct desk desk;
        struct mw_buf out;
        open_desk(&desk);
        mw_buf_init(&out, &desk.mem, 0);
        (void)type(&desk, rows[i].keys);
        assert_int_equal(mw_line_draw(&desk.line, &out, "> ", rows[i].cells, rows[i].ascii), MW_OK);
        assert_view(mw_buf_view(&out), rows[i].out);
        mw_buf_free(&out);
        close_desk(&desk);
    }
}

static bool types_through(struct mw_mem *mem)
{
    struct mw_line line;
    struct mw_buf out;
    mw_line_init(&line, mem);
    mw_buf_init(&out, mem, 0);
    for (const char *key = "one two\x17\ntwo\n\x1b[A\x1b[A\x19"; *key; key++) {
        if (mw_line_key(&line, *key) == MW_LINE_ENTERED)
            mw_line_take(&line);
    }
    bool got =
        !mw_line_draw(&line, &out, "> ", 80, false) && mw_line_text(&line).len == strlen("one two");
    mw_buf_free(&out);
    mw_line_free(&line);
    return got;
}

TEST(without_memory_keys_are_lost_and_nothing_else)
{
    assert_true(fail_each_allocation(types_through) > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(keys_edit_the_line),
        CASE(a_single_escape_waits_for_nobody),
        CASE(enter_end_and_clear_are_told),
        CASE(the_past_is_looked_through_and_the_draft_comes_back),
        CASE(the_past_is_bounded_and_loses_the_oldest),
        CASE(a_line_is_bounded),
        CASE(what_is_drawn_is_one_row_with_the_cursor_in_its_place),
        CASE(without_memory_keys_are_lost_and_nothing_else),
    };
    return RUN(cases);
}
