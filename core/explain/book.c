/*
 * Codes, ranges, causes and pairs in the order of their tables, in each form. Called by the command
 * line; docs/close-codes.md is what it writes.
 */
#include "core/explain/book.h"

#include "core/base/check.h"
#include "core/explain/explain.h"
#include "core/proto/close_catalog.h"

static const char note[] =
    "<!-- Made by moonwire explain --all --markdown from core/proto/close_catalog.def,\n"
    "core/session/cause.def and core/explain/words_*.def. A test compares the two. -->\n\n";

/* ---- as Markdown ---- */

static int put_front(struct mw_buf *out, enum mw_lang lang)
{
    struct mw_doc doc;
    int err = mw_buf_put_text(out, note);
    mw_doc_init(&doc, out->mem, lang);
    mw_explain_overview(&doc);
    if (!err)
        err = mw_render_markdown(out, &doc, 1);
    mw_doc_free(&doc);
    return err;
}

/* Which part of the book a thing stands in. */
static enum mw_label part_of(const struct mw_subject *subject)
{
    const struct mw_close_row *row = mw_close_row(subject->code);
    switch (subject->kind) {
    case MW_SUBJECT_CAUSE:
        return MW_LABEL_PAGE_CAUSES;
    case MW_SUBJECT_PAIR:
        return MW_LABEL_PAGE_PAIRS;
    case MW_SUBJECT_CODE:
        break;
    }
    return row->first == row->last ? MW_LABEL_PAGE_CODES : MW_LABEL_PAGE_RANGES;
}

static int put_entry(struct mw_buf *out, enum mw_lang lang, const struct mw_subject *subject)
{
    /* Nobody was asked, and nothing is to be said about that in a book. */
    static const struct mw_here nothing = { 0 };
    struct mw_doc doc;
    int err = mw_buf_put_text(out, "\n");
    mw_doc_init(&doc, out->mem, lang);
    mw_explain(&doc, subject, &nothing);
    if (!err)
        err = mw_render_markdown(out, &doc, 3);
    mw_doc_free(&doc);
    return err;
}

int mw_book_markdown(struct mw_buf *out, enum mw_lang lang)
{
    static const enum mw_label parts[] = { MW_LABEL_PAGE_CODES, MW_LABEL_PAGE_RANGES,
                                           MW_LABEL_PAGE_CAUSES, MW_LABEL_PAGE_PAIRS };
    struct mw_subject subject;
    int err = put_front(out, lang);
    for (size_t part = 0; !err && part < MW_COUNT(parts); part++) {
        err = mw_buf_putf(out, "\n## %s\n", mw_label(lang, parts[part]).text);
        for (size_t i = 0; !err && mw_subject_at(i, &subject); i++) {
            if (part_of(&subject) == parts[part])
                err = put_entry(out, lang, &subject);
        }
    }
    return err;
}

/* ---- in the other forms ---- */

int mw_book_terminal(struct mw_buf *out, enum mw_lang lang, const struct mw_here *here,
                     const struct mw_terminal *terminal)
{
    struct mw_subject subject;
    int err = 0;
    for (size_t i = 0; !err && mw_subject_at(i, &subject); i++) {
        struct mw_doc doc;
        mw_doc_init(&doc, out->mem, lang);
        mw_explain(&doc, &subject, here);
        err = i ? mw_buf_put_text(out, "\n") : 0;
        if (!err)
            err = mw_render_terminal(out, &doc, terminal);
        mw_doc_free(&doc);
    }
    return err;
}

int mw_book_json(struct mw_buf *out, enum mw_lang lang, const struct mw_here *here)
{
    struct mw_subject subject;
    int err = 0;
    for (size_t i = 0; !err && mw_subject_at(i, &subject); i++) {
        struct mw_doc doc;
        mw_doc_init(&doc, out->mem, lang);
        mw_explain(&doc, &subject, here);
        err = mw_buf_put_text(out, i ? ",\n" : "[");
        if (!err)
            err = mw_render_json(out, &doc, &subject, here);
        mw_doc_free(&doc);
    }
    return err ? err : mw_buf_put_text(out, "]");
}
