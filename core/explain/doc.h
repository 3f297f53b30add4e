/*
 * An explanation before it has a form: a title, facts and sections as a row of items, each with
 * texts and the language of each. explain.h fills it, render.h writes it.
 */
#ifndef MW_EXPLAIN_DOC_H
#define MW_EXPLAIN_DOC_H

#include "core/base/buf.h"
#include "core/explain/words.h"

enum mw_doc_kind {
    MW_DOC_TITLE,   /* cells: title, and perhaps a note beside it */
    MW_DOC_COLUMNS, /* cells: what the two columns of facts are about */
    MW_DOC_FACT,    /* cells: label, value, and in a pair the other one's value */
    MW_DOC_HEADING, /* cell: begins a section */
    MW_DOC_TEXT,    /* cell: a paragraph of the section */
    MW_DOC_LINE,    /* cell: an entry of the section's list */
};

#define MW_DOC_CELLS 3

struct mw_doc_cell {
    size_t at, len; /* in bytes */
    enum mw_lang lang;
};

struct mw_doc_item {
    enum mw_doc_kind kind;
    const char *key; /* "when": in JSON and HTML. Static */
    unsigned count;
    struct mw_doc_cell cells[MW_DOC_CELLS];
};

struct mw_doc {
    enum mw_lang lang; /* the wanted one */
    int err;           /* the first failure sticks; later calls do nothing */
    struct mw_buf bytes, items;
    bool is_open;   /* private: a cell takes more than one text */
    size_t open_at; /* private: where it begins */
};

void mw_doc_init(struct mw_doc *doc, struct mw_mem *mem, enum mw_lang lang);
void mw_doc_free(struct mw_doc *doc);

/* Begins an item; the texts that follow are its cells. */
void mw_doc_item(struct mw_doc *doc, enum mw_doc_kind kind, const char *key);
void mw_doc_put(struct mw_doc *doc, struct mw_phrase phrase);
void mw_doc_put_view(struct mw_doc *doc, struct mw_view text, enum mw_lang lang);
void mw_doc_putf(struct mw_doc *doc, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mw_doc_label(struct mw_doc *doc, enum mw_label label);

/* A label whose places {1} to {9} are taken by `values`, which ends with NULL. */
void mw_doc_fill(struct mw_doc *doc, enum mw_label label, const char *const *values);

/* Between them all texts are one cell. */
void mw_doc_cell_begin(struct mw_doc *doc);
void mw_doc_cell_end(struct mw_doc *doc);

/* An item and its only cell in one call. */
void mw_doc_line(struct mw_doc *doc, enum mw_doc_kind kind, const char *key,
                 struct mw_phrase phrase);

/* Begins a section. */
void mw_doc_heading(struct mw_doc *doc, enum mw_label label, const char *key);

size_t mw_doc_count(const struct mw_doc *doc);
const struct mw_doc_item *mw_doc_at(const struct mw_doc *doc, size_t n);
struct mw_view mw_doc_text(const struct mw_doc *doc, const struct mw_doc_cell *cell);

#endif
