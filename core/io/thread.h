/* Threads with a name and a stack size that we chose. */
#ifndef MW_IO_THREAD_H
#define MW_IO_THREAD_H

#include "core/base/mem.h"

struct mw_thread;

/* `main` runs with all signals blocked but those of its own faults (base/crash.h). NULL: no memory
 * or no thread. */
struct mw_thread *mw_thread_start(const char *name, void (*main)(void *ctx), void *ctx);
/* Waits for its end and frees. NULL is allowed. */
void mw_thread_join(struct mw_thread *thread);

#endif
