/*
 * Ticks of a thread's own CPU time: a thread that sleeps has none, one that works has one about
 * every MW_CPU_TICK_MS. They come by signal (SIGVTALRM), so they come whatever the thread is doing,
 * and what does not ask pays nothing.
 */
#ifndef MW_BASE_CPU_TICK_H
#define MW_BASE_CPU_TICK_H

#include "moonwire/types.h"

/* What is asked for; the kernel's own tick may make it up to twice that. */
#define MW_CPU_TICK_MS 4

/*
 * From now on the calling thread has ticks, until it ends; once more changes nothing. MW_OK, or
 * MW_ERR_IO with errno: the system gives no timer (EAGAIN: ulimit -i).
 */
int mw_cpu_tick_start(void);

/* Ticks of the calling thread so far; wraps. To be compared with a value from before. */
unsigned mw_cpu_tick_count(void);

/*
 * Who hears of each tick of the calling thread: called in the signal handler, so it may do only
 * what is safe there. NULL: nobody.
 */
void mw_cpu_tick_listen(void (*listener)(void));

/* CPU time of the calling thread. Safe in a signal handler. */
uint64_t mw_cpu_time_us(void);

#endif
