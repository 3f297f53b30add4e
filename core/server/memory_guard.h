/*
 * Looks a few times a second at how much of the process is resident, so that it refuses new
 * connections by name before the kernel ends all of them without a word.
 */
#ifndef MW_SERVER_MEMORY_GUARD_H
#define MW_SERVER_MEMORY_GUARD_H

#include "core/io/loop.h"
#include "core/server/admission.h"
#include "core/server/rare.h"

#define MW_MEMORY_GUARD_MS 250

/* Belongs to the server's thread. */
struct mw_memory_guard {
    struct mw_loop *loop;
    struct mw_log *log;
    struct mw_admission *admission;
    struct mw_alarm alarm;
    struct mw_rare rare;
    int statm; /* kept open, for there may be no descriptor when it is needed most */
    mw_ms short_since_ms;
};

/* Borrows all. Without a ceiling nothing is looked at. */
void mw_memory_guard_open(struct mw_memory_guard *guard, struct mw_loop *loop, struct mw_log *log,
                          struct mw_admission *admission);
/* One that was zeroed and never opened, too. */
void mw_memory_guard_close(struct mw_memory_guard *guard);

#endif
