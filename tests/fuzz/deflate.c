/*
 * permessage-deflate's payloads. Messages that our deflater makes come back out of our inflater,
 * with any terms and any cut; bytes that nobody has made give the same for every cut, and never
 * more than was allowed.
 *
 * Input: mode and takeover, window, bound; then messages: a length, a repetition, bytes.
 */
#include "core/proto/deflate.h"

#include "tests/fuzz/fuzz.h"

#define MAX_MESSAGE 65536
#define MAX_BYTES   150000 /* of all messages of an input: enough to leave each window behind */
#define POOL_BYTES  60000  /* holds a compressor or two, so that they are taken away at times */

struct terms {
    uint8_t bits;
    bool takeover;
};

/* The next message of the input: some of its bytes, some times over. */
static void take_message(struct mw_view *input, struct mw_buf *message)
{
    size_t len = take_byte(input), times = 1 + take_below(input, 4);
    if (times == 4)
        times = 1 + 8 * (size_t)take_byte(input);
    struct mw_view part = mw_view(input->data, len < input->len ? len : input->len);
    *input = mw_view_from(*input, len);
    mw_buf_clear(message);
    for (size_t i = 0; i < times && message->len + part.len <= MAX_MESSAGE; i++)
        must_put(message, part);
}

static int inflate_cut(struct mw_inflater *inflater, struct mw_view payload, enum cut cut,
                       struct mw_buf *out)
{
    struct cutter pieces = cutter(cut, payload.len);
    int err = MW_OK;
    while (!err && payload.len > 0) {
        struct mw_view piece = take_piece(&pieces, &payload);
        char *block = exact_copy(piece);
        err = mw_inflater_feed(inflater, mw_view(block, piece.len), out);
        CHECK(mw_inflater_validate(inflater));
        free(block);
    }
    if (!err && !inflater->stream) /* an empty payload */
        err = mw_inflater_feed(inflater, mw_view("", 0), out);
    if (!err)
        err = mw_inflater_end(inflater, out);
    CHECK(mw_inflater_validate(inflater));
    return err;
}

/* ---- round trip ---- */

#define PAIRS 3

struct pairs {
    struct mw_mem mem;
    struct mw_deflate_pool pool;
    struct mw_deflater out[PAIRS];
    struct mw_inflater in[PAIRS];
};

static void send_one(struct pairs *pairs, size_t which, struct mw_view message, enum cut cut)
{
    struct mw_buf payload, back;
    mw_buf_init(&payload, &pairs->mem, 0);
    mw_buf_init(&back, &pairs->mem, message.len + 1);
    CHECK(mw_deflater_run(&pairs->out[which], message, &payload) == MW_OK);
    CHECK(inflate_cut(&pairs->in[which], mw_buf_view(&payload), cut, &back) == MW_OK);
    CHECK(mw_view_equal(mw_buf_view(&back), message));
    mw_buf_free(&payload);
    mw_buf_free(&back);
}

/* What was made and is not sent must not be referred to. */
static void make_and_forget(struct pairs *pairs, size_t which, struct mw_view message)
{
    struct mw_buf payload;
    mw_buf_init(&payload, &pairs->mem, 0);
    CHECK(mw_deflater_run(&pairs->out[which], message, &payload) == MW_OK);
    mw_deflater_forget(&pairs->out[which]);
    mw_buf_free(&payload);
}

static void round_trip(struct terms terms, struct mw_view input)
{
    struct pairs pairs;
    struct mw_buf message;
    mw_mem_init(&pairs.mem, NULL, 0);
    mw_deflate_pool_init(&pairs.pool, &pairs.mem, POOL_BYTES);
    mw_buf_init(&message, &pairs.mem, 0);
    for (size_t i = 0; i < PAIRS; i++) {
        mw_deflater_init(&pairs.out[i], &pairs.pool, terms.bits, terms.takeover);
        mw_inflater_init(&pairs.in[i], &pairs.pool, terms.bits, terms.takeover);
    }
    for (size_t bytes = 0; input.len > 0 && bytes < MAX_BYTES; bytes += message.len) {
        size_t which = take_below(&input, PAIRS + 1);
        take_message(&input, &message);
        if (which == PAIRS)
            make_and_forget(&pairs, 0, mw_buf_view(&message));
        else
            send_one(&pairs, which, mw_buf_view(&message), (enum cut)(message.len % CUT_WAYS));
    }
    for (size_t i = 0; i < PAIRS; i++) {
        mw_deflater_free(&pairs.out[i]);
        mw_inflater_free(&pairs.in[i]);
    }
    mw_buf_free(&message);
    mw_deflate_pool_free(&pairs.pool);
    CHECK(mw_mem_is_empty(&pairs.mem));
}

/* ---- bytes that nobody has made ---- */

/* What each message gives, and the error that ends it. */
static void inflate_all(struct terms terms, size_t max_bytes, struct mw_view input, enum cut cut,
                        struct mw_buf *told)
{
    struct mw_mem mem;
    struct mw_deflate_pool pool;
    struct mw_inflater inflater;
    struct mw_buf out;
    int err = MW_OK;
    mw_mem_init(&mem, NULL, 0);
    mw_deflate_pool_init(&pool, &mem, 0);
    mw_inflater_init(&inflater, &pool, terms.bits, terms.takeover);
    while (!err && input.len > 0) {
        size_t len = take_byte(&input);
        struct mw_view payload = mw_view(input.data, len < input.len ? len : input.len);
        input = mw_view_from(input, len);
        mw_buf_init(&out, &mem, max_bytes);
        err = inflate_cut(&inflater, payload, cut, &out);
        CHECK(out.len <= max_bytes);
        CHECK(err == MW_OK || err == MW_ERR_PROTOCOL || err == MW_ERR_FULL);
        CHECK(mw_buf_putf(told, "%d", err) == MW_OK);
        tell(told, "", mw_buf_view(&out));
        mw_buf_free(&out);
    }
    mw_inflater_free(&inflater);
    mw_deflate_pool_free(&pool);
    CHECK(mw_mem_is_empty(&mem));
}

static void inflate_anything(struct terms terms, size_t max_bytes, struct mw_view input)
{
    struct mw_mem mem;
    struct mw_buf told[CUT_WAYS];
    mw_mem_init(&mem, NULL, 0);
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++) {
        mw_buf_init(&told[cut], &mem, 0);
        inflate_all(terms, max_bytes, input, cut, &told[cut]);
        CHECK(same_text(&told[cut], &told[CUT_NOWHERE]));
    }
    for (enum cut cut = CUT_NOWHERE; cut < CUT_WAYS; cut++)
        mw_buf_free(&told[cut]);
    CHECK(mw_mem_is_empty(&mem));
}

/* ---- the bound ---- */

#define UNBOUNDED 400000 /* more than a payload of these inputs can become */

static int inflate_one(struct mw_inflater *inflater, struct mw_view payload, size_t max_bytes,
                       struct mw_buf *out)
{
    mw_buf_init(out, inflater->pool->mem, max_bytes);
    return inflate_cut(inflater, payload, CUT_NOWHERE, out);
}

/* What is too much is told, and only that. */
static int check_bound(struct mw_inflater *bounded, struct mw_inflater *free_one,
                       struct mw_view payload, size_t max_bytes)
{
    struct mw_buf part, whole;
    int err = inflate_one(bounded, payload, max_bytes, &part);
    int free_err = inflate_one(free_one, payload, UNBOUNDED, &whole);
    bool is_too_much = whole.len > max_bytes;
    size_t same = is_too_much ? max_bytes : whole.len;
    CHECK(err == (is_too_much ? MW_ERR_FULL : free_err));
    CHECK(part.len == same);
    CHECK(same == 0 || memcmp(part.data, whole.data, same) == 0);
    mw_buf_free(&part);
    mw_buf_free(&whole);
    return err;
}

static void check_bounds(struct terms terms, size_t max_bytes, struct mw_view input)
{
    struct mw_mem mem;
    struct mw_deflate_pool pool;
    struct mw_inflater bounded, free_one;
    int err = MW_OK;
    mw_mem_init(&mem, NULL, 0);
    mw_deflate_pool_init(&pool, &mem, SIZE_MAX);
    mw_inflater_init(&bounded, &pool, terms.bits, terms.takeover);
    mw_inflater_init(&free_one, &pool, terms.bits, terms.takeover);
    while (!err && input.len > 0) {
        size_t len = take_byte(&input);
        err = check_bound(&bounded, &free_one,
                          mw_view(input.data, len < input.len ? len : input.len), max_bytes);
        input = mw_view_from(input, len);
    }
    mw_inflater_free(&bounded);
    mw_inflater_free(&free_one);
    mw_deflate_pool_free(&pool);
    CHECK(mw_mem_is_empty(&mem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t bounds[] = { 1, 5, 32, 300, 4096, MAX_MESSAGE };
    struct mw_view input = mw_view((const char *)data, size);
    size_t mode = take_byte(&input);
    struct terms terms = {
        .bits = (uint8_t)(MW_DEFLATE_BITS_MIN + take_below(&input, 7)),
        .takeover = mode & 2,
    };
    size_t max_bytes = bounds[take_below(&input, MW_COUNT(bounds))];
    if (mode & 1) {
        inflate_anything(terms, max_bytes, input);
        check_bounds(terms, max_bytes, input);
    } else {
        round_trip(terms, input);
    }
    return 0;
}
