/*
 * The small messages that a script publishes in one turn, framed one behind the other in one piece:
 * a receiver of several has one reference in its queue and one vector in its write, whatever their
 * number, and nothing of them is copied for it.
 *
 * A block lives as long as one of its messages does, so it is no larger than what the turn, or the
 * turn before, has needed: who waits with one small message keeps little else from being free.
 */
#ifndef MW_SESSION_ROLL_H
#define MW_SESSION_ROLL_H

#include "core/base/msg.h"
#include "moonwire/types.h"

/* Larger ones stand alone: a vector for each costs less than the copy. */
#define MW_ROLL_MESSAGE_BYTES 2048
#define MW_ROLL_BLOCK_BYTES   32768

struct mw_roll {
    struct mw_mem *mem;   /* borrowed */
    struct mw_msg *block; /* NULL: none yet in this turn */
    size_t used;          /* of its payload */
    size_t in_turn;       /* bytes so far */
    size_t before;        /* ... of the last turn that had any */
};

void mw_roll_init(struct mw_roll *roll, struct mw_mem *mem);
/*
 * Gives a framed message with one reference. NULL: no memory, or it is larger than
 * MW_ROLL_MESSAGE_BYTES.
 */
struct mw_msg *mw_roll_put(struct mw_roll *roll, enum mw_opcode kind, struct mw_view data);
/* The turn is over: its messages keep the block now. Also before the memory goes. */
void mw_roll_end(struct mw_roll *roll);

#endif
