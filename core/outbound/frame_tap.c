/* The frames of a stream, byte by byte where they are split. Refuses nothing; called by ws_client.
 */
#include "core/outbound/frame_tap.h"

#include "core/base/str.h"
#include "core/proto/mask.h"

/* Of the header, as far as its first two bytes tell. */
static uint8_t head_len(const struct mw_frame_tap *tap)
{
    if (tap->have < 2)
        return 2;
    uint8_t len = tap->head[1] & 0x7f;
    return (uint8_t)(2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + (tap->head[1] & 0x80 ? 4 : 0));
}

static uint64_t payload_len(const struct mw_frame_tap *tap)
{
    uint8_t len = tap->head[1] & 0x7f, bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
    uint64_t value = bytes ? 0 : len;
    for (uint8_t i = 0; i < bytes; i++)
        value = value << 8 | tap->head[2 + i];
    return value;
}

static bool is_kept(const struct mw_ws_frame *frame)
{
    return mw_opcode_is_control(frame->opcode) && frame->len <= MW_CONTROL_MAX;
}

static void read_head(struct mw_frame_tap *tap)
{
    tap->frame = (struct mw_ws_frame){
        .opcode = tap->head[0] & 0xf,
        .fin = (tap->head[0] & 0x80) != 0,
        .masked = (tap->head[1] & 0x80) != 0,
        .rsv = (tap->head[0] >> 4) & 0x7,
        .head_len = tap->have,
        .len = payload_len(tap),
    };
    tap->left = tap->frame.len;
    tap->payload_len = 0;
}

/* True: the header is whole now. */
static bool take_head(struct mw_frame_tap *tap, struct mw_view *bytes)
{
    while (bytes->len > 0 && tap->have < head_len(tap)) {
        tap->head[tap->have++] = (uint8_t)bytes->data[0];
        *bytes = mw_view_from(*bytes, 1);
    }
    if (tap->have < head_len(tap))
        return false;
    read_head(tap);
    return true;
}

/* True: that was all of it. */
static bool take_payload(struct mw_frame_tap *tap, struct mw_view *bytes)
{
    size_t len = bytes->len < tap->left ? bytes->len : (size_t)tap->left;
    if (is_kept(&tap->frame) && len > 0) {
        memcpy(tap->payload + tap->payload_len, bytes->data, len);
        tap->payload_len = (uint8_t)(tap->payload_len + len);
    }
    tap->left -= len;
    *bytes = mw_view_from(*bytes, len);
    return tap->left == 0;
}

bool mw_frame_tap_next(struct mw_frame_tap *tap, struct mw_view *bytes, struct mw_ws_frame *frame,
                       struct mw_view *payload)
{
    for (;;) {
        bool is_begun = tap->have > 0 && tap->have == head_len(tap);
        if (!is_begun) {
            if (!take_head(tap, bytes))
                return false;
            *frame = tap->frame;
            *payload = mw_view(NULL, 0);
            if (!is_kept(frame))
                return true;
        }
        if (!take_payload(tap, bytes))
            return false;
        tap->have = 0;
        if (!is_kept(&tap->frame))
            continue;
        if (tap->frame.masked)
            mw_mask(tap->payload, tap->payload_len, tap->head + tap->frame.head_len - 4, 0);
        *frame = tap->frame;
        *payload = mw_view((const char *)tap->payload, tap->payload_len);
        return true;
    }
}
