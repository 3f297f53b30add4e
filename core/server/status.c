/*
 * Copying what there is to know, and writing it down. Called by worker (fill) and admin_commands
 * (the rest).
 */
#include "core/server/status.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
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
    return status;
}

void mw_status_free(struct mw_status *status)
{
    if (!status)
        return;
    mw_free(&status->mem, status->rows, status->count * sizeof *status->rows);
    struct mw_mem last = status->mem; /* it holds its own account */
    mw_free(&last, status, sizeof *status);
}

/* ---- on the worker ---- */

static void fill_row(struct mw_status_row *row, const struct mw_route *route)
{
    const struct mw_worker *worker = route->worker;
    snprintf(row->script, sizeof row->script, "%.*s", (int)route->name.len, route->name.data);
    snprintf(row->route, sizeof row->route, "%s", route->pattern.text ? route->pattern.text : "");
    row->serves = route->spec != NULL;
    row->refused = route->failed;
    row->version = route->version;
    row->connections = route->asked_count;
    worker->engine->stats(route->app, &row->app);
    memcpy(row->faults, route->faults.counts, sizeof row->faults);
    row->paused = route->quarantine.paused;
    if (row->paused)
        row->paused_ms = mw_loop_now(worker->loop) - route->quarantine.since_ms;
    row->has_failed = route->faults.last.version != 0;
    row->last = route->faults.last;
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

void mw_status_fill(struct mw_status *status, struct mw_worker *worker)
{
    mw_end_counts_at(&worker->end_counts, mw_loop_now(worker->loop));
    count_ends(status, &worker->end_counts);
    const struct mw_link *routes = &worker->routes, *link;
    size_t count = 0;
    for (link = routes->next; link != routes; link = link->next)
        count++;
    status->rows = mw_alloc_zero(&status->mem, count * sizeof *status->rows);
    status->is_whole = status->rows || count == 0;
    for (link = routes->next; status->rows && link != routes; link = link->next)
        fill_row(&status->rows[status->count++], MW_OWNER(link, const struct mw_route, link));
}

/* ---- for people ---- */

static int put_state(struct mw_buf *out, const struct mw_status_row *row)
{
    if (row->paused)
        return mw_buf_putf(out, "PAUSED for %llu s", (unsigned long long)(row->paused_ms / 1000));
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

static int put_row(struct mw_buf *out, const struct mw_status_row *row)
{
    const struct mw_app_stats *app = &row->app;
    int err = mw_buf_putf(out, "%s v%u  %s  ", row->script, row->version, row->route);
    if (!err)
        err = put_state(out, row);
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

int mw_status_text(const struct mw_status *status, struct mw_buf *out)
{
    int err = MW_OK;
    for (size_t i = 0; !err && i < status->count; i++) {
        if (i > 0)
            err = mw_buf_put_byte(out, '\n');
        if (!err)
            err = put_row(out, &status->rows[i]);
    }
    if (!err && status->ends)
        err = mw_buf_putf(out,
                          "\n%llu connections ended in the last hour, %llu of them by the network: "
                          "moonwire why",
                          (unsigned long long)status->ends,
                          (unsigned long long)status->ends_by_network);
    return err;
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

static void put_object(struct mw_json_writer *json, const struct mw_status_row *row)
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
        put_object(json, &status->rows[i]);
    mw_jw_array_end(json);
}
