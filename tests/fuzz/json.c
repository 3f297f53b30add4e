/*
 * JSON: what is read, written again and read again is the same; what is not JSON is refused at a
 * place inside the text. The input is the text.
 */
#include "core/base/json.h"

#include "core/base/utf8.h"
#include "tests/fuzz/fuzz.h"

#define MAX_DEPTH 200

static void write_value(struct mw_json_writer *w, const struct mw_json *value, int depth);

static void write_children(struct mw_json_writer *w, const struct mw_json *value, int depth)
{
    struct mw_json_iter iter = mw_json_iter(value);
    const struct mw_json *child;
    struct mw_view key;
    size_t count = 0;
    while (mw_json_iter_next(&iter, &key, &child)) {
        if (mw_json_kind(value) == MW_JSON_OBJECT) {
            CHECK(mw_utf8_valid(key));
            mw_jw_key(w, key);
        }
        write_value(w, child, depth + 1);
        count++;
    }
    CHECK(count == mw_json_count(value));
}

static void write_value(struct mw_json_writer *w, const struct mw_json *value, int depth)
{
    if (depth > MAX_DEPTH) {
        mw_jw_null(w);
        return;
    }
    switch (mw_json_kind(value)) {
    case MW_JSON_NULL:
        mw_jw_null(w);
        break;
    case MW_JSON_BOOL:
        mw_jw_bool(w, mw_json_bool(value));
        break;
    case MW_JSON_INTEGER:
        mw_jw_integer(w, mw_json_integer(value));
        break;
    case MW_JSON_NUMBER:
        mw_jw_number(w, mw_json_number(value));
        break;
    case MW_JSON_STRING:
        CHECK(mw_utf8_valid(mw_json_string(value)));
        mw_jw_string(w, mw_json_string(value));
        break;
    case MW_JSON_ARRAY:
        mw_jw_array(w);
        write_children(w, value, depth);
        mw_jw_array_end(w);
        break;
    case MW_JSON_OBJECT:
        mw_jw_object(w);
        write_children(w, value, depth);
        mw_jw_object_end(w);
        break;
    }
}

/* Reads the text and writes it to `out`; false: it is not JSON. */
static bool rewrite(struct mw_mem *mem, struct mw_view text, struct mw_buf *out)
{
    struct mw_json_error error = { .at = SIZE_MAX };
    struct mw_json_doc *doc = mw_json_parse(mem, text, &error);
    if (!doc) {
        CHECK(error.at <= text.len && error.text != NULL);
        return false;
    }
    struct mw_json_writer writer = { .out = out };
    write_value(&writer, mw_json_root(doc), 0);
    CHECK(writer.err == MW_OK);
    mw_json_doc_free(doc);
    return true;
}

/* Whatever bytes a log line is told to hold, it is one line and JSON. */
static void check_any_string(struct mw_mem *mem, struct mw_view bytes)
{
    struct mw_buf line, again;
    mw_buf_init(&line, mem, 0);
    mw_buf_init(&again, mem, 0);
    struct mw_json_writer writer = { .out = &line };
    mw_jw_object(&writer);
    mw_jw_pair(&writer, "text", bytes);
    mw_jw_object_end(&writer);
    CHECK(writer.err == MW_OK && mw_view_find(mw_buf_view(&line), '\n', 0) == line.len);
    CHECK(rewrite(mem, mw_buf_view(&line), &again) && same_text(&line, &again));
    mw_buf_free(&line);
    mw_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_mem mem;
    struct mw_buf once, twice;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&once, &mem, 0);
    mw_buf_init(&twice, &mem, 0);
    char *copy = exact_copy(mw_view((const char *)data, size));
    if (rewrite(&mem, mw_view(copy, size), &once)) {
        CHECK(rewrite(&mem, mw_buf_view(&once), &twice));
        CHECK(same_text(&once, &twice));
    }
    check_any_string(&mem, mw_view(copy, size));
    mw_buf_free(&once);
    mw_buf_free(&twice);
    CHECK(mw_mem_is_empty(&mem));
    free(copy);
    return 0;
}
