#include "core/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "core/base/utf8.h"
#include "tests/unit/unit.h"

/* ---- reading ---- */

TEST(each_kind_of_value_is_read)
{
    static const struct {
        const char *text;
        enum mw_json_kind kind;
        double number;
    } rows[] = {
        { "null", MW_JSON_NULL, 0 },
        { "true", MW_JSON_BOOL, 0 },
        { " false ", MW_JSON_BOOL, 0 },
        { "0", MW_JSON_INTEGER, 0 },
        { "-7", MW_JSON_INTEGER, -7 },
        { "9223372036854775807", MW_JSON_INTEGER, 9223372036854775807.0 },
        { "-9223372036854775808", MW_JSON_INTEGER, -9223372036854775808.0 },
        { "9223372036854775808", MW_JSON_NUMBER, 9223372036854775808.0 },
        { "18446744073709551615", MW_JSON_NUMBER, 18446744073709551615.0 },
        { "123456789012345678901234567890", MW_JSON_NUMBER, 123456789012345678901234567890.0 },
        { "-9223372036854775809", MW_JSON_NUMBER, -9223372036854775808.0 },
        { "1.0", MW_JSON_NUMBER, 1 },
        { "-0.0", MW_JSON_NUMBER, 0 },
        { "1e3", MW_JSON_NUMBER, 1000 },
        { "0.1", MW_JSON_NUMBER, 0.1 },
        { "\"\"", MW_JSON_STRING, 0 },
        { "[]", MW_JSON_ARRAY, 0 },
        { "{}", MW_JSON_OBJECT, 0 },
    };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct mw_json_error error;
        struct mw_json_doc *doc = mw_json_parse(&mem, mw_view_text(rows[i].text), &error);
        assert_non_null(doc);
        const struct mw_json *root = mw_json_root(doc);
        assert_int_equal(mw_json_kind(root), rows[i].kind);
        assert_true(mw_json_number(root) == rows[i].number);
        assert_int_equal(mw_json_bool(root), i == 1);
        int64_t integer = rows[i].kind == MW_JSON_INTEGER ? strtoll(rows[i].text, NULL, 10) : 0;
        assert_true(mw_json_integer(root) == integer);
        assert_int_equal(mw_json_count(root), 0);
        mw_json_doc_free(doc);
    }
    mw_json_doc_free(NULL);
    assert_mem_empty(&mem);
}

TEST(strings_are_unescaped_and_may_hold_a_nul)
{
    struct mw_mem mem;
    struct mw_json_error error;
    mw_mem_init(&mem, NULL, 0);
    struct mw_view text = mw_view_text("\"a\\u0000b\\n\\ud83d\\ude00\\/\"");
    struct mw_json_doc *doc = mw_json_parse(&mem, text, &error);
    struct mw_view string = mw_json_string(mw_json_root(doc));
    assert_int_equal(string.len, 9);
    assert_memory_equal(string.data, "a\0b\n\xF0\x9F\x98\x80/", 9);
    mw_json_doc_free(doc);
    assert_mem_empty(&mem);
}

TEST(containers_are_walked_in_order)
{
    struct mw_mem mem;
    struct mw_json_error error;
    mw_mem_init(&mem, NULL, 0);
    struct mw_view text = mw_view_text("{\"b\":[1,[2,{}],3],\"a\":{\"x\":null},\"b\":\"\"}");
    struct mw_json_doc *doc = mw_json_parse(&mem, text, &error);
    struct mw_json_iter outer = mw_json_iter(mw_json_root(doc)), inner;
    const struct mw_json *value;
    struct mw_view key;
    assert_int_equal(mw_json_count(mw_json_root(doc)), 3);
    assert_true(mw_json_iter_next(&outer, &key, &value));
    assert_view(key, "b");
    inner = mw_json_iter(value);
    for (int64_t n = 1; mw_json_iter_next(&inner, &key, &value); n++) {
        if (n == 2)
            assert_int_equal(mw_json_count(value), 2);
        else
            assert_int_equal(mw_json_integer(value), n);
    }
    assert_true(mw_json_iter_next(&outer, &key, &value));
    assert_view(key, "a");
    assert_int_equal(mw_json_kind(value), MW_JSON_OBJECT);
    assert_true(mw_json_iter_next(&outer, &key, &value));
    assert_view(key, "b");
    assert_view(mw_json_string(value), "");
    inner = mw_json_iter(value); /* not a container: nothing in it */
    assert_false(mw_json_iter_next(&inner, &key, &value));
    assert_false(mw_json_iter_next(&outer, &key, &value));
    assert_false(mw_json_iter_next(&outer, &key, &value));
    mw_json_doc_free(doc);
    assert_mem_empty(&mem);
}

TEST(what_is_not_json_is_refused_with_place_and_reason)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[1] x",
        "// x\n1",
        "NaN",
        "Infinity",
        "01",
        "+1",
        ".5",
        "'a'",
        "\"a\nb\"",
        "\"\xFF\"",
        "\"\\x\"",
        "\"\xED\xA0\x80\"",
        "\"\\ud800\"",
        "1e999",
        "[",
        "{\"a\"}",
        "\xEF\xBB\xBF 1",
    };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        struct mw_json_error error = { .at = 999 };
        if (mw_json_parse(&mem, mw_view_text(texts[i]), &error))
            fail_msg("%s was accepted", texts[i]);
        assert_non_null(error.text);
        assert_true(error.at <= strlen(texts[i]));
    }
    struct mw_json_error error;
    assert_null(mw_json_parse(&mem, mw_view(NULL, 0), &error));
    assert_null(mw_json_parse(&mem, mw_view("1\0", 2), &error));
    assert_null(mw_json_parse(&mem, mw_view_text("[1,2,x]"), &error));
    assert_int_equal(error.at, 5);
    assert_mem_empty(&mem);
}

TEST(a_million_brackets_do_not_use_up_the_stack)
{
    struct mw_mem mem;
    struct mw_buf text;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    for (int i = 0; i < 1000000; i++)
        mw_buf_put_byte(&text, '[');
    struct mw_json_error error;
    assert_null(mw_json_parse(&mem, mw_buf_view(&text), &error));
    for (int i = 0; i < 1000000; i++)
        mw_buf_put_byte(&text, ']');
    struct mw_json_doc *doc = mw_json_parse(&mem, mw_buf_view(&text), &error);
    assert_non_null(doc);
    mw_json_doc_free(doc);
    mw_buf_free(&text);
    assert_mem_empty(&mem);
}

/* ---- writing ---- */

static void assert_written(struct mw_json_writer *w, const char *want)
{
    assert_int_equal(w->err, MW_OK);
    assert_string_equal(mw_buf_cstr(w->out), want);
    mw_buf_clear(w->out);
    *w = (struct mw_json_writer){ .out = w->out };
}

TEST(commas_and_colons_put_themselves)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    struct mw_json_writer w = { .out = &buf };
    mw_jw_object(&w);
    mw_jw_pair(&w, "name", mw_view_text("x"));
    mw_jw_pair_integer(&w, "count", -3);
    mw_jw_key(&w, mw_view_text("list"));
    mw_jw_array(&w);
    mw_jw_null(&w);
    mw_jw_bool(&w, true);
    mw_jw_array(&w);
    mw_jw_array_end(&w);
    mw_jw_object(&w);
    mw_jw_object_end(&w);
    mw_jw_number(&w, 0.5);
    mw_jw_raw(&w, mw_view_text("{\"raw\":1}"));
    mw_jw_bool(&w, false);
    mw_jw_array_end(&w);
    mw_jw_key(&w, mw_view_text("last"));
    mw_jw_integer(&w, INT64_MIN);
    mw_jw_object_end(&w);
    assert_written(&w, "{\"name\":\"x\",\"count\":-3,"
                       "\"list\":[null,true,[],{},0.5,{\"raw\":1},false],"
                       "\"last\":-9223372036854775808}");
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(strings_are_escaped_and_stay_on_one_line)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        { "", "\"\"" },
        { "plain / text", "\"plain / text\"" },
        { "\"\\", "\"\\\"\\\\\"" },
        { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
        { "a\x01z\x1F", "\"a\\u0001z\\u001f\"" },
        { "\x7F", "\"\\u007f\"" },
        { "\xC3\xA4\xF0\x9F\x98\x80", "\"\xC3\xA4\xF0\x9F\x98\x80\"" },
        { "\xE2\x80\xA8\xE2\x80\xA9", "\"\\u2028\\u2029\"" },
        { "\xC2\x9B\x31m\xC2\xA0", "\"\\u009b1m\xC2\xA0\"" }, /* CSI, and a blank */
        { "a\xE2\x80\xAE"
          "b\xE2\x81\xA6\xE2\x80\x94",
          "\"a\\u202eb\\u2066\xE2\x80\x94\"" },
        { "a\xFFz", "\"a\xEF\xBF\xBDz\"" },
        { "\xE2\x82\n", "\"\xEF\xBF\xBD\\n\"" },
        { "\xC3", "\"\xEF\xBF\xBD\"" },
        { "\xFF\xFE", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    struct mw_json_writer w = { .out = &buf };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        mw_jw_string(&w, mw_view_text(rows[i].text));
        assert_written(&w, rows[i].json);
    }
    mw_jw_string(&w, mw_view("a\0b", 3));
    assert_written(&w, "\"a\\u0000b\"");
    mw_jw_string(&w, mw_view(NULL, 0));
    assert_written(&w, "\"\"");
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(any_bytes_make_a_string_that_can_be_read)
{
    struct mw_mem mem;
    struct mw_buf buf;
    struct mw_rng rng;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    mw_rng_seed(&rng, 9);
    for (int i = 0; i < 3000; i++) {
        char text[64];
        size_t len = mw_rng_below(&rng, sizeof(text));
        uint64_t range = mw_rng_below(&rng, 2) ? 256 : 128;
        for (size_t j = 0; j < len; j++)
            text[j] = (char)mw_rng_below(&rng, range);
        struct mw_json_writer w = { .out = &buf };
        struct mw_json_error error;
        mw_buf_clear(&buf);
        mw_jw_string(&w, mw_view(text, len));
        struct mw_json_doc *doc = mw_json_parse(&mem, mw_buf_view(&buf), &error);
        assert_non_null(doc);
        struct mw_view back = mw_json_string(mw_json_root(doc));
        if (mw_utf8_valid(mw_view(text, len))) {
            assert_int_equal(back.len, len);
            assert_memory_equal(back.data, text, len);
        }
        mw_json_doc_free(doc);
    }
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(doubles_are_written_shortest)
{
    static const struct {
        double number;
        const char *json;
    } rows[] = {
        { 0, "0.0" },
        { -0.0, "-0.0" },
        { 1, "1.0" },
        { 0.1, "0.1" },
        { 1e300, "1e300" },
        { 5e-324, "5e-324" },
        { 100000, "100000.0" },
        { 1.5, "1.5" },
        { 1.0 / 3, "0.3333333333333333" },
        { 9007199254740993.0, "9007199254740992.0" },
        { 1.7976931348623157e308, "1.7976931348623157e308" },
        { -2.2250738585072014e-308, "-2.2250738585072014e-308" },
        { (double)NAN, "null" },
        { (double)INFINITY, "null" },
        { (double)-INFINITY, "null" },
    };
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    struct mw_json_writer w = { .out = &buf };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        mw_jw_number(&w, rows[i].number);
        assert_written(&w, rows[i].json);
    }
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(every_double_reads_back_the_same)
{
    struct mw_mem mem;
    struct mw_buf buf;
    struct mw_rng rng;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 0);
    mw_rng_seed(&rng, 13);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = mw_rng_next(&rng);
        double number;
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        struct mw_json_writer w = { .out = &buf };
        mw_buf_clear(&buf);
        mw_jw_number(&w, number);
        double back = strtod(mw_buf_cstr(&buf), NULL);
        assert_memory_equal(&back, &number, sizeof(number));
        assert_true(buf.len <= 32);
    }
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

TEST(the_first_failure_sticks)
{
    struct mw_mem mem;
    struct mw_buf buf;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&buf, &mem, 8);
    struct mw_json_writer w = { .out = &buf };
    mw_jw_array(&w);
    mw_jw_string(&w, mw_view_text("much too long"));
    assert_int_equal(w.err, MW_ERR_FULL);
    mw_buf_clear(&buf);
    mw_jw_array_end(&w);
    mw_jw_integer(&w, 1);
    assert_int_equal(w.err, MW_ERR_FULL);
    assert_int_equal(buf.len, 0);
    mw_buf_free(&buf);
    assert_mem_empty(&mem);
}

/* ---- failing memory ---- */

static bool parse_much(struct mw_mem *mem)
{
    char text[4096], *end = text;
    *end++ = '[';
    for (int i = 0; i < 250; i++)
        end += snprintf(end, 32, "[{\"a\":%d}],", i);
    end += snprintf(end, 4, "0]");
    struct mw_json_error error = { .text = "" };
    struct mw_json_doc *doc = mw_json_parse(mem, mw_view(text, (size_t)(end - text)), &error);
    if (doc)
        assert_int_equal(mw_json_count(mw_json_root(doc)), 251);
    else
        assert_string_equal(error.text, "out of memory");
    mw_json_doc_free(doc);
    return doc != NULL;
}

static bool write_much(struct mw_mem *mem)
{
    struct mw_buf buf;
    mw_buf_init(&buf, mem, 0);
    struct mw_json_writer w = { .out = &buf };
    mw_jw_array(&w);
    for (int i = 0; i < 100; i++) {
        mw_jw_string(&w, mw_view_text("some text\n"));
        mw_jw_number(&w, i / 7.0);
    }
    mw_jw_array_end(&w);
    assert_true(w.err == MW_OK || w.err == MW_ERR_NOMEM);
    mw_buf_free(&buf);
    return w.err == MW_OK;
}

TEST(each_failing_allocation_is_told_and_leaves_nothing)
{
    assert_true(fail_each_allocation(parse_much) >= 2);
    assert_true(fail_each_allocation(write_much) >= 5);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_kind_of_value_is_read),
        CASE(strings_are_unescaped_and_may_hold_a_nul),
        CASE(containers_are_walked_in_order),
        CASE(what_is_not_json_is_refused_with_place_and_reason),
        CASE(a_million_brackets_do_not_use_up_the_stack),
        CASE(commas_and_colons_put_themselves),
        CASE(strings_are_escaped_and_stay_on_one_line),
        CASE(any_bytes_make_a_string_that_can_be_read),
        CASE(doubles_are_written_shortest),
        CASE(every_double_reads_back_the_same),
        CASE(the_first_failure_sticks),
        CASE(each_failing_allocation_is_told_and_leaves_nothing),
    };
    return RUN(cases);
}
