/* The items of an explanation and their bytes. Knows neither codes nor forms. */
#include "core/explain/doc.h"

#include "core/base/check.h"

void mw_doc_init(struct mw_doc *doc, struct mw_mem *mem, enum mw_lang lang)
{
    *doc = (struct mw_doc){ .lang = lang };
    mw_buf_init(&doc->bytes, mem, 0);
    mw_buf_init(&doc->items, mem, 0);
}

void mw_doc_free(struct mw_doc *doc)
{
    mw_buf_free(&doc->bytes);
    mw_buf_free(&doc->items);
}

/* ---- filling ---- */

void mw_doc_item(struct mw_doc *doc, enum mw_doc_kind kind, const char *key)
{
    struct mw_doc_item item = { .kind = kind, .key = key };
    if (!doc->err)
        doc->err = mw_buf_put(&doc->items, &item, sizeof item);
}

/* What was put behind `at` is the next cell of the last item. */
static void end_cell(struct mw_doc *doc, size_t at, enum mw_lang lang)
{
    if (doc->err || doc->is_open)
        return;
    size_t count = mw_doc_count(doc);
    struct mw_doc_item *item = (struct mw_doc_item *)(void *)doc->items.data + (count - 1);
    mw_assert(item->count < MW_DOC_CELLS);
    item->cells[item->count++] = (struct mw_doc_cell){ at, doc->bytes.len - at, lang };
}

void mw_doc_put_view(struct mw_doc *doc, struct mw_view text, enum mw_lang lang)
{
    size_t at = doc->bytes.len;
    if (!doc->err)
        doc->err = mw_buf_put_view(&doc->bytes, text);
    end_cell(doc, at, lang);
}

void mw_doc_put(struct mw_doc *doc, struct mw_phrase phrase)
{
    mw_doc_put_view(doc, mw_view_text(phrase.text), phrase.lang);
}

void mw_doc_label(struct mw_doc *doc, enum mw_label label)
{
    mw_doc_put(doc, mw_label(doc->lang, label));
}

/* Names and numbers, which no language changes. */
void mw_doc_putf(struct mw_doc *doc, const char *format, ...)
{
    size_t at = doc->bytes.len;
    va_list args;
    va_start(args, format);
    if (!doc->err)
        doc->err = mw_buf_vputf(&doc->bytes, format, args);
    va_end(args);
    end_cell(doc, at, doc->lang);
}

/* Which of `count` values stands at this place; `count` where there is none. */
static size_t place(const char *text, size_t count)
{
    bool is_place = text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}';
    size_t n = is_place ? (size_t)(text[1] - '1') : count;
    return n < count ? n : count;
}

void mw_doc_fill(struct mw_doc *doc, enum mw_label label, const char *const *values)
{
    struct mw_phrase pattern = mw_label(doc->lang, label);
    size_t at = doc->bytes.len, count = 0;
    while (values[count])
        count++;
    for (const char *text = pattern.text; *text && !doc->err;) {
        size_t n = place(text, count);
        doc->err = n < count ? mw_buf_put_text(&doc->bytes, values[n])
                             : mw_buf_put_byte(&doc->bytes, *text);
        text += n < count ? 3 : 1;
    }
    end_cell(doc, at, pattern.lang);
}

void mw_doc_cell_begin(struct mw_doc *doc)
{
    doc->is_open = true;
    doc->open_at = doc->bytes.len;
}

void mw_doc_cell_end(struct mw_doc *doc)
{
    doc->is_open = false;
    end_cell(doc, doc->open_at, doc->lang);
}

void mw_doc_line(struct mw_doc *doc, enum mw_doc_kind kind, const char *key,
                 struct mw_phrase phrase)
{
    mw_doc_item(doc, kind, key);
    mw_doc_put(doc, phrase);
}

void mw_doc_heading(struct mw_doc *doc, enum mw_label label, const char *key)
{
    mw_doc_line(doc, MW_DOC_HEADING, key, mw_label(doc->lang, label));
}

/* ---- reading ---- */

size_t mw_doc_count(const struct mw_doc *doc)
{
    return doc->items.len / sizeof(struct mw_doc_item);
}

const struct mw_doc_item *mw_doc_at(const struct mw_doc *doc, size_t n)
{
    return (const struct mw_doc_item *)(const void *)doc->items.data + n;
}

struct mw_view mw_doc_text(const struct mw_doc *doc, const struct mw_doc_cell *cell)
{
    return mw_view(doc->bytes.data + cell->at, cell->len);
}
