/* Questions to the system that any thread may ask at any time; they cost microseconds. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "core/server/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/str.h"

struct mw_view mw_process_text(const char *path, char out[MW_PROCESS_TEXT_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mw_view(0, 0);
    ssize_t len = read(fd, out, MW_PROCESS_TEXT_BYTES);
    close(fd);
    return mw_view(out, len > 0 ? (size_t)len : 0);
}

/* proc(5): "18214 4555 ...", in pages; the second number is of those that are in memory. */
uint64_t mw_process_resident(int statm)
{
    char text[128];
    uint64_t pages;
    ssize_t len = pread(statm, text, sizeof text, 0);
    struct mw_view rest = mw_view(text, len > 0 ? (size_t)len : 0), first, second;
    if (!mw_view_split(&rest, ' ', &first) || !mw_view_split(&rest, ' ', &second) ||
        !mw_parse_u64(second, 0, UINT32_MAX, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A machine with more than 1024 processors is asked for those that are there at all. */
unsigned mw_process_cpus(void)
{
    cpu_set_t set;
    long count = sched_getaffinity(0, sizeof set, &set) == 0 ? (long)CPU_COUNT(&set)
                                                             : sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

int mw_process_open_statm(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static uint64_t resident_bytes(void)
{
    int statm = mw_process_open_statm();
    if (statm < 0)
        return 0;
    uint64_t bytes = mw_process_resident(statm);
    close(statm);
    return bytes;
}

void mw_process_look(struct mw_process *process)
{
    struct timespec cpu = { 0 };
    struct rlimit limit = { 0 };
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    *process = (struct mw_process){
        .cpu_ms = (mw_ms)cpu.tv_sec * 1000 + (mw_ms)cpu.tv_nsec / 1000000,
        .resident_bytes = resident_bytes(),
        .max_fds = limit.rlim_cur,
    };
}
