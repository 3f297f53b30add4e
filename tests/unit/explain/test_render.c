/* render: rows that fit, pure ASCII, JSON with languages, pages that escape everything. */
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/explain/width.h"
#include "tests/unit/explain/told.h"

/* ---- terminal ---- */

static void assert_rows_fit(struct mw_view text, size_t cells)
{
    struct mw_view row;
    while (mw_view_split(&text, '\n', &row)) {
        if (mw_width(row) > cells)
            fail_msg("%zu cells of %zu: %.*s", mw_width(row), cells, (int)row.len, row.data);
        assert_false(row.len && row.data[row.len - 1] == ' ');
    }
}

/* Everything in every language, at this width. */
static void everything_fits(unsigned cells)
{
    struct mw_mem mem;
    struct mw_subject subject;
    const struct mw_terminal terminal = { .cells = cells };
    mw_mem_init(&mem, 0, 0);
    for (unsigned lang = 0; lang < MW_LANG_COUNT; lang++) {
        for (size_t i = 0; mw_subject_at(i, &subject); i++) {
            struct mw_doc doc;
            struct mw_buf out;
            mw_buf_init(&out, &mem, 0);
            mw_doc_init(&doc, &mem, (enum mw_lang)lang);
            mw_explain(&doc, &subject, 0);
            assert_int_equal(mw_render_terminal(&out, &doc, &terminal), 0);
            assert_rows_fit(mw_buf_view(&out), cells);
            mw_doc_free(&doc);
            mw_buf_free(&out);
        }
    }
    assert_mem_empty(&mem);
}

TEST(no_row_is_wider_than_the_terminal)
{
    static const unsigned widths[] = { 24, 41, 57, 80, 132 };
    for (size_t i = 0; i < MW_COUNT(widths); i++)
        everything_fits(widths[i]);
}

static const struct mw_here_code odd_codes[] = {
    { 4001,
      MW_VIEW("chat.lua"),
      MW_VIEW("\033[31m<b>r\xC3\xA9\xED\x95\x9C&\"'|\xFF\xC2\x9B\x07\xE2\x80\xAE"),
      MW_VIEW("go\naway"),
      { .kind = MW_ADVICE_NONE } },
};
static const struct mw_here odd = { .codes = odd_codes, .code_count = 1 };

TEST(where_there_is_no_utf8_everything_is_ascii)
{
    struct mw_subject subject;
    const struct mw_terminal terminal = { .cells = 80, .ascii = true };
    struct told told = { 0 };
    mw_mem_init(&told.mem, 0, 0);
    mw_buf_init(&told.out, &told.mem, 0);
    for (size_t i = 0; mw_subject_at(i, &subject); i++) {
        struct mw_doc doc;
        mw_doc_init(&doc, &told.mem, MW_LANG_EN);
        mw_explain(&doc, &subject, &odd);
        assert_int_equal(mw_render_terminal(&told.out, &doc, &terminal), 0);
        mw_doc_free(&doc);
    }
    assert_int_equal(told_add(&told, TOLD_TERMINAL, MW_LANG_EN, "4001", &odd, &terminal), 0);
    for (size_t i = 0; i < told.out.len; i++)
        assert_true(told.out.data[i] == '\n' ||
                    (told.out.data[i] >= ' ' && told.out.data[i] < 127));
    assert_has(mw_buf_cstr(&told.out), "4001 ?[31m<b>r???&\"'|????");
    told_free(&told);
}

TEST(a_scripts_words_bring_no_escapes_to_a_terminal)
{
    struct told told;
    const char *text = told_text(&told, TOLD_TERMINAL, "4001", &odd);
    assert_lacks(text, "\033");
    assert_lacks(text, "\xC2\x9B");
    assert_lacks(text, "\xE2\x80\xAE"); /* U+202E turns what follows around */
    assert_lacks(text, "\x07");
    assert_has(text, "ré한&");
    assert_rows_fit(mw_buf_view(&told.out), 80);
    told_free(&told);
}

TEST(headings_are_bold_where_that_is_wished)
{
    const struct mw_terminal terminal = { .cells = 80, .bold = true };
    struct told told;
    assert_lacks(told_text(&told, TOLD_TERMINAL, "1000", 0), "\033");
    assert_int_equal(told_add(&told, TOLD_TERMINAL, MW_LANG_EN, "1000", 0, &terminal), 0);
    assert_has(mw_buf_cstr(&told.out), "\033[1mDescription\033[0m");
    told_free(&told);
}

TEST(columns_stand_below_each_other)
{
    struct told told;
    const char *text = told_text(&told, TOLD_TERMINAL, "1001 1006", 0);
    assert_has(text, "\nsent on the wire        yes                          never\n");
    assert_has(text, "\nlog level               debug                        info\n");
    told_free(&told);
}

/* ---- JSON ---- */

static const struct mw_json *member(const struct mw_json *object, const char *name)
{
    struct mw_json_iter iter = mw_json_iter(object);
    const struct mw_json *value;
    struct mw_view key;
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (mw_view_is(key, name))
            return value;
    }
    fail_msg("there is no \"%s\"", name);
    return 0;
}

TEST(json_has_what_the_tables_hold_and_texts_with_their_languages)
{
    struct told told;
    struct mw_json_error error;
    (void)told_text(&told, TOLD_JSON, "1006", 0);
    struct mw_json_doc *doc = mw_json_parse(&told.mem, mw_buf_view(&told.out), &error);
    assert_non_null(doc);
    const struct mw_json *root = mw_json_root(doc);
    assert_int_equal(mw_json_integer(member(root, "code")), 1006);
    assert_view(mw_json_string(member(root, "sender")), "nobody");
    assert_false(mw_json_bool(member(root, "on_wire")));
    assert_true(mw_json_bool(member(root, "resume")));
    assert_int_equal(mw_json_integer(member(root, "cap_ms")), 30000);
    struct mw_json_iter iter = mw_json_iter(member(root, "sections"));
    const struct mw_json *section;
    struct mw_view key;
    assert_true(mw_json_iter_next(&iter, &key, &section));
    assert_view(mw_json_string(member(section, "key")), "description");
    assert_view(mw_json_string(member(member(section, "heading"), "lang")), "en");
    assert_int_equal(mw_json_count(member(section, "lines")), 1);
    mw_json_doc_free(doc);
    told_free(&told);
}

TEST(json_of_pairs_causes_and_scripts_can_be_read)
{
    static const char *const words[] = { "1001 1006", "1000 4001", "slow_consumer", "4001",
                                         "70000" };
    for (size_t i = 0; i < MW_COUNT(words); i++) {
        struct told told;
        struct mw_json_error error;
        (void)told_text(&told, TOLD_JSON, words[i], &odd);
        struct mw_json_doc *doc = mw_json_parse(&told.mem, mw_buf_view(&told.out), &error);
        assert_non_null(doc);
        mw_json_doc_free(doc);
        told_free(&told);
    }
}

/* ---- pages and docs ---- */

TEST(a_page_escapes_what_a_script_says_and_names_its_language)
{
    struct told told;
    const char *text = told_text(&told, TOLD_HTML, "4001", &odd);
    assert_has(text, "<html lang=\"en\">");
    assert_has(text, "&lt;b&gt;");
    assert_has(text, "&amp;&quot;&#39;|");
    assert_lacks(text, "<b>");
    assert_has(text, "href=\"/_moonwire/explain/x?lang=ja\" lang=\"ja\">日本語</a>");
    assert_has(text, "<h2>How to fix</h2>");
    told_free(&told);
}

TEST(markdown_escapes_what_would_end_a_cell)
{
    struct told told;
    const char *text = told_text(&told, TOLD_MARKDOWN, "4001", &odd);
    assert_has(text, "\\<b\\>");
    assert_has(text, "\\|");
    told_free(&told);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(no_row_is_wider_than_the_terminal),
        CASE(where_there_is_no_utf8_everything_is_ascii),
        CASE(a_scripts_words_bring_no_escapes_to_a_terminal),
        CASE(headings_are_bold_where_that_is_wished),
        CASE(columns_stand_below_each_other),
        CASE(json_has_what_the_tables_hold_and_texts_with_their_languages),
        CASE(json_of_pairs_causes_and_scripts_can_be_read),
        CASE(a_page_escapes_what_a_script_says_and_names_its_language),
        CASE(markdown_escapes_what_would_end_a_cell),
    };
    return RUN(cases);
}
