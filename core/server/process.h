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

/* A descriptor to ask by again and again, or -1. */
int mw_process_open_statm(void);
/* Resident bytes; 0: not known. */
uint64_t mw_process_resident(int statm);

#endif
