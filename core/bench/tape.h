/*
 * What a run says and what it wants to hear: a ring of different messages, made once. Frames stand
 * ready masked, one behind the other, so that any number of messages in a row goes out as one piece
 * of this memory; so do the answers that are due, so that all that one read brings is compared in
 * one go. Nobody copies anything, and every byte is looked at.
 *
 * Message `number` of sender `who` is always the same one; neighbours, in either, differ.
 *
 * Three ways of keeping them:
 *   small     whole frames in a row, both ways
 *   large     one text, of which each message is another piece: as many messages as one likes for
 *             the memory (and the cache) of one
 *   deflated  compressed frames in a row; the answers are those of `small` once inflated
 */
#ifndef MW_BENCH_TAPE_H
#define MW_BENCH_TAPE_H

#include "core/base/mem.h"
#include "core/proto/deflate.h"
#include "core/proto/frame.h"

#define MW_BENCH_BODY_LIST(X) \
    X(text)   /* printable ASCII, as it comes */ \
    X(binary) /* all values of a byte */ \
    X(json)   /* an object; a server may write it anew: what it means is compared */

enum mw_bench_body {
#define MW_BENCH_BODY(name) MW_BENCH_BODY_##name,
    MW_BENCH_BODY_LIST(MW_BENCH_BODY)
#undef MW_BENCH_BODY
};

/* A json body cannot be smaller. */
#define MW_BENCH_JSON_MIN 128

struct mw_bench_tape {
    struct mw_mem *mem; /* borrowed */
    size_t message_bytes;
    enum mw_bench_body body;
    bool bare;        /* what is sent comes back as it is: no frame is a server's */
    bool is_large;    /* the second way */
    uint32_t mask;    /* number of different messages - 1; that number is a power of two */
    size_t frame_len; /* of an answer */
    /* private */
    size_t stride;                     /* from one message to the next, in `plain` */
    uint8_t out_head_len, in_head_len; /* the heads are the same for all messages */
    uint8_t out_head[MW_FRAME_HEAD_MAX], in_head[MW_FRAME_HEAD_MAX];
    char *out, *in; /* small: frames; large: the text masked, and plain */
    size_t out_bytes, in_bytes;
    char *packed; /* deflated; NULL: not */
    size_t packed_bytes;
    size_t *packed_at;    /* where each begins, and where the last ends */
    uint32_t entries;     /* of packed */
    uint32_t begin_again; /* after the last one comes this */
};

/* message_bytes: of json at least MW_BENCH_JSON_MIN. MW_ERR_NOMEM. */
int mw_bench_tape_init(struct mw_bench_tape *tape, struct mw_mem *mem, enum mw_bench_body body,
                       size_t message_bytes, bool bare);
/*
 * Compresses what is sent, from now on, with a window of 2^bits. takeover: each message refers to
 * those before it, as they were sent on each connection from its first on; then all senders say the
 * same. MW_ERR_NOMEM.
 */
int mw_bench_tape_deflate(struct mw_bench_tape *tape, struct mw_deflate_pool *pool, uint8_t bits,
                          bool takeover);
/* All zero is allowed. */
void mw_bench_tape_free(struct mw_bench_tape *tape);

/* Where sender `who` begins: added to a message's number it gives a place on the ring. */
uint32_t mw_bench_tape_start(const struct mw_bench_tape *tape, uint64_t who);

/* What is to be written, and how many messages that is. */
struct mw_bench_batch {
    struct mw_view vectors[64];
    size_t vector_count, messages, bytes;
};

/* The frames from `place` on, at most `count`, at least one; valid as long as the tape. */
void mw_bench_tape_send(const struct mw_bench_tape *tape, uint64_t place, uint64_t count,
                        struct mw_bench_batch *batch);

/*
 * The bytes that are expected of the answer at `place`, from its byte `at` on: as many as there are
 * in a row, those of later answers included. at < frame_len.
 */
struct mw_view mw_bench_tape_expect(const struct mw_bench_tape *tape, uint64_t place, size_t at);

/* The message itself. Not of bare tapes. */
struct mw_view mw_bench_tape_message(const struct mw_bench_tape *tape, uint64_t place);

#endif
