/*
 * The order of events of a reload: change seen > quiet > scan in the pool > batch prepared by the
 * worker > decision > commit > report. One at a time; a change that comes meanwhile is looked at
 * afterwards. Called by server.
 */
#include "core/server/reload.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/io/offload.h"
#include "core/io/watch.h"

/* Some file systems (network mounts, overlays) tell nothing: then this finds a save. */
#define POLL_MS 2000

struct mw_reload {
    struct mw_loop *loop;
    struct mw_worker *worker;
    struct mw_log *log;
    const char *folder;
    struct mw_view suffix;
    struct mw_watch *watch;
    struct mw_alarm poll, settle;
    struct mw_job scan;
    struct mw_project *project; /* what was last tried */
    struct mw_project *found;   /* what the scan has found */
    char why[512];              /* what the scan had to say */
    char said[512];             /* what of that was logged last */
    bool scanning, loading, again, closing, from_poll;
};

static void start_scan(struct mw_reload *reload);

static void reload_free(struct mw_reload *reload)
{
    mw_project_drop(reload->project);
    mw_project_drop(reload->found);
    mw_free(mw_loop_mem(reload->loop), reload, sizeof *reload);
}

/* ---- the report ---- */

static void report_done(struct mw_log *log, const struct mw_load *load)
{
    double ms = load->prepare_ms + load->commit_ms;
    bool first = load->from == 0;
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_INFO, mw_view_text(first ? "loaded" : "reloaded"));
    mw_log_text(&line, "script", load->name);
    mw_log_text(&line, "route", mw_view_text(load->pattern));
    if (!first)
        mw_log_integer(&line, "from", load->from);
    mw_log_integer(&line, "v", load->to);
    mw_log_number(&line, "ms", (double)(int64_t)(ms * 100) / 100);
    mw_log_integer(&line, "kept", (int64_t)load->kept);
    mw_log_integer(&line, "dropped", (int64_t)load->dropped);
    if (first)
        mw_log_say(&line, "%.*s v%u  %s  %.1f ms", (int)load->name.len, load->name.data, load->to,
                   load->pattern, ms);
    else
        mw_log_say(&line, "%.*s v%u \u2192 v%u  %.1f ms  %zu kept \u00b7 %zu dropped",
                   (int)load->name.len, load->name.data, load->from, load->to, ms, load->kept,
                   load->dropped);
    mw_log_end(&line);
}

static void report_removed(struct mw_log *log, const struct mw_load *load)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text("script removed"));
    mw_log_text(&line, "script", load->name);
    mw_log_integer(&line, "v", load->from);
    mw_log_integer(&line, "closed", (int64_t)load->dropped);
    mw_log_say(&line, "%.*s is gone: its route has ended, %zu connections were closed with 1001",
               (int)load->name.len, load->name.data, load->dropped);
    mw_log_end(&line);
}

static void report_refused(struct mw_log *log, const struct mw_load *load)
{
    static const struct mw_fault no_memory = { .message = "out of memory" };
    struct mw_fault fault = load->fault ? *load->fault : no_memory;
    bool first = load->from == 0;
    char so[96] = "its route answers 503 until the file is mended";
    if (!first)
        snprintf(so, sizeof so, "v%u goes on serving", load->from);
    fault.version = load->from;
    mw_log_fault(log, load->name, &fault, first ? "load refused" : "reload refused", so);
}

/* It was sound, but another script that uses the same changed library was not. */
static void report_held_back(struct mw_log *log, const struct mw_load *load)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_WARN, mw_view_text("reload held back"));
    mw_log_text(&line, "script", load->name);
    mw_log_integer(&line, "v", load->from);
    mw_log_say(&line,
               "%.*s stays at v%u: a library changed, and another script that uses it was refused",
               (int)load->name.len, load->name.data, load->from);
    mw_log_end(&line);
}

void mw_reload_report(struct mw_log *log, const struct mw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct mw_load *load = &batch->loads[i];
        switch (load->outcome) {
        case MW_LOAD_UNTOUCHED:
            break;
        case MW_LOAD_READY:
            if (load->commit)
                report_done(log, load);
            else
                report_held_back(log, load);
            break;
        case MW_LOAD_REMOVED:
            report_removed(log, load);
            break;
        case MW_LOAD_FAULT:
        case MW_LOAD_CONFLICT:
            report_refused(log, load);
            break;
        }
    }
}

/* ---- the batch ---- */

static void next_round(struct mw_reload *reload)
{
    if (reload->closing) {
        if (!reload->scanning && !reload->loading)
            reload_free(reload);
        return;
    }
    if (!reload->again)
        return;
    reload->again = false;
    start_scan(reload);
}

void mw_reload_mail(struct mw_reload *reload, struct mw_batch *batch)
{
    /*
     * Once closing, the worker is stopping too, and takes what is prepared down with its scripts.
     */
    if (batch->step == MW_BATCH_PREPARED && !reload->closing) {
        mw_batch_decide(batch);
        batch->step = MW_BATCH_COMMIT;
        mw_worker_post(reload->worker, batch);
        return;
    }
    if (batch->step == MW_BATCH_COMMITTED)
        mw_reload_report(reload->log, batch);
    mw_batch_free(batch);
    reload->loading = false;
    next_round(reload);
}

static void load(struct mw_reload *reload)
{
    struct mw_batch *batch = 0;
    if (mw_batch_new(reload->project, reload->found, &batch)) {
        mw_log_note(reload->log, MW_LOG_ERROR,
                    "a change of the scripts was seen, but there is no memory to load it");
        return;
    }
    mw_project_drop(reload->project);
    reload->project = mw_project_keep(reload->found);
    reload->loading = true;
    mw_worker_post(reload->worker, batch);
}

/* ---- the scan ---- */

static void scan_run(struct mw_job *job)
{
    struct mw_reload *reload = MW_OWNER(job, struct mw_reload, scan);
    const struct mw_project_look look = {
        .folder = reload->folder,
        .suffix = reload->suffix,
        .before = reload->project, /* which nobody replaces while a scan runs */
        .now_unix_ms = mw_clock_unix_ms(),
    };
    if (mw_project_look(&look, &reload->found, reload->why))
        reload->found = 0;
}

/* Once for as long as it stays the same: the folder is looked at every two seconds. */
static void say_trouble(struct mw_reload *reload)
{
    if (!strcmp(reload->why, reload->said))
        return;
    memcpy(reload->said, reload->why, sizeof reload->said);
    if (reload->why[0])
        mw_log_note(reload->log, MW_LOG_WARN, reload->why);
}

static void scan_done(struct mw_job *job)
{
    struct mw_reload *reload = MW_OWNER(job, struct mw_reload, scan);
    reload->scanning = false;
    say_trouble(reload);
    if (!reload->closing && reload->found) {
        bool changed = !mw_project_equal(reload->project, reload->found);
        (void)mw_watch_set(reload->watch, reload->found->folders, reload->found->folder_count);
        if (changed && reload->from_poll)
            mw_alarm_set(reload->loop, &reload->settle,
                         mw_loop_now(reload->loop) + MW_WATCH_SETTLE_MS);
        else if (changed)
            load(reload);
    }
    mw_project_drop(reload->found);
    reload->found = 0;
    if (!reload->loading)
        next_round(reload);
}

static void start_scan(struct mw_reload *reload)
{
    if (reload->scanning || reload->loading) {
        reload->again = true;
        return;
    }
    /* Watches stand before the look, so that what changes during it is seen as well. */
    (void)mw_watch_set(reload->watch, reload->project->folders, reload->project->folder_count);
    reload->scan = (struct mw_job){ scan_run, scan_done };
    reload->scanning = mw_offload(reload->loop, &reload->scan) == MW_OK;
}

void mw_reload_now(struct mw_reload *reload)
{
    reload->from_poll = false;
    start_scan(reload);
}

static void on_change(void *ctx)
{
    mw_reload_now(ctx);
}

static void on_settled(struct mw_alarm *alarm)
{
    mw_reload_now(MW_OWNER(alarm, struct mw_reload, settle));
}

/* What a poll finds may be half written: it is looked at again when it has had time to settle. */
static void on_poll(struct mw_alarm *alarm)
{
    struct mw_reload *reload = MW_OWNER(alarm, struct mw_reload, poll);
    mw_alarm_set(reload->loop, alarm, mw_loop_now(reload->loop) + POLL_MS);
    if (reload->scanning || reload->loading || mw_timer_is_running(&reload->settle.timer))
        return;
    reload->from_poll = true;
    start_scan(reload);
}

/* ---- life ---- */

int mw_reload_open(const struct mw_reload_setup *setup, struct mw_reload **out)
{
    struct mw_reload *reload = mw_alloc_zero(mw_loop_mem(setup->loop), sizeof *reload);
    if (!reload)
        return MW_ERR_NOMEM;
    reload->loop = setup->loop;
    reload->worker = setup->worker;
    reload->log = setup->log;
    reload->folder = setup->folder;
    reload->suffix = setup->suffix;
    mw_alarm_init(&reload->poll, on_poll);
    mw_alarm_init(&reload->settle, on_settled);
    int err = mw_watch_open(setup->loop, on_change, reload, &reload->watch);
    if (err) {
        mw_free(mw_loop_mem(setup->loop), reload, sizeof *reload);
        return err;
    }
    reload->project = mw_project_keep(setup->project);
    (void)mw_watch_set(reload->watch, setup->project->folders, setup->project->folder_count);
    mw_alarm_set(setup->loop, &reload->poll, mw_loop_now(setup->loop) + POLL_MS);
    *out = reload;
    return MW_OK;
}

void mw_reload_close(struct mw_reload *reload)
{
    if (!reload)
        return;
    reload->closing = true;
    mw_watch_close(reload->watch);
    mw_alarm_stop(reload->loop, &reload->poll);
    mw_alarm_stop(reload->loop, &reload->settle);
    if (!reload->scanning && !reload->loading)
        reload_free(reload);
}
