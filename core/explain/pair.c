/*
 * A pair of codes: its facts side by side, and then what somebody wrote about it, or what follows
 * from the two rows. Called by explain.
 */
#include "core/explain/pair.h"

#include <stdio.h>

#include "core/base/utf8.h"

/* How many of a code's likely causes a composed pair repeats. */
#define WHEN_LINES 2

struct pair {
    struct mw_doc *doc;
    const struct mw_fact_code *one, *two;
    struct mw_close_policy policies[2];
    char numbers[2][8]; /* of the codes */
};

/* ---- written by hand ---- */

static void put_list(struct mw_doc *doc, const struct mw_words *words, enum mw_words_list list)
{
    for (size_t i = 0; i < mw_words_count(words, list); i++)
        mw_doc_line(doc, MW_DOC_LINE, 0, mw_words_line(words, list, i));
}

static void put_written(struct mw_doc *doc, const struct mw_words *words)
{
    mw_doc_heading(doc, MW_LABEL_DIFFERENCES, "differences");
    put_list(doc, words, MW_WORDS_DIFFERENCES);
    mw_doc_heading(doc, MW_LABEL_WHEN, "when");
    put_list(doc, words, MW_WORDS_WHEN);
    mw_doc_heading(doc, MW_LABEL_WHICH, "which");
    put_list(doc, words, MW_WORDS_FIX);
}

/* ---- composed ---- */

#define LINE(pair, label, ...) put_line((pair)->doc, label, (const char *const[]){ __VA_ARGS__, 0 })

static void put_line(struct mw_doc *doc, enum mw_label label, const char *const *values)
{
    mw_doc_item(doc, MW_DOC_LINE, 0);
    mw_doc_fill(doc, label, values);
}

static bool is_on_wire(const struct mw_fact_code *code)
{
    return code->row->sender != MW_CLOSE_BY_NOBODY;
}

static const char *sender(const struct pair *pair, const struct mw_fact_code *code)
{
    return mw_label(pair->doc->lang, mw_fact_sender(code->row)).text;
}

static void put_wire(const struct pair *pair)
{
    const char *one = pair->numbers[0], *two = pair->numbers[1];
    bool has_one = is_on_wire(pair->one), has_two = is_on_wire(pair->two);
    if (!has_one && !has_two)
        LINE(pair, MW_LABEL_DIFF_NO_WIRE, one, two);
    else if (!has_one || !has_two)
        LINE(pair, MW_LABEL_DIFF_WIRE, has_one ? one : two, has_one ? two : one);
    else if (pair->one->row->sender != pair->two->row->sender)
        LINE(pair, MW_LABEL_DIFF_SENDER, one, sender(pair, pair->one), two,
             sender(pair, pair->two));
}

static void put_delays(const struct pair *pair)
{
    const struct mw_close_policy *one = &pair->policies[0], *two = &pair->policies[1];
    char times[4][MW_FACT_SECONDS_MAX];
    mw_fact_seconds(one->least_ms, times[0]);
    mw_fact_seconds(one->most_ms, times[1]);
    mw_fact_seconds(two->least_ms, times[2]);
    mw_fact_seconds(two->most_ms, times[3]);
    if (one->least_ms == two->least_ms && one->most_ms == two->most_ms)
        LINE(pair, MW_LABEL_DIFF_SAME_RETURN, times[0], times[1]);
    else
        LINE(pair, MW_LABEL_DIFF_DELAY, pair->numbers[0], times[0], times[1], pair->numbers[1],
             times[2], times[3]);
}

static void put_returns(const struct pair *pair)
{
    const struct mw_close_policy *one = &pair->policies[0], *two = &pair->policies[1];
    const char *first = pair->numbers[0], *second = pair->numbers[1];
    char tries[16];
    if (!one->retry && !two->retry)
        LINE(pair, MW_LABEL_DIFF_STAY, first, second);
    else if (one->retry && two->retry)
        put_delays(pair);
    else
        LINE(pair, MW_LABEL_DIFF_RETURN, one->retry ? first : second, one->retry ? second : first);
    if (!one->retry || !two->retry)
        return;
    if (!one->tries != !two->tries) {
        snprintf(tries, sizeof tries, "%u", one->tries ? one->tries : two->tries);
        LINE(pair, MW_LABEL_DIFF_TRIES, one->tries ? first : second, tries,
             one->tries ? second : first);
    }
    if (one->resume != two->resume)
        LINE(pair, MW_LABEL_DIFF_RESUME, one->resume ? first : second,
             one->resume ? second : first);
}

/* "1001: This side is leaving ...", in the language that the words are in. */
static void put_each(const struct pair *pair, const char *number, struct mw_phrase phrase)
{
    struct mw_doc *doc = pair->doc;
    enum mw_lang wanted = doc->lang;
    doc->lang = phrase.lang;
    LINE(pair, MW_LABEL_EACH, number, phrase.text);
    doc->lang = wanted;
}

/* A script's own words, which no language changes. */
static void put_script(const struct pair *pair, const char *number, struct mw_view words)
{
    char text[256];
    struct mw_view cut = mw_utf8_cut(words, sizeof text - 1);
    snprintf(text, sizeof text, "%.*s", (int)cut.len, cut.data);
    LINE(pair, MW_LABEL_EACH, number, text);
}

static void put_meanings(const struct pair *pair, const struct mw_words words[2])
{
    const struct mw_fact_code *codes[] = { pair->one, pair->two };
    bool is_one_row = pair->one->row == pair->two->row;
    for (size_t i = 0; i < 2; i++) {
        if (codes[i]->script)
            put_script(pair, pair->numbers[i], codes[i]->script->text);
        else if (!is_one_row)
            put_each(pair, pair->numbers[i], mw_words_text(&words[i]));
    }
    if (is_one_row)
        mw_doc_line(pair->doc, MW_DOC_LINE, 0, mw_label(pair->doc->lang, MW_LABEL_DIFF_NONE));
    else
        put_wire(pair);
}

static void put_which(const struct pair *pair, const struct mw_fact_code *code, const char *number)
{
    struct mw_words words = mw_words_of_code(pair->doc->lang, code->row);
    switch (code->row->sender) {
    case MW_CLOSE_BY_NOBODY:
        LINE(pair, MW_LABEL_WHICH_NEVER, number);
        break;
    case MW_CLOSE_BY_CLIENT:
        LINE(pair, MW_LABEL_WHICH_CLIENT, number);
        break;
    case MW_CLOSE_BY_SERVER:
        LINE(pair, MW_LABEL_WHICH_SERVER, number);
        break;
    case MW_CLOSE_BY_BOTH:
        break;
    }
    if (code->script && code->script->fix.len)
        put_script(pair, number, code->script->fix);
    else if (code->script)
        put_each(pair, number, mw_label(pair->doc->lang, MW_LABEL_SCRIPT_NO_FIX));
    else
        put_each(pair, number, mw_words_line(&words, MW_WORDS_FIX, 0));
}

static void put_composed(const struct pair *pair)
{
    struct mw_doc *doc = pair->doc;
    const struct mw_fact_code *codes[] = { pair->one, pair->two };
    struct mw_words words[] = { mw_words_of_code(doc->lang, pair->one->row),
                                mw_words_of_code(doc->lang, pair->two->row) };
    mw_doc_heading(doc, MW_LABEL_DIFFERENCES, "differences");
    put_meanings(pair, words);
    put_returns(pair);
    if (pair->one->row->level != pair->two->row->level)
        LINE(pair, MW_LABEL_DIFF_LEVEL, pair->numbers[0], mw_fact_level(pair->one->row),
             pair->numbers[1], mw_fact_level(pair->two->row));
    mw_doc_heading(doc, MW_LABEL_WHEN, "when");
    for (size_t i = 0; i < 2; i++) {
        size_t count = mw_words_count(&words[i], MW_WORDS_WHEN);
        for (size_t j = 0; j < count && j < WHEN_LINES; j++)
            put_each(pair, pair->numbers[i], mw_words_line(&words[i], MW_WORDS_WHEN, j));
    }
    mw_doc_heading(doc, MW_LABEL_WHICH, "which");
    for (size_t i = 0; i < 2; i++)
        put_which(pair, codes[i], pair->numbers[i]);
}

void mw_explain_pair(struct mw_doc *doc, const struct mw_fact_code *code,
                     const struct mw_fact_code *other)
{
    struct pair pair = { .doc = doc,
                         .one = code,
                         .two = other,
                         .policies = { mw_fact_policy(code->row, code->script),
                                       mw_fact_policy(other->row, other->script) } };
    struct mw_words words;
    char title[MW_FACT_TITLE_MAX];
    snprintf(pair.numbers[0], sizeof pair.numbers[0], "%u", code->code);
    snprintf(pair.numbers[1], sizeof pair.numbers[1], "%u", other->code);
    mw_doc_item(doc, MW_DOC_TITLE, "title");
    mw_doc_putf(doc, "%u / %u", code->code, other->code);
    mw_doc_item(doc, MW_DOC_COLUMNS, "codes");
    mw_fact_title(doc->lang, code, title);
    mw_doc_put_view(doc, mw_view_text(title), doc->lang);
    mw_fact_title(doc->lang, other, title);
    mw_doc_put_view(doc, mw_view_text(title), doc->lang);
    mw_facts_of_pair(doc, code, other);
    if (mw_words_of_pair(doc->lang, code->code, other->code, &words))
        put_written(doc, &words);
    else
        put_composed(&pair);
}
