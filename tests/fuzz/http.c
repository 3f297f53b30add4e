/*
 * Heads of requests and responses, and a connection with pipelined requests: however the bytes are
 * cut, the same heads are read and the same fault is named. What is answered can be read, and says
 * what it must of the connection.
 *
 * Input: one byte of choices, then the bytes, in which \1, \2 and \3 stand for longer ones.
 */
#include "core/session/http_conn.h"

#include "core/proto/http_out.h"
#include "tests/fuzz/heads.h"

#define NOW_MS    1000000
#define MAX_BYTES 24000

static void tell_refusal(struct mw_buf *out, const struct mw_http_refusal *refusal)
{
    CHECK(refusal->status >= 400 && refusal->status <= 505);
    CHECK(*refusal->error && *refusal->text);
    CHECK(mw_buf_putf(out, "refused %u ", refusal->status) == MW_OK);
    tell(out, refusal->error, mw_view_text(refusal->text));
}

/* ---- one head ---- */

static void read_head(enum mw_http_kind kind, struct mw_view bytes, enum cut cut,
                      struct mw_buf *told)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_http_reader *reader = mw_http_reader_new(&mem, kind);
    struct mw_http_refusal refusal;
    struct cutter pieces = cutter(cut, bytes.len);
    size_t used = 0, taken = 0;
    int err = MW_ERR_AGAIN;
    CHECK(mw_http_reader_is_fresh(reader));
    while (err == MW_ERR_AGAIN && bytes.len > 0) {
        struct mw_view piece = take_piece(&pieces, &bytes);
        char *block = exact_copy(piece);
        err = mw_http_reader_feed(reader, mw_view(block, piece.len), &used, &refusal);
        free(block); /* nothing that was fed is kept */
        CHECK(used <= piece.len && (err != MW_ERR_AGAIN || used == piece.len));
        taken += used;
    }
    CHECK(err == MW_OK || err == MW_ERR_AGAIN || err == MW_ERR_PROTOCOL);
    if (err == MW_OK) {
        CHECK(taken <= MW_HTTP_MAX_HEAD);
        CHECK(mw_buf_putf(told, "%zu bytes\n", taken) == MW_OK);
        tell_head(told, mw_http_reader_head(reader));
    } else if (err == MW_ERR_PROTOCOL) {
        tell_refusal(told, &refusal);
    }
    CHECK(mem.peak <=
          2 * MW_HTTP_MAX_HEAD + MW_HTTP_MAX_HEADERS * 2 * sizeof(struct mw_header) + 4096);
    mw_http_reader_free(reader);
    CHECK(mw_mem_is_empty(&mem));
}

/* ---- requests one behind the other ---- */

/* The answer is one head, and a body where one may be. */
static void check_answer(struct mw_mem *mem, struct mw_http_conn *http, unsigned status)
{
    struct mw_http_reader *reader = mw_http_reader_new(mem, MW_HTTP_RESPONSE);
    struct mw_http_refusal refusal;
    size_t used;
    CHECK(mw_http_reader_feed(reader, mw_buf_view(&http->out), &used, &refusal) == MW_OK);
    const struct mw_http_head *answer = mw_http_reader_head(reader);
    CHECK(answer->status == status && answer->keep_alive == http->keep_alive);
    if (mw_view_is(mw_http_conn_head(http)->method, "HEAD"))
        CHECK(used == http->out.len);
    mw_http_reader_free(reader);
    mw_buf_clear(&http->out);
}

/* One answer or another, as the target's length has it. */
static void answer(struct mw_mem *mem, struct mw_http_conn *http)
{
    static const unsigned statuses[] = { 200, 404, 426, 400 };
    unsigned status = statuses[mw_http_conn_head(http)->target.len % MW_COUNT(statuses)];
    if (status == 200) {
        CHECK(mw_http_conn_start(http, status, NOW_MS) == MW_OK);
        CHECK(mw_http_field_number(&http->out, "Content-Length", 0) == MW_OK);
        CHECK(mw_http_end(&http->out) == MW_OK);
    } else {
        struct mw_view target = mw_http_conn_head(http)->target;
        CHECK(mw_http_conn_refuse(http, status, "why", target, NULL, NULL, NOW_MS) == MW_OK);
    }
    check_answer(mem, http, status);
    mw_http_conn_answered(http, NOW_MS);
}

static void pull(struct mw_mem *mem, struct mw_http_conn *http, struct mw_buf *told)
{
    for (;;) {
        switch (mw_http_conn_next(http, NOW_MS)) {
        case MW_HTTP_MORE:
            return;
        case MW_HTTP_GOT_REQUEST:
            tell_head(told, mw_http_conn_head(http));
            answer(mem, http);
            tell(told, http->keep_alive ? "goes on" : "ends", mw_view("", 0));
            break;
        case MW_HTTP_REFUSED:
            CHECK(http->phase == MW_HTTP_PHASE_DONE && http->out.len > 0);
            tell_refusal(told, &http->refusal);
            break;
        }
    }
}

static void serve(struct mw_view bytes, enum cut cut, struct mw_buf *told)
{
    struct mw_mem mem;
    struct mw_http_conn http;
    struct cutter pieces = cutter(cut, bytes.len);
    mw_mem_init(&mem, NULL, 0);
    CHECK(mw_http_conn_init(&http, &mem, NOW_MS) == MW_OK);
    while (bytes.len > 0) {
        struct mw_view piece = take_piece(&pieces, &bytes);
        char *block = exact_copy(piece);
        CHECK(mw_http_conn_feed(&http, mw_view(block, piece.len)) == MW_OK);
        free(block);
        pull(&mem, &http, told);
    }
    if (http.phase == MW_HTTP_PHASE_HEAD) {
        mw_http_conn_time_out(&http, NOW_MS);
        tell(told, http.out.len ? "408" : "silence", mw_view("", 0));
    }
    CHECK(http.phase == MW_HTTP_PHASE_DONE);
    mw_http_conn_free(&http);
    CHECK(mw_mem_is_empty(&mem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mw_mem mem;
    struct mw_buf bytes, told[CUT_WAYS];
    struct mw_view input = mw_view((const char *)data, size);
    uint8_t choices = take_byte(&input);
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&bytes, &mem, 0);
    put_expanded(&bytes, input, MAX_BYTES);
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++) {
        mw_buf_init(&told[cut], &mem, 0);
        if (choices & 2)
            serve(mw_buf_view(&bytes), cut, &told[cut]);
        else
            read_head(choices & 1 ? MW_HTTP_RESPONSE : MW_HTTP_REQUEST, mw_buf_view(&bytes), cut,
                      &told[cut]);
        CHECK(same_text(&told[cut], &told[CUT_NOWHERE]));
    }
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++)
        mw_buf_free(&told[cut]);
    mw_buf_free(&bytes);
    CHECK(mw_mem_is_empty(&mem));
    return 0;
}
