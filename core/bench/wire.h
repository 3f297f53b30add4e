/*
 * Control frames that a load generator says, and a reader that takes apart what is not simply the
 * answer that was due: it hands out what comes as it comes. Pure.
 */
#ifndef MW_BENCH_WIRE_H
#define MW_BENCH_WIRE_H

#include "core/proto/frame.h"

/* Every frame is masked with this key: a server could skip a key of zeros. */
extern const uint8_t mw_bench_key[4];

/* A pong or a close, masked, into `out`; returns its length. payload: at most MW_CONTROL_MAX. */
size_t mw_bench_control(enum mw_opcode opcode, struct mw_view payload,
                        uint8_t out[6 + MW_CONTROL_MAX]);

/* ---- reading ---- */

struct mw_bench_reader {
    bool deflate; /* permessage-deflate was agreed on; set by its owner */
    uint8_t head[MW_FRAME_HEAD_MAX];
    uint8_t have; /* bytes of a header that came in parts; of a control frame's payload */
    bool is_inside, is_fragment; /* the second: that is what was refused */
    struct mw_frame_head frame;
    uint64_t at; /* bytes of its payload that came */
    uint8_t control[MW_CONTROL_MAX];
};

/* A part of a message, or a control frame, which comes whole. */
struct mw_bench_piece {
    uint8_t opcode;
    bool is_last, is_compressed;
    uint64_t at, frame_len;
    struct mw_view bytes; /* of what was fed, or of the reader; until the next call */
};

/*
 * Takes the next piece off *rest. 1: there is one; 0: all was taken; MW_ERR_PROTOCOL: what came
 * breaks the protocol, or is a fragment, which nothing that is measured sends.
 */
int mw_bench_read(struct mw_bench_reader *reader, struct mw_view *rest,
                  struct mw_bench_piece *piece);

/* After MW_ERR_PROTOCOL: a sentence. Static. */
const char *mw_bench_reader_fault(const struct mw_bench_reader *reader);

#endif
