/*
 * A message and its packed form. How it is packed is told from above, by session/broadcast.
 */
#include "core/base/msg_twins.h"

#include "core/base/check.h"

void mw_msg_twins_init(struct mw_msg_twins *twins, struct mw_msg *plain)
{
    mw_assert(!mw_msg_mem(plain));
    twins->plain = plain;
    atomic_init(&twins->packed, NULL);
}

void mw_msg_twins_free(struct mw_msg_twins *twins)
{
    mw_msg_drop(mw_msg_twins_packed(twins));
    mw_msg_drop(twins->plain);
}

struct mw_msg *mw_msg_twins_packed(struct mw_msg_twins *twins)
{
    return atomic_load_explicit(&twins->packed, memory_order_acquire);
}

struct mw_msg *mw_msg_twins_put(struct mw_msg_twins *twins, struct mw_msg *msg)
{
    struct mw_msg *there = NULL;
    mw_assert(!mw_msg_mem(msg));
    /* Who reads it later must see its bytes; who was late must see those of the first. */
    if (atomic_compare_exchange_strong_explicit(&twins->packed, &there, msg, memory_order_acq_rel,
                                                memory_order_acquire))
        return msg;
    mw_msg_drop(msg);
    return there;
}
