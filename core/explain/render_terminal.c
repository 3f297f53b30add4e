/*
 * Explanations for a terminal: headings and labels in a column of their own, padded by cells and
 * not by bytes, texts wrapped beside them; below each other where there is too little room. Called
 * by the command line.
 */
#include "core/base/hidden.h"
#include "core/explain/render.h"
#include "core/explain/wrap.h"

#define LEAST_CELLS 24
/* Between two columns. */
#define GAP 2
/* A column of labels wider than this part of the row leaves too little beside it. */
#define LABEL_SHARE 1 / 2

struct terminal {
    struct mw_buf *out;
    const struct mw_doc *doc;
    const struct mw_terminal *wish;
    size_t cells, label_cells;         /* label_cells 0: labels stand above their texts */
    const struct mw_doc_item *heading; /* of the section, until its first row is written */
    unsigned number;                   /* of the last entry of its list */
    bool has_facts;                    /* the row before is of the table of facts */
    int err;
};

/* ---- bytes ---- */

static void put(struct terminal *t, struct mw_view text)
{
    if (!t->err)
        t->err = mw_buf_put_view(t->out, text);
}

static void put_blanks(struct terminal *t, size_t count)
{
    while (count-- > 0)
        put(t, mw_view(" ", 1));
}

static bool is_shown(const struct mw_glyph *glyph, bool ascii)
{
    return !mw_hidden_point(glyph->first) && glyph->first != 0xFFFD &&
           (!ascii || glyph->first < 0x7F);
}

/* What a script wrote may hold anything: no escapes get through, and no bytes that are no text. */
static void put_text(struct terminal *t, struct mw_view text)
{
    struct mw_glyph glyph;
    while (mw_glyph_next(&text, &glyph)) {
        if (is_shown(&glyph, t->wish->ascii))
            put(t, glyph.bytes);
        else
            put(t, mw_view("??", glyph.cells));
    }
}

static void put_bold(struct terminal *t, struct mw_view text)
{
    if (t->wish->bold)
        put(t, mw_view_text("\033[1m"));
    put_text(t, text);
    if (t->wish->bold)
        put(t, mw_view_text("\033[0m"));
}

static void end_row(struct terminal *t)
{
    put(t, mw_view("\n", 1));
}

static struct mw_view cell(const struct terminal *t, const struct mw_doc_item *item, size_t n)
{
    return n < item->count ? mw_doc_text(t->doc, &item->cells[n]) : mw_view(0, 0);
}

/* ---- rows ---- */

/* Rows of text that begin in this column; the first one's indent has been written. */
static void put_wrapped(struct terminal *t, struct mw_view text, size_t indent)
{
    struct mw_view row;
    for (bool is_first = true; mw_wrap_next(&text, t->cells - indent, &row); is_first = false) {
        if (!is_first)
            put_blanks(t, indent);
        put_text(t, row);
        end_row(t);
    }
}

/* A label in its column, or above; gives where its text begins. */
static size_t put_label(struct terminal *t, struct mw_view label, bool is_bold)
{
    if (t->label_cells) {
        if (is_bold)
            put_bold(t, label);
        else
            put_text(t, label);
        put_blanks(t, t->label_cells + GAP - mw_width(label));
        return t->label_cells + GAP;
    }
    struct mw_view row;
    while (mw_wrap_next(&label, t->cells, &row)) {
        if (is_bold)
            put_bold(t, row);
        else
            put_text(t, row);
        end_row(t);
    }
    put_blanks(t, GAP);
    return GAP;
}

/* The label of a row in a section: its heading the first time, then nothing. */
static size_t put_margin(struct terminal *t)
{
    size_t indent = t->label_cells ? t->label_cells + GAP : GAP;
    if (t->heading)
        indent = put_label(t, cell(t, t->heading, 0), true);
    else
        put_blanks(t, indent);
    t->heading = 0;
    return indent;
}

static void put_paragraph(struct terminal *t, const struct mw_doc_item *item)
{
    put_wrapped(t, cell(t, item, 0), put_margin(t));
}

static void put_entry(struct terminal *t, const struct mw_doc_item *item)
{
    static const char digits[] = "123456789";
    size_t indent = put_margin(t);
    if (t->number < sizeof digits - 1)
        put(t, mw_view(digits + t->number++, 1));
    else
        put(t, mw_view("-", 1));
    put_blanks(t, 1);
    put_wrapped(t, cell(t, item, 0), indent + 2);
}

/* ---- the table of facts ---- */

/* Two texts side by side, row by row. */
static void put_two(struct terminal *t, struct mw_view one, struct mw_view two, size_t indent)
{
    size_t cells = (t->cells - indent - GAP) / 2;
    struct mw_view left, right;
    bool has_left = mw_wrap_next(&one, cells, &left), has_right = mw_wrap_next(&two, cells, &right);
    for (bool is_first = true; has_left || has_right; is_first = false) {
        if (!is_first)
            put_blanks(t, indent);
        if (has_left)
            put_text(t, left);
        if (has_right) {
            put_blanks(t, cells + GAP - (has_left ? mw_width(left) : 0));
            put_text(t, right);
        }
        end_row(t);
        has_left = mw_wrap_next(&one, cells, &left);
        has_right = mw_wrap_next(&two, cells, &right);
    }
}

static void put_fact(struct terminal *t, const struct mw_doc_item *item)
{
    size_t indent = put_label(t, cell(t, item, 0), false);
    if (item->count == 3)
        put_two(t, cell(t, item, 1), cell(t, item, 2), indent);
    else
        put_wrapped(t, cell(t, item, 1), indent);
}

static void put_columns(struct terminal *t, const struct mw_doc_item *item)
{
    size_t indent = t->label_cells ? t->label_cells + GAP : GAP;
    put_blanks(t, indent);
    put_two(t, cell(t, item, 0), cell(t, item, 1), indent);
}

/* ---- the whole ---- */

/* The note at the right end of the title's row, or below it. */
static void put_title(struct terminal *t, const struct mw_doc_item *item)
{
    struct mw_view title = cell(t, item, 0), note = cell(t, item, 1), row;
    size_t used = mw_width(title) + mw_width(note);
    bool is_one_row = note.len && used + GAP <= t->cells;
    if (is_one_row) {
        put_bold(t, title);
        put_blanks(t, t->cells - used);
        put_text(t, note);
        end_row(t);
        return;
    }
    while (mw_wrap_next(&title, t->cells, &row)) {
        put_bold(t, row);
        end_row(t);
    }
    put_wrapped(t, note, 0);
}

static void put_item(struct terminal *t, const struct mw_doc_item *item)
{
    switch (item->kind) {
    case MW_DOC_TITLE:
        put_title(t, item);
        break;
    case MW_DOC_COLUMNS:
        put_columns(t, item);
        break;
    case MW_DOC_FACT:
        t->has_facts = true;
        put_fact(t, item);
        break;
    case MW_DOC_HEADING:
        if (t->has_facts) /* a blank row between the table and what is told */
            end_row(t);
        t->has_facts = false;
        t->heading = item;
        t->number = 0;
        break;
    case MW_DOC_TEXT:
        put_paragraph(t, item);
        break;
    case MW_DOC_LINE:
        put_entry(t, item);
        break;
    }
}

/* As wide as the widest label, unless that is too wide. */
static size_t column_of_labels(const struct terminal *t)
{
    size_t widest = 0;
    for (size_t i = 0; i < mw_doc_count(t->doc); i++) {
        const struct mw_doc_item *item = mw_doc_at(t->doc, i);
        size_t cells = mw_width(cell(t, item, 0));
        if ((item->kind == MW_DOC_FACT || item->kind == MW_DOC_HEADING) && cells > widest)
            widest = cells;
    }
    return widest > t->cells * LABEL_SHARE ? 0 : widest;
}

int mw_render_terminal(struct mw_buf *out, const struct mw_doc *doc,
                       const struct mw_terminal *terminal)
{
    struct terminal t = { .out = out, .doc = doc, .wish = terminal, .err = doc->err };
    t.cells = terminal->cells < LEAST_CELLS ? LEAST_CELLS : terminal->cells;
    if (t.err)
        return t.err;
    t.label_cells = column_of_labels(&t);
    for (size_t i = 0; i < mw_doc_count(doc); i++)
        put_item(&t, mw_doc_at(doc, i));
    return t.err;
}
