/*
 * What a load generator says and how it hears: messages whose bytes follow from who sends the how
 * many-th, so that every echo can be compared without keeping what was sent, and a reader that
 * hands out what comes as it comes. Pure.
 */
#ifndef MW_BENCH_WIRE_H
#define MW_BENCH_WIRE_H

#include "core/base/mem.h"
#include "core/proto/frame.h"

/* ---- messages ---- */

/* All messages of a run are pieces of one text, which is kept masked as well. */
struct mw_bench_text {
    struct mw_mem *mem; /* borrowed */
    char *plain, *masked;
    size_t bytes, message_bytes;
};

/* Text of `message_bytes` each. MW_ERR_NOMEM. */
int mw_bench_text_init(struct mw_bench_text *text, struct mw_mem *mem, size_t message_bytes);
void mw_bench_text_free(struct mw_bench_text *text);

/* Message `number` of sender `who`, as it is meant; as long as the text lives. */
struct mw_view mw_bench_message(const struct mw_bench_text *text, uint64_t who, uint64_t number);
/* Its frame as a client sends it: the head is written to `head`, *payload is masked. Returns the
 * head's length. */
size_t mw_bench_frame(const struct mw_bench_text *text, uint64_t who, uint64_t number,
                      uint8_t head[MW_FRAME_HEAD_MAX], struct mw_view *payload);
/* A pong or a close, masked, into `out`; returns its length. payload: at most MW_CONTROL_MAX. */
size_t mw_bench_control(enum mw_opcode opcode, struct mw_view payload,
                        uint8_t out[6 + MW_CONTROL_MAX]);

/* ---- reading ---- */

struct mw_bench_reader {
    uint8_t head[MW_FRAME_HEAD_MAX];
    uint8_t have; /* bytes of a header that came in parts; of a control frame's payload */
    bool is_inside;
    struct mw_frame_head frame;
    uint64_t at; /* bytes of its payload that came */
    uint8_t control[MW_CONTROL_MAX];
};

/* A part of a message, or a control frame, which comes whole. */
struct mw_bench_piece {
    uint8_t opcode;
    bool is_last;
    uint64_t at, frame_len;
    struct mw_view bytes; /* of what was fed, or of the reader; until the next call */
};

/*
 * Takes the next piece off *rest. 1: there is one; 0: all was taken; MW_ERR_PROTOCOL: what came
 * breaks the protocol, or is a fragment, which nothing that is measured sends.
 */
int mw_bench_read(struct mw_bench_reader *reader, struct mw_view *rest,
                  struct mw_bench_piece *piece);

#endif
