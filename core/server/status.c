/*
 * Copying what there is to know, and writing it down. Called by worker (fill) and admin_commands
 * (the rest).
 */
#include "core/server/status.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/server/admission.h"
#include "core/server/process.h"
#include "core/server/worker.h"

struct mw_status *mw_status_new(void *asker)
{
    struct mw_mem mem;
    mw_mem_init(&mem, 0, 0);
    struct mw_status *status = mw_alloc_zero(&mem, sizeof *status);
    if (!status)
        return 0;
    status->letter.kind = MW_LETTER_STATUS;
    status->mem = mem;
    status->asker = asker;
    status->is_whole = true;
    return status;
}

void mw_status_free(struct mw_status *status)
{
    if (!status)
        return;
    mw_free(&status->mem, status->rows, status->cap * sizeof *status->rows);
    struct mw_mem last = status->mem; /* it holds its own account */
    mw_free(&last, status, sizeof *status);
}

/* ---- on each worker ---- */

static bool make_room(struct mw_status *status)
{
    size_t cap = status->cap ? status->cap * 2 : 8, size = sizeof *status->rows;
    if (status->count < status->cap)
        return true;
    struct mw_status_row *rows =
        mw_realloc(&status->mem, status->rows, status->cap * size, cap * size);
    if (!rows)
        return false;
    status->rows = rows;
    status->cap = cap;
    return true;
}

/* The row of this script, perhaps made now; NULL: no memory. */
static struct mw_status_row *row_of(struct mw_status *status, const struct mw_route *route)
{
    char script[sizeof status->rows->script];
    snprintf(script, sizeof script, "%.*s", (int)route->name.len, route->name.data);
    for (size_t i = 0; i < status->count && status->workers > 0; i++) {
        struct mw_status_row *row = &status->rows[i];
        if (!strcmp(row->script, script) && row->removed == route->removed)
            return row;
    }
    if (!make_room(status))
        return 0;
    struct mw_status_row *row = &status->rows[status->count++];
    *row = (struct mw_status_row){ .removed = route->removed };
    memcpy(row->script, script, sizeof script);
    return row;
}

static void add_app(struct mw_app_stats *sum, const struct mw_route *route)
{
    struct mw_app_stats app = { 0 };
    route->worker->engine->stats(route->app, &app);
    sum->memory_bytes += app.memory_bytes;
    sum->memory_peak_bytes += app.memory_peak_bytes;
    sum->conn_objects += app.conn_objects;
    sum->timers += app.timers;
    sum->waiting += app.waiting;
    sum->owed_closes += app.owed_closes;
    sum->lost_closes += app.lost_closes;
    sum->calls += app.calls;
    sum->slow_calls += app.slow_calls;
    sum->old_versions += app.old_versions;
    sum->version = app.version;
}

/* The last one of all workers is shown. */
static void add_faults(struct mw_status_row *row, const struct mw_route_faults *faults)
{
    for (size_t kind = 0; kind < MW_FAULT_KINDS; kind++)
        row->faults[kind] += faults->counts[kind];
    if (faults->last.version == 0 || (row->has_failed && row->failed_ms > faults->last_ms))
        return;
    row->has_failed = true;
    row->failed_ms = faults->last_ms;
    row->last = faults->last;
}

static void add_pause(struct mw_status_row *row, const struct mw_route *route)
{
    if (!route->quarantine.paused)
        return;
    mw_ms paused_ms = mw_loop_now(route->worker->loop) - route->quarantine.since_ms;
    row->paused++;
    row->paused_ms = row->paused_ms > paused_ms ? row->paused_ms : paused_ms;
}

static void add_row(struct mw_status_row *row, const struct mw_route *route)
{
    snprintf(row->route, sizeof row->route, "%s", route->pattern.text ? route->pattern.text : "");
    row->serves = route->spec != NULL;
    row->refused = route->failed;
    row->version = route->version;
    row->connections += route->asked_count;
    add_app(&row->app, route);
    add_faults(row, &route->faults);
    add_pause(row, route);
}

static void count_ends(struct mw_status *status, const struct mw_end_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++) {
        const struct mw_end_count *row = &counts->rows[i];
        status->ends += row->total;
        if (mw_cause_row(row->cause)->who == MW_WHO_NETWORK)
            status->ends_by_network += row->total;
    }
}

static void fill_process(struct mw_status_process *to, const struct mw_admission *admission)
{
    struct mw_process process;
    mw_process_look(&process);
    *to = (struct mw_status_process){
        .connections = atomic_load(&admission->count),
        .most_connections = admission->connections,
        .resident = process.resident_bytes,
        .most_resident = admission->memory_bytes,
        .is_short = atomic_load(&admission->is_short),
    };
}

void mw_status_fill(struct mw_status *status, struct mw_worker *worker)
{
    if (status->workers == 0)
        fill_process(&status->process, worker->admission);
    mw_end_counts_at(&worker->end_counts, mw_loop_now(worker->loop));
    count_ends(status, &worker->end_counts);
    for (const struct mw_link *at = worker->routes.next; at != &worker->routes; at = at->next) {
        const struct mw_route *route = MW_OWNER(at, const struct mw_route, link);
        struct mw_status_row *row = row_of(status, route);
        status->is_whole = status->is_whole && row;
        if (row)
            add_row(row, route);
    }
    status->workers++;
}

/* ---- for people ---- */

static int put_state(struct mw_buf *out, const struct mw_status_row *row, unsigned workers)
{
    unsigned long long paused_s = row->paused_ms / 1000;
    if (row->paused && row->paused < workers)
        return mw_buf_putf(out, "PAUSED for %llu s in %u of %u workers", paused_s, row->paused,
                           workers);
    if (row->paused)
        return mw_buf_putf(out, "PAUSED for %llu s", paused_s);
    if (!row->serves)
        return mw_buf_put_text(out, "not loaded");
    return mw_buf_put_text(out, row->refused ? "serves  (its file was refused)" : "serves");
}

static int put_last(struct mw_buf *out, const struct mw_fault *last)
{
    int err = mw_buf_putf(out, "\n  last: v%u %s, %s", last->version, last->handler, last->file);
    if (!err && last->line)
        err = mw_buf_putf(out, ":%d", last->line);
    if (!err)
        err = mw_buf_put_text(out, ": ");
    mw_log_put_visible(out, mw_view_text(last->message));
    if (!err && *last->samples)
        err = mw_buf_putf(out, "\n  time went to %s", last->samples);
    if (!err && *last->trace) {
        err = mw_buf_put_text(out, "\n    ");
        mw_log_put_visible(out, mw_view_text(last->trace));
    }
    return err;
}

static int put_row(struct mw_buf *out, const struct mw_status_row *row, unsigned workers)
{
    const struct mw_app_stats *app = &row->app;
    int err = mw_buf_putf(out, "%s v%u  %s  ", row->script, row->version, row->route);
    if (!err)
        err = put_state(out, row, workers);
    if (!err)
        err = mw_buf_putf(out,
                          "\n  %zu connections  %.1f MiB  %zu timers  %zu waiting"
                          "\n  %llu calls  %llu slow  %llu errors  stopped %llu for CPU time, "
                          "%llu for memory",
                          row->connections, (double)app->memory_bytes / 1048576, app->timers,
                          app->waiting, (unsigned long long)app->calls,
                          (unsigned long long)app->slow_calls,
                          (unsigned long long)row->faults[MW_FAULT_ERROR],
                          (unsigned long long)row->faults[MW_FAULT_CPU],
                          (unsigned long long)row->faults[MW_FAULT_MEMORY]);
    if (!err && app->owed_closes + app->lost_closes > 0)
        err = mw_buf_putf(out, "\n  %zu on_close are owed, %llu were lost", app->owed_closes,
                          (unsigned long long)app->lost_closes);
    if (!err && row->has_failed)
        err = put_last(out, &row->last);
    return err;
}

/* Only of limits that are set: the rest is in the metrics. */
static int put_limits(struct mw_buf *out, const struct mw_status_process *process)
{
    int err = MW_OK;
    if (process->most_connections)
        err =
            mw_buf_putf(out, "\n%llu of %llu connections", (unsigned long long)process->connections,
                        (unsigned long long)process->most_connections);
    if (!err && process->most_resident)
        err = mw_buf_putf(out, "\n%.1f of %.1f MiB resident%s", (double)process->resident / 1048576,
                          (double)process->most_resident / 1048576,
                          process->is_short ? ": new connections are refused" : "");
    return err;
}

int mw_status_text(const struct mw_status *status, struct mw_buf *out)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i < status->count; i++) {
        if (i > 0)
            err = mw_buf_put_byte(out, '\n');
        if (!err)
            err = put_row(out, &status->rows[i], status->workers);
    }
    if (!err && status->ends)
        err = mw_buf_putf(out,
                          "\n%llu connections ended in the last hour, %llu of them by the network: "
                          "moonwire why",
                          (unsigned long long)status->ends,
                          (unsigned long long)status->ends_by_network);
    return err ? err : put_limits(out, &status->process);
}

/* ---- for programs ---- */

static void put_fault(struct mw_json_writer *json, const struct mw_fault *fault)
{
    static const char *const kinds[] = { "error", "cpu", "memory" };
    const struct {
        const char *key, *text;
    } texts[] = {
        { "kind", kinds[fault->kind] }, { "handler", fault->handler },
        { "file", fault->file },        { "error", fault->message },
        { "trace", fault->trace },      { "samples", fault->samples },
    };
    mw_jw_object(json);
    mw_jw_pair_integer(json, "v", fault->version);
    if (fault->line) /* else unknown */
        mw_jw_pair_integer(json, "line", fault->line);
    for (size_t i = 0; i < MW_COUNT(texts); i++)
        mw_jw_pair(json, texts[i].key, mw_view_text(texts[i].text));
    mw_jw_object_end(json);
}

static void put_object(struct mw_json_writer *json, const struct mw_status_row *row,
                       unsigned workers)
{
    const struct mw_app_stats *app = &row->app;
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {
        { "v", row->version },
        { "connections", row->connections },
        { "memory", app->memory_bytes },
        { "memory_peak", app->memory_peak_bytes },
        { "timers", app->timers },
        { "waiting", app->waiting },
        { "calls", app->calls },
        { "slow", app->slow_calls },
        { "errors", row->faults[MW_FAULT_ERROR] },
        { "stopped_cpu", row->faults[MW_FAULT_CPU] },
        { "stopped_memory", row->faults[MW_FAULT_MEMORY] },
        { "closes_owed", app->owed_closes },
        { "closes_lost", app->lost_closes },
    };
    mw_jw_object(json);
    mw_jw_pair(json, "script", mw_view_text(row->script));
    mw_jw_pair(json, "route", mw_view_text(row->route));
    for (size_t i = 0; i < MW_COUNT(numbers); i++)
        mw_jw_pair_integer(json, numbers[i].key, (int64_t)numbers[i].number);
    if (row->paused)
        mw_jw_pair_integer(json, "paused_ms", (int64_t)row->paused_ms);
    if (row->paused && row->paused < workers)
        mw_jw_pair_integer(json, "paused_workers", row->paused);
    if (row->refused) {
        mw_jw_key(json, mw_view_text("refused"));
        mw_jw_bool(json, true);
    }
    if (row->has_failed) {
        mw_jw_key(json, mw_view_text("last"));
        put_fault(json, &row->last);
    }
    mw_jw_object_end(json);
}

void mw_status_json(const struct mw_status *status, struct mw_json_writer *json)
{
    mw_jw_array(json);
    for (size_t i = 0; i < status->count; i++)
        put_object(json, &status->rows[i], status->workers);
    mw_jw_array_end(json);
}

void mw_status_process_json(const struct mw_status *status, struct mw_json_writer *json)
{
    const struct mw_status_process *process = &status->process;
    mw_jw_object(json);
    mw_jw_pair_integer(json, "connections", (int64_t)process->connections);
    if (process->most_connections)
        mw_jw_pair_integer(json, "connections_limit", (int64_t)process->most_connections);
    mw_jw_pair_integer(json, "resident", (int64_t)process->resident);
    if (process->most_resident)
        mw_jw_pair_integer(json, "memory", (int64_t)process->most_resident);
    mw_jw_key(json, mw_view_text("short"));
    mw_jw_bool(json, process->is_short);
    mw_jw_object_end(json);
}
