/*
 * Making the ring of messages and handing out pieces of it. Pure. Called by load once, by peer for
 * each batch, by check for each read.
 */
#include "core/bench/tape.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/bench/wire.h"
#include "core/proto/mask.h"

/* Above this a message is a piece of the one text. */
#define SMALL_BYTES 2048
/* The ring of small frames stays within the first-level cache, or the second where it must. */
#define RING_BYTES   16384
#define VARIANTS_MIN 4
#define VARIANTS_MAX 256
/* Pieces of the one text begin this far apart: a multiple of the key, so one masking fits all. */
#define STRIDE 4
/* Compressing is done before a run, and should not take longer than one. */
#define PACKED_BYTES (1 << 20)

/* ---- bodies ---- */

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 24;
}

static void fill_bytes(char *at, size_t len, uint32_t *state, bool is_text)
{
    for (size_t i = 0; i < len; i++)
        at[i] = is_text ? (char)('!' + draw(state) % 94) : (char)draw(state);
}

/* Words, as in what people send: they compress to about a third. */
static void fill_words(char *at, size_t len, uint32_t *state)
{
    static const char *const words[] = { "moon",  "wire", "river",  "of",    "light", "and",
                                         "seven", "open", "doors",  "we",    "count", "the",
                                         "stars", "in",   "silver", "paper", "boats", "again" };
    size_t i = 0;
    while (i < len) {
        const char *word = words[draw(state) % MW_COUNT(words)];
        for (; *word && i < len; word++)
            at[i++] = *word;
        if (i < len)
            at[i++] = ' ';
    }
}

/* An object of exactly `len` bytes; no null in it, which not every script can keep. */
static void fill_json(char *at, size_t len, uint32_t number, uint32_t *state)
{
    char head[MW_BENCH_JSON_MIN];
    int head_len = snprintf(head, sizeof head,
                            "{\"id\":%u,\"user\":\"u%03u\",\"ok\":true,\"at\":[%u,-%u,0.25],"
                            "\"text\":\"",
                            1000 + number, number, 37 * number % 1000, number + 1);
    memcpy(at, head, (size_t)head_len);
    fill_words(at + head_len, len - (size_t)head_len - 2, state);
    memcpy(at + len - 2, "\"}", 2);
}

static void fill(const struct mw_bench_tape *tape, char *at, size_t len, uint32_t number,
                 uint32_t *state)
{
    if (tape->body == MW_BENCH_BODY_json)
        fill_json(at, len, number, state);
    else
        fill_bytes(at, len, state, tape->body == MW_BENCH_BODY_text);
}

/* ---- small: frames in a row ---- */

static void put_frames(struct mw_bench_tape *tape)
{
    uint32_t state = 1;
    size_t out_len = tape->out_head_len + tape->message_bytes;
    size_t in_len = tape->in_head_len + tape->message_bytes;
    for (uint32_t i = 0; i <= tape->mask; i++) {
        char *out = tape->out + i * out_len, *in = tape->in + i * in_len;
        memcpy(out, tape->out_head, tape->out_head_len);
        memcpy(in, tape->in_head, tape->in_head_len);
        fill(tape, in + tape->in_head_len, tape->message_bytes, i, &state);
        if (tape->message_bytes == 0)
            continue;
        memcpy(out + tape->out_head_len, in + tape->in_head_len, tape->message_bytes);
        mw_mask((uint8_t *)out + tape->out_head_len, tape->message_bytes, mw_bench_key, 0);
    }
}

static void put_text(struct mw_bench_tape *tape)
{
    uint32_t state = 1;
    fill(tape, tape->in, tape->in_bytes, 0, &state);
    memcpy(tape->out, tape->in, tape->in_bytes);
    mw_mask((uint8_t *)tape->out, tape->out_bytes, mw_bench_key, 0);
}

static uint32_t variants_for(size_t bytes)
{
    uint32_t count = VARIANTS_MIN;
    while (count < VARIANTS_MAX && 2 * count * bytes <= RING_BYTES)
        count *= 2;
    return count;
}

static void shape(struct mw_bench_tape *tape)
{
    bool is_text = tape->body != MW_BENCH_BODY_binary;
    enum mw_opcode opcode = is_text ? MW_OPCODE_TEXT : MW_OPCODE_BINARY;
    size_t bytes = tape->message_bytes;
    tape->out_head_len =
        (uint8_t)mw_frame_encode(tape->out_head, opcode, true, bytes, mw_bench_key);
    tape->in_head_len = (uint8_t)mw_frame_encode(tape->in_head, opcode, true, bytes, NULL);
    tape->is_large = bytes > SMALL_BYTES && tape->body != MW_BENCH_BODY_json;
    tape->mask = variants_for(tape->is_large ? STRIDE : bytes) - 1;
    tape->stride = tape->is_large ? STRIDE : tape->in_head_len + bytes;
    tape->in_bytes = tape->is_large ? bytes + STRIDE * ((size_t)tape->mask + 1)
                                    : ((size_t)tape->mask + 1) * tape->stride;
    tape->out_bytes =
        tape->is_large ? tape->in_bytes : ((size_t)tape->mask + 1) * (tape->out_head_len + bytes);
    tape->frame_len = (tape->bare ? tape->out_head_len : tape->in_head_len) + bytes;
}

int mw_bench_tape_init(struct mw_bench_tape *tape, struct mw_mem *mem, enum mw_bench_body body,
                       size_t message_bytes, bool bare)
{
    mw_assert(body != MW_BENCH_BODY_json || message_bytes >= MW_BENCH_JSON_MIN);
    *tape = (struct mw_bench_tape){
        .mem = mem, .message_bytes = message_bytes, .body = body, .bare = bare
    };
    shape(tape);
    tape->in = mw_alloc(mem, tape->in_bytes);
    tape->out = mw_alloc(mem, tape->out_bytes);
    if (!tape->in || !tape->out) {
        mw_bench_tape_free(tape);
        return MW_ERR_NOMEM;
    }
    if (tape->is_large)
        put_text(tape);
    else
        put_frames(tape);
    return MW_OK;
}

void mw_bench_tape_free(struct mw_bench_tape *tape)
{
    if (tape->in)
        mw_free(tape->mem, tape->in, tape->in_bytes);
    if (tape->out)
        mw_free(tape->mem, tape->out, tape->out_bytes);
    if (tape->packed)
        mw_free(tape->mem, tape->packed, tape->packed_bytes);
    if (tape->packed_at)
        mw_free(tape->mem, tape->packed_at, (tape->entries + 1) * sizeof *tape->packed_at);
    tape->in = tape->out = tape->packed = NULL;
    tape->packed_at = NULL;
}

/* ---- deflated ---- */

static int put_packed(struct mw_bench_tape *tape, struct mw_buf *out, struct mw_buf *payload,
                      struct mw_deflater *deflater, uint32_t entry)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    mw_buf_clear(payload);
    int err = mw_deflater_run(deflater, mw_bench_tape_message(tape, entry), payload);
    if (err)
        return err;
    size_t len = mw_frame_encode(head, (enum mw_opcode)(tape->in_head[0] & 0xf), true, payload->len,
                                 mw_bench_key);
    mw_frame_set_compressed(head);
    mw_mask((uint8_t *)payload->data, payload->len, mw_bench_key, 0);
    tape->packed_at[entry] = out->len;
    err = mw_buf_put(out, head, len);
    return err ? err : mw_buf_put_view(out, mw_buf_view(payload));
}

/*
 * With takeover the ring is gone through twice. In the second round each message has the same ones
 * before it as in every later round, as far as a window reaches, so its frame is right in those
 * too: a stream that refers to what came before, without compressing while it is measured.
 */
int mw_bench_tape_deflate(struct mw_bench_tape *tape, struct mw_deflate_pool *pool, uint8_t bits,
                          bool takeover)
{
    struct mw_deflater deflater;
    struct mw_buf out, payload;
    while (tape->mask >= VARIANTS_MIN && tape->mask * tape->message_bytes > PACKED_BYTES)
        tape->mask >>= 1;
    uint32_t round = tape->mask + 1;
    if (takeover) {
        while (round * tape->message_bytes < (size_t)1 << bits && round < 1u << 15)
            round *= 2;
    }
    tape->entries = takeover ? 2 * round : round;
    tape->begin_again = takeover ? round : 0;
    tape->packed_at = mw_alloc(tape->mem, (tape->entries + 1) * sizeof *tape->packed_at);
    if (!tape->packed_at)
        return MW_ERR_NOMEM;
    mw_buf_init(&out, tape->mem, 0);
    mw_buf_init(&payload, tape->mem, 0);
    mw_deflater_init(&deflater, pool, bits, takeover);
    int err = MW_OK;
    for (uint32_t i = 0; i < tape->entries && !err; i++)
        err = put_packed(tape, &out, &payload, &deflater, i);
    tape->packed_at[tape->entries] = out.len;
    tape->packed = out.data; /* an error leaves it to free as well */
    tape->packed_bytes = out.cap;
    mw_deflater_free(&deflater);
    mw_buf_free(&payload);
    return err;
}

static uint32_t packed_entry(const struct mw_bench_tape *tape, uint64_t place)
{
    uint32_t round = tape->entries - tape->begin_again;
    if (place < tape->entries)
        return (uint32_t)place;
    return tape->begin_again + (uint32_t)((place - tape->begin_again) % round);
}

/* ---- handing out ---- */

uint32_t mw_bench_tape_start(const struct mw_bench_tape *tape, uint64_t who)
{
    if (tape->packed && tape->begin_again)
        return 0;
    return (uint32_t)(who * 2654435761u >> 7) & tape->mask;
}

static void send_row(const char *from, size_t bytes, uint64_t messages,
                     struct mw_bench_batch *batch)
{
    batch->vectors[batch->vector_count++] = mw_view(from, bytes);
    batch->messages += (size_t)messages;
    batch->bytes += bytes;
}

/* As far as the ring goes in a row, twice. */
static void send_small(const struct mw_bench_tape *tape, uint64_t place, uint64_t count,
                       struct mw_bench_batch *batch)
{
    size_t len = tape->out_head_len + tape->message_bytes, at = place & tape->mask;
    uint64_t in_row = tape->mask + 1 - at;
    uint64_t first = count < in_row ? count : in_row, second = count - first;
    send_row(tape->out + at * len, (size_t)first * len, first, batch);
    if (second > tape->mask)
        second = tape->mask + 1;
    if (second)
        send_row(tape->out, (size_t)second * len, second, batch);
}

static void send_large(const struct mw_bench_tape *tape, uint64_t place, uint64_t count,
                       struct mw_bench_batch *batch)
{
    size_t most = MW_COUNT(batch->vectors) / 2;
    for (size_t i = 0; i < count && i < most; i++) {
        const char *piece = tape->out + ((place + i) & tape->mask) * STRIDE;
        batch->vectors[2 * i] = mw_view((const char *)tape->out_head, tape->out_head_len);
        batch->vectors[2 * i + 1] = mw_view(piece, tape->message_bytes);
        batch->vector_count += 2;
        batch->messages++;
        batch->bytes += tape->out_head_len + tape->message_bytes;
    }
}

static void send_packed(const struct mw_bench_tape *tape, uint64_t place, uint64_t count,
                        struct mw_bench_batch *batch)
{
    uint32_t first = packed_entry(tape, place);
    uint64_t in_row = tape->entries - first;
    if (count > in_row)
        count = in_row;
    size_t from = tape->packed_at[first], to = tape->packed_at[first + count];
    send_row(tape->packed + from, to - from, count, batch);
}

void mw_bench_tape_send(const struct mw_bench_tape *tape, uint64_t place, uint64_t count,
                        struct mw_bench_batch *batch)
{
    batch->vector_count = batch->messages = batch->bytes = 0;
    if (tape->packed)
        send_packed(tape, place, count, batch);
    else if (tape->is_large)
        send_large(tape, place, count, batch);
    else
        send_small(tape, place, count, batch);
}

struct mw_view mw_bench_tape_expect(const struct mw_bench_tape *tape, uint64_t place, size_t at)
{
    const char *row = tape->bare ? tape->out : tape->in;
    size_t bytes = tape->bare ? tape->out_bytes : tape->in_bytes;
    size_t head_len = tape->bare ? tape->out_head_len : tape->in_head_len;
    if (!tape->is_large) {
        size_t from = (size_t)(place & tape->mask) * tape->frame_len + at;
        return mw_view(row + from, bytes - from);
    }
    if (at < head_len)
        return mw_view((const char *)(tape->bare ? tape->out_head : tape->in_head) + at,
                       head_len - at);
    row += (place & tape->mask) * STRIDE;
    return mw_view(row + at - head_len, tape->frame_len - at);
}

struct mw_view mw_bench_tape_message(const struct mw_bench_tape *tape, uint64_t place)
{
    size_t head_len = tape->is_large ? 0 : tape->in_head_len;
    const char *at = tape->in + (place & tape->mask) * tape->stride + head_len;
    return mw_view(at, tape->message_bytes);
}
