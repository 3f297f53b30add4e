/*
 * Listens to the listener's pauses. Never decides who is accepted: that is acceptor's. Called by
 * worker (watch), by the listener, and by metrics.
 */
#include "core/server/shortage.h"

#include <errno.h>
#include <stdio.h>

#include "core/server/process.h"
#include "core/server/worker.h"

static const char *const names[] = {
#define MW_SHORTAGE(name) #name,
    MW_SHORTAGE_LIST(MW_SHORTAGE)
#undef MW_SHORTAGE
};

const char *mw_shortage_name(enum mw_shortage_kind kind)
{
    return names[kind];
}

static enum mw_shortage_kind kind_of(int why)
{
    if (why == EMFILE)
        return MW_SHORTAGE_descriptors;
    return why == ENFILE ? MW_SHORTAGE_system_descriptors : MW_SHORTAGE_kernel_memory;
}

/* What is short, and what to type. */
static const struct {
    const char *error, *hint;
} told[] = {
    [MW_SHORTAGE_descriptors] = { "EMFILE: the process has all the files open that it may",
                                  "ulimit -Hn, LimitNOFILE= of systemd; or set connections below "
                                  "it" },
    [MW_SHORTAGE_system_descriptors] = { "ENFILE: the machine has all the files open that it may",
                                         "sysctl fs.file-max" },
    [MW_SHORTAGE_kernel_memory] = { "ENOMEM: the kernel has no memory for sockets",
                                    "sysctl net.ipv4.tcp_mem; free" },
};

static void tell_of_pause(struct mw_worker *worker, enum mw_shortage_kind kind, mw_ms now_ms)
{
    struct mw_log_line line;
    struct mw_process process;
    mw_process_look(&process);
    mw_rare_begin(&worker->shortage.rare, now_ms, &line, worker->log, MW_LOG_WARN, "not accepting");
    mw_log_text(&line, "cause", mw_view_text(names[kind]));
    mw_log_text(&line, "error", mw_view_text(told[kind].error));
    mw_log_integer(&line, "descriptors", (int64_t)process.max_fds);
    mw_log_text(&line, "hint", mw_view_text(told[kind].hint));
    mw_log_end(&line);
}

static void tell_of_end(struct mw_worker *worker, mw_ms now_ms)
{
    struct mw_log_line line;
    mw_rare_begin(&worker->shortage.rare, now_ms, &line, worker->log, MW_LOG_INFO,
                  "accepting again");
    mw_log_integer(&line, "waited_ms", (int64_t)(now_ms - worker->shortage.since_ms));
    mw_log_end(&line);
}

static void on_pauses(void *ctx, int why)
{
    struct mw_worker *worker = ctx;
    mw_ms now_ms = mw_loop_now(worker->loop);
    if (why == 0) {
        tell_of_end(worker, now_ms);
        return;
    }
    enum mw_shortage_kind kind = kind_of(why);
    worker->shortage.since_ms = now_ms;
    worker->shortage.pauses[kind]++;
    tell_of_pause(worker, kind, now_ms);
}

void mw_shortage_watch(struct mw_worker *worker)
{
    static const struct mw_accept_care care = {
        .kept_back = MW_SHORTAGE_KEPT_BACK,
        .last_ones = MW_SHORTAGE_LAST_ONES,
        .pauses = on_pauses,
    };
    mw_listener_care(worker->listener, &care);
}
