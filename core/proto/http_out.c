/*
 * Writes heads of responses and whole refusals. The one place where text becomes a header line, so
 * that no value can start a line of its own. Knows no connection and no clock; called by handshake
 * and by the server.
 */
#include "core/proto/http_out.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/http_date.h"

static const struct {
    unsigned status;
    const char *phrase;
} phrases[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
    { 511, "Network Authentication Required" },
};

const char *mw_http_phrase(unsigned status)
{
    for (size_t i = 0; i < MW_COUNT(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "Unknown";
}

/* A buffer without a cap of its own has one way to refuse. */
static int nomem_or_ok(int err)
{
    return err ? MW_ERR_NOMEM : MW_OK;
}

int mw_http_start(struct mw_buf *out, unsigned status, mw_ms unix_ms)
{
    char date[30];
    mw_http_date(unix_ms, date);
    return nomem_or_ok(mw_buf_putf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\nServer: moonwire\r\n",
                                   status, mw_http_phrase(status), date));
}

/* RFC 9110 5.5: no control character but the tab. */
static bool is_field_value(struct mw_view value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

int mw_http_field(struct mw_buf *out, const char *name, struct mw_view value)
{
    mw_assert(mw_is_token(mw_view_text(name)));
    if (!is_field_value(value))
        return MW_ERR_BAD_ARG;
    size_t name_len = strlen(name);
    if (mw_buf_reserve(out, name_len + 2 + value.len + 2))
        return MW_ERR_NOMEM;
    mw_buf_put(out, name, name_len);
    mw_buf_put(out, ": ", 2);
    mw_buf_put_view(out, value);
    mw_buf_put(out, "\r\n", 2);
    return MW_OK;
}

int mw_http_field_number(struct mw_buf *out, const char *name, uint64_t value)
{
    char digits[21];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, value);
    return mw_http_field(out, name, mw_view(digits, (size_t)len));
}

int mw_http_end(struct mw_buf *out)
{
    return nomem_or_ok(mw_buf_put(out, "\r\n", 2));
}

static void write_seconds(struct mw_json_writer *json, const char *key, uint32_t ms)
{
    mw_jw_key(json, mw_view_text(key));
    if (ms % 1000 == 0)
        mw_jw_integer(json, ms / 1000);
    else
        mw_jw_number(json, ms / 1000.0);
}

void mw_http_write_told(struct mw_json_writer *json, const struct mw_http_told *told)
{
    mw_jw_key(json, mw_view_text("cause"));
    if (told->cause)
        mw_jw_string(json, mw_view_text(told->cause));
    else
        mw_jw_null(json);
    mw_jw_key(json, mw_view_text("retry"));
    if (told->retry.kind != MW_ADVICE_RETURN) {
        mw_jw_bool(json, false);
        return;
    }
    mw_jw_object(json);
    write_seconds(json, "after", told->retry.after_ms);
    write_seconds(json, "spread", told->retry.spread_ms);
    mw_jw_object_end(json);
}

static int write_refusal_body(struct mw_buf *body, unsigned status, const char *error,
                              struct mw_view detail, const struct mw_http_told *told)
{
    struct mw_json_writer json = { .out = body };
    mw_jw_object(&json);
    mw_jw_pair(&json, "error", mw_view_text(error));
    mw_jw_pair(&json, "detail", detail);
    mw_jw_pair_integer(&json, "status", status);
    if (told)
        mw_http_write_told(&json, told);
    mw_jw_object_end(&json);
    return nomem_or_ok(json.err ? json.err : mw_buf_put_byte(body, '\n'));
}

/* Whole seconds, rounded up: who comes early is only sent away again. */
static int put_retry_after(struct mw_buf *out, const struct mw_http_told *told)
{
    if (!told || told->retry.kind != MW_ADVICE_RETURN)
        return MW_OK;
    unsigned after_s = (told->retry.after_ms + 999) / 1000;
    return mw_http_field_number(out, "Retry-After", after_s ? after_s : 1); /* 0 is no advice */
}

static int write_refusal(struct mw_buf *out, unsigned status, struct mw_view body,
                         const char *connection, const char *extra, const struct mw_http_told *told,
                         mw_ms unix_ms)
{
    int err = mw_http_start(out, status, unix_ms);
    if (!err && connection)
        err = mw_http_field(out, "Connection", mw_view_text(connection));
    if (!err)
        err = mw_http_field(out, "Content-Type", mw_view_text("application/json"));
    if (!err)
        err = mw_http_field(out, "Cache-Control", mw_view_text("no-store"));
    if (!err)
        err = mw_http_field_number(out, "Content-Length", body.len);
    if (!err)
        err = put_retry_after(out, told);
    if (!err && extra)
        err = nomem_or_ok(mw_buf_put_text(out, extra));
    if (!err)
        err = mw_http_end(out);
    return err ? err : nomem_or_ok(mw_buf_put_view(out, body));
}

int mw_http_refuse(struct mw_buf *out, unsigned status, const char *error, struct mw_view detail,
                   const char *connection, const char *extra, const struct mw_http_told *told,
                   mw_ms unix_ms)
{
    size_t before = out->len;
    struct mw_buf body;
    mw_buf_init(&body, out->mem, 0);
    int err = write_refusal_body(&body, status, error, detail, told);
    if (!err)
        err = write_refusal(out, status, mw_buf_view(&body), connection, extra, told, unix_ms);
    if (err)
        out->len = before;
    mw_buf_free(&body);
    return err;
}

/* Nothing of it can be forged: a reader has let it pass. No blank behind a colon: that is length.
 */
int mw_http_put_request(struct mw_buf *out, const struct mw_http_head *head)
{
    int err = mw_buf_putf(out, "%.*s ", (int)head->method.len, head->method.data);
    if (!err)
        err = mw_buf_put_view(out, head->target);
    if (!err)
        err = mw_buf_putf(out, " HTTP/%u.%u\r\n", head->major, head->minor);
    for (size_t i = 0; i < head->header_count && !err; i++) {
        err = mw_buf_put_view(out, head->headers[i].name);
        if (!err)
            err = mw_buf_put_byte(out, ':');
        if (!err)
            err = mw_buf_put_view(out, head->headers[i].value);
        if (!err)
            err = mw_buf_put_text(out, "\r\n");
    }
    return err ? err : mw_buf_put_text(out, "\r\n");
}
