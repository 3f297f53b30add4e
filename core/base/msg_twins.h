/*
 * One message in the two forms in which it leaves: as it is, and packed. Both cross threads; the
 * packed one is made by whoever wants it first and then shared, so it is made once however many
 * threads want it.
 */
#ifndef MW_BASE_MSG_TWINS_H
#define MW_BASE_MSG_TWINS_H

#include <stdatomic.h>

#include "core/base/msg.h"

struct mw_msg_twins {
    struct mw_msg *plain;            /* there from the beginning */
    _Atomic(struct mw_msg *) packed; /* NULL: nobody wanted it yet; `plain`: it does not shrink */
};

/* Takes the reference to `plain`, which has no mw_mem. */
void mw_msg_twins_init(struct mw_msg_twins *twins, struct mw_msg *plain);
/* On the last holder's thread. */
void mw_msg_twins_free(struct mw_msg_twins *twins);

/* Any thread. Borrowed for the twins' life; NULL: nobody has made it yet. */
struct mw_msg *mw_msg_twins_packed(struct mw_msg_twins *twins);
/*
 * Any thread. Takes a reference to a message without mw_mem; gives what stands there from now on,
 * borrowed. Another thread may have been first: then `msg` is dropped.
 */
struct mw_msg *mw_msg_twins_put(struct mw_msg_twins *twins, struct mw_msg *msg);

#endif
