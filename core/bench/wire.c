/*
 * Frames beside those of the tape. The reader refuses fragments, which nothing that is measured
 * sends. Called by peer for controls, by check for what it did not expect.
 */
#include "core/bench/wire.h"

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/proto/mask.h"

const uint8_t mw_bench_key[4] = { 0x37, 0xfa, 0x21, 0x3d };

size_t mw_bench_control(enum mw_opcode opcode, struct mw_view payload,
                        uint8_t out[6 + MW_CONTROL_MAX])
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    mw_assert(payload.len <= MW_CONTROL_MAX);
    size_t len = mw_frame_encode(head, opcode, true, payload.len, mw_bench_key);
    memcpy(out, head, len);
    if (payload.len)
        memcpy(out + len, payload.data, payload.len);
    mw_mask(out + len, payload.len, mw_bench_key, 0);
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
        int size = mw_frame_decode(reader->head, reader->have, MW_ROLE_CLIENT, reader->deflate,
                                   &reader->frame, &rule);
        reader->is_fragment =
            size > 0 && (reader->frame.opcode == MW_OPCODE_CONTINUATION || !reader->frame.fin);
        if (size < 0 || reader->is_fragment)
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
        .is_compressed = reader->frame.compressed,
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

const char *mw_bench_reader_fault(const struct mw_bench_reader *reader)
{
    return reader->is_fragment ? "what came is a fragment of a message"
                               : "what came is no frame that was asked for";
}
