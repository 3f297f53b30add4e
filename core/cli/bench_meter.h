/* CPU time and memory of a process, this one or another, as the kernel counts them. For bench. */
#ifndef MW_CLI_BENCH_METER_H
#define MW_CLI_BENCH_METER_H

#include "moonwire/types.h"

struct mw_bench_meter {
    uint64_t cpu_us;  /* of all threads, user and system */
    uint64_t user_us; /* the same in two, by the tick of a hundredth of a second */
    uint64_t system_us;
    uint64_t resident_bytes; /* all of it */
    uint64_t own_bytes;      /* ... that is no file's: heap and stacks */
};

/* pid 0: this process. False: there is no such process, or it may not be looked at. */
bool mw_bench_meter_read(uint64_t pid, struct mw_bench_meter *out);

/*
 * This process has a processor for itself, whatever that other one does: the two may not run on
 * one and the same alone. pid 0: somebody on this machine, or none.
 */
bool mw_bench_meter_has_own_core(uint64_t pid);

#endif
