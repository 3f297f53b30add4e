#include "core/server/log.h"

#include <stdlib.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "tests/unit/io/folder.h"

/* A log into a file; read_back gives what was written since. */
struct diary {
    struct folder folder;
    struct mw_log log;
    int fd;
    char text[8192];
};

static void open_diary(struct diary *diary, bool json, bool colour, enum mw_log_level level)
{
    make_folder(&diary->folder);
    diary->fd = open(below(&diary->folder, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(diary->fd >= 0);
    assert_int_equal(mw_log_open(&diary->log, diary->fd, json, colour, level), MW_OK);
}

/* Ends the log: its thread has written all that it will. */
static const char *read_back(struct diary *diary)
{
    mw_log_close(&diary->log);
    ssize_t n = pread(diary->fd, diary->text, sizeof diary->text - 1, 0);
    assert_true(n >= 0);
    diary->text[n] = '\0';
    return diary->text;
}

static void close_diary(struct diary *diary)
{
    close(diary->fd);
    remove_folder(&diary->folder);
}

/* Without the time that each line of a terminal begins with. */
static const char *behind_time(const char *line)
{
    assert_true(strlen(line) > 9 && line[2] == ':' && line[5] == ':' && line[8] == ' ');
    return line + 9;
}

static const char nasty[] = "a\"b\\c\nd\te\x1b[31mf\x7f\xc2\x9bg\xff\xe2\x82h";

/* ---- JSON ---- */

struct lines {
    struct mw_mem mem;
    struct mw_json_doc *doc;
};

/* Parses the line as an object. */
static void parse(struct lines *lines, const char *text)
{
    struct mw_json_error error;
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    assert_int_equal(end[1], '\0'); /* one event, one line */
    mw_mem_init(&lines->mem, NULL, 0);
    lines->doc = mw_json_parse(&lines->mem, mw_view(text, (size_t)(end - text)), &error);
    assert_non_null(lines->doc);
    assert_int_equal(mw_json_kind(mw_json_root(lines->doc)), MW_JSON_OBJECT);
}

static const struct mw_json *value_of(const struct lines *lines, const char *key)
{
    struct mw_json_iter iter = mw_json_iter(mw_json_root(lines->doc));
    const struct mw_json *value, *found = NULL;
    struct mw_view name;
    while (mw_json_iter_next(&iter, &name, &value)) {
        if (mw_view_is(name, key)) {
            assert_null(found); /* no key twice */
            found = value;
        }
    }
    return found;
}

static void done(struct lines *lines)
{
    mw_json_doc_free(lines->doc);
    assert_mem_empty(&lines->mem);
}

TEST(a_json_line_parses_back_to_what_was_said)
{
    struct diary diary;
    struct lines lines;
    struct mw_log_line line;
    open_diary(&diary, true, false, MW_LOG_DEBUG);
    mw_log_begin(&line, &diary.log, MW_LOG_WARN, mw_view_text("some \"thing\"\n"));
    mw_log_text(&line, "text", mw_view(nasty, 15));
    mw_log_integer(&line, "integer", -7);
    mw_log_number(&line, "number", 0.5);
    mw_log_json(&line, mw_view_text("raw"), mw_view_text("[1,{\"a\":null}]"));
    mw_log_say(&line, "only for people");
    mw_log_end(&line);
    parse(&lines, read_back(&diary));
    assert_view(mw_json_string(value_of(&lines, "msg")), "some \"thing\"\n");
    assert_view(mw_json_string(value_of(&lines, "level")), "warn");
    assert_int_equal(mw_json_string(value_of(&lines, "text")).len, 15);
    assert_memory_equal(mw_json_string(value_of(&lines, "text")).data, nasty, 15);
    assert_int_equal(mw_json_integer(value_of(&lines, "integer")), -7);
    assert_true(mw_json_number(value_of(&lines, "number")) * 2 <= 1.0);
    assert_int_equal(mw_json_kind(value_of(&lines, "raw")), MW_JSON_ARRAY);
    struct mw_view ts = mw_json_string(value_of(&lines, "ts"));
    assert_int_equal(ts.len, strlen("2024-01-01T00:00:00.000Z"));
    assert_int_equal(ts.data[ts.len - 1], 'Z');
    done(&lines);
    close_diary(&diary);
}

static void write_second(char out[20], time_t seconds)
{
    struct tm tm;
    gmtime_r(&seconds, &tm);
    assert_int_equal(strftime(out, 20, "%Y-%m-%dT%H:%M:%S", &tm), 19);
}

TEST(a_json_line_says_the_second_in_which_it_was_written)
{
    struct diary diary;
    struct lines lines;
    char least[20], most[20];
    open_diary(&diary, true, false, MW_LOG_DEBUG);
    write_second(least, (time_t)(mw_clock_unix_ms() / 1000));
    mw_log_note(&diary.log, MW_LOG_INFO, "now");
    write_second(most, (time_t)(mw_clock_unix_ms() / 1000));
    parse(&lines, read_back(&diary));
    struct mw_view ts = mw_json_string(value_of(&lines, "ts"));
    assert_true(memcmp(ts.data, least, 19) >= 0 && memcmp(ts.data, most, 19) <= 0);
    assert_int_equal(ts.data[19], '.');
    done(&lines);
    close_diary(&diary);
}

TEST(what_is_not_utf8_does_not_break_a_json_line)
{
    struct diary diary;
    struct lines lines;
    struct mw_log_line line;
    open_diary(&diary, true, false, MW_LOG_DEBUG);
    mw_log_begin(&line, &diary.log, MW_LOG_INFO, mw_view_text(nasty));
    mw_log_text(&line, "text", mw_view_text(nasty));
    mw_log_end(&line);
    parse(&lines, read_back(&diary));
    assert_non_null(value_of(&lines, "text"));
    done(&lines);
    close_diary(&diary);
}

static const struct mw_fault fault = {
    .file = "chat.lua",
    .line = 12,
    .message = "attempt to index a nil value (local 'x')",
    .frame = "  12 | x.y = 1",
    .hint = "is x set in on_open?",
    .handler = "on_message",
    .samples = "chat.lua:12 3x",
    .version = 7,
    .conn = 0x0100000200000003,
};

static const struct mw_log_fault_facts facts = {
    .script = { "chat.lua", 8 },
    .route = "/chat/:room",
    .what = "script error",
    .so = "",
};

TEST(a_fault_as_json_has_all_its_parts)
{
    struct diary diary;
    struct lines lines;
    open_diary(&diary, true, false, MW_LOG_INFO);
    mw_log_fault(&diary.log, &facts, &fault);
    parse(&lines, read_back(&diary));
    assert_view(mw_json_string(value_of(&lines, "msg")), "script error");
    assert_view(mw_json_string(value_of(&lines, "script")), "chat.lua");
    assert_view(mw_json_string(value_of(&lines, "file")), "chat.lua");
    assert_int_equal(mw_json_integer(value_of(&lines, "line")), 12);
    assert_int_equal(mw_json_integer(value_of(&lines, "v")), 7);
    assert_view(mw_json_string(value_of(&lines, "error")), fault.message);
    assert_view(mw_json_string(value_of(&lines, "hint")), fault.hint);
    assert_view(mw_json_string(value_of(&lines, "handler")), "on_message");
    assert_view(mw_json_string(value_of(&lines, "route")), "/chat/:room");
    assert_view(mw_json_string(value_of(&lines, "samples")), fault.samples);
    assert_view(mw_json_string(value_of(&lines, "conn")), "100000200000003");
    assert_null(value_of(&lines, "trace"));
    done(&lines);
    close_diary(&diary);
}

/* ---- for people ---- */

TEST(a_line_for_people_is_a_message_and_fields)
{
    struct diary diary;
    struct mw_log_line line;
    open_diary(&diary, false, false, MW_LOG_INFO);
    mw_log_begin(&line, &diary.log, MW_LOG_ERROR, mw_view_text("went wrong"));
    mw_log_text(&line, "path", mw_view_text("/chat"));
    mw_log_integer(&line, "code", 1011);
    mw_log_end(&line);
    assert_string_equal(behind_time(read_back(&diary)),
                        "error went wrong  path=\"/chat\"  code=1011\n");
    close_diary(&diary);
}

TEST(what_is_said_to_people_takes_the_place_of_message_and_fields)
{
    struct diary diary;
    struct mw_log_line line;
    open_diary(&diary, false, false, MW_LOG_INFO);
    mw_log_begin(&line, &diary.log, MW_LOG_WARN, mw_view_text("technical"));
    mw_log_text(&line, "key", mw_view_text("value"));
    mw_log_say(&line, "%s, in %d words", "friendly", 3);
    mw_log_end(&line);
    assert_string_equal(behind_time(read_back(&diary)), "warn  friendly, in 3 words\n");
    close_diary(&diary);
}

TEST(colour_marks_the_level_and_ends_before_the_text)
{
    struct diary diary;
    open_diary(&diary, false, true, MW_LOG_INFO);
    mw_log_note(&diary.log, MW_LOG_ERROR, "red");
    assert_string_equal(behind_time(read_back(&diary)), "\x1b[31merror\x1b[0m red\n");
    close_diary(&diary);
}

/* What a peer or a script says must not move the cursor, colour the text or forge a line. */
TEST(control_characters_are_made_visible)
{
    struct diary diary;
    struct mw_log_line line;
    open_diary(&diary, false, false, MW_LOG_INFO);
    mw_log_begin(&line, &diary.log, MW_LOG_INFO,
                 mw_view_text("joined: \x1b[2Jeve\r\n12:00:00 error forged\x7f \xc2\x9b"
                              "31m \x9b[2m \xff \xc3\xa4 \xe2\x80\xae \xe2\x81\xa6 \xe2\x80\x94"));
    mw_log_text(&line, "name", mw_view_text("e\x1bv\ne"));
    mw_log_end(&line);
    const char *text = read_back(&diary);
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        assert_true((byte >= 0x20 && byte != 0x7f) || *c == '\n');
    }
    assert_true(mw_utf8_valid(mw_view_text(text)));
    assert_non_null(strstr(text, "\\x9b[2m \\xff")); /* 9B alone is one to those of eight bits */
    assert_null(strstr(text, "\xc2\x9b"));           /* U+009B is a CSI to some terminals */
    assert_null(strstr(text, "\xe2\x80\xae"));       /* U+202E turns what follows around */
    assert_null(strstr(text, "\xe2\x81\xa6"));
    assert_non_null(strstr(text, "\xc3\xa4"));
    assert_non_null(strstr(text, "\xe2\x80\x94")); /* a dash is a dash */
    for (const char *at = text; (at = strchr(at, '\n')) && at[1]; at++)
        assert_true(at[1] == ' '); /* no line but the first begins like one */
    close_diary(&diary);
}

TEST(a_fault_for_people_names_the_place_the_line_and_the_hint)
{
    struct diary diary;
    open_diary(&diary, false, false, MW_LOG_INFO);
    mw_log_fault(&diary.log, &facts, &fault);
    const char *text = behind_time(read_back(&diary));
    static const char *const parts[] = {
        "error chat.lua v7  script error in on_message, conn 100000200000003, /chat/:room\n",
        "\n  chat.lua:12: attempt to index a nil value (local 'x')\n",
        "\n  12 | x.y = 1\n",
        "\n  hint: is x set in on_open?",
        "\n  time went to chat.lua:12 3x",
    };
    for (size_t i = 0; i < MW_COUNT(parts); i++)
        assert_non_null(strstr(text, parts[i]));
    close_diary(&diary);
}

/* ---- levels ---- */

TEST(a_captured_line_is_the_logs_without_what_the_asker_knows)
{
    struct mw_mem mem;
    struct mw_buf lines;
    struct mw_log log;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&lines, &mem, 0);
    mw_log_capture(&log, false, &lines);
    mw_log_fault(&log, &facts, &fault);
    mw_log_note(&log, MW_LOG_DEBUG, "a\x1b[31mnote");
    const char *text = mw_buf_cstr(&lines);
    assert_ptr_equal(strstr(text, "chat.lua"), text);
    assert_non_null(strstr(text, "\na\\x1b[31mnote\n"));
    mw_buf_free(&lines);
    mw_log_capture(&log, true, &lines);
    mw_log_note(&log, MW_LOG_INFO, "note");
    assert_non_null(strstr(mw_buf_cstr(&lines), "\"level\":\"info\",\"msg\":\"note\"}\n"));
    mw_buf_free(&lines);
    assert_mem_empty(&mem);
}

TEST(below_its_level_a_log_writes_nothing)
{
    for (int json = 0; json < 2; json++) {
        struct diary diary;
        open_diary(&diary, json, false, MW_LOG_WARN);
        mw_log_note(&diary.log, MW_LOG_DEBUG, "no");
        mw_log_note(&diary.log, MW_LOG_INFO, "no");
        mw_log_note(&diary.log, MW_LOG_WARN, "yes");
        const char *text = read_back(&diary);
        assert_null(strstr(text, "no"));
        assert_non_null(strstr(text, "yes"));
        close_diary(&diary);
    }
}

TEST(the_text_of_an_id_reads_back)
{
    static const mw_id ids[] = { 1, 0x100000000000003, UINT64_MAX };
    static const char *const none[] = { "", "0", "xyz", "12 ", "-1", "0x1", "11111111111111111" };
    mw_id id;
    for (size_t i = 0; i < MW_COUNT(ids); i++) {
        char text[17];
        mw_id_text(ids[i], text);
        assert_true(mw_id_read(mw_view_text(text), &id));
        assert_int_equal(id, ids[i]);
    }
    assert_true(mw_id_read(mw_view_text("AbC"), &id) && id == 0xabc);
    for (size_t i = 0; i < MW_COUNT(none); i++)
        assert_false(mw_id_read(mw_view_text(none[i]), &id));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_json_line_parses_back_to_what_was_said),
        CASE(a_json_line_says_the_second_in_which_it_was_written),
        CASE(what_is_not_utf8_does_not_break_a_json_line),
        CASE(a_fault_as_json_has_all_its_parts),
        CASE(a_line_for_people_is_a_message_and_fields),
        CASE(what_is_said_to_people_takes_the_place_of_message_and_fields),
        CASE(colour_marks_the_level_and_ends_before_the_text),
        CASE(control_characters_are_made_visible),
        CASE(a_fault_for_people_names_the_place_the_line_and_the_hint),
        CASE(a_captured_line_is_the_logs_without_what_the_asker_knows),
        CASE(below_its_level_a_log_writes_nothing),
        CASE(the_text_of_an_id_reads_back),
    };
    return RUN(cases);
}
