/*
 * Explanations as a page that stands alone: one file, no script, nothing from elsewhere. All text
 * is escaped, for a script's words are anybody's. Called by the page of explanations.
 */
#include "core/explain/render.h"

struct html {
    struct mw_buf *out;
    const struct mw_doc *doc;
    bool in_table, in_list;
    int err;
};

static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";

static const char style[] =
    "<style>\n"
    "body{font:16px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2330;background:#fff}\n"
    "h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}\n"
    "nav{font-size:.9rem}nav a{margin-right:1rem}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .8rem .3rem 0;border-bottom:1px solid #d9dee7}th{font-weight:500}\n"
    "li{margin:.25rem 0}\n"
    "@media(prefers-color-scheme:dark){body{color:#e3e7ee;background:#12161d}"
    "th,td{border-color:#2c3442}a{color:#8ab4f8}}\n"
    "</style>\n";

static void put(struct html *h, const char *text)
{
    if (!h->err)
        h->err = mw_buf_put_text(h->out, text);
}

static void put_escaped(struct html *h, struct mw_view text)
{
    for (size_t i = 0; i < text.len && !h->err; i++) {
        switch (text.data[i]) {
        case '<':
            put(h, "&lt;");
            break;
        case '>':
            put(h, "&gt;");
            break;
        case '&':
            put(h, "&amp;");
            break;
        case '"':
            put(h, "&quot;");
            break;
        case '\'':
            put(h, "&#39;");
            break;
        default:
            h->err = mw_buf_put_byte(h->out, text.data[i]);
        }
    }
}

/* <tag>text</tag>, with its language where that is not the page's. */
static void put_cell(struct html *h, const char *tag, const struct mw_doc_item *item, size_t n)
{
    if (n >= item->count)
        return;
    const struct mw_doc_cell *cell = &item->cells[n];
    put(h, "<");
    put(h, tag);
    if (cell->lang != h->doc->lang) {
        put(h, " lang=\"");
        put(h, mw_lang_tag(cell->lang));
        put(h, "\"");
    }
    put(h, ">");
    put_escaped(h, mw_doc_text(h->doc, cell));
    put(h, "</");
    put(h, tag);
    put(h, ">\n");
}

static void end_blocks(struct html *h)
{
    put(h, h->in_table ? "</table>\n" : "");
    put(h, h->in_list ? "</ol>\n" : "");
    h->in_table = h->in_list = false;
}

static void begin_table(struct html *h)
{
    if (!h->in_table)
        put(h, "<table>\n");
    h->in_table = true;
}

static void put_row(struct html *h, const struct mw_doc_item *item)
{
    begin_table(h);
    put(h, "<tr>");
    if (item->kind == MW_DOC_COLUMNS)
        put(h, "<td></td>");
    for (size_t i = 0; i < item->count; i++)
        put_cell(h, i == 0 || item->kind == MW_DOC_COLUMNS ? "th" : "td", item, i);
    put(h, "</tr>\n");
}

static void put_item(struct html *h, const struct mw_doc_item *item)
{
    switch (item->kind) {
    case MW_DOC_TITLE:
        put_cell(h, "h1", item, 0);
        put_cell(h, "p", item, 1);
        break;
    case MW_DOC_COLUMNS:
    case MW_DOC_FACT:
        put_row(h, item);
        break;
    case MW_DOC_HEADING:
        end_blocks(h);
        put_cell(h, "h2", item, 0);
        break;
    case MW_DOC_TEXT:
        end_blocks(h);
        put_cell(h, "p", item, 0);
        break;
    case MW_DOC_LINE:
        put(h, h->in_list ? "" : "<ol>\n");
        h->in_list = true;
        put_cell(h, "li", item, 0);
        break;
    }
}

static void put_languages(struct html *h, struct mw_view path)
{
    put(h, "<nav>");
    for (unsigned i = 0; i < MW_LANG_COUNT; i++) {
        const char *tag = mw_lang_tag((enum mw_lang)i);
        put(h, "<a href=\"");
        put_escaped(h, path);
        put(h, "?lang=");
        put(h, tag);
        put(h, "\" lang=\"");
        put(h, tag);
        put(h, "\">");
        put(h, mw_lang_name((enum mw_lang)i));
        put(h, "</a>");
    }
    put(h, "</nav>\n");
}

int mw_render_html(struct mw_buf *out, const struct mw_doc *doc, struct mw_view path)
{
    struct html h = { .out = out, .doc = doc, .err = doc->err };
    put(&h, "<!doctype html>\n<html lang=\"");
    put(&h, mw_lang_tag(doc->lang));
    put(&h, "\">\n");
    put(&h, head);
    if (!h.err && mw_doc_count(doc) > 0)
        put_cell(&h, "title", mw_doc_at(doc, 0), 0);
    put(&h, style);
    put_languages(&h, path);
    for (size_t i = 0; !h.err && i < mw_doc_count(doc); i++)
        put_item(&h, mw_doc_at(doc, i));
    end_blocks(&h);
    put(&h, "</html>\n");
    return h.err;
}
