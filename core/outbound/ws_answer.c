/*
 * Reading an answer to a handshake. The rules are proto/handshake's; what a refusal says of coming
 * back is put together here.
 */
#include "core/outbound/ws_answer.h"

#include "core/base/json.h"
#include "core/base/str.h"
#include "core/proto/http_date.h"

#define LEAST_SPREAD_MS 1000

void mw_ws_answer_read(struct mw_ws_answer *answer, const struct mw_http_head *head)
{
    size_t count;
    *answer = (struct mw_ws_answer){
        .status = head->status,
        .headers = head->headers,
        .header_count = head->header_count,
        .server = mw_http_header(head, "server", &count),
        .protocol = mw_http_header(head, "sec-websocket-protocol", &count),
    };
}

static bool is_offered(struct mw_view protocol, const struct mw_view *protocols, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mw_view_equal(protocols[i], protocol))
            return true;
    }
    return false;
}

const char *mw_ws_answer_check(struct mw_ws_answer *answer, const struct mw_http_head *head,
                               const char *key, const struct mw_view *protocols, size_t count,
                               struct mw_ext_deflate *terms)
{
    struct mw_ws_refusal refusal;
    size_t given;
    if (mw_ws_check_answer(head, key, terms, &refusal))
        return refusal.text;
    (void)mw_http_header(head, "sec-websocket-protocol", &given);
    if (given && !is_offered(answer->protocol, protocols, count))
        return "RFC 6455 4.1: the server picked a subprotocol that was not offered";
    answer->deflate = *terms;
    return NULL;
}

/* ---- when to ask again ---- */

static uint32_t at_most_a_day(double ms)
{
    return ms > 0 ? ms < MW_ADVICE_MAX_MS ? (uint32_t)ms : MW_ADVICE_MAX_MS : 0;
}

static const struct mw_json *find(const struct mw_json *object, const char *name)
{
    struct mw_view key;
    const struct mw_json *value;
    if (mw_json_kind(object) != MW_JSON_OBJECT)
        return NULL;
    struct mw_json_iter iter = mw_json_iter(object);
    while (mw_json_iter_next(&iter, &key, &value)) {
        if (mw_view_is(key, name))
            return value;
    }
    return NULL;
}

static uint32_t ms_of(const struct mw_json *object, const char *name)
{
    const struct mw_json *value = find(object, name);
    if (value && mw_json_kind(value) == MW_JSON_INTEGER)
        return at_most_a_day(1000.0 * (double)mw_json_integer(value));
    return value && mw_json_kind(value) == MW_JSON_NUMBER
               ? at_most_a_day(1000.0 * mw_json_number(value))
               : 0;
}

/* {"error":...,"retry":false or {"after":S,"spread":S}}: as proto/http_out writes it. */
static struct mw_advice read_body(struct mw_mem *mem, struct mw_view body)
{
    struct mw_json_error error;
    struct mw_advice advice = { 0 };
    struct mw_json_doc *doc = body.len ? mw_json_parse(mem, body, &error) : NULL;
    if (!doc)
        return advice;
    const struct mw_json *root = mw_json_root(doc), *retry = find(root, "retry");
    if (!retry || !find(root, "error"))
        retry = NULL;
    else if (mw_json_kind(retry) == MW_JSON_BOOL && !mw_json_bool(retry))
        advice.kind = MW_ADVICE_STAY;
    else if (find(retry, "after"))
        advice = (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                                     .after_ms = ms_of(retry, "after"),
                                     .spread_ms = ms_of(retry, "spread") };
    mw_json_doc_free(doc);
    return advice;
}

static struct mw_advice return_after(double after_ms)
{
    uint32_t ms = at_most_a_day(after_ms);
    return (struct mw_advice){ .kind = MW_ADVICE_RETURN,
                               .after_ms = ms,
                               .spread_ms = ms / 3 > LEAST_SPREAD_MS ? ms / 3 : LEAST_SPREAD_MS };
}

/* RFC 9110 10.2.3: seconds or a date. */
static struct mw_advice read_header(struct mw_view value, mw_ms now_unix_ms)
{
    int64_t now_s = (int64_t)(now_unix_ms / 1000), at_s;
    uint64_t seconds;
    if (mw_parse_u64(value, 0, UINT32_MAX, &seconds))
        return return_after(1000.0 * (double)seconds);
    if (mw_http_date_parse(value, now_s, &at_s))
        return return_after(1000.0 * (double)(at_s - now_s));
    return (struct mw_advice){ 0 };
}

struct mw_advice mw_ws_answer_advice(struct mw_mem *mem, const struct mw_ws_answer *answer,
                                     mw_ms now_unix_ms)
{
    struct mw_advice advice = read_body(mem, answer->body);
    for (size_t i = 0; i < answer->header_count && advice.kind == MW_ADVICE_NONE; i++) {
        if (mw_view_is(answer->headers[i].name, "retry-after"))
            advice = read_header(answer->headers[i].value, now_unix_ms);
    }
    return advice;
}
