/*
 * Adding the numbers of workers, script by script: what one script has in several workers is one
 * row. Called by inquiry and metrics_page, on each worker's thread; metrics.c writes the sheet.
 */
#include "core/server/metrics_sheet.h"

#include "core/base/str.h"
#include "core/server/account.h"
#include "core/server/admission.h"
#include "core/server/script_counts.h"
#include "core/server/worker.h"

void mw_metrics_sheet_init(struct mw_metrics_sheet *sheet, struct mw_mem *mem)
{
    *sheet = (struct mw_metrics_sheet){ .mem = mem };
}

static void free_text(struct mw_metrics_sheet *sheet, struct mw_view text)
{
    if (text.data)
        mw_free(sheet->mem, (char *)text.data, text.len + 1);
}

static void free_row(struct mw_metrics_sheet *sheet, struct mw_metrics_row *row)
{
    free_text(sheet, row->script);
    free_text(sheet, row->pattern);
    mw_free(sheet->mem, row, sizeof *row);
}

void mw_metrics_sheet_free(struct mw_metrics_sheet *sheet)
{
    for (size_t i = 0; i < sheet->count; i++)
        free_row(sheet, sheet->rows[i]);
    mw_free(sheet->mem, sheet->rows, sheet->cap * sizeof *sheet->rows);
    mw_metrics_sheet_init(sheet, sheet->mem);
}

/* ---- rows ---- */

static bool make_room(struct mw_metrics_sheet *sheet)
{
    size_t cap = sheet->cap ? sheet->cap * 2 : 8, size = sizeof *sheet->rows;
    if (sheet->count < sheet->cap)
        return true;
    struct mw_metrics_row **rows =
        mw_realloc(sheet->mem, sheet->rows, sheet->cap * size, cap * size);
    if (!rows)
        return false;
    sheet->rows = rows;
    sheet->cap = cap;
    return true;
}

static struct mw_metrics_row *new_row(struct mw_metrics_sheet *sheet, struct mw_view script,
                                      struct mw_view pattern)
{
    struct mw_metrics_row *row =
        make_room(sheet) ? mw_alloc_zero(sheet->mem, sizeof *row) : (struct mw_metrics_row *)0;
    if (!row)
        return 0;
    row->script = mw_view(mw_mem_copy(sheet->mem, script), script.len);
    row->pattern = mw_view(mw_mem_copy(sheet->mem, pattern), pattern.len);
    if (!row->script.data || !row->pattern.data) {
        free_row(sheet, row);
        return 0;
    }
    sheet->rows[sheet->count++] = row;
    return row;
}

/* `hint` is where it stands if this worker has the same scripts in the same order as the first. */
static struct mw_metrics_row *row_of(struct mw_metrics_sheet *sheet, size_t hint,
                                     struct mw_view script, struct mw_view pattern)
{
    if (hint < sheet->count && mw_view_equal(sheet->rows[hint]->script, script))
        return sheet->rows[hint];
    for (size_t i = 0; i < sheet->count; i++) {
        if (mw_view_equal(sheet->rows[i]->script, script))
            return sheet->rows[i];
    }
    return new_row(sheet, script, pattern);
}

/* Whose sessions are away have none. */
static uint64_t sockets_of(const struct mw_metrics_cells *cells)
{
    return cells->opened - cells->ended - (cells->away_begun - cells->away_over);
}

static void add_cells(struct mw_metrics_row *row, const struct mw_metrics_cells *cells)
{
    mw_metrics_add(&row->cells, cells);
    row->opened += cells->opened;
    row->away += cells->away_begun - cells->away_over;
    row->connections += sockets_of(cells);
    row->sessions_lost += cells->sessions_lost;
    row->received_bytes += cells->received_bytes;
    row->sent_bytes += cells->sent_bytes;
    row->calls += cells->calls;
    row->slow_calls += cells->slow_calls;
}

static void add_route(struct mw_metrics_sheet *sheet, struct mw_metrics_row *row,
                      const struct mw_route *route)
{
    struct mw_app_stats app = { 0 };
    route->worker->engine->stats(route->app, &app);
    sheet->heap_bytes += app.spare_bytes; /* on no script's account, and still taken */
    row->queued_bytes += route->account->mem.bytes;
    row->calls += app.calls - route->metrics.kept_calls;
    row->slow_calls += app.slow_calls - route->metrics.kept_slow_calls;
    row->memory_bytes += app.memory_bytes;
    row->timers += app.timers;
    row->waiting += app.waiting;
    row->paused = row->paused || route->quarantine.paused;
    row->is_fresh = !route->failed; /* as in every worker, and so is what follows */
    row->has_route = true;
    row->version = route->version;
    row->hash = route->metrics.hash;
    row->loaded_unix_ms = route->metrics.loaded_unix_ms;
}

/* A script that has not been loaded has the place where it was, if it had one. */
static struct mw_view pattern_of(const struct mw_script_counts *counts)
{
    const char *text = counts->route ? counts->route->pattern.text : 0;
    if (!text)
        text = counts->pattern.text;
    return mw_view_text(text ? text : "");
}

static int add_scripts(struct mw_metrics_sheet *sheet, const struct mw_worker_metrics *metrics)
{
    size_t place = 0;
    for (const struct mw_link *at = metrics->scripts.next; at != &metrics->scripts; at = at->next) {
        const struct mw_script_counts *counts = MW_OWNER(at, const struct mw_script_counts, link);
        struct mw_metrics_row *row =
            row_of(sheet, place++, mw_view(counts->name, counts->name_len), pattern_of(counts));
        if (!row)
            return MW_ERR_NOMEM;
        add_cells(row, &counts->cells);
        if (counts->route && !counts->route->removed)
            add_route(sheet, row, counts->route);
    }
    return MW_OK;
}

static int add_gone(struct mw_metrics_sheet *sheet, const struct mw_worker_metrics *metrics)
{
    struct mw_view name = mw_view_text("gone");
    if (!metrics->has_gone)
        return MW_OK;
    struct mw_metrics_row *row = row_of(sheet, sheet->count, name, name);
    if (!row)
        return MW_ERR_NOMEM;
    add_cells(row, &metrics->gone);
    return MW_OK;
}

/* ---- all of a worker ---- */

int mw_metrics_sheet_add(struct mw_metrics_sheet *sheet, const struct mw_worker *worker)
{
    const struct mw_worker_metrics *metrics = &worker->metrics;
    sheet->config = worker->config;
    sheet->topics += mw_hub_topic_count(&worker->hub);
    sheet->heap_bytes += worker->mem.bytes;
    sheet->memory_limit_bytes = worker->admission->memory_bytes;
    for (size_t i = 0; i < MW_SHORTAGES; i++)
        sheet->pauses[i] += worker->shortage.pauses[i];
    sheet->handovers += metrics->handovers;
    sheet->handovers_failed += metrics->handovers_failed;
    if (sheet->workers == 0) {
        sheet->started_unix_ms = metrics->started_unix_ms;
        sheet->uptime_ms = mw_loop_now(worker->loop) - metrics->started_ms;
    }
    for (size_t i = 0; i < MW_METRICS_REFUSALS && metrics->refused[i].error; i++)
        mw_metrics_add_refusals(sheet->refused, &metrics->refused[i]);
    size_t sockets = 0;
    for (const struct mw_link *at = metrics->scripts.next; at != &metrics->scripts; at = at->next) {
        const struct mw_metrics_cells *cells = &MW_OWNER(at, struct mw_script_counts, link)->cells;
        sockets += sockets_of(cells);
    }
    sheet->by_worker[sheet->workers++] = sockets + sockets_of(&metrics->gone);
    int err = add_scripts(sheet, metrics);
    return err ? err : add_gone(sheet, metrics);
}
