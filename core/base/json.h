/*
 * JSON (RFC 8259) over yyjson, without showing it: a read-only document to walk and a writer that
 * is told one thing after the other. Depth is bounded by the caller who walks; size by the caller's
 * limit.
 */
#ifndef MW_BASE_JSON_H
#define MW_BASE_JSON_H

#include "core/base/buf.h"

/* ---- reading ---- */

struct mw_json_doc; /* owns everything */
struct mw_json;     /* one value inside a document; borrowed from it */

enum mw_json_kind {
    MW_JSON_NULL,
    MW_JSON_BOOL,
    MW_JSON_INTEGER, /* fits int64_t */
    MW_JSON_NUMBER,  /* double, and integers beyond int64_t */
    MW_JSON_STRING,
    MW_JSON_ARRAY,
    MW_JSON_OBJECT,
};

struct mw_json_error {
    size_t at;        /* byte offset */
    const char *text; /* static */
};

/*
 * Gives a document, or NULL with *error (text "out of memory" for that). Strict: no comments, no
 * trailing commas, no NaN, UTF-8 only, nothing behind the value. `text` is not kept.
 */
struct mw_json_doc *mw_json_parse(struct mw_mem *mem, struct mw_view text,
                                  struct mw_json_error *error);
void mw_json_doc_free(struct mw_json_doc *doc);
const struct mw_json *mw_json_root(const struct mw_json_doc *doc);

enum mw_json_kind mw_json_kind(const struct mw_json *value);
bool mw_json_bool(const struct mw_json *value);
int64_t mw_json_integer(const struct mw_json *value);
double mw_json_number(const struct mw_json *value);
struct mw_view mw_json_string(const struct mw_json *value); /* until the document is freed */
size_t mw_json_count(const struct mw_json *value);          /* of an array or object */

/* Walks an array or object in document order. */
struct mw_json_iter {
    const struct mw_json *next; /* private */
    size_t left;
    bool in_object;
};
struct mw_json_iter mw_json_iter(const struct mw_json *container);
/* False at the end. For objects *key is set too. */
bool mw_json_iter_next(struct mw_json_iter *iter, struct mw_view *key,
                       const struct mw_json **value);

/* ---- writing ---- */

/*
 * Appends JSON text to a buffer; commas and colons put themselves. Zero it and set `out`
 * (borrowed). The first failure sticks in `err` and later calls do nothing, so one check at the end
 * is enough.
 */
struct mw_json_writer {
    struct mw_buf *out;
    int err;
    bool need_comma; /* private */
};

void mw_jw_object(struct mw_json_writer *w);
void mw_jw_object_end(struct mw_json_writer *w);
void mw_jw_array(struct mw_json_writer *w);
void mw_jw_array_end(struct mw_json_writer *w);
void mw_jw_key(struct mw_json_writer *w, struct mw_view key);
/* What is not UTF-8 becomes U+FFFD, control characters are escaped: a log line stays one line. */
void mw_jw_string(struct mw_json_writer *w, struct mw_view text);
void mw_jw_integer(struct mw_json_writer *w, int64_t number);
/* The shortest text that reads back as the same double; NaN and infinities become null. */
void mw_jw_number(struct mw_json_writer *w, double number);
void mw_jw_bool(struct mw_json_writer *w, bool value);
void mw_jw_null(struct mw_json_writer *w);
/* A value that already is JSON. */
void mw_jw_raw(struct mw_json_writer *w, struct mw_view json);

/* key and value in one call. */
void mw_jw_pair(struct mw_json_writer *w, const char *key, struct mw_view text);
void mw_jw_pair_integer(struct mw_json_writer *w, const char *key, int64_t number);

#endif
