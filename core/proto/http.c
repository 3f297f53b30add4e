/*
 * Heads of requests and responses. A request's first line is request_line's; of the rest llhttp
 * finds the pieces, and this file keeps them, bounds them and adds the rules that llhttp leaves to
 * its user: limits, Host, codings. No lenient flag of llhttp is ever set: what a proxy in front
 * might read differently is refused (RFC 9112 11.2). Never reads a body and never answers.
 *
 * A fault is named on the byte that makes it, so that no cut changes which of two is found.
 * Therefore a header counts when its name has ended: where a piece ends within one, llhttp tells of
 * a half name, and without the cut it would not have told of it before a fault in it.
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
#include "core/proto/request_line.h"
#include "core/proto/url.h"

#define FIRST_HEADERS 16 /* a browser's upgrade has about 15 */

struct mw_http_reader {
    struct mw_mem *mem;
    enum mw_http_kind kind;
    llhttp_t parser;
    size_t taken;                /* bytes of the head so far */
    struct mw_request_line line; /* of a request */
    struct mw_buf text;          /* method, target, then name and value of each header */
    struct mw_header *headers;   /* of header_cap; `data` is set when the head is whole */
    size_t header_count, header_cap;
    size_t name_len; /* of a name whose colon has not come */
    bool has_body;
    int err;                               /* why a callback stopped the parser: MW_ERR_* */
    const struct mw_http_refusal *refusal; /* with MW_ERR_PROTOCOL */
    struct mw_http_head head;
};

/* ---- refusals ---- */

static const struct mw_http_refusal
    bad_request = { 400, "bad_request", "the bytes are not an HTTP/1.1 head (RFC 9112)" },
    bad_line_end = { 400, "bad_line_end",
                     "a line of the head does not end in CR LF (RFC 9112 2.2)" },
    bad_header = { 400, "bad_header",
                   "a header holds a byte that is not allowed, a blank before its colon, or is "
                   "folded into a second line (RFC 9112 5)" },
    bad_length = { 400, "bad_length",
                   "Content-Length and Transfer-Encoding are wrong or contradict each other "
                   "(RFC 9112 6.3)" },
    unknown_coding = { 501, "unknown_coding",
                       "Transfer-Encoding names more than chunked (RFC 9112 6.1)" },
    bad_host = { 400, "bad_host", "a request has exactly one valid Host header (RFC 9112 3.2)" },
    long_head = { 431, "head_too_large", "the head is larger than 16384 bytes" },
    many_headers = { 431, "too_many_headers", "the head has more than 100 headers" };

_Static_assert(MW_HTTP_MAX_HEAD == 16384 && MW_HTTP_MAX_HEADERS == 100,
               "the sentences above name the limits");

static const struct {
    llhttp_errno_t err;
    const struct mw_http_refusal *refusal;
} refusals[] = {
    { HPE_STRICT, &bad_line_end },
    { HPE_CR_EXPECTED, &bad_line_end },
    { HPE_LF_EXPECTED, &bad_line_end },
    { HPE_UNEXPECTED_SPACE, &bad_header },
    { HPE_INVALID_HEADER_TOKEN, &bad_header },
    { HPE_INVALID_CONTENT_LENGTH, &bad_length },
    { HPE_UNEXPECTED_CONTENT_LENGTH, &bad_length },
    { HPE_INVALID_TRANSFER_ENCODING, &bad_length },
};

static const struct mw_http_refusal *refusal_of(llhttp_errno_t err)
{
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

static int on_header_name(llhttp_t *parser, const char *piece, size_t len)
{
    struct mw_http_reader *reader = parser->data;
    if (keep(reader, piece, len) != 0)
        return HPE_USER;
    char *kept = reader->text.data + reader->text.len - len;
    for (size_t i = 0; i < len; i++) {
        if (kept[i] >= 'A' && kept[i] <= 'Z')
            kept[i] = (char)(kept[i] + ('a' - 'A'));
    }
    reader->name_len += len;
    return 0;
}

static int on_header_name_end(llhttp_t *parser)
{
    struct mw_http_reader *reader = parser->data;
    if (reader->header_count == MW_HTTP_MAX_HEADERS)
        return stop(reader, MW_ERR_PROTOCOL, &many_headers);
    if (reader->header_count == reader->header_cap && grow_headers(reader) != 0)
        return HPE_USER;
    struct mw_header *header = &reader->headers[reader->header_count++];
    *header = (struct mw_header){ .name.len = reader->name_len };
    reader->name_len = 0;
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
    .on_header_field = on_header_name,
    .on_header_field_complete = on_header_name_end,
    .on_header_value = on_header_value,
    .on_headers_complete = on_head_end,
};

/* ---- the whole head ---- */

static void make_views(struct mw_http_reader *reader)
{
    const char *at = reader->text.len ? reader->text.data : "";
    reader->head.method = mw_view(at, reader->line.method_len);
    at += reader->line.method_len;
    reader->head.target = mw_view(at, reader->line.target_len);
    at += reader->line.target_len;
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

/* RFC 9112 3.2. HTTP/1.0 knows no Host, and may send one. */
static bool host_is_right(const struct mw_http_head *head)
{
    size_t count;
    struct mw_view host = mw_http_header(head, "host", &count);
    bool count_is_right = count == 1 || (count == 0 && head->minor == 0);
    return count_is_right && mw_is_authority(host);
}

/*
 * RFC 9112 3.2.2: of an absolute form the authority counts and Host is ignored. It takes Host's
 * place, so that nobody above can ask the wrong one.
 */
static void put_authority_for_host(struct mw_http_reader *reader)
{
    struct mw_target target;
    if (mw_target_split(reader->head.target, &target) != MW_OK || target.authority.len == 0)
        return;
    for (size_t i = 0; i < reader->header_count; i++) {
        if (mw_view_is(reader->headers[i].name, "host"))
            reader->headers[i].value = target.authority;
    }
}

/*
 * RFC 9112 6.1 and 6.3: a body's end can be found where chunked is the last coding and is there
 * once. What is coded otherwise within it nobody here could read.
 */
static const struct mw_http_refusal *check_codings(const struct mw_http_head *head)
{
    size_t lines, codings = 0, chunked = 0;
    bool ends_in_chunked = false;
    mw_http_header(head, "transfer-encoding", &lines);
    if (lines == 0)
        return NULL;
    for (size_t i = 0; i < head->header_count; i++) {
        struct mw_view list = head->headers[i].value, coding;
        if (!mw_view_is(head->headers[i].name, "transfer-encoding"))
            continue;
        while (mw_view_split(&list, ',', &coding)) {
            coding = mw_view_trim(coding);
            if (coding.len == 0)
                continue;
            ends_in_chunked = mw_view_is_nocase(coding, "chunked");
            chunked += ends_in_chunked;
            codings++;
        }
    }
    if (!ends_in_chunked || chunked != 1 || head->minor == 0)
        return &bad_length;
    return codings > 1 ? &unknown_coding : NULL;
}

/* RFC 9112 6.2: digits, and no second one; llhttp lets the absence of digits pass. */
static bool length_is_right(const struct mw_http_head *head)
{
    size_t count;
    uint64_t length;
    struct mw_view text = mw_http_header(head, "content-length", &count);
    return count == 0 || (count == 1 && mw_parse_u64(text, 0, UINT64_MAX, &length));
}

static const struct mw_http_refusal *check_request(struct mw_http_reader *reader)
{
    if (!host_is_right(&reader->head))
        return &bad_host;
    if (!length_is_right(&reader->head))
        return &bad_length;
    put_authority_for_host(reader);
    return check_codings(&reader->head);
}

static int refuse(struct mw_http_refusal *refusal, const struct mw_http_refusal *why)
{
    *refusal = *why;
    return MW_ERR_PROTOCOL;
}

static int finish(struct mw_http_reader *reader, struct mw_http_refusal *refusal)
{
    struct mw_http_head *head = &reader->head;
    bool is_request = reader->kind == MW_HTTP_REQUEST;
    make_views(reader);
    head->major = reader->parser.http_major;
    head->minor = is_request ? reader->line.minor : reader->parser.http_minor;
    head->keep_alive = keeps_alive(head);
    head->has_body = reader->has_body;
    head->status = is_request ? 0 : reader->parser.status_code;
    const struct mw_http_refusal *broken = is_request ? check_request(reader) : NULL;
    return broken ? refuse(refusal, broken) : MW_OK;
}

/* ---- feeding ---- */

/* The first line; llhttp, which has not seen it, is told of another one. */
static int feed_line(struct mw_http_reader *reader, struct mw_view bytes, size_t *used,
                     struct mw_http_refusal *refusal)
{
    static const char stand_in[] = "GET / HTTP/1.1\r\n";
    const struct mw_http_refusal *why;
    int err = mw_request_line_feed(&reader->line, bytes, &reader->text, used, &why);
    if (err == MW_ERR_PROTOCOL)
        return refuse(refusal, why);
    if (!err)
        (void)MW_ALWAYS(llhttp_execute(&reader->parser, stand_in, sizeof stand_in - 1) == HPE_OK);
    return err;
}

static int feed_headers(struct mw_http_reader *reader, struct mw_view bytes, size_t *used,
                        struct mw_http_refusal *refusal)
{
    size_t room = MW_HTTP_MAX_HEAD - reader->taken;
    size_t len = bytes.len < room ? bytes.len : room;
    llhttp_errno_t err = llhttp_execute(&reader->parser, bytes.data, len);
    if (err == HPE_OK || err == HPE_PAUSED_UPGRADE) {
        const char *end = err == HPE_OK ? bytes.data + len : llhttp_get_error_pos(&reader->parser);
        *used = (size_t)(end - bytes.data);
    }
    if (err == HPE_PAUSED_UPGRADE)
        return finish(reader, refusal);
    if (err == HPE_OK)
        return len < room ? MW_ERR_AGAIN : refuse(refusal, &long_head);
    if (reader->err && !reader->refusal)
        return reader->err;
    return refuse(refusal, reader->refusal ? reader->refusal : refusal_of(err));
}

int mw_http_reader_feed(struct mw_http_reader *reader, struct mw_view bytes, size_t *used,
                        struct mw_http_refusal *refusal)
{
    int err = MW_OK;
    *used = 0;
    /* Most heads come in one piece: one block instead of four, each a copy of the one before. */
    (void)mw_buf_reserve(&reader->text, bytes.len); /* what does not fit shows where it is put */
    if (reader->kind == MW_HTTP_REQUEST && reader->line.phase != MW_LINE_DONE)
        err = feed_line(reader, bytes, used, refusal);
    reader->taken += *used;
    if (err || *used == bytes.len)
        return err ? err : MW_ERR_AGAIN;
    size_t more = 0; /* stays so where they are refused */
    err = feed_headers(reader, mw_view_from(bytes, *used), &more, refusal);
    reader->taken += more;
    *used += more;
    return err;
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
    reader->line = (struct mw_request_line){ 0 };
    reader->taken = reader->header_count = reader->name_len = 0;
    reader->has_body = false;
    reader->err = MW_OK;
    reader->refusal = NULL;
    reader->head = (struct mw_http_head){ 0 };
}

const struct mw_http_head *mw_http_reader_head(const struct mw_http_reader *reader)
{
    return &reader->head;
}

struct mw_view mw_http_reader_target(const struct mw_http_reader *reader)
{
    const struct mw_request_line *line = &reader->line;
    if (line->phase != MW_LINE_DONE || reader->text.len < line->method_len + line->target_len)
        return mw_view("", 0);
    return mw_view(reader->text.data + line->method_len, line->target_len);
}

bool mw_http_reader_is_fresh(const struct mw_http_reader *reader)
{
    bool has_no_line = reader->line.phase <= MW_LINE_EMPTY_END;
    return reader->kind == MW_HTTP_REQUEST ? has_no_line : reader->taken == 0;
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
