/*
 * JSON over yyjson, which nobody else sees: documents are yyjson's under another name, text is
 * written by us into a mw_buf because the log and the tools write while they go. Recurses nowhere;
 * used by the engine's json module, the configuration, the logs and the commands.
 */
#include "core/base/json.h"

#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <yyjson.h>

#include "core/base/check.h"
#include "core/base/err.h"
#include "core/base/hidden.h"
#include "core/base/utf8.h"

/* ---- memory ---- */

/* yyjson does not say on free how large a block was, so each remembers it. */
struct block {
    alignas(max_align_t) size_t bytes; /* with this header */
    char data[];
};

static void *block_alloc(void *mem, size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(struct block))
        return NULL;
    struct block *block = mw_alloc(mem, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->bytes = sizeof(*block) + size;
    return block->data;
}

static void *block_realloc(void *mem, void *data, size_t old_size, size_t size)
{
    (void)old_size; /* the header says it */
    if (size > PTRDIFF_MAX - sizeof(struct block))
        return NULL;
    struct block *old = MW_OWNER(data, struct block, data);
    struct block *block = mw_realloc(mem, old, old->bytes, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->bytes = sizeof(*block) + size;
    return block->data;
}

static void block_free(void *mem, void *data)
{
    if (!data)
        return;
    struct block *block = MW_OWNER(data, struct block, data);
    mw_free(mem, block, block->bytes);
}

/* ---- reading ---- */

static yyjson_val *value_of(const struct mw_json *value)
{
    return (yyjson_val *)(uintptr_t)value; /* yyjson's readers take no const, and change nothing */
}

struct mw_json_doc *mw_json_parse(struct mw_mem *mem, struct mw_view text,
                                  struct mw_json_error *error)
{
    yyjson_alc alc = { block_alloc, block_realloc, block_free, mem };
    yyjson_read_err why = { 0 };
    /* Without YYJSON_READ_INSITU the text is copied and not changed. */
    char *input = (char *)(uintptr_t)(text.data ? text.data : "");
    yyjson_doc *doc = yyjson_read_opts(input, text.len, YYJSON_READ_NOFLAG, &alc, &why);
    if (doc)
        return (struct mw_json_doc *)doc;
    bool is_memory = why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION;
    *error = (struct mw_json_error){
        .at = why.pos,
        .text = is_memory ? mw_err_text(MW_ERR_NOMEM) : why.msg,
    };
    return NULL;
}

void mw_json_doc_free(struct mw_json_doc *doc)
{
    yyjson_doc_free((yyjson_doc *)doc);
}

const struct mw_json *mw_json_root(const struct mw_json_doc *doc)
{
    return (const struct mw_json *)yyjson_doc_get_root((yyjson_doc *)(uintptr_t)doc);
}

enum mw_json_kind mw_json_kind(const struct mw_json *value)
{
    yyjson_val *v = value_of(value);
    switch (yyjson_get_type(v)) {
    case YYJSON_TYPE_BOOL:
        return MW_JSON_BOOL;
    case YYJSON_TYPE_STR:
        return MW_JSON_STRING;
    case YYJSON_TYPE_ARR:
        return MW_JSON_ARRAY;
    case YYJSON_TYPE_OBJ:
        return MW_JSON_OBJECT;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_sint(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) <= INT64_MAX))
            return MW_JSON_INTEGER;
        return MW_JSON_NUMBER;
    default:
        return MW_JSON_NULL; /* types are macros of yyjson, not an enum */
    }
}

bool mw_json_bool(const struct mw_json *value)
{
    return yyjson_get_bool(value_of(value));
}

int64_t mw_json_integer(const struct mw_json *value)
{
    return mw_json_kind(value) == MW_JSON_INTEGER ? yyjson_get_sint(value_of(value)) : 0;
}

double mw_json_number(const struct mw_json *value)
{
    return yyjson_get_num(value_of(value));
}

struct mw_view mw_json_string(const struct mw_json *value)
{
    return mw_view(yyjson_get_str(value_of(value)), yyjson_get_len(value_of(value)));
}

size_t mw_json_count(const struct mw_json *value)
{
    return yyjson_is_ctn(value_of(value)) ? yyjson_get_len(value_of(value)) : 0;
}

struct mw_json_iter mw_json_iter(const struct mw_json *container)
{
    struct mw_json_iter iter = {
        .left = mw_json_count(container),
        .in_object = yyjson_is_obj(value_of(container)),
    };
    if (iter.left > 0)
        iter.next = (const struct mw_json *)unsafe_yyjson_get_first(value_of(container));
    return iter;
}

bool mw_json_iter_next(struct mw_json_iter *iter, struct mw_view *key, const struct mw_json **value)
{
    if (iter->left == 0)
        return false;
    yyjson_val *at = value_of(iter->next);
    if (iter->in_object) {
        *key = mw_json_string(iter->next);
        at = unsafe_yyjson_get_next(at); /* in an object the value stands behind its key */
    }
    *value = (const struct mw_json *)at;
    iter->left--;
    if (iter->left > 0)
        iter->next = (const struct mw_json *)unsafe_yyjson_get_next(at);
    return true;
}

/* ---- writing ---- */

static void put(struct mw_json_writer *w, struct mw_view text)
{
    if (!w->err)
        w->err = mw_buf_put_view(w->out, text);
}

static void put_text(struct mw_json_writer *w, const char *text)
{
    put(w, mw_view_text(text));
}

/* Before each value and key: the comma that is due, and from then on one is. */
static void begin(struct mw_json_writer *w)
{
    if (w->need_comma)
        put_text(w, ",");
    w->need_comma = true;
}

static void put_value(struct mw_json_writer *w, const char *text)
{
    begin(w);
    put_text(w, text);
}

static void open_container(struct mw_json_writer *w, const char *bracket)
{
    put_value(w, bracket);
    w->need_comma = false;
}

static void close_container(struct mw_json_writer *w, const char *bracket)
{
    put_text(w, bracket);
    w->need_comma = true;
}

void mw_jw_object(struct mw_json_writer *w)
{
    open_container(w, "{");
}

void mw_jw_object_end(struct mw_json_writer *w)
{
    close_container(w, "}");
}

void mw_jw_array(struct mw_json_writer *w)
{
    open_container(w, "[");
}

void mw_jw_array_end(struct mw_json_writer *w)
{
    close_container(w, "]");
}

/* RFC 8259 7: what must be escaped and has a short form. */
static const char short_escape[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
    ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
};

/*
 * ASCII that stands as it is, and is no matter for hidden.h: nearly all of nearly every text. Each
 * byte that is asked through escaped_at costs six times as much.
 */
static const bool is_plain[256] = {
    [' '] = true,
    ['!'] = true,
    ['#' ... '['] = true,
    [']' ... '~'] = true,
};

/* How many of the bytes from `at` on are plain. */
static size_t plain_len(struct mw_view text, size_t at)
{
    size_t end = at;
    while (end < text.len && is_plain[(uint8_t)text.data[end]])
        end++;
    return end - at;
}

/*
 * Bytes of the character at `i` that has to be escaped; 0: it may stand as it is. What a terminal
 * or an eye could take for something else (hidden.h) is escaped although RFC 8259 does not ask.
 */
static size_t escaped_at(struct mw_view text, size_t i, uint32_t *point)
{
    uint8_t byte = (uint8_t)text.data[i];
    *point = byte;
    if (byte == '"' || byte == '\\')
        return 1;
    return mw_hidden_at(text, i, point);
}

static void put_escape(struct mw_json_writer *w, uint32_t point)
{
    char text[8];
    if (point < sizeof short_escape && short_escape[point])
        snprintf(text, sizeof(text), "\\%c", short_escape[point]);
    else
        snprintf(text, sizeof(text), "\\u%04x", point & 0xffff);
    put_text(w, text);
}

/* Text that is valid UTF-8, in pieces as long as nothing is to be escaped. */
static void put_escaped(struct mw_json_writer *w, struct mw_view text)
{
    size_t start = 0;
    uint32_t point;
    for (size_t i = plain_len(text, 0); i < text.len; i += 1 + plain_len(text, i + 1)) {
        size_t len = escaped_at(text, i, &point);
        if (!len)
            continue;
        put(w, mw_view(text.data + start, i - start));
        put_escape(w, point);
        start = i + len;
        i = start - 1;
    }
    if (start < text.len)
        put(w, mw_view(text.data + start, text.len - start));
}

/*
 * In one piece, where all of it is plain, with the comma before it and, of a key, the colon behind
 * it (a key of ten letters took 400 instructions in four pieces, and takes 120).
 */
static bool put_plain_string(struct mw_json_writer *w, struct mw_view text, bool is_key)
{
    struct mw_buf *out = w->out;
    if (w->err || plain_len(text, 0) < text.len)
        return false;
    w->err = mw_buf_reserve(out, text.len + 4);
    if (w->err)
        return true;
    char *to = out->data + out->len;
    if (w->need_comma)
        *to++ = ',';
    *to++ = '"';
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    to += text.len;
    *to++ = '"';
    if (is_key)
        *to++ = ':';
    out->len = (size_t)(to - out->data);
    w->need_comma = !is_key;
    return true;
}

static void put_string(struct mw_json_writer *w, struct mw_view text)
{
    begin(w);
    put_text(w, "\"");
    while (text.len > 0 && !w->err) {
        size_t bad_len, valid_len = mw_utf8_valid_len(text, &bad_len);
        put_escaped(w, mw_view(text.data, valid_len));
        if (bad_len > 0)
            put_text(w, "\xEF\xBF\xBD"); /* U+FFFD */
        text.data += valid_len + bad_len;
        text.len -= valid_len + bad_len;
    }
    put_text(w, "\"");
}

void mw_jw_key(struct mw_json_writer *w, struct mw_view key)
{
    if (put_plain_string(w, key, true))
        return;
    put_string(w, key);
    put_text(w, ":");
    w->need_comma = false;
}

void mw_jw_string(struct mw_json_writer *w, struct mw_view text)
{
    if (!put_plain_string(w, text, false))
        put_string(w, text);
}

void mw_jw_integer(struct mw_json_writer *w, int64_t number)
{
    char text[24]; /* 20 digits, sign, comma; by hand, for a tenth of what snprintf takes */
    size_t at = sizeof text;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        text[--at] = '-';
    if (w->need_comma)
        text[--at] = ',';
    w->need_comma = true;
    put(w, mw_view(text + at, sizeof text - at));
}

void mw_jw_number(struct mw_json_writer *w, double number)
{
    if (!isfinite(number)) {
        mw_jw_null(w);
        return;
    }
    /*
     * yyjson finds the shortest digits, but only into memory of its allocator: a pool on the stack.
     */
    char pool[256];
    yyjson_alc alc;
    yyjson_val value = { 0 };
    unsafe_yyjson_set_real(&value, number);
    const char *text = NULL;
    if (yyjson_alc_pool_init(&alc, pool, sizeof(pool)))
        text = yyjson_val_write_opts(&value, YYJSON_WRITE_NOFLAG, &alc, NULL, NULL);
    if (MW_ALWAYS(text != NULL))
        put_value(w, text);
    else
        mw_jw_null(w);
}

void mw_jw_bool(struct mw_json_writer *w, bool value)
{
    put_value(w, value ? "true" : "false");
}

void mw_jw_null(struct mw_json_writer *w)
{
    put_value(w, "null");
}

void mw_jw_raw(struct mw_json_writer *w, struct mw_view json)
{
    begin(w);
    put(w, json);
}

void mw_jw_pair(struct mw_json_writer *w, const char *key, struct mw_view text)
{
    mw_jw_key(w, mw_view_text(key));
    mw_jw_string(w, text);
}

void mw_jw_pair_integer(struct mw_json_writer *w, const char *key, int64_t number)
{
    mw_jw_key(w, mw_view_text(key));
    mw_jw_integer(w, number);
}
