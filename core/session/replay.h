/*
 * What a session has said and heard, so that its client can come back after the network has cut it
 * off: every message to the client has a number, and is kept until the client is known to have it.
 * One for each session that may be resumed; it outlives its connections (session/conn). Pure.
 *
 *   1 ........ acked ........ gone ........ sent
 *    the client has  lost for    kept, in order: the rest that a return begins with
 *
 * Numbers are never given twice and never left out. One whose message a policy has dropped is
 * counted by `lost`, and kept as a hole: so both sides count the same, and the hole is told where
 * it is, by the aside MARK-N, also after a return. What falls out at the front, for the bound or
 * for memory, is told by the hello of the next return ("missed").
 *
 *   a session begins      mw_replay_init; mw_conn_setup.replay of its first machine
 *   open                  the machine puts in what it sends, and takes what pongs acknowledge
 *   the network cuts      free the machine, keep this; mw_replay_send, mw_broadcast_keep meanwhile
 *   the client is back    mw_replay_return; a machine with the same replay; mw_conn_put_rest
 *   the end               mw_replay_free
 */
#ifndef MW_SESSION_REPLAY_H
#define MW_SESSION_REPLAY_H

#include "core/base/msg.h"
#include "moonwire/types.h"

/* What a kept message costs beside its frame: its place in the ring, the head of its block. */
#define MW_REPLAY_ENTRY_BYTES 64

/* A message, or a hole: exactly one of the two. */
struct mw_replay_entry {
    struct mw_msg *msg; /* framed, not compressed */
    uint64_t lost;      /* so many numbers have no message */
};

struct mw_replay {
    /* read-only */
    uint64_t sent;     /* messages to the client so far, lost ones included */
    uint64_t acked;    /* ... of these the client is known to have */
    uint64_t received; /* messages of the client that were handed to the application */
    size_t bytes;      /* of what is kept; at most max_bytes */
    size_t max_bytes;
    bool heard; /* on this connection the client has shown that it got the hello */

    /* private */
    struct mw_mem *mem;
    struct mw_replay_entry *ring;
    size_t capacity, first, count;
    uint64_t gone;  /* the number before the first entry's */
    uint64_t asked; /* how many there were when this connection asked last */
    uint64_t told;  /* `received` as it was told last on this connection */
};

/* `mem` is borrowed: for the ring, and for messages that are made here. */
void mw_replay_init(struct mw_replay *replay, struct mw_mem *mem, size_t max_bytes);
/* Also one that is all zero. */
void mw_replay_free(struct mw_replay *replay);
/* After a reload; a smaller bound is kept at once. */
void mw_replay_set_bound(struct mw_replay *replay, size_t max_bytes);
/* For mw_conn_init: another connection of the session begins, with a hello that tells `received`.
 */
void mw_replay_begin(struct mw_replay *replay);

/*
 * The next number is this message's: framed, not compressed (keeps a reference). Never fails: what
 * there is no memory for is gone, and all before it.
 */
void mw_replay_sent(struct mw_replay *replay, struct mw_msg *msg);
/* The same for a message that has to be framed first: while nobody is connected. */
void mw_replay_send(struct mw_replay *replay, enum mw_opcode opcode, struct mw_view payload);
/* The next `lost` numbers (> 0) have no message that could be sent again. */
void mw_replay_lost(struct mw_replay *replay, uint64_t lost);
/*
 * The message of this number was replaced in the queue by another one (keeps a reference). Nothing
 * happens where it is not kept any more.
 */
void mw_replay_swap(struct mw_replay *replay, uint64_t number, struct mw_msg *msg);

/* The client has the first `count` messages: false where it cannot. */
bool mw_replay_acked(struct mw_replay *replay, uint64_t count);

enum mw_replay_verdict {
    MW_REPLAY_WHOLE,    /* the rest begins behind what the client has */
    MW_REPLAY_HOLE,     /* ... behind `missed` messages more that are lost */
    MW_REPLAY_NONSENSE, /* it cannot have that count: nothing was changed */
};

/*
 * The client is back and has `count` messages: these are let go of. What is kept then is the rest.
 */
enum mw_replay_verdict mw_replay_return(struct mw_replay *replay, uint64_t count, uint64_t *missed);

/* The kept ones, the oldest first: 0 <= i < count. Valid until the replay is changed. */
const struct mw_replay_entry *mw_replay_at(const struct mw_replay *replay, size_t i);

/* Gives a framed message, or NULL: no memory. */
struct mw_msg *mw_replay_frame(struct mw_mem *mem, enum mw_opcode opcode, struct mw_view payload);

bool mw_replay_validate(const struct mw_replay *replay);

#endif
