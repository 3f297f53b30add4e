/*
 * Explanations as Markdown, for docs/close-codes.md, which is what the program prints. Called by
 * the command line.
 */
#include "core/explain/render.h"

struct markdown {
    struct mw_buf *out;
    const struct mw_doc *doc;
    unsigned level;
    unsigned number;  /* of the last entry of a list */
    bool has_columns; /* the table of facts has its head */
    int err;
};

static void put(struct markdown *m, const char *text)
{
    if (!m->err)
        m->err = mw_buf_put_text(m->out, text);
}

/* In a cell of a table a bar would end it; a bracket or a star in a text would mean something. */
static void put_cell(struct markdown *m, const struct mw_doc_item *item, size_t n)
{
    if (n >= item->count)
        return;
    struct mw_view text = mw_doc_text(m->doc, &item->cells[n]);
    for (size_t i = 0; i < text.len && !m->err; i++) {
        if (strchr("|*_<>[]`\\", text.data[i]))
            put(m, "\\");
        if (!m->err)
            m->err = mw_buf_put_byte(m->out, text.data[i]);
    }
}

static void put_level(struct markdown *m, unsigned level)
{
    while (level-- > 0)
        put(m, "#");
    put(m, " ");
}

static void put_title(struct markdown *m, const struct mw_doc_item *item)
{
    put_level(m, m->level);
    put_cell(m, item, 0);
    put(m, "\n");
    if (item->count < 2)
        return;
    put(m, "\n");
    put_cell(m, item, 1);
    put(m, "\n");
}

static void put_row(struct markdown *m, const struct mw_doc_item *item, unsigned count)
{
    put(m, "|");
    for (unsigned i = 0; i < count; i++) {
        put(m, " ");
        put_cell(m, item, i);
        put(m, " |");
    }
    put(m, "\n");
}

/* A table needs a head; that of a single code is empty. */
static void put_head(struct markdown *m, const struct mw_doc_item *columns)
{
    put(m, "\n|");
    if (columns) {
        put(m, " ");
        put_row(m, columns, 2);
    } else {
        put(m, " | |\n");
    }
    put(m, columns ? "|---|---|---|\n" : "|---|---|\n");
    m->has_columns = true;
}

static void put_item(struct markdown *m, const struct mw_doc_item *item)
{
    switch (item->kind) {
    case MW_DOC_TITLE:
        put_title(m, item);
        break;
    case MW_DOC_COLUMNS:
        put_head(m, item);
        break;
    case MW_DOC_FACT:
        if (!m->has_columns)
            put_head(m, 0);
        put_row(m, item, item->count);
        break;
    case MW_DOC_HEADING:
        put(m, "\n**");
        put_cell(m, item, 0);
        put(m, "**\n");
        m->number = 0;
        break;
    case MW_DOC_TEXT:
        put(m, "\n");
        put_cell(m, item, 0);
        put(m, "\n");
        break;
    case MW_DOC_LINE:
        if (m->number++ == 0)
            put(m, "\n");
        put(m, "1. ");
        put_cell(m, item, 0);
        put(m, "\n");
        break;
    }
}

int mw_render_markdown(struct mw_buf *out, const struct mw_doc *doc, unsigned level)
{
    struct markdown m = { .out = out, .doc = doc, .level = level, .err = doc->err };
    for (size_t i = 0; !m.err && i < mw_doc_count(doc); i++)
        put_item(&m, mw_doc_at(doc, i));
    return m.err;
}
