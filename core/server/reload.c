/*
 * The order of events of a reload: change seen > quiet > scan in the pool > batch prepared by the
 * workers > decision > commit > report. That is a round; there is one at a time, and what comes
 * meanwhile, a change or a wish, has a round of its own afterwards. Going back is a round without a
 * scan: its sources are in the history. Called by server and by admin_commands.
 */
#include "core/server/reload.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/io/offload.h"
#include "core/io/watch.h"
#include "core/server/history.h"
#include "core/server/report.h"

/* Some file systems (network mounts, overlays) tell nothing: then this finds a save. */
#define POLL_MS 2000

struct mw_reload {
    struct mw_loop *loop;
    struct mw_crew *crew;
    struct mw_log *log;
    const char *folder;
    struct mw_view suffix;
    struct mw_watch *watch;
    struct mw_alarm poll, settle;
    struct mw_job scan;
    struct mw_project *project; /* what was last tried */
    struct mw_project *found;   /* what the scan has found */
    struct mw_history history;
    struct mw_link asks;   /* for a later round, in order */
    struct mw_link served; /* by the round that is on */
    char why[512];         /* what the scan had to say */
    char said[512];        /* what of that was logged last */
    bool scanning, loading, again, closing, from_poll, auto_rollback;
};

static void next_round(struct mw_reload *reload);

static void reload_free(struct mw_reload *reload)
{
    mw_project_drop(reload->project);
    mw_project_drop(reload->found);
    mw_history_free(&reload->history);
    mw_free(mw_loop_mem(reload->loop), reload, sizeof *reload);
}

/* ---- who has asked ---- */

static struct mw_reload_ask *ask_of(struct mw_link *link)
{
    return MW_OWNER(link, struct mw_reload_ask, link);
}

static void answer(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why)
{
    mw_list_remove(&ask->link);
    ask->done(ask, batch, why);
}

/* Everybody on a list; who asks anew meanwhile is not on it. */
static void answer_all(struct mw_link *list, const struct mw_batch *batch, const char *why)
{
    struct mw_link asks;
    mw_list_take(&asks, list);
    while (!mw_list_is_empty(&asks))
        answer(ask_of(asks.next), batch, why);
}

/* A scan serves all who want one, up to the first who wants to go back. */
static void serve_loads(struct mw_reload *reload)
{
    while (!mw_list_is_empty(&reload->asks) && !ask_of(reload->asks.next)->back) {
        struct mw_link *link = mw_list_pop(&reload->asks);
        mw_list_push(&reload->served, link);
    }
}

/* ---- the batch ---- */

static void post(struct mw_reload *reload, struct mw_batch *batch)
{
    bool is_surveyed = batch->libs_changed && reload->crew->count > 1;
    reload->loading = true;
    batch->step = is_surveyed ? MW_BATCH_SURVEY : MW_BATCH_PREPARE;
    mw_crew_send(reload->crew, &batch->letter);
}

static void end_batch(struct mw_reload *reload, struct mw_batch *batch)
{
    if (batch->step == MW_BATCH_COMMIT) {
        mw_report_batch(reload->log, batch);
        mw_history_note(&reload->history, batch);
        answer_all(&reload->served, batch, "");
    }
    mw_batch_free(batch);
    reload->loading = false;
}

/* All workers have done theirs. */
static void next_step(struct mw_batch *batch)
{
    if (batch->step == MW_BATCH_PREPARE)
        mw_batch_decide(batch);
    batch->step = batch->step == MW_BATCH_SURVEY ? MW_BATCH_PREPARE : MW_BATCH_COMMIT;
}

void mw_reload_mail(struct mw_reload *reload, struct mw_batch *batch)
{
    /*
     * Once closing, the workers are stopping too, and take what is prepared down with their
     * scripts.
     */
    if (batch->step != MW_BATCH_COMMIT && !reload->closing) {
        next_step(batch);
        mw_crew_send(reload->crew, &batch->letter);
        return;
    }
    end_batch(reload, batch);
    next_round(reload);
}

/* ---- loading what was found ---- */

static void say_unknown(const struct mw_reload *reload, const struct mw_project *project,
                        struct mw_view script, char why[256])
{
    const char *names[65] = { 0 };
    for (size_t i = 0; i < project->script_count && i + 1 < MW_COUNT(names); i++)
        names[i] = project->scripts[i].path.data;
    const char *near = mw_nearest_name(script, names);
    snprintf(why, 256, "there is no script %.*s in %.80s%s%.60s%s",
             (int)(script.len < 60 ? script.len : 60), script.data, reload->folder,
             near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* The script that a name means; a name that means none is left as it is. */
static struct mw_view whole_name(const struct mw_reload *reload, const struct mw_project *project,
                                 struct mw_view name)
{
    const struct mw_project_file *file = mw_project_named(project, name, reload->suffix);
    return file ? file->path : name;
}

/* Marks what was asked for by name; who has asked for what is not there hears of it now. */
static void force(struct mw_reload *reload, struct mw_batch *batch)
{
    struct mw_link *link = reload->served.next, *next;
    char why[256];
    for (; link != &reload->served; link = next) {
        struct mw_reload_ask *ask = ask_of(link);
        next = link->next;
        if (!ask->script.len)
            continue;
        ask->script = whole_name(reload, batch->project, ask->script);
        if (mw_batch_force(batch, ask->script))
            continue;
        say_unknown(reload, batch->project, ask->script, why);
        answer(ask, 0, why);
    }
}

static void load(struct mw_reload *reload)
{
    static const char no_memory[] =
        "a change of the scripts was seen, but there is no memory to load it";
    struct mw_batch *batch = 0;
    if (mw_batch_new(reload->project, reload->found, &batch)) {
        mw_log_note(reload->log, MW_LOG_ERROR, no_memory);
        answer_all(&reload->served, 0, no_memory);
        return;
    }
    force(reload, batch);
    mw_project_drop(reload->project);
    reload->project = mw_project_keep(reload->found);
    post(reload, batch);
}

/* ---- going back ---- */

/* The one who has asked is served by this round, if it comes to one. */
static void start_back(struct mw_reload *reload, struct mw_reload_ask *ask, const char *reason)
{
    char why[256];
    struct mw_batch *batch = 0;
    struct mw_view script = whole_name(reload, reload->project, ask->script);
    const struct mw_history_entry *target =
        mw_history_target(&reload->history, script, ask->to, why);
    if (!target) {
        answer(ask, 0, why);
        return;
    }
    if (mw_batch_new_back(target->project, script, target->as, &batch)) {
        answer(ask, 0, "out of memory");
        return;
    }
    ask->script = batch->loads[0].name;
    snprintf(batch->why, sizeof batch->why, "%s", reason);
    mw_list_remove(&ask->link);
    mw_list_push(&reload->served, &ask->link);
    post(reload, batch);
}

/* A wish of our own: the live version is worse than the one before it. */
struct retreat {
    struct mw_reload_ask ask;
    struct mw_reload *reload;
    unsigned version;
    char why[160];
    char script[];
};

static void free_retreat(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why)
{
    struct retreat *retreat = MW_OWNER(ask, struct retreat, ask);
    size_t size = sizeof *retreat + ask->script.len;
    if (!batch && *why && !retreat->reload->closing)
        mw_log_note(retreat->reload->log, MW_LOG_WARN, why);
    mw_free(mw_loop_mem(retreat->reload->loop), retreat, size);
}

/* Since the worker has said so a save or somebody's rollback may have replaced the version. */
static bool is_live(const struct mw_reload *reload, struct mw_view script, unsigned version)
{
    const struct mw_history_entry *live = mw_history_live(&reload->history, script);
    return live && live->version == version;
}

static void start_retreat(struct mw_reload *reload, struct mw_reload_ask *ask)
{
    struct retreat *retreat = MW_OWNER(ask, struct retreat, ask);
    if (is_live(reload, ask->script, retreat->version))
        start_back(reload, ask, retreat->why);
    else
        answer(ask, 0, "");
}

static void ask_to_retreat(struct mw_reload *reload, const struct mw_worse *worse, const char *why)
{
    struct retreat *retreat =
        mw_alloc_zero(mw_loop_mem(reload->loop), sizeof *retreat + worse->name_len);
    if (!retreat) {
        mw_report_worse(reload->log, mw_view(worse->name, worse->name_len), worse->version, why);
        return;
    }
    memcpy(retreat->script, worse->name, worse->name_len);
    snprintf(retreat->why, sizeof retreat->why, "%s", why);
    retreat->reload = reload;
    retreat->version = worse->version;
    retreat->ask = (struct mw_reload_ask){
        .script = mw_view(retreat->script, worse->name_len),
        .back = true,
        .done = free_retreat,
    };
    mw_reload_ask(reload, &retreat->ask);
}

void mw_reload_worse(struct mw_reload *reload, const struct mw_worse *worse)
{
    char why[160];
    struct mw_view script = mw_view(worse->name, worse->name_len);
    if (!is_live(reload, script, worse->version) || !mw_history_blame(&reload->history, script))
        return; /* or another worker has said so before */
    snprintf(why, sizeof why,
             "it failed in %" PRIu64 " of %" PRIu64 " calls, the version before it in %" PRIu64
             " of %" PRIu64,
             worse->live.faults, worse->live.calls, worse->before.faults, worse->before.calls);
    if (reload->auto_rollback)
        ask_to_retreat(reload, worse, why);
    else
        mw_report_worse(reload->log, script, worse->version, why);
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

static void use_found(struct mw_reload *reload)
{
    bool changed = !mw_project_equal(reload->project, reload->found);
    (void)mw_watch_set(reload->watch, reload->found->folders, reload->found->folder_count);
    if (!changed && mw_list_is_empty(&reload->served))
        return;
    if (reload->from_poll)
        mw_alarm_set(reload->loop, &reload->settle, mw_loop_now(reload->loop) + MW_WATCH_SETTLE_MS);
    else
        load(reload);
}

static void scan_done(struct mw_job *job)
{
    struct mw_reload *reload = MW_OWNER(job, struct mw_reload, scan);
    reload->scanning = false;
    say_trouble(reload);
    if (!reload->closing && reload->found)
        use_found(reload);
    else
        answer_all(&reload->served, 0, *reload->why ? reload->why : "out of memory");
    mw_project_drop(reload->found);
    reload->found = 0;
    if (!reload->loading)
        next_round(reload);
}

static void start_scan(struct mw_reload *reload)
{
    reload->again = false;
    serve_loads(reload);
    /* Watches stand before the look, so that what changes during it is seen as well. */
    (void)mw_watch_set(reload->watch, reload->project->folders, reload->project->folder_count);
    reload->scan = (struct mw_job){ scan_run, scan_done };
    reload->scanning = mw_offload(reload->loop, &reload->scan) == MW_OK;
    if (!reload->scanning)
        answer_all(&reload->served, 0, "out of memory");
}

/* ---- rounds ---- */

/* Nothing to do is what most rounds come to in the end. */
static bool start_round(struct mw_reload *reload)
{
    bool is_asked = !mw_list_is_empty(&reload->asks);
    if (reload->scanning || reload->loading || !(is_asked || reload->again))
        return false;
    struct mw_reload_ask *ask = is_asked ? ask_of(reload->asks.next) : 0;
    reload->from_poll = false;
    if (!ask || !ask->back)
        start_scan(reload);
    else if (ask->done == free_retreat)
        start_retreat(reload, ask);
    else
        start_back(reload, ask, "");
    return true;
}

static void next_round(struct mw_reload *reload)
{
    if (!reload->closing) {
        while (start_round(reload)) {
        }
        return;
    }
    if (!reload->scanning && !reload->loading)
        reload_free(reload);
}

void mw_reload_now(struct mw_reload *reload)
{
    reload->again = true;
    next_round(reload);
}

void mw_reload_ask(struct mw_reload *reload, struct mw_reload_ask *ask)
{
    mw_list_init(&ask->link);
    if (reload->closing) {
        ask->done(ask, 0, "the server is stopping");
        return;
    }
    mw_list_push(&reload->asks, &ask->link);
    next_round(reload);
}

void mw_reload_forget(struct mw_reload_ask *ask)
{
    mw_list_remove(&ask->link);
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
    reload->crew = setup->crew;
    reload->log = setup->log;
    reload->folder = setup->folder;
    reload->suffix = setup->suffix;
    reload->auto_rollback = setup->auto_rollback;
    mw_history_init(&reload->history, mw_loop_mem(setup->loop));
    mw_list_init(&reload->asks);
    mw_list_init(&reload->served);
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

void mw_reload_first(struct mw_reload *reload, const struct mw_batch *batch)
{
    mw_report_batch(reload->log, batch);
    mw_history_note(&reload->history, batch);
}

void mw_reload_close(struct mw_reload *reload)
{
    if (!reload)
        return;
    reload->closing = true;
    mw_watch_close(reload->watch);
    mw_alarm_stop(reload->loop, &reload->poll);
    mw_alarm_stop(reload->loop, &reload->settle);
    answer_all(&reload->served, 0, "the server is stopping");
    answer_all(&reload->asks, 0, "the server is stopping");
    if (!reload->scanning && !reload->loading)
        reload_free(reload);
}
