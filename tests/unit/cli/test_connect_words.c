/* Lines of `moonwire connect`: what each wants, and what is told of a wrong one. */
#include "core/cli/connect_words.h"

#include "tests/unit/unit.h"

TEST(each_line_is_a_text_or_a_command)
{
    static const struct {
        const char *line;
        enum mw_word word;
        const char *text;
        unsigned code;
        uint64_t count;
        mw_ms span_ms;
    } rows[] = {
        { "", MW_WORD_text, "", 0, 0, 0 },
        { "hello /ping", MW_WORD_text, "hello /ping", 0, 0, 0 },
        { " /ping", MW_WORD_text, " /ping", 0, 0, 0 },
        { "//ping", MW_WORD_text, "/ping", 0, 0, 0 },
        { "//", MW_WORD_text, "/", 0, 0, 0 },
        { "/ping", MW_WORD_ping, "", 0, 0, 0 },
        { "/ping  a b", MW_WORD_ping, "a b", 0, 0, 0 },
        { "/close", MW_WORD_close, "", 0, 0, 0 },
        { "/close 4001", MW_WORD_close, "", 4001, 0, 0 },
        { "/close 4001 bye to all", MW_WORD_close, "bye to all", 4001, 0, 0 },
        { "/json {\"a\": 1}", MW_WORD_json, "{\"a\": 1}", 0, 0, 0 },
        { "/hex 0a0B ff", MW_WORD_hex, "0a0B ff", 0, 0, 0 },
        { "/hex", MW_WORD_hex, "", 0, 0, 0 },
        { "/file a b.txt", MW_WORD_file, "a b.txt", 0, 0, 0 },
        { "/wait 3", MW_WORD_wait, "3", 0, 3, 0 },
        { "/wait 3s", MW_WORD_wait, "3s", 0, 0, 3000 },
        { "/wait 500ms ", MW_WORD_wait, "500ms ", 0, 0, 500 },
        { "/wait 2min", MW_WORD_wait, "2min", 0, 0, 120000 },
        { "/repeat 3 tick tock", MW_WORD_repeat, "tick tock", 0, 3, 0 },
        { "/repeat 3 every 20 tick", MW_WORD_repeat, "tick", 0, 3, 20 },
        { "/repeat 3 every 2s tick", MW_WORD_repeat, "tick", 0, 3, 2000 },
        { "/repeat 3 everyone", MW_WORD_repeat, "everyone", 0, 3, 0 },
        { "/stats", MW_WORD_stats, "", 0, 0, 0 },
        { "/help", MW_WORD_help, "", 0, 0, 0 },
        { "/quit", MW_WORD_quit, "", 0, 0, 0 },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_words_line out;
        char why[256];
        assert_int_equal(mw_words_line_read(mw_view_text(rows[i].line), true, &out, why), MW_OK);
        assert_int_equal(out.word, rows[i].word);
        assert_view(out.text, rows[i].text);
        assert_int_equal(out.code, rows[i].code);
        assert_int_equal(out.count, rows[i].count);
        assert_int_equal(out.span_ms, rows[i].span_ms);
    }
}

TEST(without_commands_each_line_is_a_text)
{
    struct mw_words_line out;
    char why[256];
    assert_int_equal(mw_words_line_read(mw_view_text("//etc"), false, &out, why), MW_OK);
    assert_int_equal(out.word, MW_WORD_text);
    assert_view(out.text, "//etc");
}

TEST(what_is_wrong_is_told_with_what_to_type)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        { "/", "there is no command /" },
        { "/pin", "did you mean /ping; as a text: //pin" },
        { "/etc/passwd", "there is no command /etc/passwd; see /help; as a text: //etc/passwd" },
        { "/close bye", "a code is a number" },
        { "/close -1", "a code is a number" },
        { "/close 65536", "a code is a number" },
        { "/hex 0", "a byte is two digits" },
        { "/hex 0 a", "a byte is two digits" },
        { "/hex 0x", "digits 0-9" },
        { "/json", "what is to be sent" },
        { "/file", "which one" },
        { "/wait", "three messages" },
        { "/wait 0", "three messages" },
        { "/wait 3 s", "three messages" },
        { "/wait s", "three messages" },
        { "/repeat tick", "how often" },
        { "/repeat 0 tick", "how often" },
        { "/repeat 2 every x tick", "milliseconds" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_words_line out;
        char why[256];
        assert_int_equal(mw_words_line_read(mw_view_text(rows[i].line), true, &out, why),
                         MW_ERR_BAD_ARG);
        assert_non_null(strstr(why, rows[i].why));
    }
}

TEST(a_ping_that_is_too_long_is_refused)
{
    struct mw_words_line out;
    char why[256], line[6 + 126];
    memset(line, 'x', sizeof line);
    memcpy(line, "/ping ", 6);
    assert_int_equal(mw_words_line_read(mw_view(line, sizeof line), true, &out, why),
                     MW_ERR_BAD_ARG);
    assert_int_equal(mw_words_line_read(mw_view(line, sizeof line - 1), true, &out, why), MW_OK);
}

TEST(a_huge_line_that_is_wrong_is_told_of_in_short)
{
    static char line[100000];
    struct mw_words_line out;
    char why[256];
    memset(line, 'y', sizeof line);
    line[0] = '/';
    assert_int_equal(mw_words_line_read(mw_view(line, sizeof line), true, &out, why),
                     MW_ERR_BAD_ARG);
    assert_true(strlen(why) < 200);
}

static bool hex_is_read(struct mw_mem *mem)
{
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    bool got = !mw_words_hex(&out, mw_view_text("0a0B ff 00"));
    if (got) {
        assert_int_equal(out.len, 4);
        assert_memory_equal(out.data, "\x0a\x0b\xff\x00", 4);
    }
    mw_buf_free(&out);
    return got;
}

TEST(digits_become_bytes)
{
    assert_true(fail_each_allocation(hex_is_read) > 0);
}

TEST(help_names_every_command_once)
{
    const char *row[3];
    struct mw_words_line out;
    char why[256];
    size_t n = 0;
    while (mw_words_help(n, row)) {
        int err = mw_words_line_read(mw_view_text(row[0]), true, &out, why);
        bool is_known = !err || !strstr(why, "there is no command");
        assert_true(is_known);
        assert_true(*row[2]);
        n++;
    }
    assert_int_equal(n, MW_WORD_quit);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_line_is_a_text_or_a_command),
        CASE(without_commands_each_line_is_a_text),
        CASE(what_is_wrong_is_told_with_what_to_type),
        CASE(a_ping_that_is_too_long_is_refused),
        CASE(a_huge_line_that_is_wrong_is_told_of_in_short),
        CASE(digits_become_bytes),
        CASE(help_names_every_command_once),
    };
    return RUN(cases);
}
