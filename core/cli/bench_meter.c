/*
 * Reads /proc (proc(5)): the scheduler's nanoseconds of each thread, or ticks of a hundredth of a
 * second where the kernel does not keep those. Called by cmd_bench, before and after.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "core/cli/bench_meter.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/server/process.h"

/* The file `name` of a process, as far as `out` goes. Empty: it cannot be read. */
static struct mw_view read_file(const char *folder, const char *name,
                                char out[MW_PROCESS_TEXT_BYTES])
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return mw_process_text(path, out);
}

/* The number of a text's field n, from 0; 0: there is none. */
static uint64_t field(struct mw_view text, unsigned n)
{
    struct mw_view part = mw_view(0, 0);
    uint64_t number = 0;
    for (unsigned i = 0; i <= n; i++) {
        if (!mw_view_split(&text, ' ', &part))
            return 0;
    }
    (void)mw_parse_u64(part, 0, UINT64_MAX, &number);
    return number;
}

static uint64_t cpu_of_threads_us(const char *folder)
{
    char path[300], text[MW_PROCESS_TEXT_BYTES];
    uint64_t sum_us = 0;
    snprintf(path, sizeof path, "%s/task", folder);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    for (const struct dirent *task; (task = readdir(tasks));) {
        char name[280];
        if (*task->d_name == '.')
            continue;
        snprintf(name, sizeof name, "task/%s/schedstat", task->d_name);
        sum_us += field(read_file(folder, name, text), 0) / 1000;
    }
    closedir(tasks);
    return sum_us;
}

/* Behind the name, which is in parentheses and may hold anything: fields 11 and 12 from there. */
static void put_ticks(struct mw_bench_meter *out, struct mw_view stat)
{
    uint64_t second = (uint64_t)sysconf(_SC_CLK_TCK);
    size_t at = stat.len;
    while (at > 0 && stat.data[at - 1] != ')')
        at--;
    if (at + 1 >= stat.len)
        return;
    struct mw_view rest = mw_view_from(stat, at + 1);
    out->user_us = field(rest, 11) * 1000000 / second;
    out->system_us = field(rest, 12) * 1000000 / second;
}

bool mw_bench_meter_read(uint64_t pid, struct mw_bench_meter *out)
{
    char folder[64] = "/proc/self", text[MW_PROCESS_TEXT_BYTES];
    if (pid)
        snprintf(folder, sizeof folder, "/proc/%llu", (unsigned long long)pid);
    struct mw_view statm = read_file(folder, "statm", text);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    *out = (struct mw_bench_meter){
        .resident_bytes = field(statm, 1) * page,
        .own_bytes = (field(statm, 1) - field(statm, 2)) * page,
    };
    bool is_there = statm.len > 0;
    out->cpu_us = cpu_of_threads_us(folder);
    put_ticks(out, read_file(folder, "stat", text));
    if (!out->cpu_us)
        out->cpu_us = out->user_us + out->system_us;
    return is_there;
}

bool mw_bench_meter_has_own_core(uint64_t pid)
{
    cpu_set_t own, other, either;
    if (sched_getaffinity(0, sizeof own, &own) != 0)
        return false;
    if (pid == 0 || sched_getaffinity((pid_t)pid, sizeof other, &other) != 0)
        return CPU_COUNT(&own) > 1;
    CPU_OR(&either, &own, &other);
    return CPU_COUNT(&either) > 1;
}
