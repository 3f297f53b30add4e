/*
 * Heads of requests and responses. llhttp finds the pieces, this file keeps them, bounds them and
 * adds the rules that llhttp leaves to its user: limits, the version, Host. No lenient flag of
 * llhttp is ever set: what a proxy in front might read differently is refused (RFC 9112 11.2).
 * Never reads a body and never answers.
 *
 * The texts of a head stand one behind the other in one buffer, in order of arrival. The buffer
 * moves while it grows, so until the head is whole only lengths are kept; views are made from them
 * once, at the end.
 */
#include "core/proto/http.h"

#include <llhttp.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/str.h"

#define FIRST_HEADERS 16   /* a browser's upgrade has about 15 */
#define TLS_HANDSHAKE 0x16 /* RFC 8446 5.1: the first byte of a ClientHello's record */

struct mw_http_reader {
    struct mw_mem *mem;
    enum mw_http_kind kind;
    llhttp_t parser;
    size_t taken;       /* bytes of the head so far */
    struct mw_buf text; /* method, target, then name and value of each header */
    size_t method_len, target_len;
    struct mw_header *headers; /* of header_cap; `data` is set when the head is whole */
    size_t header_count, header_cap;
    bool in_name; /* a header's name has begun, its colon not come */
    bool has_body;
    int err;                               /* why a callback stopped the parser: MW_ERR_* */
    const struct mw_http_refusal *refusal; /* with MW_ERR_PROTOCOL */
    struct mw_http_head head;
};

/* ---- refusals ---- */

static const struct mw_http_refusal
    bad_request = { 400, "bad_request", "the bytes are not an HTTP/1.1 head (RFC 9112)" },
    bad_method = { 400, "bad_method", "the bytes do not begin with a known HTTP method" },
    bad_target = { 400, "bad_target",
                   "the request target holds a byte that must be percent-encoded (RFC 9112 3.2)" },
    bad_line_end = { 400, "bad_line_end",
                     "a line of the head does not end in CR LF (RFC 9112 2.2)" },
    bad_header = { 400, "bad_header",
                   "a header holds a byte that is not allowed, a blank before its colon, or is "
                   "folded into a second line (RFC 9112 5)" },
    bad_length = { 400, "bad_length",
                   "Content-Length and Transfer-Encoding are wrong or contradict each other "
                   "(RFC 9112 6.3)" },
    bad_host = { 400, "bad_host", "a request has exactly one valid Host header (RFC 9112 3.2)" },
    bad_version = { 505, "bad_version", "this server speaks HTTP/1.1" },
    http_2 = { 505, "http_2", "HTTP/2 was spoken to a port for HTTP/1.1" },
    tls = { 400, "tls_on_plain_port",
            "TLS was spoken to a plain port; use ws:// and http:// here" },
    long_target = { 414, "target_too_long", "the request target is longer than 8192 bytes" },
    long_head = { 431, "head_too_large", "the head is larger than 16384 bytes" },
    many_headers = { 431, "too_many_headers", "the head has more than 100 headers" };

_Static_assert(MW_HTTP_MAX_TARGET == 8192 && MW_HTTP_MAX_HEAD == 16384 &&
                   MW_HTTP_MAX_HEADERS == 100,
               "the sentences above name the limits");

static const struct {
    llhttp_errno_t err;
    const struct mw_http_refusal *refusal;
} refusals[] = {
    { HPE_INVALID_METHOD, &bad_method },
    { HPE_INVALID_URL, &bad_target },
    { HPE_INVALID_VERSION, &bad_version },
    { HPE_STRICT, &bad_line_end },
    { HPE_CR_EXPECTED, &bad_line_end },
    { HPE_LF_EXPECTED, &bad_line_end },
    { HPE_UNEXPECTED_SPACE, &bad_header },
    { HPE_INVALID_HEADER_TOKEN, &bad_header },
    { HPE_INVALID_CONTENT_LENGTH, &bad_length },
    { HPE_UNEXPECTED_CONTENT_LENGTH, &bad_length },
    { HPE_INVALID_TRANSFER_ENCODING, &bad_length },
    { HPE_PAUSED_H2_UPGRADE, &http_2 },
};

static bool is_our_version(const llhttp_t *parser)
{
    return parser->http_major == 1 && parser->http_minor <= 1;
}

static const struct mw_http_refusal *refusal_of(const llhttp_t *parser, llhttp_errno_t err)
{
    /* llhttp says the same of a good version whose line ends in a bare LF. */
    if (err == HPE_INVALID_VERSION && is_our_version(parser))
        return &bad_line_end;
    for (size_t i = 0; i < MW_COUNT(refusals); i++) {
        if (refusals[i].err == err)
            return refusals[i].refusal;
    }
    return &bad_request;
}

/* ---- callbacks of llhttp: pieces, cut at any byte ---- */

static int stop(struct mw_http_reader *reader, int err, const struct mw_http_refusal *refusal)
{
    reader->err = err;
    reader->refusal = refusal;
    return HPE_USER;
}

static int keep(struct mw_http_reader *reader, const char *piece, size_t len)
{
    int err = mw_buf_put(&reader->text, piece, len);
    return err ? stop(reader, err, NULL) : 0;
}

static int on_method(llhttp_t *parser, const char *piece, size_t len)
{
    struct mw_http_reader *reader = parser->data;
    reader->method_len += len;
    return keep(reader, piece, len);
}

static int on_target(llhttp_t *parser, const char *piece, size_t len)
{
    struct mw_http_reader *reader = parser->data;
    reader->target_len += len;
    if (reader->target_len > MW_HTTP_MAX_TARGET)
        return stop(reader, MW_ERR_PROTOCOL, &long_target);
    return keep(reader, piece, len);
}

static int grow_headers(struct mw_http_reader *reader)
{
    size_t cap = reader->header_cap ? reader->header_cap * 2 : FIRST_HEADERS;
    if (cap > MW_HTTP_MAX_HEADERS)
        cap = MW_HTTP_MAX_HEADERS;
    struct mw_header *grown = mw_realloc(reader->mem, reader->headers,
                                         reader->header_cap * sizeof *grown, cap * sizeof *grown);
    if (!grown)
        return stop(reader, MW_ERR_NOMEM, NULL);
    reader->headers = grown;
    reader->header_cap = cap;
    return 0;
}

static int begin_header(struct mw_http_reader *reader)
{
    if (reader->header_count == MW_HTTP_MAX_HEADERS)
        return stop(reader, MW_ERR_PROTOCOL, &many_headers);
    if (reader->header_count == reader->header_cap && grow_headers(reader) != 0)
        return HPE_USER;
    reader->headers[reader->header_count++] = (struct mw_header){ { NULL, 0 }, { NULL, 0 } };
    reader->in_name = true;
    return 0;
}

static int on_header_name(llhttp_t *parser, const char *piece, size_t len)
{
    struct mw_http_reader *reader = parser->data;
    if (!reader->in_name && begin_header(reader) != 0)
        return HPE_USER;
    if (keep(reader, piece, len) != 0)
        return HPE_USER;
    char *kept = reader->text.data + reader->text.len - len;
    for (size_t i = 0; i < len; i++) {
        if (kept[i] >= 'A' && kept[i] <= 'Z')
            kept[i] = (char)(kept[i] + ('a' - 'A'));
    }
    reader->headers[reader->header_count - 1].name.len += len;
    return 0;
}

static int on_header_name_end(llhttp_t *parser)
{
    struct mw_http_reader *reader = parser->data;
    reader->in_name = false;
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *piece, size_t len)
{
    struct mw_http_reader *reader = parser->data;
    if (keep(reader, piece, len) != 0)
        return HPE_USER;
    reader->headers[reader->header_count - 1].value.len += len;
    return 0;
}

/* 2 tells llhttp to stop right behind the head, whatever follows. */
static int on_head_end(llhttp_t *parser)
{
    struct mw_http_reader *reader = parser->data;
    reader->has_body = parser->content_length > 0 || (parser->flags & F_TRANSFER_ENCODING);
    return 2;
}

static const llhttp_settings_t callbacks = {
    .on_method = on_method,
    .on_url = on_target,
    .on_header_field = on_header_name,
    .on_header_field_complete = on_header_name_end,
    .on_header_value = on_header_value,
    .on_headers_complete = on_head_end,
};

/* ---- the whole head ---- */

static void make_views(struct mw_http_reader *reader)
{
    const char *at = reader->text.len ? reader->text.data : "";
    reader->head.method = mw_view(at, reader->method_len);
    at += reader->method_len;
    reader->head.target = mw_view(at, reader->target_len);
    at += reader->target_len;
    for (size_t i = 0; i < reader->header_count; i++) {
        struct mw_header *header = &reader->headers[i];
        header->name.data = at;
        at += header->name.len;
        header->value.data = at;
        at += header->value.len;
        header->value = mw_view_trim(header->value);
    }
    reader->head.headers = reader->headers;
    reader->head.header_count = reader->header_count;
}

/* RFC 9112 9.3 */
static bool keeps_alive(const struct mw_http_head *head)
{
    if (mw_http_has_token(head, "connection", "close"))
        return false;
    return head->minor >= 1 || mw_http_has_token(head, "connection", "keep-alive");
}

/*
 * RFC 3986 3.2.2 and 3.2.3, as far as it keeps delimiters of other parts out: no user, path or
 * blank.
 */
static bool is_host(struct mw_view host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c <= ' ' || c >= 0x7F || strchr("/?#@\\\"<>^`{|},", c))
            return false;
    }
    return true;
}

static bool host_is_right(const struct mw_http_head *head)
{
    size_t count;
    struct mw_view host = mw_http_header(head, "host", &count);
    bool count_is_right = count == 1 || (count == 0 && head->minor == 0);
    return count_is_right && is_host(host);
}

static const struct mw_http_refusal *check_request(const struct mw_http_reader *reader)
{
    if (!is_our_version(&reader->parser))
        return &bad_version;
    return host_is_right(&reader->head) ? NULL : &bad_host;
}

static int finish(struct mw_http_reader *reader, struct mw_http_refusal *refusal)
{
    struct mw_http_head *head = &reader->head;
    make_views(reader);
    head->major = reader->parser.http_major;
    head->minor = reader->parser.http_minor;
    head->keep_alive = keeps_alive(head);
    head->has_body = reader->has_body;
    if (reader->kind == MW_HTTP_RESPONSE) {
        head->status = reader->parser.status_code;
        return MW_OK;
    }
    const struct mw_http_refusal *broken = check_request(reader);
    if (!broken)
        return MW_OK;
    *refusal = *broken;
    return MW_ERR_PROTOCOL;
}

static int refuse(struct mw_http_refusal *refusal, const struct mw_http_refusal *why)
{
    *refusal = *why;
    return MW_ERR_PROTOCOL;
}

static bool is_tls(const struct mw_http_reader *reader, struct mw_view bytes)
{
    bool is_first = reader->taken == 0 && bytes.len > 0;
    return is_first && reader->kind == MW_HTTP_REQUEST && bytes.data[0] == TLS_HANDSHAKE;
}

int mw_http_reader_feed(struct mw_http_reader *reader, struct mw_view bytes, size_t *used,
                        struct mw_http_refusal *refusal)
{
    *used = 0;
    if (bytes.len == 0)
        return MW_ERR_AGAIN;
    if (is_tls(reader, bytes))
        return refuse(refusal, &tls);

    size_t room = MW_HTTP_MAX_HEAD - reader->taken;
    size_t len = bytes.len < room ? bytes.len : room;
    llhttp_errno_t err = llhttp_execute(&reader->parser, bytes.data, len);
    if (err == HPE_OK || err == HPE_PAUSED_UPGRADE) {
        const char *end = err == HPE_OK ? bytes.data + len : llhttp_get_error_pos(&reader->parser);
        *used = (size_t)(end - bytes.data);
        reader->taken += *used;
    }
    if (err == HPE_PAUSED_UPGRADE)
        return finish(reader, refusal);
    if (err == HPE_OK)
        return reader->taken < MW_HTTP_MAX_HEAD ? MW_ERR_AGAIN : refuse(refusal, &long_head);
    if (reader->err && !reader->refusal)
        return reader->err;
    return refuse(refusal, reader->refusal ? reader->refusal : refusal_of(&reader->parser, err));
}

/* ---- life ---- */

struct mw_http_reader *mw_http_reader_new(struct mw_mem *mem, enum mw_http_kind kind)
{
    struct mw_http_reader *reader = mw_alloc_zero(mem, sizeof *reader);
    if (!reader)
        return NULL;
    reader->mem = mem;
    reader->kind = kind;
    mw_buf_init(&reader->text, mem, MW_HTTP_MAX_HEAD);
    mw_http_reader_reset(reader);
    return reader;
}

void mw_http_reader_free(struct mw_http_reader *reader)
{
    if (!reader)
        return;
    mw_buf_free(&reader->text);
    mw_free(reader->mem, reader->headers, reader->header_cap * sizeof *reader->headers);
    mw_free(reader->mem, reader, sizeof *reader);
}

void mw_http_reader_reset(struct mw_http_reader *reader)
{
    bool is_request = reader->kind == MW_HTTP_REQUEST;
    llhttp_init(&reader->parser, is_request ? HTTP_REQUEST : HTTP_RESPONSE, &callbacks);
    reader->parser.data = reader;
    mw_buf_clear(&reader->text);
    reader->taken = reader->method_len = reader->target_len = reader->header_count = 0;
    reader->in_name = reader->has_body = false;
    reader->err = MW_OK;
    reader->refusal = NULL;
    reader->head = (struct mw_http_head){ 0 };
}

const struct mw_http_head *mw_http_reader_head(const struct mw_http_reader *reader)
{
    return &reader->head;
}

bool mw_http_reader_is_fresh(const struct mw_http_reader *reader)
{
    return reader->taken == 0;
}

/* ---- looking at a head ---- */

struct mw_view mw_http_header(const struct mw_http_head *head, const char *name, size_t *count)
{
    struct mw_view first = mw_view("", 0);
    size_t found = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        if (mw_view_is(head->headers[i].name, name) && found++ == 0)
            first = head->headers[i].value;
    }
    if (count)
        *count = found;
    return first;
}

bool mw_http_has_token(const struct mw_http_head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct mw_header *header = &head->headers[i];
        if (mw_view_is(header->name, name) && mw_list_has_token(header->value, token))
            return true;
    }
    return false;
}
