/*
 * Letters from any thread to the thread of one loop: intrusive, unbounded by itself (who posts
 * bounds), in order per sender, one wake-up however many. Guarded by its own lock.
 */
#ifndef MW_IO_MAILBOX_H
#define MW_IO_MAILBOX_H

#include "core/io/loop.h"

struct mw_mail {
    struct mw_mail *next; /* private */
};

struct mw_mailbox;

/* `deliver` runs on the loop's thread and takes the letter. A mailbox keeps its loop running. */
int mw_mailbox_open(struct mw_loop *loop, void (*deliver)(void *ctx, struct mw_mail *mail),
                    void *ctx, struct mw_mailbox **out);

/* Any thread. Takes the letter. Must not be called after close. */
void mw_mailbox_post(struct mw_mailbox *box, struct mw_mail *mail);

/* From the loop's thread, also from within a delivery: delivers what is there. */
void mw_mailbox_deliver(struct mw_mailbox *box);

/* From the loop's thread: delivers what is there, then frees itself by the loop. */
void mw_mailbox_close(struct mw_mailbox *box);

#endif
