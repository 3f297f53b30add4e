/*
 * A pair of codes: its facts side by side, and then what somebody wrote about it, or what follows
 * from the two rows. Called by explain.
 */
#include "core/explain/pair.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/explain/own.h"

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

static bool is_disputed(const struct mw_fact_code *code)
{
    return mw_own_is_disputed(code->here, code->code);
}

static void put_returns(const struct pair *pair)
{
    const struct mw_close_policy *one = &pair->policies[0], *two = &pair->policies[1];
    const char *first = pair->numbers[0], *second = pair->numbers[1];
    char tries[16];
    if (is_disputed(pair->one) || is_disputed(pair->two)) /* the table says who says what */
        return;
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

/* A script's own words, which no language changes; of several, with who says them. */
static void put_voice(const struct pair *pair, const struct mw_fact_code *code,
                      struct mw_view words)
{
    char text[256], label[MW_OWN_NAMES_MAX + 16], names[MW_OWN_NAMES_MAX];
    struct mw_view cut = mw_utf8_cut(words, sizeof text - 1);
    snprintf(text, sizeof text, "%.*s", (int)cut.len, cut.len ? cut.data : "");
    mw_own_names(code->here, code->code, code->script, names);
    if (mw_own_is_several(code->here, code->code))
        snprintf(label, sizeof label, "%u (%s)", code->code, names);
    else
        snprintf(label, sizeof label, "%u", code->code);
    LINE(pair, MW_LABEL_EACH, label, text);
}

static void put_own_meanings(const struct pair *pair, const struct mw_fact_code *code)
{
    struct mw_fact_code one = *code;
    for (; one.script; one.script = mw_own_next(code->here, code->code, one.script))
        put_voice(pair, &one, one.script->text);
}

static void put_own_fixes(const struct pair *pair, const struct mw_fact_code *code)
{
    struct mw_fact_code one = *code;
    struct mw_view none = mw_view_text(mw_label(pair->doc->lang, MW_LABEL_SCRIPT_NO_FIX).text);
    for (; one.script; one.script = mw_own_next(code->here, code->code, one.script))
        put_voice(pair, &one, one.script->fix.len ? one.script->fix : none);
}

static void put_meanings(const struct pair *pair, const struct mw_words words[2])
{
    const struct mw_fact_code *codes[] = { pair->one, pair->two };
    bool is_one_row = pair->one->row == pair->two->row;
    for (size_t i = 0; i < 2; i++) {
        if (codes[i]->script)
            put_own_meanings(pair, codes[i]);
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
    if (code->script)
        put_own_fixes(pair, code);
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
                         .policies = { mw_fact_policy(code), mw_fact_policy(other) } };
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
