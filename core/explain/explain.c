/*
 * Explanations of codes and causes: title, facts, sections, in the order in which somebody asks.
 * Knows no form: terminal, JSON and pages are render's.
 */
#include "core/explain/explain.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/explain/facts.h"
#include "core/explain/own.h"
#include "core/explain/pair.h"

static void put_list(struct mw_doc *doc, const struct mw_words *words, enum mw_words_list list,
                     enum mw_label label, const char *key)
{
    mw_doc_heading(doc, label, key);
    for (size_t i = 0; i < mw_words_count(words, list); i++)
        mw_doc_line(doc, MW_DOC_LINE, 0, mw_words_line(words, list, i));
}

static void put_filled(struct mw_doc *doc, enum mw_doc_kind kind, enum mw_label label,
                       const char *const *values)
{
    mw_doc_item(doc, kind, 0);
    mw_doc_fill(doc, label, values);
}

/* ---- what the server has seen ---- */

static bool is_about(const struct mw_here_end *end, const struct mw_subject *subject)
{
    if (subject->kind == MW_SUBJECT_CAUSE)
        return mw_view_is(end->cause, mw_cause_row(subject->cause)->name);
    return end->code == subject->code;
}

static void put_end(struct mw_doc *doc, const struct mw_here_end *end)
{
    static const struct {
        const char *name;
        enum mw_label label;
    } who[] = { { "client", MW_LABEL_CLIENT }, { "server", MW_LABEL_SERVER } };
    char number[24], cause[48];
    enum mw_label label = MW_LABEL_NETWORK;
    for (size_t i = 0; i < MW_COUNT(who); i++) {
        if (mw_view_is(end->who, who[i].name))
            label = who[i].label;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)end->count);
    snprintf(cause, sizeof cause, "%.*s", (int)end->cause.len, end->cause.data);
    const char *const values[] = { number, cause, mw_label(doc->lang, label).text, 0 };
    put_filled(doc, MW_DOC_LINE, MW_LABEL_HERE_CAUSE, values);
}

/* Of a code: the cause that most of its ends had. */
static void put_likely(struct mw_doc *doc, const struct mw_subject *subject,
                       const struct mw_here *here)
{
    const struct mw_here_end *most = 0;
    char cause[48];
    for (size_t i = 0; i < here->end_count; i++) {
        if (is_about(&here->ends[i], subject) && (!most || here->ends[i].count > most->count))
            most = &here->ends[i];
    }
    if (!most || subject->kind != MW_SUBJECT_CODE)
        return;
    snprintf(cause, sizeof cause, "%.*s", (int)most->cause.len, most->cause.data);
    const char *const values[] = { cause, 0 };
    put_filled(doc, MW_DOC_TEXT, MW_LABEL_HERE_LIKELY, values);
}

static void put_here(struct mw_doc *doc, const struct mw_subject *subject,
                     const struct mw_here *here)
{
    uint64_t all = 0, count = 0;
    char number[24], percent[24];
    if (!here || !here->ends)
        return;
    for (size_t i = 0; i < here->end_count; i++) {
        all += here->ends[i].count;
        count += is_about(&here->ends[i], subject) ? here->ends[i].count : 0;
    }
    mw_doc_heading(doc, MW_LABEL_HERE, "here");
    if (!count) {
        mw_doc_line(doc, MW_DOC_TEXT, 0, mw_label(doc->lang, MW_LABEL_HERE_NONE));
        return;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)count);
    snprintf(percent, sizeof percent, "%.3g", 100.0 * (double)count / (double)all);
    const char *const values[] = { number, percent, 0 };
    put_filled(doc, MW_DOC_TEXT, MW_LABEL_HERE_COUNT, values);
    for (size_t i = 0; i < here->end_count; i++) {
        if (is_about(&here->ends[i], subject))
            put_end(doc, &here->ends[i]);
    }
    put_likely(doc, subject, here);
}

/* ---- see also ---- */

/* The nearest rows that are one code with a meaning, before and behind; else the written pairs. */
static size_t neighbours(unsigned code, unsigned out[8])
{
    unsigned one, two, before = 0, behind = 0;
    size_t count = 0;
    for (size_t i = 0; count < 8 && mw_words_pair_at(i, &one, &two); i++) {
        if (one == code || two == code)
            out[count++] = one == code ? two : one;
    }
    for (size_t i = 0; !count && mw_close_row_at(i); i++) {
        const struct mw_close_row *row = mw_close_row_at(i);
        if (row->first != row->last || row->first == code)
            continue;
        if (row->first < code)
            before = row->first;
        else if (!behind)
            behind = row->first;
    }
    if (before)
        out[count++] = before;
    if (behind)
        out[count++] = behind;
    return count;
}

static size_t write_codes(char *out, size_t size, const unsigned *codes, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count && len + 16 < size; i++)
        len += (size_t)snprintf(out + len, 16, "%s%u", i ? ", " : "", codes[i]);
    return len;
}

static void put_see_also(struct mw_doc *doc, unsigned code)
{
    unsigned codes[8 + 2];
    char text[160];
    size_t count = neighbours(code, codes);
    size_t len = write_codes(text, sizeof text, codes, count);
    if (!count)
        return;
    mw_doc_heading(doc, MW_LABEL_SEE_ALSO, "see_also");
    mw_doc_item(doc, MW_DOC_TEXT, 0);
    mw_doc_putf(doc, "%.*s; moonwire explain %u %u", (int)len, text,
                code < codes[0] ? code : codes[0], code < codes[0] ? codes[0] : code);
}

/* ---- a code ---- */

static void put_title(struct mw_doc *doc, const struct mw_fact_code *code)
{
    static const enum mw_label notes[] = { MW_LABEL_TITLE_BOTH, MW_LABEL_TITLE_CLIENT,
                                           MW_LABEL_TITLE_SERVER, MW_LABEL_TITLE_NOBODY };
    char title[MW_FACT_TITLE_MAX], names[MW_OWN_NAMES_MAX];
    const char *const values[] = { names, 0 };
    mw_fact_title(doc->lang, code, title);
    mw_own_names(code->here, code->code, 0, names);
    mw_doc_item(doc, MW_DOC_TITLE, "title");
    mw_doc_put_view(doc, mw_view_text(title), doc->lang);
    if (code->script)
        mw_doc_fill(doc, MW_LABEL_TITLE_SCRIPT, values);
    else
        mw_doc_label(doc, notes[code->row->sender]);
}

/* Which numbers share this row, for one that has no row of its own. */
static void put_range(struct mw_doc *doc, const struct mw_fact_code *code)
{
    char number[16], first[16], last[16], near[64];
    unsigned codes[8 + 2];
    snprintf(number, sizeof number, "%u", code->code);
    snprintf(first, sizeof first, "%u", code->row->first);
    snprintf(last, sizeof last, "%u", code->row->last);
    const char *const range[] = { number, first, last, 0 }, *const nearest[] = { near, 0 };
    put_filled(doc, MW_DOC_TEXT, MW_LABEL_RANGE_OF, range);
    write_codes(near, sizeof near, codes, neighbours(code->code, codes));
    put_filled(doc, MW_DOC_TEXT, MW_LABEL_NEAREST, nearest);
}

/* A text of a script in a line of ours, with who says it. */
static void put_voice(struct mw_doc *doc, const struct mw_fact_code *code, struct mw_view words,
                      enum mw_label label)
{
    char text[256], names[MW_OWN_NAMES_MAX];
    struct mw_view cut = mw_utf8_cut(words, sizeof text - 1);
    const char *const values[] = { names, text, 0 };
    snprintf(text, sizeof text, "%.*s", (int)cut.len, cut.len ? cut.data : "");
    mw_own_names(code->here, code->code, code->script, names);
    mw_doc_fill(doc, label, values);
}

static void put_voices(struct mw_doc *doc, const struct mw_fact_code *code)
{
    struct mw_fact_code one = *code;
    for (; one.script; one.script = mw_own_next(code->here, code->code, one.script)) {
        mw_doc_item(doc, MW_DOC_TEXT, 0);
        put_voice(doc, &one, one.script->text, MW_LABEL_SCRIPT_SAYS);
    }
}

/* Where one could have found it, and did not. */
static void put_unsaid(struct mw_doc *doc, const struct mw_fact_code *code)
{
    char number[16];
    const char *const values[] = { number, 0 };
    const struct mw_here *here = code->here;
    bool may_be_said = code->row->first >= 4000 && code->row->last <= 4999;
    bool was_sought = here && (here->ends || here->folder);
    snprintf(number, sizeof number, "%u", code->code);
    if (!code->script && may_be_said && (!here || was_sought))
        put_filled(doc, MW_DOC_TEXT, here ? MW_LABEL_SCRIPT_SILENT : MW_LABEL_SCRIPT_NONE, values);
}

static void put_description(struct mw_doc *doc, const struct mw_fact_code *code,
                            const struct mw_words *words)
{
    mw_doc_heading(doc, MW_LABEL_DESCRIPTION, "description");
    put_voices(doc, code);
    mw_doc_line(doc, MW_DOC_TEXT, 0, mw_words_text(words));
    if (code->row->first != code->row->last)
        put_range(doc, code);
    put_unsaid(doc, code);
}

static void put_own_fix(struct mw_doc *doc, const struct mw_fact_code *code)
{
    bool is_several = mw_own_is_several(code->here, code->code);
    mw_doc_item(doc, MW_DOC_LINE, 0);
    if (code->script->fix.len && is_several)
        put_voice(doc, code, code->script->fix, MW_LABEL_EACH);
    else if (code->script->fix.len)
        mw_doc_put_view(doc, code->script->fix, doc->lang);
    else if (is_several)
        put_voice(doc, code, mw_view_text(mw_label(doc->lang, MW_LABEL_SCRIPT_NO_FIX).text),
                  MW_LABEL_EACH);
    else
        mw_doc_label(doc, MW_LABEL_SCRIPT_NO_FIX);
}

static void put_fix(struct mw_doc *doc, const struct mw_fact_code *code,
                    const struct mw_words *words)
{
    struct mw_fact_code one = *code;
    if (!code->script) {
        put_list(doc, words, MW_WORDS_FIX, MW_LABEL_FIX, "fix");
        return;
    }
    mw_doc_heading(doc, MW_LABEL_FIX, "fix");
    for (; one.script; one.script = mw_own_next(code->here, code->code, one.script))
        put_own_fix(doc, &one);
}

static void explain_code(struct mw_doc *doc, const struct mw_subject *subject,
                         const struct mw_here *here)
{
    struct mw_fact_code code = mw_fact_code(subject->code, here);
    struct mw_words words = mw_words_of_code(doc->lang, code.row);
    put_title(doc, &code);
    mw_facts_of_code(doc, &code);
    put_description(doc, &code, &words);
    if (!code.script)
        put_list(doc, &words, MW_WORDS_WHEN, MW_LABEL_WHEN, "when");
    put_fix(doc, &code, &words);
    put_here(doc, subject, here);
    put_see_also(doc, subject->code);
}

/* ---- a cause ---- */

static void explain_cause(struct mw_doc *doc, const struct mw_subject *subject,
                          const struct mw_here *here)
{
    const struct mw_cause_row *row = mw_cause_row(subject->cause);
    struct mw_words words = mw_words_of_cause(doc->lang, subject->cause);
    static const enum mw_label who[] = { MW_LABEL_CLIENT, MW_LABEL_SERVER, MW_LABEL_NETWORK };
    const char *const by[] = { mw_label(doc->lang, who[row->who]).text, 0 };
    mw_doc_item(doc, MW_DOC_TITLE, "title");
    mw_doc_putf(doc, "%s", row->name);
    mw_doc_fill(doc, MW_LABEL_TITLE_CAUSE, by);
    mw_facts_of_cause(doc, row);
    mw_doc_heading(doc, MW_LABEL_HAPPENED, "happened");
    mw_doc_line(doc, MW_DOC_TEXT, 0, mw_words_text(&words));
    put_list(doc, &words, MW_WORDS_WHEN, MW_LABEL_REASONS, "reasons");
    put_list(doc, &words, MW_WORDS_FIX, MW_LABEL_FIX, "fix");
    put_here(doc, subject, here);
    mw_doc_heading(doc, MW_LABEL_SEE_ALSO, "see_also");
    mw_doc_item(doc, MW_DOC_TEXT, 0);
    mw_doc_putf(doc, "moonwire explain %u", row->code);
}

/* ---- all of it ---- */

void mw_explain(struct mw_doc *doc, const struct mw_subject *subject, const struct mw_here *here)
{
    struct mw_fact_code code = mw_fact_code(subject->code, here);
    struct mw_fact_code other = mw_fact_code(subject->other, here);
    switch (subject->kind) {
    case MW_SUBJECT_CODE:
        explain_code(doc, subject, here);
        break;
    case MW_SUBJECT_PAIR:
        mw_explain_pair(doc, &code, &other);
        break;
    case MW_SUBJECT_CAUSE:
        explain_cause(doc, subject, here);
        break;
    }
}

void mw_explain_overview(struct mw_doc *doc)
{
    char title[MW_FACT_TITLE_MAX];
    mw_doc_item(doc, MW_DOC_TITLE, "title");
    mw_doc_label(doc, MW_LABEL_PAGE_TITLE);
    mw_doc_label(doc, MW_LABEL_ADVICE_WINS);
    for (size_t i = 0; mw_close_row_at(i); i++) {
        const struct mw_close_row *row = mw_close_row_at(i);
        struct mw_fact_code code = mw_fact_code(row->first, 0);
        mw_doc_item(doc, MW_DOC_FACT, row->key);
        mw_fact_title(doc->lang, &code, title);
        if (row->first == row->last)
            mw_doc_put_view(doc, mw_view_text(title), doc->lang);
        else
            mw_doc_putf(doc, "%u-%u%s", row->first, row->last, strchr(title, ' '));
        mw_fact_put_retry(doc, &row->policy);
    }
}
