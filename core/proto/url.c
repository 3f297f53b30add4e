/*
 * Request targets to paths. What two requests for the same place write differently (escapes, dot
 * segments, doubled slashes) is the same text behind this file, so routes and files are matched and
 * guarded once.
 */
#include "core/proto/url.h"

#include "core/base/check.h"
#include "core/base/ip.h"
#include "core/base/percent.h"
#include "core/base/str.h"
#include "core/base/utf8.h"

/* ---- authorities ---- */

/* unreserved and sub-delims but the comma (RFC 3986 2.2 and 2.3), and what begins an escape. */
static bool is_of_name(unsigned char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || (c && strchr("-._~!$&'()*+;=%", c));
}

static bool is_name(struct mw_view name)
{
    char decoded[255]; /* no name of the DNS is longer */
    for (size_t i = 0; i < name.len; i++) {
        if (!is_of_name((unsigned char)name.data[i]))
            return false;
    }
    return name.len <= sizeof decoded && mw_percent_decode(name, false, decoded) >= 0;
}

/* Takes "[v6]" or a name off the beginning. */
static bool take_host(struct mw_view *rest)
{
    if (rest->len == 0 || rest->data[0] != '[') {
        struct mw_view name = mw_view(rest->data, mw_view_find(*rest, ':', 0));
        *rest = mw_view_from(*rest, name.len);
        return is_name(name);
    }
    size_t end = mw_view_find(*rest, ']', 0);
    struct mw_ip ip;
    struct mw_view inside = mw_view_from(mw_view(rest->data, end), 1);
    bool has_colon = mw_view_find(inside, ':', 0) < inside.len;
    if (end == rest->len || !has_colon || !mw_ip_parse(inside, &ip))
        return false;
    *rest = mw_view_from(*rest, end + 1);
    return true;
}

bool mw_is_authority(struct mw_view text)
{
    uint64_t port;
    if (!take_host(&text))
        return false;
    if (text.len <= 1)
        return text.len == 0 || text.data[0] == ':';
    return text.data[0] == ':' && mw_parse_u64(mw_view_from(text, 1), 0, 65535, &port);
}

/* ---- splitting ---- */

/* RFC 3986 2: printable ASCII; RFC 9112 3.2: no fragment. */
static bool is_target(struct mw_view target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];
        if (c <= ' ' || c >= 0x7F || c == '#')
            return false;
    }
    return target.len > 0;
}

static const char *const schemes[] = { "http://", "https://", "ws://", "wss://" };

/* RFC 9112 3.2.2: takes "http://host" off an absolute form; false where it is none. */
static bool take_authority(struct mw_view *target, struct mw_view *authority)
{
    for (size_t i = 0; i < MW_COUNT(schemes); i++) {
        size_t start = strlen(schemes[i]);
        if (target->len < start || !mw_view_is_nocase(mw_view(target->data, start), schemes[i]))
            continue;
        size_t slash = mw_view_find(*target, '/', start);
        size_t question = mw_view_find(*target, '?', start);
        size_t end = slash < question ? slash : question;
        *authority = mw_view(target->data + start, end - start);
        *target = mw_view(target->data + end, target->len - end);
        return authority->len > 0 && mw_is_authority(*authority);
    }
    return false;
}

int mw_target_split(struct mw_view target, struct mw_target *out)
{
    struct mw_view authority = mw_view("", 0);
    if (!is_target(target))
        return MW_ERR_BAD_ARG;
    if (target.data[0] != '/' && !take_authority(&target, &authority))
        return MW_ERR_BAD_ARG;
    size_t question = mw_view_find(target, '?', 0);
    out->authority = authority;
    out->path = question > 0 ? mw_view(target.data, question) : mw_view("/", 1);
    out->query = mw_view_from(target, question + 1);
    return MW_OK;
}

/* ---- normalising ---- */

/* out[0..len) without its last segment: "/a/b" to "/a". */
static size_t drop_segment(const char *out, size_t len)
{
    while (out[--len] != '/')
        continue;
    return len;
}

/*
 * RFC 3986 5.2.4 in place: `path` holds what was read, its first `*len` bytes what is kept: "" or
 * "/a/b". 1: the segment is kept as a name; 0: it is none ("." and ".." too), so a path that ends
 * in it ends in a slash; or MW_ERR_BAD_ARG.
 */
static int put_segment(char *path, size_t *len, struct mw_view segment)
{
    if (segment.len == 0 || mw_view_is(segment, "."))
        return 0;
    if (mw_view_is(segment, "..")) {
        if (*len == 0)
            return MW_ERR_BAD_ARG;
        *len = drop_segment(path, *len);
        return 0;
    }
    path[(*len)++] = '/';
    memmove(path + *len, segment.data, segment.len);
    *len += segment.len;
    return 1;
}

static long remove_dots(char *path, size_t total)
{
    size_t len = 0, start = 1;
    int is_name = 0;
    while (start <= total) {
        size_t end = mw_view_find(mw_view(path, total), '/', start);
        is_name = put_segment(path, &len, mw_view(path + start, end - start));
        if (is_name < 0)
            return is_name;
        start = end + 1;
    }
    if (!is_name)
        path[len++] = '/';
    return (long)len;
}

long mw_path_normalise(struct mw_view raw, char *out)
{
    long len = mw_percent_decode(raw, false, out);
    if (len < 0)
        return len;
    struct mw_view path = mw_view(out, (size_t)len);
    if (path.len == 0 || out[0] != '/' || memchr(out, '\0', path.len) || !mw_utf8_valid(path))
        return MW_ERR_BAD_ARG;
    return remove_dots(out, path.len);
}
