/* A block that changes hands between two owners of one thread. Beside mem.h, for who keeps spares.
 */
#ifndef MW_BASE_MEM_MOVE_H
#define MW_BASE_MEM_MOVE_H

#include "core/base/mem.h"

/*
 * A block that `from` holds is `to`'s from now on. That may be refused like an allocation: false,
 * and it is still `from`'s.
 */
bool mw_mem_move(struct mw_mem *from, struct mw_mem *to, size_t bytes);

/*
 * The same where there is nothing to ask: no parents, no failure that was ordered, room below the
 * cap. False: nothing was done, and mw_mem_move decides. In line, for who moves blocks with every
 * message.
 */
static inline bool mw_mem_move_at_once(struct mw_mem *from, struct mw_mem *to, size_t bytes)
{
    size_t cap = to->max_bytes ? to->max_bytes : PTRDIFF_MAX, held = to->bytes + bytes;
    if (from->parent || to->parent || to->fail_at || held > cap)
        return false;
    to->count++;
    to->bytes = held;
    to->blocks++;
    if (held > to->peak)
        to->peak = held;
    from->bytes -= bytes;
    from->blocks--;
    return true;
}

#endif
