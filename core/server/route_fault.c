/*
 * Faults of a script that runs. Called by host_real, while the script's call is still on the stack:
 * so it only counts and writes. Faults of a load are reload's.
 */
#include "core/server/route_fault.h"

#include <stdio.h>

#include "core/server/client.h"
#include "core/server/pause.h"
#include "core/server/worker.h"

/* ---- folded lines ---- */

static void tell_folded(const struct mw_route *route, const struct mw_folded *folded)
{
    struct mw_log_line line;
    unsigned version = folded->version ? folded->version : route->version;
    double span_s = (double)((folded->span_ms + 500) / 1000);
    char place[300] = "";
    mw_log_begin(&line, route->worker->log, MW_LOG_ERROR, mw_view_text("script errors folded"));
    mw_log_text(&line, "script", route->name);
    mw_log_integer(&line, "v", version);
    mw_log_text(&line, "route", mw_view_text(route->pattern.text ? route->pattern.text : ""));
    mw_log_integer(&line, "more", (int64_t)folded->more);
    mw_log_number(&line, "seconds", span_s);
    if (*folded->file)
        mw_log_text(&line, "file", mw_view_text(folded->file));
    if (folded->line)
        mw_log_integer(&line, "line", folded->line);
    if (*folded->file && folded->line)
        snprintf(place, sizeof place, " (%s:%d)", folded->file, folded->line);
    else if (*folded->file)
        snprintf(place, sizeof place, " (%s)", folded->file);
    mw_log_say(&line, "%.*s v%u  \u2026 and %llu more%s in %.0f s", (int)route->name.len,
               route->name.data, version, (unsigned long long)folded->more,
               *place ? " like it" : " of other kinds", span_s);
    mw_log_end(&line);
}

static void flush(struct mw_route *route, bool all)
{
    struct mw_route_faults *faults = &route->faults;
    struct mw_loop *loop = route->worker->loop;
    struct mw_folded folded;
    while (mw_fault_fold_flush(&faults->fold, mw_loop_now(loop), all, &folded))
        tell_folded(route, &folded);
    mw_alarm_set(loop, &faults->flush, mw_fault_fold_due(&faults->fold));
}

static void on_flush(struct mw_alarm *alarm)
{
    flush(MW_OWNER(alarm, struct mw_route, faults.flush), false);
}

void mw_route_faults_init(struct mw_route_faults *faults)
{
    mw_alarm_init(&faults->flush, on_flush);
}

void mw_route_faults_close(struct mw_route *route)
{
    flush(route, true);
    mw_alarm_stop(route->worker->loop, &route->faults.flush);
}

void mw_route_faults_new_version(struct mw_route *route)
{
    route->faults.was_out_of_memory = false;
    flush(route, true);
}

static void tell(const struct mw_route *route, const struct mw_fault *fault, const char *what,
                 const char *so)
{
    const struct mw_log_fault_facts facts = {
        .script = route->name,
        .route = route->pattern.text ? route->pattern.text : "",
        .what = what,
        .so = so,
    };
    mw_log_fault(route->worker->log, &facts, fault);
}

static void write_line(struct mw_route *route, const struct mw_fault *fault)
{
    struct mw_route_faults *faults = &route->faults;
    struct mw_loop *loop = route->worker->loop;
    if (mw_fault_fold_take(&faults->fold, fault, mw_loop_now(loop)))
        tell(route, fault, "script error", "");
    else
        mw_alarm_set(loop, &faults->flush, mw_fault_fold_due(&faults->fold));
}

/* ---- the pause ---- */

static void pause_if_too_many(struct mw_route *route, const struct mw_fault *fault)
{
    if (fault->kind == MW_FAULT_ERROR ||
        !mw_quarantine_stop(&route->quarantine, mw_loop_now(route->worker->loop)))
        return;
    mw_pause_begin(route);
    /* The loudest line that there is: from here on somebody has to do something. */
    tell(route, fault, "script paused",
         "5 of its calls had to be stopped within a minute, the last one here. New sockets are "
         "closed with 1013; open ones stay, and what they say is held. Mend the script and save "
         "it (or try it once more: moonwire reload SCRIPT): all of that goes on with the next "
         "version that loads");
}

/* ---- a fault ---- */

static void note_for_opening(struct mw_route *route, const struct mw_fault *fault)
{
    struct mw_client *client = mw_slots_get(&route->worker->slots, fault->conn);
    bool is_asked =
        client && (client->phase == MW_CLIENT_OPENING || client->phase == MW_CLIENT_AWAY);
    if (is_asked && client->route == route)
        client->open_fault = (uint8_t)fault->kind;
}

/* A message here and not where its call returns: it may have waited, and fails long after. */
static void count(struct mw_route *route, const struct mw_fault *fault)
{
    struct mw_metrics_cells *cells = route->metrics.cells;
    cells->errors[fault->kind]++;
    if (!strcmp(fault->handler, "on_message"))
        cells->dropped[MW_METRICS_DROP_handler_error]++;
}

void mw_route_fault(struct mw_route *route, const struct mw_fault *fault)
{
    count(route, fault);
    route->faults.counts[fault->kind]++;
    route->faults.was_out_of_memory |= fault->kind == MW_FAULT_MEMORY;
    route->faults.last = *fault;
    route->faults.last_ms = mw_loop_now(route->worker->loop);
    note_for_opening(route, fault);
    write_line(route, fault);
    pause_if_too_many(route, fault);
}
