/*
 * Path patterns. Knows no requests and no scripts; worker keeps its routes sorted by
 * mw_pattern_compare and takes the first match.
 */
#include "core/server/router.h"

#include "core/base/str.h"

static bool is_name(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool fits =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!fits)
            return false;
    }
    return text.len > 0;
}

static bool is_taken(const struct mw_pattern *pattern, struct mw_view name)
{
    for (size_t i = 0; i < pattern->count; i++) {
        const struct mw_segment *segment = &pattern->segments[i];
        if (segment->kind != MW_SEGMENT_LITERAL && mw_view_equal(segment->text, name))
            return true;
    }
    return false;
}

/* NULL, or why this segment cannot be added. */
static const char *add_segment(struct mw_pattern *pattern, struct mw_view part)
{
    if (pattern->count == MW_PATTERN_MAX_SEGMENTS)
        return "a route has at most 16 segments";
    if (pattern->count && pattern->segments[pattern->count - 1].kind == MW_SEGMENT_REST)
        return "*rest must be the last segment";
    if (part.len == 0)
        return "a segment between two slashes is empty";
    struct mw_segment segment = { MW_SEGMENT_LITERAL, part };
    if (part.data[0] == ':' || part.data[0] == '*') {
        segment.kind = part.data[0] == ':' ? MW_SEGMENT_PARAM : MW_SEGMENT_REST;
        segment.text = mw_view_from(part, 1);
        if (!is_name(segment.text))
            return "the name of a parameter consists of letters, digits and _";
        if (is_taken(pattern, segment.text))
            return "two parameters have the same name";
    }
    pattern->segments[pattern->count++] = segment;
    return 0;
}

static const char *parse_text(struct mw_pattern *pattern)
{
    struct mw_view rest = mw_view(pattern->text, pattern->text_len);
    if (rest.len == 0 || rest.data[0] != '/')
        return "a route begins with /";
    rest = mw_view_from(rest, 1);
    struct mw_view part;
    const char *why = 0;
    while (!why && mw_view_split(&rest, '/', &part))
        why = add_segment(pattern, part);
    return why;
}

int mw_pattern_parse(struct mw_pattern *pattern, struct mw_mem *mem, struct mw_view text,
                     const char **why)
{
    *pattern = (struct mw_pattern){ .text_len = text.len };
    pattern->text = mw_mem_copy(mem, text);
    if (!pattern->text)
        return MW_ERR_NOMEM;
    *why = parse_text(pattern);
    if (!*why)
        return MW_OK;
    mw_pattern_free(pattern, mem);
    return MW_ERR_BAD_ARG;
}

void mw_pattern_free(struct mw_pattern *pattern, struct mw_mem *mem)
{
    if (pattern->text)
        mw_free(mem, pattern->text, pattern->text_len + 1);
    *pattern = (struct mw_pattern){ 0 };
}

void mw_pattern_move(struct mw_pattern *to, struct mw_pattern *from)
{
    *to = *from;
    *from = (struct mw_pattern){ 0 };
}

int mw_pattern_of_file(struct mw_pattern *pattern, struct mw_mem *mem, struct mw_view file,
                       struct mw_view suffix, const char **why)
{
    struct mw_view stem = mw_view(file.data, file.len - suffix.len);
    if (mw_view_is(stem, "index"))
        stem.len = 0;
    else if (mw_view_ends_with(stem, "/index"))
        stem.len -= strlen("/index");
    size_t len = stem.len + 1;
    char *text = mw_alloc(mem, len);
    if (!text)
        return MW_ERR_NOMEM;
    text[0] = '/';
    memcpy(text + 1, stem.data, stem.len);
    int err = mw_pattern_parse(pattern, mem, mw_view(text, len), why);
    mw_free(mem, text, len);
    return err;
}

bool mw_pattern_match(const struct mw_pattern *pattern, struct mw_view path,
                      struct mw_param params[MW_PATTERN_MAX_SEGMENTS], size_t *count)
{
    struct mw_view rest = mw_view_from(path, 1), part;
    *count = 0;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct mw_segment *segment = &pattern->segments[i];
        if (segment->kind == MW_SEGMENT_REST) {
            params[(*count)++] = (struct mw_param){ segment->text, rest };
            return rest.len > 0;
        }
        if (!mw_view_split(&rest, '/', &part) || part.len == 0)
            return false;
        if (segment->kind == MW_SEGMENT_PARAM)
            params[(*count)++] = (struct mw_param){ segment->text, part };
        else if (!mw_view_equal(segment->text, part))
            return false;
    }
    return rest.len == 0;
}

int mw_pattern_compare(const struct mw_pattern *a, const struct mw_pattern *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct mw_segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->kind != y->kind)
            return (int)x->kind - (int)y->kind;
        int order = x->kind == MW_SEGMENT_LITERAL ? mw_view_compare(x->text, y->text) : 0;
        if (order)
            return order;
    }
    return (a->count < b->count) - (a->count > b->count);
}
