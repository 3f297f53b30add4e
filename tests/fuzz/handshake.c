/*
 * The opening handshake over parsed heads. A request that passes is one that RFC 6455 4.2.1 allows,
 * checked here once more in other words, and our answer to it satisfies our client; an answer that
 * nobody of ours has written satisfies it only if it says what 4.1 demands.
 *
 * Input: one byte of choices, then a head, in which \1, \2 and \3 stand for longer ones.
 */
#include "core/proto/handshake.h"

#include "core/base/digest.h"
#include "tests/fuzz/heads.h"

#define MAX_BYTES 20000
#define KEY       "dGhlIHNhbXBsZSBub25jZQ=="

static const struct mw_view mine[] = { MW_VIEW("chat"), MW_VIEW("v2.json"), MW_VIEW("!") };
static const struct mw_view origins[] = { MW_VIEW("https://example.com"), MW_VIEW("null") };

static const struct mw_ext_deflate any_offer = { .on = true, .client_bits = 15 };

/* A reader with a whole head, or NULL. */
static struct mw_http_reader *read_whole(struct mw_mem *mem, enum mw_http_kind kind,
                                         struct mw_view bytes)
{
    struct mw_http_reader *reader = mw_http_reader_new(mem, kind);
    struct mw_http_refusal refusal;
    size_t used;
    if (mw_http_reader_feed(reader, bytes, &used, &refusal) == MW_OK)
        return reader;
    mw_http_reader_free(reader);
    return NULL;
}

static struct mw_view only(const struct mw_http_head *head, const char *name)
{
    size_t count;
    struct mw_view value = mw_http_header(head, name, &count);
    CHECK(count == 1);
    return value;
}

/* ---- what follows from a request that passed ---- */

static void check_passed(const struct mw_http_head *head)
{
    uint8_t key[16];
    size_t origins_given;
    mw_http_header(head, "origin", &origins_given);
    CHECK(origins_given <= 1);
    CHECK(mw_view_is(head->method, "GET"));
    CHECK(head->major == 1 && head->minor == 1 && !head->has_body);
    CHECK(only(head, "host").len > 0);
    CHECK(mw_http_has_token(head, "connection", "upgrade"));
    CHECK(mw_ws_is_upgrade(head));
    CHECK(mw_view_is(only(head, "sec-websocket-version"), "13"));
    CHECK(mw_base64_decode(only(head, "sec-websocket-key"), key, sizeof key) == 16);
    CHECK(mw_ext_is_wellformed(head));
}

/* An answer of ours, read by our client. */
static void check_answered(struct mw_mem *mem, const struct mw_http_head *request,
                           struct mw_view protocol)
{
    struct mw_ext_deflate terms, taken = any_offer;
    struct mw_ws_refusal refusal;
    struct mw_buf out;
    mw_buf_init(&out, mem, 0);
    mw_ext_pick(request, true, &terms);
    CHECK(mw_ws_answer(&out, request, protocol, &terms) == MW_OK);
    struct mw_http_reader *reader = read_whole(mem, MW_HTTP_RESPONSE, mw_buf_view(&out));
    CHECK(reader != NULL);
    const struct mw_http_head *answer = mw_http_reader_head(reader);
    char key[MW_WS_KEY_LEN + 1] = { 0 };
    memcpy(key, only(request, "sec-websocket-key").data, MW_WS_KEY_LEN);
    CHECK(mw_ws_check_answer(answer, key, &taken, &refusal) == MW_OK);
    CHECK(taken.on == terms.on);
    CHECK(protocol.len == 0 || mw_view_equal(only(answer, "sec-websocket-protocol"), protocol));
    mw_http_reader_free(reader);
    mw_buf_free(&out);
}

static void check_origin(const struct mw_http_head *head)
{
    size_t count;
    struct mw_view origin = mw_http_header(head, "origin", &count);
    bool same = mw_ws_origin_is_same(head);
    bool listed = mw_ws_origin_is_listed(head, origins, MW_COUNT(origins));
    if (count == 0)
        CHECK(same && listed);
    if (count > 1)
        CHECK(!same && !listed);
    if (count != 1)
        return;
    bool is_ours = false;
    for (size_t i = 0; i < MW_COUNT(origins); i++)
        is_ours = is_ours || mw_view_equal_nocase(origin, origins[i]);
    CHECK(listed == is_ours);
    CHECK(!same || mw_view_find(origin, ':', 0) < origin.len);
    CHECK(!same || !mw_view_is(origin, "null"));
}

static void check_request(struct mw_mem *mem, const struct mw_http_head *head)
{
    struct mw_ws_refusal refusal;
    int err = mw_ws_check_request(head, &refusal);
    int picked = mw_ws_pick_protocol(head, mine, MW_COUNT(mine));
    CHECK(picked >= -1 && picked < (int)MW_COUNT(mine));
    check_origin(head);
    if (err) {
        CHECK(err == MW_ERR_PROTOCOL && refusal.status >= 400 && refusal.status <= 505);
        CHECK(*refusal.error && *refusal.text);
        CHECK(!refusal.extra || mw_view_ends_with(mw_view_text(refusal.extra), "\r\n"));
        return;
    }
    check_passed(head);
    check_answered(mem, head, picked < 0 ? mw_view("", 0) : mine[picked]);
}

/* ---- an answer ---- */

static void check_answer(const struct mw_http_head *head)
{
    struct mw_ext_deflate terms = any_offer;
    struct mw_ws_refusal refusal;
    char accept[MW_WS_ACCEPT_LEN + 1];
    CHECK(mw_ws_accept(mw_view_text(KEY), accept) == MW_OK);
    if (mw_ws_check_answer(head, KEY, &terms, &refusal) != MW_OK) {
        CHECK(*refusal.error && *refusal.text);
        return;
    }
    CHECK(head->status == 101);
    CHECK(mw_view_is(only(head, "sec-websocket-accept"), accept));
    CHECK(mw_ws_is_upgrade(head) && mw_http_has_token(head, "connection", "upgrade"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_mem mem;
    struct mw_buf bytes;
    struct mw_view input = mw_view((const char *)data, size);
    enum mw_http_kind kind = take_byte(&input) & 1 ? MW_HTTP_RESPONSE : MW_HTTP_REQUEST;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&bytes, &mem, 0);
    put_expanded(&bytes, input, MAX_BYTES);
    struct mw_http_reader *reader = read_whole(&mem, kind, mw_buf_view(&bytes));
    if (reader && kind == MW_HTTP_REQUEST)
        check_request(&mem, mw_http_reader_head(reader));
    if (reader && kind == MW_HTTP_RESPONSE)
        check_answer(mw_http_reader_head(reader));
    mw_http_reader_free(reader);
    mw_buf_free(&bytes);
    CHECK(mw_mem_is_empty(&mem));
    return 0;
}
