/*
 * Bodies of Close frames: decoded against the table of RFC 6455 7.4 written out, encoded again, and
 * through a connection of either role, whole and byte by byte.
 *
 * Input: one byte of choices, then the body.
 */
#include "core/proto/close.h"

#include "core/base/utf8.h"
#include "core/proto/mask.h"
#include "core/session/conn.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS 1000000

static bool may_be_sent(unsigned code)
{
    bool is_named = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    return is_named || (code >= 3000 && code <= 4999);
}

/* The code that the body has, or 0 where it is broken. */
static unsigned code_of(struct mw_view body)
{
    if (body.len == 0)
        return MW_CLOSE_NO_STATUS;
    if (body.len == 1)
        return 0;
    unsigned code = (unsigned)(uint8_t)body.data[0] * 256 + (uint8_t)body.data[1];
    bool is_sound = may_be_sent(code) && mw_utf8_valid(mw_view_from(body, 2));
    return is_sound ? code : 0;
}

static void check_codec(struct mw_view body)
{
    struct mw_close close;
    enum mw_rule rule;
    unsigned code = code_of(body);
    int err = mw_close_decode(body, &close, &rule);
    CHECK((err == MW_OK) == (code != 0));
    if (err) {
        CHECK(err == MW_ERR_PROTOCOL && *mw_rule_text(rule) && mw_rule_code(rule));
        return;
    }
    CHECK(close.code == code && *mw_close_code_name(code));
    uint8_t again[MW_CONTROL_MAX];
    size_t len = mw_close_encode(again, close.code, close.reason);
    CHECK(mw_view_equal(mw_view((char *)again, len), body));
}

/* A reason of any length is cut so that it can be sent. */
static void check_cut_reason(struct mw_view reason)
{
    uint8_t out[MW_CONTROL_MAX];
    struct mw_close close;
    enum mw_rule rule;
    if (!mw_utf8_valid(reason))
        return;
    size_t len = mw_close_encode(out, MW_CLOSE_NORMAL, reason);
    CHECK(len >= 2 && len <= sizeof out);
    CHECK(mw_close_decode(mw_view((char *)out, len), &close, &rule) == MW_OK);
    CHECK(memcmp(close.reason.data, reason.data ? reason.data : "", close.reason.len) == 0);
}

/* ---- through a connection ---- */

struct side {
    struct mw_mem mem;
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_rng rng;
    struct mw_limits_ms limits;
    struct mw_conn conn;
    bool closed;
};

static void open_side(struct side *side, enum mw_role role)
{
    struct mw_limits limits;
    *side = (struct side){ 0 };
    mw_mem_init(&side->mem, NULL, 0);
    mw_conn_pool_init(&side->pool, &side->mem);
    mw_rng_seed(&side->rng, 1);
    mw_limits_default(&limits);
    mw_limits_from(&side->limits, &limits);
    side->home = (struct mw_conn_home){
        .mem = &side->mem, .pool = &side->pool, .rng = &side->rng, .limits = &side->limits
    };
    const struct mw_conn_setup setup = { .role = role, .home = &side->home };
    (void)mw_conn_init(&side->conn, &setup, NOW_MS);
}

static void feed_side(struct side *side, struct mw_view frame, enum cut cut)
{
    struct cutter pieces = cutter(cut, frame.len);
    while (frame.len > 0) {
        struct mw_view piece = take_piece(&pieces, &frame);
        char *block = exact_copy(piece);
        struct mw_event event;
        mw_conn_feed(&side->conn, block, piece.len, NOW_MS);
        do {
            mw_conn_next(&side->conn, &event, NOW_MS);
            CHECK(mw_conn_validate(&side->conn));
            CHECK(!side->closed || event.kind == MW_EVENT_MORE);
            side->closed |= event.kind == MW_EVENT_CLOSED;
        } while (event.kind != MW_EVENT_MORE);
        free(block);
    }
}

/* Reads the Close frame that has been sent, as its peer does. */
static void check_sent(struct side *side, unsigned code)
{
    struct mw_view vectors[4];
    struct mw_frame_head head;
    struct mw_close close;
    enum mw_rule rule;
    CHECK(mw_conn_iov(&side->conn, vectors, MW_COUNT(vectors)) == 1);
    char *sent = exact_copy(vectors[0]);
    enum mw_role peer = side->conn.is_client ? MW_ROLE_SERVER : MW_ROLE_CLIENT;
    int size = mw_frame_decode((uint8_t *)sent, vectors[0].len, peer, false, &head, &rule);
    CHECK(size > 0 && head.opcode == MW_OPCODE_CLOSE && head.fin);
    CHECK((size_t)size + head.len == vectors[0].len);
    if (head.masked)
        mw_mask((uint8_t *)sent + size, head.len, head.mask, 0);
    CHECK(mw_close_decode(mw_view(sent + size, head.len), &close, &rule) == MW_OK);
    CHECK(close.code == code);
    free(sent);
    mw_conn_written(&side->conn, vectors[0].len, NOW_MS);
}

static void check_end(struct side *side, struct mw_view body, bool we_began)
{
    const struct mw_conn_end *end = mw_conn_ending(&side->conn);
    unsigned code = code_of(body);
    CHECK(side->closed && end != NULL);
    CHECK(end->clean == (code != 0));
    if (we_began) {
        CHECK(end->cause == MW_CAUSE_script_close && end->code == MW_CLOSE_GOING_AWAY);
        check_sent(side, MW_CLOSE_GOING_AWAY);
        return;
    }
    CHECK(code == 0 || end->cause == MW_CAUSE_peer_close);
    CHECK(code == 0 || end->code == code);
    CHECK(code != 0 || end->code == mw_rule_code(end->rule));
    CHECK(code != 0 || end->bytes_len >= 2);
    check_sent(side, end->code);
    CHECK(!mw_conn_has_output(&side->conn));
}

static void run_side(enum mw_role role, bool we_begin, struct mw_view body, struct mw_view frame,
                     enum cut cut)
{
    struct side side;
    open_side(&side, role);
    if (we_begin)
        mw_conn_close(&side.conn, MW_CAUSE_script_close, MW_CLOSE_GOING_AWAY, mw_view_from(body, 2),
                      NOW_MS);
    feed_side(&side, frame, cut);
    check_end(&side, body, we_begin);
    mw_conn_free(&side.conn);
    mw_conn_pool_free(&side.pool);
    CHECK(mw_mem_is_empty(&side.mem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[4] = { 0x5A, 0x00, 0xFF, 0x81 };
    struct mw_view input = mw_view((const char *)data, size);
    uint8_t choices = take_byte(&input);
    enum mw_role role = choices & 1 ? MW_ROLE_CLIENT : MW_ROLE_SERVER;
    bool we_begin = choices & 2;
    check_cut_reason(input);
    check_cut_reason(mw_view_from(input, 2));
    if (input.len > MW_CONTROL_MAX)
        input.len = MW_CONTROL_MAX;
    check_codec(input);
    if (we_begin && !mw_utf8_valid(mw_view_from(input, 2)))
        we_begin = false; /* whoever closes has checked the reason */

    char frame[MW_FRAME_HEAD_MAX + MW_CONTROL_MAX];
    size_t head = mw_frame_encode((uint8_t *)frame, MW_OPCODE_CLOSE, true, input.len,
                                  role == MW_ROLE_SERVER ? key : NULL);
    if (input.len)
        memcpy(frame + head, input.data, input.len);
    if (role == MW_ROLE_SERVER)
        mw_mask((uint8_t *)frame + head, input.len, key, 0);
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++)
        run_side(role, we_begin, input, mw_view(frame, head + input.len), cut);
    return 0;
}
