/*
 * Explanations as JSON: numbers and names from the tables, then the sections with the language of
 * each text, so that a page can mark what fell back on English. Called by the command line and by
 * the page of explanations.
 */
#include "core/base/json.h"
#include "core/base/str.h"
#include "core/explain/facts.h"
#include "core/explain/render.h"

/* ---- from the tables ---- */

static void put_bool(struct mw_json_writer *json, const char *key, bool value)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_bool(json, value);
}

static void put_span(struct mw_json_writer *json, const char *key, uint32_t least, uint32_t most)
{
    mw_jw_key(json, mw_view_text(key));
    mw_jw_array(json);
    mw_jw_integer(json, least);
    mw_jw_integer(json, most);
    mw_jw_array_end(json);
}

static void put_policy(struct mw_json_writer *json, const struct mw_close_policy *policy)
{
    put_bool(json, "retry", policy->retry);
    put_bool(json, "resume", policy->resume);
    if (!policy->retry)
        return;
    put_span(json, "first_ms", policy->least_ms, policy->most_ms);
    mw_jw_pair_integer(json, "growth", policy->growth);
    mw_jw_pair_integer(json, "cap_ms", policy->cap_ms);
    mw_jw_pair_integer(json, "tries", policy->tries);
}

static void put_script(struct mw_json_writer *json, const struct mw_here_code *row)
{
    mw_jw_object(json);
    mw_jw_pair(json, "name", row->script);
    mw_jw_pair(json, "text", row->text);
    if (row->advice.kind != MW_ADVICE_NONE)
        put_bool(json, "retry", row->advice.kind == MW_ADVICE_RETURN);
    if (row->advice.kind == MW_ADVICE_RETURN)
        put_span(json, "wait_ms", row->advice.after_ms,
                 row->advice.after_ms + row->advice.spread_ms);
    if (row->advice.kind == MW_ADVICE_RETURN && row->advice.afresh)
        put_bool(json, "resume", false);
    if (row->fix.len)
        mw_jw_pair(json, "fix", row->fix);
    mw_jw_object_end(json);
}

/* Whose code it is, and where that was found. */
static void put_scripts(struct mw_json_writer *json, const struct mw_here *here, unsigned code)
{
    mw_jw_pair(json, "found", mw_view_text(here->folder ? "files" : "server"));
    if (here->folder)
        mw_jw_pair(json, "folder", mw_view_text(here->folder));
    mw_jw_key(json, mw_view_text("scripts"));
    mw_jw_array(json);
    for (size_t i = 0; i < here->code_count; i++) {
        if (here->codes[i].code == code)
            put_script(json, &here->codes[i]);
    }
    mw_jw_array_end(json);
}

static void put_code(struct mw_json_writer *json, const struct mw_here *here, unsigned code)
{
    static const char *const senders[] = { "both", "client", "server", "nobody" };
    const struct mw_fact_code facts = mw_fact_code(code, here);
    const struct mw_close_row *row = facts.row;
    const struct mw_close_policy policy = mw_fact_policy(&facts);
    mw_jw_pair_integer(json, "code", code);
    mw_jw_pair(json, "name", mw_view_text(row->name));
    mw_jw_pair(json, "title", mw_view_text(row->title));
    if (row->first != row->last)
        put_span(json, "range", row->first, row->last);
    mw_jw_pair(json, "sender", mw_view_text(senders[row->sender]));
    put_bool(json, "on_wire", row->sender != MW_CLOSE_BY_NOBODY);
    put_policy(json, &policy);
    mw_jw_pair(json, "log_level", mw_view_text(mw_fact_level(row)));
    if (facts.script)
        put_scripts(json, here, code);
}

static void put_cause(struct mw_json_writer *json, const struct mw_cause_row *row)
{
    mw_jw_pair(json, "cause", mw_view_text(row->name));
    mw_jw_pair(json, "who", mw_view_text(mw_who_name(row->who)));
    mw_jw_pair_integer(json, "code", row->code);
    mw_jw_pair_integer(json, "wire_code", row->wire_code);
    if (row->advice.kind == MW_ADVICE_RETURN)
        put_span(json, "advice_ms", row->advice.after_ms,
                 row->advice.after_ms + row->advice.spread_ms);
}

static void put_subject(struct mw_json_writer *json, const struct mw_subject *subject,
                        const struct mw_here *here)
{
    switch (subject->kind) {
    case MW_SUBJECT_CODE:
        put_code(json, here, subject->code);
        break;
    case MW_SUBJECT_PAIR:
        mw_jw_key(json, mw_view_text("codes"));
        mw_jw_array(json);
        for (int i = 0; i < 2; i++) {
            mw_jw_object(json);
            put_code(json, here, i ? subject->other : subject->code);
            mw_jw_object_end(json);
        }
        mw_jw_array_end(json);
        break;
    case MW_SUBJECT_CAUSE:
        put_cause(json, mw_cause_row(subject->cause));
        break;
    }
}

/* ---- from the document ---- */

static void put_text(struct mw_json_writer *json, const struct mw_doc *doc,
                     const struct mw_doc_item *item)
{
    mw_jw_object(json);
    mw_jw_pair(json, "text", mw_doc_text(doc, &item->cells[0]));
    mw_jw_pair(json, "lang", mw_view_text(mw_lang_tag(item->cells[0].lang)));
    mw_jw_object_end(json);
}

static void end_section(struct mw_json_writer *json)
{
    mw_jw_array_end(json);
    mw_jw_object_end(json);
}

static void put_sections(struct mw_json_writer *json, const struct mw_doc *doc)
{
    bool is_open = false;
    mw_jw_key(json, mw_view_text("sections"));
    mw_jw_array(json);
    for (size_t i = 0; i < mw_doc_count(doc); i++) {
        const struct mw_doc_item *item = mw_doc_at(doc, i);
        if (item->kind == MW_DOC_HEADING) {
            if (is_open)
                end_section(json);
            is_open = true;
            mw_jw_object(json);
            mw_jw_pair(json, "key", mw_view_text(item->key));
            mw_jw_key(json, mw_view_text("heading"));
            put_text(json, doc, item);
            mw_jw_key(json, mw_view_text("lines"));
            mw_jw_array(json);
        } else if (is_open) {
            put_text(json, doc, item);
        }
    }
    if (is_open)
        end_section(json);
    mw_jw_array_end(json);
}

int mw_render_json(struct mw_buf *out, const struct mw_doc *doc, const struct mw_subject *subject,
                   const struct mw_here *here)
{
    struct mw_json_writer json = { .out = out, .err = doc->err };
    mw_jw_object(&json);
    mw_jw_pair(&json, "lang", mw_view_text(mw_lang_tag(doc->lang)));
    put_subject(&json, subject, here);
    if (mw_doc_count(doc) > 0) {
        mw_jw_key(&json, mw_view_text("heading"));
        put_text(&json, doc, mw_doc_at(doc, 0));
    }
    put_sections(&json, doc);
    mw_jw_object_end(&json);
    return json.err;
}
