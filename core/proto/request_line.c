/*
 * Request lines, byte by byte and to the letter of RFC 9112 3: one blank between the parts, no
 * leniency that a proxy in front might not share. Called by http.c, which leaves the rest of the
 * head to llhttp; that one passes over line ends and blanks which are refused here.
 */
#include "core/proto/request_line.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/url.h"

/* RFC 9112 2.2 wants one at least; the second is for a person at a terminal. */
#define MAX_EMPTY_LINES 2

/* More than any registered method has (UPDATEREDIRECTREF). */
#define MAX_METHOD 24

#define TLS_HANDSHAKE 0x16 /* RFC 8446 5.1: the first byte of a ClientHello's record */

static const struct mw_http_refusal
    bad_line = { 400, "bad_request", "the bytes are not an HTTP/1.1 request line (RFC 9112 3)" },
    bad_method = { 400, "bad_method", "the bytes do not begin with an HTTP method" },
    unknown_method = { 501, "unknown_method",
                       "the request begins with a method that this server does not know "
                       "(RFC 9110 9.1)" },
    bad_target = { 400, "bad_target",
                   "the request target is not of a form that its method has, or holds a byte that "
                   "must be percent-encoded (RFC 9112 3.2)" },
    long_target = { 414, "target_too_long", "the request target is longer than 8192 bytes" },
    bad_version = { 505, "bad_version", "this server speaks HTTP/1.1" },
    bad_line_end = { 400, "bad_line_end",
                     "a line of the head does not end in CR LF (RFC 9112 2.2)" },
    empty_lines = { 400, "empty_lines",
                    "more than two empty lines stand before the request (RFC 9112 2.2)" },
    http_2 = { 505, "http_2", "HTTP/2 was spoken to a port for HTTP/1.1" },
    proxy_header = { 400, "proxy_header",
                     "a PROXY header came from a peer that may not speak for others, or to a port "
                     "where it is not switched on" },
    tls = { 400, "tls_on_plain_port",
            "TLS was spoken to a plain port; use ws:// and http:// here" };

_Static_assert(MW_HTTP_MAX_TARGET == 8192 && MAX_EMPTY_LINES == 2,
               "the sentences above name the limits");

/* ---- the line while it is read ---- */

struct feed {
    struct mw_request_line *line;
    struct mw_buf *text;
    const struct mw_http_refusal *refusal;
};

static int refuse(struct feed *feed, const struct mw_http_refusal *refusal)
{
    feed->refusal = refusal;
    return MW_ERR_PROTOCOL;
}

static int go_on(struct feed *feed, enum mw_line_phase phase)
{
    feed->line->phase = phase;
    return MW_OK;
}

static int keep(struct feed *feed, char byte, size_t *len)
{
    (*len)++;
    return mw_buf_put_byte(feed->text, byte) ? MW_ERR_NOMEM : MW_OK;
}

static struct mw_view method_of(const struct feed *feed)
{
    return mw_view(feed->text->data, feed->line->method_len);
}

static struct mw_view target_of(const struct feed *feed)
{
    return mw_view(feed->text->data + feed->line->method_len, feed->line->target_len);
}

/* ---- empty lines and the method ---- */

static int read_start(struct feed *feed, char byte)
{
    if (byte == '\r')
        return go_on(feed, MW_LINE_EMPTY_END);
    if (byte == '\n')
        return refuse(feed, &bad_line_end);
    if (byte == TLS_HANDSHAKE && feed->line->empty_lines == 0)
        return refuse(feed, &tls);
    if (byte == '\0' && feed->line->empty_lines == 2) /* version 2 of the PROXY protocol */
        return refuse(feed, &proxy_header);
    if (!mw_is_token(mw_view(&byte, 1)))
        return refuse(feed, &bad_method);
    feed->line->phase = MW_LINE_METHOD;
    return keep(feed, byte, &feed->line->method_len);
}

static int read_empty_end(struct feed *feed, char byte)
{
    if (byte != '\n')
        return refuse(feed, &bad_line_end);
    if (++feed->line->empty_lines > MAX_EMPTY_LINES)
        return refuse(feed, &empty_lines);
    return go_on(feed, MW_LINE_START);
}

/* Letter case counts (RFC 9110 9.1). Whether a method is allowed somewhere is decided above. */
static int judge_method(struct feed *feed)
{
    static const char *const known[] = { "GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH" };
    struct mw_view method = method_of(feed);
    if (mw_view_is(method, "PRI")) /* RFC 9113 3.4 */
        return refuse(feed, &http_2);
    if (mw_view_is(method, "PROXY"))
        return refuse(feed, &proxy_header);
    for (size_t i = 0; i < MW_COUNT(known); i++) {
        if (mw_view_is(method, known[i]))
            return go_on(feed, MW_LINE_TARGET);
    }
    return refuse(feed, &unknown_method);
}

static int read_method(struct feed *feed, char byte)
{
    if (byte == ' ')
        return judge_method(feed);
    if (!mw_is_token(mw_view(&byte, 1)))
        return refuse(feed, &bad_method);
    if (feed->line->method_len == MAX_METHOD)
        return refuse(feed, &unknown_method);
    return keep(feed, byte, &feed->line->method_len);
}

/* ---- the target (RFC 9112 3.2) ---- */

static int judge_target(struct feed *feed)
{
    struct mw_target split;
    struct mw_view method = method_of(feed), target = target_of(feed);
    bool fits;
    if (mw_view_is(method, "CONNECT"))
        fits = mw_is_authority(target) && mw_view_find(target, ':', 1) < target.len;
    else if (mw_view_is(target, "*"))
        fits = mw_view_is(method, "OPTIONS");
    else
        fits = mw_target_split(target, &split) == MW_OK;
    return fits ? go_on(feed, MW_LINE_VERSION) : refuse(feed, &bad_target);
}

static int read_target(struct feed *feed, char byte)
{
    size_t len = feed->line->target_len;
    unsigned char c = (unsigned char)byte;
    if (byte == ' ')
        return len > 0 ? judge_target(feed) : refuse(feed, &bad_line);
    if (byte == '\r' || byte == '\n') /* HTTP/0.9, RFC 1945 5 */
        return refuse(feed, len > 0 ? &bad_version : &bad_line);
    if (c < ' ' || c >= 0x7F || c == '#')
        return refuse(feed, &bad_target);
    if (len == MW_HTTP_MAX_TARGET)
        return refuse(feed, &long_target);
    return keep(feed, byte, &feed->line->target_len);
}

/* ---- the version (RFC 9112 2.3) and the end ---- */

/*
 * RFC 9110 2.5 would have a later minor version read as 1.1. There is none, and whatever says so
 * reads something else.
 */
static int read_version(struct feed *feed, char byte)
{
    static const char pattern[] = "HTTP/0.0"; /* 0: any digit */
    char expected = pattern[feed->line->version_len++];
    bool fits = expected == '0' ? byte >= '0' && byte <= '9' : byte == expected;
    if (!fits)
        return refuse(feed, &bad_line);
    bool is_major = feed->line->version_len == sizeof pattern - 3;
    if (is_major && byte != '1')
        return refuse(feed, &bad_version);
    if (feed->line->version_len < sizeof pattern - 1)
        return MW_OK;
    if (byte > '1')
        return refuse(feed, &bad_version);
    feed->line->minor = (unsigned)(byte - '0');
    return go_on(feed, MW_LINE_CR);
}

static int read_cr(struct feed *feed, char byte)
{
    if (byte == '\r')
        return go_on(feed, MW_LINE_LF);
    return refuse(feed, byte == '\n' ? &bad_line_end : &bad_line);
}

static int read_lf(struct feed *feed, char byte)
{
    return byte == '\n' ? go_on(feed, MW_LINE_DONE) : refuse(feed, &bad_line_end);
}

/* ---- all of it ---- */

static int read_byte(struct feed *feed, char byte)
{
    switch (feed->line->phase) {
    case MW_LINE_START:
        return read_start(feed, byte);
    case MW_LINE_EMPTY_END:
        return read_empty_end(feed, byte);
    case MW_LINE_METHOD:
        return read_method(feed, byte);
    case MW_LINE_TARGET:
        return read_target(feed, byte);
    case MW_LINE_VERSION:
        return read_version(feed, byte);
    case MW_LINE_CR:
        return read_cr(feed, byte);
    case MW_LINE_LF:
        return read_lf(feed, byte);
    case MW_LINE_DONE:
        break;
    }
    return MW_OK;
}

int mw_request_line_feed(struct mw_request_line *line, struct mw_view bytes, struct mw_buf *text,
                         size_t *used, const struct mw_http_refusal **refusal)
{
    struct feed feed = { line, text, NULL };
    for (*used = 0; *used < bytes.len && line->phase != MW_LINE_DONE; (*used)++) {
        int err = read_byte(&feed, bytes.data[*used]);
        if (err) {
            *refusal = feed.refusal;
            return err;
        }
    }
    return line->phase == MW_LINE_DONE ? MW_OK : MW_ERR_AGAIN;
}
