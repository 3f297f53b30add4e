/*
 * What waits to be sent on one connection: a control lane before a data lane, whole frames only.
 * Small frames are copied into chunks from a pool that the worker's connections share, so an empty
 * queue owns nothing; large and published ones are references.
 */
#ifndef MW_SESSION_OUTQ_H
#define MW_SESSION_OUTQ_H

#include "core/base/mem.h"
#include "core/base/msg.h"
#include "core/proto/frame.h"

/* Bytes of a chunk's frames: with its head it stays within a page. */
#define MW_OUT_CHUNK_BYTES 4032

/* Up to here a payload is copied into a chunk; above, a reference costs less than the copy. */
#define MW_OUT_COPY_MAX 2048

/*
 * From here on a payload is offered to the kernel before it is copied. Below, its copy is cheaper
 * than a write that it may have to itself.
 */
#define MW_OUT_LEND_MIN 16384

/*
 * What a message with a key costs beside its bytes, for who bounds a queue: a segment, a key, a
 * place in the table and the head of the message.
 */
#define MW_OUT_KEYED_COST 192

struct mw_out_seg;
struct mw_out_keys;

/* Spare segments of a worker: of one size each. */
struct mw_out_spare {
    struct mw_out_seg *first;
    size_t count, max;
};

struct mw_out_pool {
    struct mw_mem *mem;
    struct mw_out_spare chunks, references;
};

void mw_out_pool_init(struct mw_out_pool *pool, struct mw_mem *mem);
void mw_out_pool_free(struct mw_out_pool *pool);

struct mw_outq {
    struct mw_out_pool *pool;
    struct mw_mem *mem;                             /* what is queued is counted here */
    struct mw_out_seg *head, *tail;                 /* data lane */
    struct mw_out_seg *control_head, *control_tail; /* goes first at the next frame boundary */
    struct mw_out_keys *keys;                       /* NULL: nothing in it has a key */
    size_t bytes;                                   /* in both lanes, frame headers included */
};

/* Both are borrowed. `mem` is the pool's or one below it: whose bytes these are. */
void mw_outq_init(struct mw_outq *queue, struct mw_out_pool *pool, struct mw_mem *mem);
void mw_outq_free(struct mw_outq *queue);

/*
 * Copies one frame to the data lane. `mask` as in mw_frame_encode. MW_ERR_NOMEM: nothing was
 * queued.
 */
int mw_outq_put(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                const uint8_t mask[4]);
/*
 * The same, but the payload is borrowed and copied by settle only, as far as it has not left by
 * then: called before the payload goes, and before anything of it may stay in flight. Unmasked.
 */
int mw_outq_lend(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload);
void mw_outq_settle(struct mw_outq *queue);
/* The same for a payload that was compressed. */
int mw_outq_put_compressed(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                           const uint8_t mask[4]);
/* The same for a frame that need not be the last of its message. */
int mw_outq_put_piece(struct mw_outq *queue, enum mw_opcode opcode, bool fin,
                      struct mw_view payload, const uint8_t mask[4]);
/* The same as put, to the control lane. */
int mw_outq_put_control(struct mw_outq *queue, enum mw_opcode opcode, struct mw_view payload,
                        const uint8_t mask[4]);
/*
 * A framed message, by reference (keeps one); a small one that stands in one piece with the last
 * (session/roll) makes that longer, any other small one may be copied.
 */
int mw_outq_put_msg(struct mw_outq *queue, struct mw_msg *msg);
/* What stands last is a reference to this block, up to that place in it. */
bool mw_outq_ends_at(const struct mw_outq *queue, const struct mw_msg *block, size_t place);
/* Makes that longer by the message that stands there. */
void mw_outq_grow(struct mw_outq *queue, size_t bytes);

/* The message of this key that may still be replaced, or NULL; until iov, written, drop, replace.
 */
struct mw_out_seg *mw_outq_find(const struct mw_outq *queue, struct mw_view key);
/* The message that waits there. */
const struct mw_msg *mw_outq_waiting(const struct mw_out_seg *seg);
/* It is dropped, and this one stands in its place (keeps a reference). */
void mw_outq_replace(struct mw_outq *queue, struct mw_out_seg *seg, struct mw_msg *msg);
/*
 * The same as put_msg, under a key that is not there yet (copies it, 1 byte at least), with a
 * number for the caller's use.
 */
int mw_outq_put_keyed(struct mw_outq *queue, struct mw_view key, struct mw_msg *msg,
                      uint64_t number);
uint64_t mw_outq_number(const struct mw_out_seg *seg);

/* What the queue costs, more or less: `bytes`, and what keys add to them. */
size_t mw_outq_keys_weight(const struct mw_outq *queue);
static inline size_t mw_outq_weight(const struct mw_outq *queue)
{
    return queue->bytes + (queue->keys ? mw_outq_keys_weight(queue) : 0);
}

/* Bytes that are no frame, before all data: the answer to the opening handshake. */
int mw_outq_put_raw(struct mw_outq *queue, struct mw_view bytes);

/* Drops the data lane but what was handed out by iov, and what has joined a chunk that was. */
void mw_outq_drop(struct mw_outq *queue);

/*
 * Fills up to `max` vectors with what goes next; returns their number. They stay valid until
 * written() has been told about all of them, also while more is put.
 */
size_t mw_outq_iov(struct mw_outq *queue, struct mw_view *vectors, size_t max);
/*
 * The same for a write of which nothing stays on its way: once written() has been told how much has
 * left, if anything, the rest is dropped and replaced like what was never shown. Valid until then.
 */
size_t mw_outq_show(struct mw_outq *queue, struct mw_view *vectors, size_t max);
/* The first `bytes` bytes have left. */
void mw_outq_written(struct mw_outq *queue, size_t bytes);

/*
 * Bytes of `mem` that the data lane answers for: its own; of a message what is left of it, for each
 * of its queues in full; of what it keeps from being free beside that an equal share with all that
 * do. The messages of a turn in one piece (session/roll) are kept in full while any of them waits,
 * so what is less than half of them is copied out as soon as more comes behind it: the queue keeps
 * about three times its bytes, and such pieces as were on their way or last before a control frame.
 * O(n) in its segments.
 */
size_t mw_outq_held(const struct mw_outq *queue, const struct mw_mem *mem);

bool mw_outq_validate(const struct mw_outq *queue);

#endif
