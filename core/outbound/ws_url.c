/* URLs of WebSockets, as people type them. What a target may hold is proto/url's to say. */
#include "core/outbound/ws_url.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/url.h"

static const struct {
    const char *text;
    bool is_secure;
} schemes[] = {
    { "ws://", false }, { "wss://", true }, { "http://", false }, { "https://", true }
};

static int refuse(char why[256], const char *what)
{
    (void)snprintf(why, 256, "%s", what);
    return MW_ERR_BAD_ARG;
}

/* Takes the scheme off, of which there may be none. */
static bool take_scheme(struct mw_view *text, bool *is_secure)
{
    *is_secure = false;
    for (size_t i = 0; i < MW_COUNT(schemes); i++) {
        size_t len = strlen(schemes[i].text);
        if (text->len < len || !mw_view_is_nocase(mw_view(text->data, len), schemes[i].text))
            continue;
        *is_secure = schemes[i].is_secure;
        *text = mw_view_from(*text, len);
        return true;
    }
    for (size_t i = 0; i + 3 <= text->len; i++) {
        if (memcmp(text->data + i, "://", 3) == 0)
            return false;
    }
    return true;
}

static bool has_beyond_ascii(struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] > 0x7f)
            return true;
    }
    return false;
}

/* What is before the first of "/?#". */
static struct mw_view take_authority(struct mw_view *rest)
{
    size_t len = 0;
    while (len < rest->len && !memchr("/?#", rest->data[len], 3))
        len++;
    struct mw_view authority = mw_view(rest->data, len);
    *rest = mw_view_from(*rest, len);
    return authority;
}

/* "[v6]:port" and "name:port"; port 0: none is written. */
static bool split_authority(struct mw_view authority, struct mw_view *host, uint16_t *port)
{
    bool is_bracketed = mw_view_starts_with(authority, "[");
    size_t end = mw_view_find(authority, is_bracketed ? ']' : ':', 0) + is_bracketed;
    struct mw_view rest = mw_view_from(authority, end);
    uint64_t number = 0;
    *host = mw_view(authority.data, end);
    if (is_bracketed)
        *host = mw_view(host->data + 1, host->len - 2);
    if (rest.len > 1 && !mw_parse_u64(mw_view_from(rest, 1), 1, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return host->len > 0;
}

/* Puts a text with its NUL at *at and moves on. */
static const char *put(char **at, const char *before, struct mw_view text)
{
    const char *begin = *at;
    size_t len = strlen(before);
    memcpy(*at, before, len);
    if (text.len)
        memcpy(*at + len, text.data, text.len);
    *at += len + text.len;
    *(*at)++ = '\0';
    return begin;
}

static int check_target(struct mw_view target, char why[256])
{
    struct mw_target split;
    if (mw_view_find(target, '#', 0) < target.len)
        return refuse(why, "the URL of a WebSocket has no fragment (RFC 6455 3); write # as %23");
    if (target.len > 0 && target.data[0] == '/' && mw_target_split(target, &split) != MW_OK)
        return refuse(why, "the path or query has a blank or a byte that a URL cannot hold; write "
                           "it as %20 and the like");
    return MW_OK;
}

int mw_ws_url_parse(struct mw_mem *mem, struct mw_view text, struct mw_ws_url *out, char why[256])
{
    struct mw_ws_url url = { .is_secure = false };
    struct mw_view host, rest = mw_view_trim(text);
    why[0] = '\0';
    if (!take_scheme(&rest, &url.is_secure))
        return refuse(why, "the URL of a WebSocket begins with ws:// or wss://");
    struct mw_view authority = take_authority(&rest);
    if (mw_view_find(authority, '@', 0) < authority.len)
        return refuse(why, "a URL of a WebSocket has no user; send an Authorization header");
    if (has_beyond_ascii(authority))
        return refuse(why, "a host of a URL is written in ASCII: xn--bcher-kva.example");
    if (!mw_is_authority(authority) || !split_authority(authority, &host, &url.port))
        return refuse(why, "there is no host and port in the URL: ws://host:port/path");
    const char *slash = rest.len > 0 && rest.data[0] == '/' ? "" : "/";
    int err = check_target(rest, why);
    if (err)
        return err;
    url.size = authority.len + host.len + rest.len + sizeof("/") + 2;
    url.block = mw_alloc(mem, url.size);
    if (!url.block)
        return MW_ERR_NOMEM;
    char *at = url.block;
    bool is_usual = url.port == 0 || url.port == (url.is_secure ? 443 : 80);
    size_t name_len = host.len + (authority.data[0] == '[' ? 2 : 0);
    url.host = put(&at, "", host);
    url.authority = put(&at, "", mw_view(authority.data, is_usual ? name_len : authority.len));
    url.target = put(&at, slash, rest);
    if (url.port == 0)
        url.port = url.is_secure ? 443 : 80;
    *out = url;
    return MW_OK;
}

void mw_ws_url_free(struct mw_mem *mem, struct mw_ws_url *url)
{
    mw_free(mem, url->block, url->size);
    url->block = NULL;
}
