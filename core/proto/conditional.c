/*
 * Which answer the preconditions of a request lead to. Knows no file and no clock; called by
 * server/file_answer with the head of the request and the validators of the file.
 */
#include "core/proto/conditional.h"

#include "core/base/str.h"
#include "core/proto/http_date.h"

enum comparison { WEAK, STRONG };

/* ---- entity tags: RFC 9110 8.8.3 ---- */

static size_t weakness(struct mw_view tag)
{
    return mw_view_starts_with(tag, "W/") ? 2 : 0;
}

static bool tags_match(struct mw_view a, struct mw_view b, enum comparison how)
{
    if (how == STRONG && (weakness(a) || weakness(b)))
        return false;
    return mw_view_equal(mw_view_from(a, weakness(a)), mw_view_from(b, weakness(b)));
}

static bool is_between_tags(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

/* A comma may stand inside of a tag, so this is no list to split. False: none, or no tag. */
static bool take_tag(struct mw_view *list, struct mw_view *tag)
{
    size_t start = 0;
    while (start < list->len && is_between_tags(list->data[start]))
        start++;
    struct mw_view rest = mw_view_from(*list, start);
    size_t quote = weakness(rest);
    if (quote == rest.len || rest.data[quote] != '"')
        return false;
    size_t end = mw_view_find(rest, '"', quote + 1);
    if (end == rest.len)
        return false;
    *tag = mw_view(rest.data, end + 1);
    *list = mw_view_from(rest, end + 1);
    return true;
}

/* If-Match and If-None-Match: "*" is whatever there is. What comes behind nonsense is not read. */
static bool list_names(struct mw_view list, struct mw_view etag, enum comparison how)
{
    struct mw_view tag;
    if (mw_view_is(list, "*"))
        return true;
    while (take_tag(&list, &tag)) {
        if (tags_match(tag, etag, how))
            return true;
    }
    return false;
}

/* A list may go on in another field of its name. */
static bool any_field_names(const struct mw_http_head *head, const char *name, struct mw_view etag,
                            enum comparison how)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct mw_header *field = &head->headers[i];
        if (mw_view_is(field->name, name) && list_names(field->value, etag, how))
            return true;
    }
    return false;
}

static bool has_field(const struct mw_http_head *head, const char *name)
{
    size_t count;
    (void)mw_http_header(head, name, &count);
    return count > 0;
}

/* ---- dates ---- */

/* RFC 9110 13.1.3, 13.1.4: what is no date, or more than one, counts as absent. */
static bool read_date(const struct mw_http_head *head, const char *name, int64_t now_s,
                      int64_t *date_s)
{
    size_t count;
    struct mw_view text = mw_http_header(head, name, &count);
    return count == 1 && mw_http_date_parse(text, now_s, date_s);
}

static bool modified_after(const struct mw_http_head *head, const char *name,
                           const struct mw_validators *now, int64_t now_s, bool otherwise)
{
    int64_t date_s;
    if (!now->has_date || !read_date(head, name, now_s, &date_s))
        return otherwise;
    return now->modified_s > date_s;
}

/* ---- the order of RFC 9110 13.2.2 ---- */

enum mw_precondition mw_precondition_judge(const struct mw_http_head *head,
                                           const struct mw_validators *now, int64_t now_s)
{
    if (has_field(head, "if-match")) {
        if (!any_field_names(head, "if-match", now->etag, STRONG))
            return MW_PRECONDITION_FAILED;
    } else if (modified_after(head, "if-unmodified-since", now, now_s, false)) {
        return MW_PRECONDITION_FAILED;
    }
    if (has_field(head, "if-none-match")) {
        if (any_field_names(head, "if-none-match", now->etag, WEAK))
            return MW_PRECONDITION_UNCHANGED;
    } else if (!modified_after(head, "if-modified-since", now, now_s, true)) {
        return MW_PRECONDITION_UNCHANGED;
    }
    return MW_PRECONDITION_HOLDS;
}

/* RFC 9110 13.1.5: one tag by the strong comparison, or the date exactly. */
bool mw_if_range_holds(const struct mw_http_head *head, const struct mw_validators *now,
                       int64_t now_s)
{
    size_t count;
    struct mw_view value = mw_http_header(head, "if-range", &count), tag;
    int64_t date_s;
    if (count == 0)
        return true;
    if (count == 1 && take_tag(&value, &tag))
        return value.len == 0 && tags_match(tag, now->etag, STRONG);
    return now->has_date && read_date(head, "if-range", now_s, &date_s) &&
           date_s == now->modified_s;
}
