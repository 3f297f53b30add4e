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

#endif
