/*
 * Request targets: splitting, percent-decoding, normalising. A path never leaves its root, and one
 * that is normal stays as it is. The input is the target.
 */
#include "core/proto/url.h"

#include "core/base/percent.h"
#include "core/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static bool is_part_of(struct mw_view part, struct mw_view whole)
{
    return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void check_normal(struct mw_view path)
{
    CHECK(path.len > 0 && path.data[0] == '/');
    CHECK(mw_utf8_valid(path) && !memchr(path.data, '\0', path.len));
    struct mw_view rest = mw_view_from(path, 1), segment;
    while (mw_view_split(&rest, '/', &segment)) {
        CHECK(segment.len > 0 || rest.len == 0);
        CHECK(!mw_view_is(segment, ".") && !mw_view_is(segment, ".."));
    }
}

static int digit(char c)
{
    const char *digits = "0123456789abcdefABCDEF", *at = c ? strchr(digits, c) : NULL;
    int value = at ? (int)(at - digits) : -1;
    return value > 15 ? value - 6 : value;
}

/* As RFC 3986 2.1 is read. */
static long decode(struct mw_view text, bool plus_is_space, struct mw_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            if (text.len - i < 3 || digit(text.data[i + 1]) < 0 || digit(text.data[i + 2]) < 0)
                return MW_ERR_BAD_ARG;
            byte = (char)(digit(text.data[i + 1]) * 16 + digit(text.data[i + 2]));
            i += 2;
        } else if (plus_is_space && byte == '+') {
            byte = ' ';
        }
        must_put(out, mw_view(&byte, 1));
    }
    return (long)out->len;
}

/* Whether its segments lead above the root on their way, wherever they end. */
static bool leaves_root(struct mw_view path)
{
    struct mw_view segment;
    long depth = 0;
    while (depth >= 0 && mw_view_split(&path, '/', &segment)) {
        if (mw_view_is(segment, ".."))
            depth--;
        else if (segment.len > 0 && !mw_view_is(segment, "."))
            depth++;
    }
    return depth < 0;
}

/* What is refused has a reason. */
static bool may_be_refused(struct mw_mem *mem, struct mw_view raw)
{
    struct mw_buf path;
    mw_buf_init(&path, mem, 0);
    bool refused = decode(raw, false, &path) < 0 || path.len == 0 || path.data[0] != '/' ||
                   memchr(path.data, '\0', path.len) || !mw_utf8_valid(mw_buf_view(&path)) ||
                   leaves_root(mw_buf_view(&path));
    mw_buf_free(&path);
    return refused;
}

/* Escapes what would be read as an escape; the rest may stand in a path as it is here. */
static void put_escaped(struct mw_buf *out, struct mw_view path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '%')
            must_put(out, mw_view_text("%25"));
        else
            must_put(out, mw_view(path.data + i, 1));
    }
}

static void check_stays_normal(struct mw_mem *mem, struct mw_view path)
{
    struct mw_buf raw;
    mw_buf_init(&raw, mem, 0);
    put_escaped(&raw, path);
    char *again = malloc(raw.len);
    CHECK(again != NULL);
    long len = mw_path_normalise(mw_buf_view(&raw), again);
    CHECK(len >= 0 && mw_view_equal(mw_view(again, (size_t)len), path));
    free(again);
    mw_buf_free(&raw);
}

static void check_path(struct mw_mem *mem, struct mw_view raw)
{
    char *text = exact_copy(raw), *out = malloc(raw.len ? raw.len : 1);
    CHECK(out != NULL);
    long len = mw_path_normalise(mw_view(text, raw.len), out);
    CHECK(len == MW_ERR_BAD_ARG || (len > 0 && (size_t)len <= raw.len));
    CHECK((len < 0) == may_be_refused(mem, raw));
    if (len > 0) {
        check_normal(mw_view(out, (size_t)len));
        check_stays_normal(mem, mw_view(out, (size_t)len));
    }
    free(out);
    free(text);
}

/* Into another place and into its own, against the reading above. */
static void check_decoding(struct mw_mem *mem, struct mw_view text, bool plus_is_space)
{
    struct mw_buf want;
    mw_buf_init(&want, mem, 0);
    char *in_place = exact_copy(text), *out = exact_copy(text);
    long len = decode(text, plus_is_space, &want);
    CHECK(mw_percent_decode(text, plus_is_space, out) == len);
    CHECK(mw_percent_decode(mw_view(in_place, text.len), plus_is_space, in_place) == len);
    CHECK(len <= 0 || memcmp(out, want.data, (size_t)len) == 0);
    CHECK(len <= 0 || memcmp(in_place, want.data, (size_t)len) == 0);
    free(in_place);
    free(out);
    mw_buf_free(&want);
}

/* Nothing that ends a host elsewhere is in one: no user, path, query, fragment or list. */
static void check_authority(struct mw_view text)
{
    if (!mw_is_authority(text))
        return;
    CHECK(mw_view_starts_with(text, "[") == (mw_view_find(text, ']', 0) < text.len));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        CHECK(c > ' ' && c < 0x7F && !strchr("/?#@\\\"<>^`{|},", c));
    }
}

static void check_target(struct mw_mem *mem, struct mw_view target)
{
    struct mw_target split;
    if (mw_target_split(target, &split) != MW_OK)
        return;
    CHECK(split.path.len > 0 && split.path.data[0] == '/');
    CHECK(mw_view_find(split.path, '?', 0) == split.path.len);
    CHECK(mw_view_is(split.path, "/") || is_part_of(split.path, target));
    CHECK(split.query.len == 0 || is_part_of(split.query, target));
    CHECK((split.authority.len == 0) == (target.data[0] == '/'));
    CHECK(split.authority.len == 0 || is_part_of(split.authority, target));
    CHECK(mw_is_authority(split.authority));
    check_path(mem, split.path);
    struct mw_view rest = split.query, part;
    while (mw_view_split(&rest, '&', &part))
        check_decoding(mem, part, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view input = mw_view(copy, size);
    check_target(&mem, input);
    check_authority(input);
    check_path(&mem, input);
    check_decoding(&mem, input, false);
    check_decoding(&mem, input, true);
    CHECK(mw_mem_is_empty(&mem));
    free(copy);
    return 0;
}
