/*
 * A bug that ends the process is told before it does: by which signal, and in which thread. Then
 * comes what would have come anyway, a core file included.
 */
#ifndef MW_BASE_CRASH_H
#define MW_BASE_CRASH_H

#include <stdbool.h>

/*
 * For the process, once: SEGV, BUS, FPE, ILL and ABRT are told on stderr, as a JSON object or as a
 * line for people. One that somebody has a handler for already, such as a sanitizer, is left to
 * them.
 */
void mw_crash_tell(bool as_json);

/* For each thread, at its beginning: an overflow of its stack can be told too. */
void mw_crash_thread(void);

#endif
