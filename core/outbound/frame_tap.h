/*
 * Looks at the frames in a stream of bytes without judging them: what a server has really sent,
 * also where the connection machine will refuse it.
 */
#ifndef MW_OUTBOUND_FRAME_TAP_H
#define MW_OUTBOUND_FRAME_TAP_H

#include "core/outbound/ws_client.h"

/* All zero: between two frames. */
struct mw_frame_tap {
    struct mw_ws_frame frame;
    uint8_t head[MW_FRAME_HEAD_MAX], have;
    uint8_t payload[MW_CONTROL_MAX], payload_len; /* of a control frame */
    uint64_t left;                                /* of the payload that is being read */
};

/*
 * Takes bytes off *bytes up to the next thing to tell: a data frame's header, or a whole control
 * frame with its payload unmasked (one that is longer than it may be: its header alone). False:
 * all are used.
 */
bool mw_frame_tap_next(struct mw_frame_tap *tap, struct mw_view *bytes, struct mw_ws_frame *frame,
                       struct mw_view *payload);

#endif
