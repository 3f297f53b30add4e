/*
 * A piece of the text begins at a multiple of four, so that its masked twin, which was masked once,
 * is right wherever it begins: masking costs a run nothing. Called by load.
 */
#include "core/bench/wire.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/mask.h"

static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

#define STARTS 4096 /* a message has one of so many beginnings, four bytes apart */

int mw_bench_text_init(struct mw_bench_text *text, struct mw_mem *mem, size_t message_bytes)
{
    size_t bytes = message_bytes + 4 * STARTS;
    *text = (struct mw_bench_text){ .mem = mem, .bytes = bytes, .message_bytes = message_bytes };
    text->plain = mw_alloc(mem, bytes);
    text->masked = mw_alloc(mem, bytes);
    if (!text->plain || !text->masked) {
        mw_bench_text_free(text);
        return MW_ERR_NOMEM;
    }
    uint32_t state = 1;
    for (size_t i = 0; i < bytes; i++) {
        state = state * 1664525 + 1013904223;
        text->plain[i] = (char)('!' + (state >> 24) % 94); /* text, and without a period */
    }
    memcpy(text->masked, text->plain, bytes);
    mw_mask((uint8_t *)text->masked, bytes, key, 0);
    return MW_OK;
}

void mw_bench_text_free(struct mw_bench_text *text)
{
    if (text->plain)
        mw_free(text->mem, text->plain, text->bytes);
    if (text->masked)
        mw_free(text->mem, text->masked, text->bytes);
    text->plain = text->masked = 0;
}

static size_t start_of(uint64_t who, uint64_t number)
{
    return (size_t)((who * 2654435761u + number * 40503u) % STARTS) * 4;
}

struct mw_view mw_bench_message(const struct mw_bench_text *text, uint64_t who, uint64_t number)
{
    return mw_view(text->plain + start_of(who, number), text->message_bytes);
}

size_t mw_bench_frame(const struct mw_bench_text *text, uint64_t who, uint64_t number,
                      uint8_t head[MW_FRAME_HEAD_MAX], struct mw_view *payload)
{
    *payload = mw_view(text->masked + start_of(who, number), text->message_bytes);
    return mw_frame_encode(head, MW_OPCODE_TEXT, true, payload->len, key);
}

size_t mw_bench_control(enum mw_opcode opcode, struct mw_view payload,
                        uint8_t out[6 + MW_CONTROL_MAX])
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    mw_assert(payload.len <= MW_CONTROL_MAX);
    size_t len = mw_frame_encode(head, opcode, true, payload.len, key);
    memcpy(out, head, len);
    if (payload.len)
        memcpy(out + len, payload.data, payload.len);
    mw_mask(out + len, payload.len, key, 0);
    return len + payload.len;
}

/* ---- reading ---- */

/* 1: the header is there. */
static int read_head(struct mw_bench_reader *reader, struct mw_view *rest)
{
    enum mw_rule rule;
    while (rest->len) {
        reader->head[reader->have++] = (uint8_t)*rest->data;
        *rest = mw_view_from(*rest, 1);
        int size = mw_frame_decode(reader->head, reader->have, MW_ROLE_CLIENT, false,
                                   &reader->frame, &rule);
        bool is_fragment = reader->frame.opcode == MW_OPCODE_CONTINUATION || !reader->frame.fin;
        if (size < 0 || (size > 0 && is_fragment))
            return MW_ERR_PROTOCOL;
        if (size > 0) {
            reader->have = 0;
            reader->at = 0;
            reader->is_inside = true;
            return 1;
        }
    }
    return 0;
}

static struct mw_view take(struct mw_bench_reader *reader, struct mw_view *rest)
{
    uint64_t left = reader->frame.len - reader->at;
    struct mw_view bytes = mw_view(rest->data, rest->len < left ? rest->len : (size_t)left);
    *rest = mw_view_from(*rest, bytes.len);
    reader->at += bytes.len;
    reader->is_inside = reader->at < reader->frame.len;
    return bytes;
}

static bool take_control(struct mw_bench_reader *reader, struct mw_view *rest,
                         struct mw_bench_piece *piece)
{
    uint64_t at = reader->at;
    struct mw_view bytes = take(reader, rest);
    if (bytes.len)
        memcpy(reader->control + at, bytes.data, bytes.len);
    piece->bytes = mw_view((const char *)reader->control, (size_t)reader->frame.len);
    piece->at = 0;
    piece->is_last = true;
    return !reader->is_inside;
}

int mw_bench_read(struct mw_bench_reader *reader, struct mw_view *rest,
                  struct mw_bench_piece *piece)
{
    if (!reader->is_inside) {
        int step = read_head(reader, rest);
        if (step <= 0)
            return step;
    } else if (rest->len == 0) {
        return 0;
    }
    *piece = (struct mw_bench_piece){
        .opcode = reader->frame.opcode,
        .frame_len = reader->frame.len,
        .at = reader->at,
    };
    if (mw_opcode_is_control(reader->frame.opcode))
        return take_control(reader, rest, piece) ? 1 : 0;
    if (rest->len == 0 && reader->frame.len > 0)
        return 0;
    piece->bytes = take(reader, rest);
    piece->is_last = !reader->is_inside;
    return 1;
}
