/*
 * The keyed messages of one send queue that have not begun to leave: from key to segment in O(1).
 * Exists only while there is one; private to outq.c.
 */
#ifndef MW_SESSION_OUTQ_KEYS_H
#define MW_SESSION_OUTQ_KEYS_H

#include "core/base/mem.h"
#include "core/base/msg.h"

/* What waits in a queue: a chunk of frames, one large frame, or a reference to a message. */
struct mw_out_seg {
    struct mw_out_seg *next;
    struct mw_msg *msg; /* never a part: its block. NULL: the bytes are behind this head */
    size_t begin, end;  /* what is left to send */
    size_t cap; /* room behind the head; of a keyed message its key's bytes, which are there */
    union {
        uint64_t number;  /* of a keyed message: its owner's */
        const char *lent; /* while is_lent: where the payload is, for which there is room here */
    };
    bool handed_out;  /* what is left stays where it is: a write of it is on its way */
    bool has_begun;   /* some of it has left */
    bool is_lent;     /* only the frame's header is behind this head */
    uint8_t head_len; /* while is_lent: the header's */
    bool control;     /* of the control lane, also once it stands among the data */
    bool keyed;       /* in the table: a newer message may take its place */
    char bytes[];
};

static inline struct mw_view mw_out_seg_key(const struct mw_out_seg *seg)
{
    return mw_view(seg->bytes, seg->cap);
}

struct mw_out_keys; /* NULL: there are none */

size_t mw_out_keys_count(const struct mw_out_keys *keys);
/* NULL: no message that waits has this key. */
struct mw_out_seg *mw_out_keys_find(const struct mw_out_keys *keys, struct mw_view key);
/* A segment whose key is not there yet; borrows it. MW_ERR_NOMEM. */
int mw_out_keys_add(struct mw_out_keys **keys, struct mw_mem *mem, struct mw_out_seg *seg);
/* One that is there; with the last one the table goes. */
void mw_out_keys_remove(struct mw_out_keys **keys, struct mw_mem *mem, struct mw_out_seg *seg);

#endif
