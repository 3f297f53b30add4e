/*
 * Reads, tells admission, writes a line where that has changed something, and has the C library
 * give back what is free: resident is what was ever used and not given back. Called by server.
 */
#include "core/server/memory_guard.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/server/process.h"

/* Costs milliseconds where much is free, and holds up who allocates meanwhile. */
#define TRIM_EVERY_MS 2000

/*
 * What was freed at the end of a heap is kept up to here, and blocks up to the second size come
 * from the heap: else messages of 1 MiB are given back to the kernel and taken again, a page fault
 * for each 4 KiB. An echo of 1 MiB: 1 631 -> 900 us of CPU. Short of memory, all of it is given
 * back.
 */
#define KEPT_BYTES  (16 << 20)
#define BLOCK_BYTES (4 << 20)

static void keep_freed(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES);
#endif
}

static void give_back(struct mw_memory_guard *guard, mw_ms now_ms)
{
#ifdef __GLIBC__
    mw_ms lasted_ms = now_ms - guard->short_since_ms;
    if (lasted_ms % TRIM_EVERY_MS < MW_MEMORY_GUARD_MS)
        (void)malloc_trim(0);
#else
    (void)guard;
    (void)now_ms;
#endif
}

static void tell(struct mw_memory_guard *guard, enum mw_memory_turn turn, uint64_t resident,
                 mw_ms now_ms)
{
    bool is_short = turn == MW_MEMORY_SHORT;
    struct mw_log_line line;
    mw_rare_begin(&guard->rare, now_ms, &line, guard->log, is_short ? MW_LOG_WARN : MW_LOG_INFO,
                  is_short ? "memory limit reached" : "memory is below its limit again");
    mw_log_integer(&line, "resident", (int64_t)resident);
    mw_log_integer(&line, "memory", (int64_t)guard->admission->memory_bytes);
    mw_log_integer(&line, "connections", (int64_t)atomic_load(&guard->admission->count));
    if (is_short)
        mw_log_text(&line, "so", mw_view_text("new connections are refused with 503"));
    mw_log_end(&line);
}

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_memory_guard *guard = MW_OWNER(alarm, struct mw_memory_guard, alarm);
    mw_ms now_ms = mw_loop_now(guard->loop);
    uint64_t resident = mw_process_resident(guard->statm);
    if (resident) {
        enum mw_memory_turn turn = mw_admission_note_memory(guard->admission, resident);
        if (turn == MW_MEMORY_SHORT)
            guard->short_since_ms = now_ms;
        if (turn != MW_MEMORY_SAME)
            tell(guard, turn, resident, now_ms);
        if (atomic_load(&guard->admission->is_short))
            give_back(guard, now_ms);
    }
    mw_alarm_set(guard->loop, alarm, now_ms + MW_MEMORY_GUARD_MS);
}

void mw_memory_guard_open(struct mw_memory_guard *guard, struct mw_loop *loop, struct mw_log *log,
                          struct mw_admission *admission)
{
    keep_freed();
    *guard = (struct mw_memory_guard){
        .loop = loop,
        .log = log,
        .admission = admission,
        .statm = -1,
    };
    mw_alarm_init(&guard->alarm, on_alarm);
    if (!admission->memory_bytes)
        return;
    guard->statm = mw_process_open_statm();
    on_alarm(&guard->alarm);
}

void mw_memory_guard_close(struct mw_memory_guard *guard)
{
    if (!guard->loop)
        return;
    mw_alarm_stop(guard->loop, &guard->alarm);
    if (guard->statm >= 0)
        close(guard->statm);
    guard->loop = 0;
}
