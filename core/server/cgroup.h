/* The memory that a container, or a service of systemd, may take: the kernel kills what goes
 * beyond. */
#ifndef MW_SERVER_CGROUP_H
#define MW_SERVER_CGROUP_H

#include "moonwire/types.h"

/*
 * The least limit of this process's control groups, v2 or v1, in bytes; 0: none. `root` stands
 * before "/proc" and "/sys": "" but in tests.
 */
uint64_t mw_cgroup_memory_limit(const char *root);

#endif
