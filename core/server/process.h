/* What the system says about this process. */
#ifndef MW_SERVER_PROCESS_H
#define MW_SERVER_PROCESS_H

#include "moonwire/types.h"

struct mw_process {
    mw_ms cpu_ms;            /* of all threads */
    uint64_t resident_bytes; /* 0: not known */
    uint64_t max_fds;
};

/* Processors that this thread may run on (taskset, cpusets of a container); at least 1. */
unsigned mw_process_cpus(void);

void mw_process_look(struct mw_process *process);

/*
 * What a file of /proc or /sys holds, as far as `out` goes: a view into it; empty where there is
 * none.
 */
#define MW_PROCESS_TEXT_BYTES 4096
struct mw_view mw_process_text(const char *path, char out[MW_PROCESS_TEXT_BYTES]);

/* A descriptor to ask by again and again, or -1. */
int mw_process_open_statm(void);
/* Resident bytes; 0: not known. */
uint64_t mw_process_resident(int statm);

#endif
