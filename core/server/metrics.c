/*
 * The text of the metrics: a row of numbers for each script is taken once, then each metric of
 * metrics.def writes its lines. Runs on the worker's thread, for who asks over HTTP
 * (metrics_page.c) or over the control channel (inquiry.c); changes nothing.
 */
#include "core/server/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/utf8.h"
#include "core/proto/close_catalog.h"
#include "core/server/account.h"
#include "core/server/admission.h"
#include "core/server/process.h"
#include "core/server/script_counts.h"
#include "core/server/worker.h"
#include "moonwire/version.h"

/* ---- counting ---- */

void mw_metrics_init(struct mw_worker_metrics *metrics, mw_ms now_ms)
{
    *metrics =
        (struct mw_worker_metrics){ .started_ms = now_ms, .started_unix_ms = mw_clock_unix_ms() };
    mw_list_init(&metrics->scripts);
}

static enum mw_metrics_code code_of(unsigned code)
{
    const struct mw_close_row *row = mw_close_row(code);
    for (size_t i = 0; i < MW_METRICS_CODE_OTHER && row->first == row->last; i++) {
        if (mw_close_row_at(i) == row)
            return (enum mw_metrics_code)i;
    }
    return MW_METRICS_CODE_OTHER;
}

static const unsigned bucket_seconds[] = {
#define MW_METRICS_BUCKET(seconds) seconds,
    MW_METRICS_BUCKET_LIST(MW_METRICS_BUCKET)
#undef MW_METRICS_BUCKET
};

static size_t bucket_of(mw_ms lasted_ms)
{
    size_t bucket = 0;
    while (bucket < MW_METRICS_BUCKET_ABOVE && lasted_ms > (mw_ms)bucket_seconds[bucket] * 1000)
        bucket++;
    return bucket;
}

void mw_metrics_count_end(struct mw_metrics_cells *cells, unsigned code, enum mw_cause cause,
                          mw_ms lasted_ms, bool was_opened)
{
    cells->closes[code_of(code)][cause]++;
    if (cause == MW_CAUSE_rate_limited)
        cells->dropped[MW_METRICS_DROP_rate_limited]++;
    if (!was_opened)
        return;
    cells->ended++;
    cells->durations[bucket_of(lasted_ms)]++;
    cells->duration_ms += lasted_ms;
}

void mw_metrics_count_refusal(struct mw_worker_metrics *metrics, const char *error,
                              const char *cause)
{
    size_t i = 0, last = MW_METRICS_REFUSALS - 1;
    while (i < last && metrics->refused[i].error && strcmp(metrics->refused[i].error, error) != 0)
        i++;
    struct mw_metrics_refusal *cell = &metrics->refused[i];
    cell->error = i < last ? error : "other";
    cell->cause = i < last ? cause : 0;
    cell->count++;
}

static void add_cells(struct mw_metrics_cells *to, const struct mw_metrics_cells *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *numbers = (const uint64_t *)from;
    _Static_assert(sizeof *to % sizeof *sums == 0, "cells are numbers and nothing else");
    for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
        sums[i] += numbers[i];
}

void mw_metrics_keep(struct mw_worker_metrics *metrics, const struct mw_metrics_cells *cells)
{
    add_cells(&metrics->gone, cells);
    metrics->has_gone = true;
}

/* ---- what is looked at ---- */

/* Of one script; or of all that are forgotten. */
struct row {
    struct mw_view script, pattern;
    const struct mw_route *route; /* NULL: its file is gone */
    const struct mw_metrics_cells *cells;
    uint64_t connections, opened, received_bytes, sent_bytes, queued_bytes;
    uint64_t calls, slow_calls, memory_bytes, timers, waiting, paused, is_fresh;
};

struct page {
    struct mw_worker *worker;
    struct mw_buf *out;
    int err;
    const char *name; /* of the metric whose lines are written */
    struct row *rows;
    size_t count;
    struct mw_process process;
};

static void put_cells(struct row *row, const struct mw_metrics_cells *cells)
{
    row->cells = cells;
    row->opened = cells->opened;
    row->connections = cells->opened - cells->ended;
    row->received_bytes = cells->received_bytes;
    row->sent_bytes = cells->sent_bytes;
    row->calls = cells->calls;
    row->slow_calls = cells->slow_calls;
}

static void put_route(struct row *row, const struct mw_route *route)
{
    struct mw_app_stats app = { 0 };
    route->worker->engine->stats(route->app, &app);
    row->route = route;
    row->queued_bytes = route->account->mem.bytes;
    row->calls += app.calls - route->metrics.kept_calls;
    row->slow_calls += app.slow_calls - route->metrics.kept_slow_calls;
    row->memory_bytes = app.memory_bytes;
    row->timers = app.timers;
    row->waiting = app.waiting;
    row->paused = route->quarantine.paused;
    row->is_fresh = !route->failed;
}

/* A script that has not been loaded has the place where it was, if it had one. */
static struct mw_view pattern_of(const struct mw_script_counts *counts)
{
    const char *text = counts->route ? counts->route->pattern.text : 0;
    if (!text)
        text = counts->pattern.text;
    return mw_view_text(text ? text : "");
}

static void fill_rows(struct page *page)
{
    const struct mw_worker_metrics *metrics = &page->worker->metrics;
    for (const struct mw_link *at = metrics->scripts.next; at != &metrics->scripts; at = at->next) {
        const struct mw_script_counts *counts = MW_OWNER(at, const struct mw_script_counts, link);
        struct row *row = &page->rows[page->count++];
        *row = (struct row){ .script = mw_view(counts->name, counts->name_len),
                             .pattern = pattern_of(counts) };
        put_cells(row, &counts->cells);
        if (counts->route && !counts->route->removed)
            put_route(row, counts->route);
    }
    if (!metrics->has_gone)
        return;
    struct row *gone = &page->rows[page->count++];
    *gone = (struct row){ .script = mw_view_text("gone"), .pattern = mw_view_text("gone") };
    put_cells(gone, &metrics->gone);
}

/* ---- lines ---- */

static void put_text(struct page *page, const char *text)
{
    if (!page->err)
        page->err = mw_buf_put_text(page->out, text);
}

static void put_view(struct page *page, struct mw_view text)
{
    if (!page->err)
        page->err = mw_buf_put_view(page->out, text);
}

/* Names of files are bytes; the format wants UTF-8. */
static void put_value(struct page *page, struct mw_view text)
{
    while (text.len > 0) {
        size_t bad_len, whole = mw_utf8_valid_len(text, &bad_len);
        for (size_t i = 0; i < whole; i++) {
            char byte = text.data[i];
            if (byte == '\n')
                put_text(page, "\\n");
            else if (byte == '"' || byte == '\\')
                put_view(page, mw_view((const char[]){ '\\', byte }, 2));
            else
                put_view(page, mw_view(&text.data[i], 1));
        }
        if (bad_len)
            put_text(page, "\xEF\xBF\xBD");
        text = mw_view_from(text, whole + bad_len);
    }
}

struct label {
    const char *name;
    struct mw_view value;
};

#define MOST_LABELS 5

/* A line up to its number. `suffix` is one of a histogram's; labels end with one without a name. */
static void put_sample(struct page *page, const char *suffix, const struct label *labels)
{
    put_text(page, page->name);
    put_text(page, suffix);
    for (size_t i = 0; labels && i < MOST_LABELS && labels[i].name; i++) {
        put_text(page, i ? "," : "{");
        put_text(page, labels[i].name);
        put_text(page, "=\"");
        put_value(page, labels[i].value);
        put_text(page, "\"");
    }
    put_text(page, labels && labels[0].name ? "} " : " ");
}

static void put_number(struct page *page, const struct label *labels, uint64_t number)
{
    put_sample(page, "", labels);
    if (!page->err)
        page->err = mw_buf_putf(page->out, "%" PRIu64 "\n", number);
}

static void put_ms(struct page *page, const char *suffix, const struct label *labels, mw_ms ms)
{
    put_sample(page, suffix, labels);
    if (!page->err)
        page->err = mw_buf_putf(page->out, "%" PRIu64 ".%03u\n", ms / 1000, (unsigned)(ms % 1000));
}

/* ---- one number for each row ---- */

struct metric {
    const char *name, *type, *help;
    void (*put)(struct page *page); /* NULL: the member at `offset` of each row */
    size_t offset;
    bool of_route;
};

/* What is of a script alone and no counter ends with its file. */
static bool has_member(const struct row *row, const struct metric *metric)
{
    return row->route || metric->of_route || !strcmp(metric->type, "counter");
}

static void put_member(struct page *page, const struct metric *metric)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        const struct label by_route[MOST_LABELS] = { { "route", row->pattern },
                                                     { "script", row->script } };
        const struct label by_script[MOST_LABELS] = { { "script", row->script } };
        uint64_t number;
        memcpy(&number, (const char *)row + metric->offset, sizeof number);
        if (has_member(row, metric))
            put_number(page, metric->of_route ? by_route : by_script, number);
    }
}

/* ---- the others ---- */

static void put_moonwire_handshakes_refused_total(struct page *page)
{
    const struct mw_metrics_refusal *refused = page->worker->metrics.refused;
    for (size_t i = 0; i < MW_METRICS_REFUSALS && refused[i].error; i++) {
        const struct label labels[MOST_LABELS] = {
            { "error", mw_view_text(refused[i].error) },
            { "cause", mw_view_text(refused[i].cause ? refused[i].cause : "") },
        };
        put_number(page, labels, refused[i].count);
    }
}

static void put_moonwire_accept_pauses_total(struct page *page)
{
    for (int kind = 0; kind < MW_SHORTAGES; kind++) {
        const char *name = mw_shortage_name((enum mw_shortage_kind)kind);
        const struct label labels[MOST_LABELS] = { { "cause", mw_view_text(name) } };
        put_number(page, labels, page->worker->shortage.pauses[kind]);
    }
}

static void put_closes(struct page *page, const struct row *row, enum mw_metrics_code code)
{
    char number[12] = "other";
    if (code != MW_METRICS_CODE_OTHER)
        snprintf(number, sizeof number, "%u", mw_close_row_at(code)->first);
    for (int cause = 0; cause < MW_CAUSE_COUNT; cause++) {
        const struct mw_cause_row *why = mw_cause_row((enum mw_cause)cause);
        const struct label labels[MOST_LABELS] = {
            { "route", row->pattern },
            { "script", row->script },
            { "code", mw_view_text(number) },
            { "who", mw_view_text(mw_who_name(why->who)) },
            { "cause", mw_view_text(why->name) },
        };
        if (row->cells->closes[code][cause])
            put_number(page, labels, row->cells->closes[code][cause]);
    }
}

static void put_moonwire_closes_total(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        for (int code = 0; code < MW_METRICS_CODES; code++)
            put_closes(page, &page->rows[i], (enum mw_metrics_code)code);
    }
}

static void put_durations(struct page *page, const struct row *row)
{
    struct label labels[MOST_LABELS] = { { "route", row->pattern }, { "script", row->script } };
    uint64_t sum = 0;
    for (size_t i = 0; i < MW_METRICS_BUCKETS; i++) {
        char bound[12] = "+Inf";
        if (i < MW_METRICS_BUCKET_ABOVE)
            snprintf(bound, sizeof bound, "%u", bucket_seconds[i]);
        labels[2] = (struct label){ "le", mw_view_text(bound) };
        sum += row->cells->durations[i];
        put_sample(page, "_bucket", labels);
        if (!page->err)
            page->err = mw_buf_putf(page->out, "%" PRIu64 "\n", sum);
    }
    labels[2].name = 0;
    put_ms(page, "_sum", labels, row->cells->duration_ms);
    put_sample(page, "_count", labels);
    if (!page->err)
        page->err = mw_buf_putf(page->out, "%" PRIu64 "\n", sum);
}

static void put_moonwire_connection_duration_seconds(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        put_durations(page, &page->rows[i]);
}

/* Numbers of a row that a third label tells apart. */
static void put_named(struct page *page, const struct row *row, const char *label,
                      const char *const *names, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct label labels[MOST_LABELS] = { { "route", row->pattern },
                                                   { "script", row->script },
                                                   { label, mw_view_text(names[i]) } };
        put_number(page, labels, numbers[i]);
    }
}

static const char *const types[MW_METRICS_TYPES] = { "text", "binary" };

static void put_moonwire_messages_received_total(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        put_named(page, &page->rows[i], "type", types, page->rows[i].cells->received,
                  MW_METRICS_TYPES);
}

static void put_moonwire_messages_sent_total(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        put_named(page, &page->rows[i], "type", types, page->rows[i].cells->sent, MW_METRICS_TYPES);
}

static void put_moonwire_messages_dropped_total(struct page *page)
{
    static const char *const names[] = {
#define MW_METRICS_DROP(name) #name,
        MW_METRICS_DROP_LIST(MW_METRICS_DROP)
#undef MW_METRICS_DROP
    };
    for (size_t i = 0; i < page->count; i++)
        put_named(page, &page->rows[i], "cause", names, page->rows[i].cells->dropped,
                  MW_METRICS_DROPS);
}

/* The same for what is a script's and of no route. */
static void put_of_script(struct page *page, const struct row *row, const char *label,
                          const char *name, uint64_t number)
{
    const struct label labels[MOST_LABELS] = { { "script", row->script },
                                               { label, mw_view_text(name) } };
    put_number(page, labels, number);
}

static void put_moonwire_handler_errors_total(struct page *page)
{
    static const char *const kinds[MW_FAULT_KINDS] = { "error", "cpu", "memory" };
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        for (size_t kind = 0; kind < MW_FAULT_KINDS; kind++)
            put_of_script(page, row, "kind", kinds[kind], row->cells->errors[kind]);
    }
}

static void put_moonwire_script_reloads_total(struct page *page)
{
    static const char *const results[MW_METRICS_LOADS] = { "loaded", "refused" };
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        for (size_t load = 0; load < MW_METRICS_LOADS; load++)
            put_of_script(page, row, "result", results[load], row->cells->loads[load]);
    }
}

static void put_moonwire_script_info(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        char version[12], hash[17];
        if (!row->route || !row->route->version)
            continue;
        snprintf(version, sizeof version, "%u", row->route->version);
        snprintf(hash, sizeof hash, "%016" PRIx64, row->route->metrics.hash);
        const struct label labels[MOST_LABELS] = { { "script", row->script },
                                                   { "version", mw_view_text(version) },
                                                   { "hash", mw_view(hash, 8) } };
        put_number(page, labels, 1);
    }
}

static void put_moonwire_script_last_reload_success_timestamp_seconds(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        const struct label labels[MOST_LABELS] = { { "script", row->script } };
        if (row->route && row->route->metrics.loaded_unix_ms)
            put_ms(page, "", labels, row->route->metrics.loaded_unix_ms);
    }
}

static void put_moonwire_script_memory_limit_bytes(struct page *page)
{
    put_number(page, 0, (uint64_t)page->worker->config->script_memory);
}

static void put_moonwire_memory_limit_bytes(struct page *page)
{
    put_number(page, 0, page->worker->admission->memory_bytes);
}

static void put_moonwire_heap_bytes(struct page *page)
{
    put_number(page, 0, page->worker->mem.bytes);
}

static void put_moonwire_topics(struct page *page)
{
    put_number(page, 0, mw_hub_topic_count(&page->worker->hub));
}

static void put_moonwire_build_info(struct page *page)
{
    const struct label labels[MOST_LABELS] = { { "version", mw_view_text(MOONWIRE_VERSION) } };
    put_number(page, labels, 1);
}

static void put_moonwire_uptime_seconds(struct page *page)
{
    mw_ms now_ms = mw_loop_now(page->worker->loop);
    put_ms(page, "", 0, now_ms - page->worker->metrics.started_ms);
}

static void put_process_cpu_seconds_total(struct page *page)
{
    put_ms(page, "", 0, page->process.cpu_ms);
}

static void put_process_resident_memory_bytes(struct page *page)
{
    if (page->process.resident_bytes) /* else the system does not say */
        put_number(page, 0, page->process.resident_bytes);
}

static void put_process_max_fds(struct page *page)
{
    put_number(page, 0, page->process.max_fds);
}

static void put_process_start_time_seconds(struct page *page)
{
    put_ms(page, "", 0, page->worker->metrics.started_unix_ms);
}

/* ---- all of it ---- */

static const struct metric metrics[] = {
#define MW_METRIC_OF_ROUTE(name, type, member, help) \
    { #name, #type, help, 0, offsetof(struct row, member), true },
#define MW_METRIC_OF_SCRIPT(name, type, member, help) \
    { #name, #type, help, 0, offsetof(struct row, member), false },
#define MW_METRIC(name, type, labels, help) { #name, #type, help, put_##name, 0, false },
#include "core/server/metrics.def"
#undef MW_METRIC_OF_ROUTE
#undef MW_METRIC_OF_SCRIPT
#undef MW_METRIC
};

static void put_metric(struct page *page, const struct metric *metric)
{
    page->name = metric->name;
    if (!page->err)
        page->err = mw_buf_putf(page->out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                                metric->help, metric->name, metric->type);
    if (metric->put)
        metric->put(page);
    else
        put_member(page, metric);
}

int mw_metrics_write(struct mw_worker *worker, struct mw_buf *out)
{
    const struct mw_link *scripts = &worker->metrics.scripts;
    size_t most = 1; /* those that are forgotten */
    for (const struct mw_link *link = scripts->next; link != scripts; link = link->next)
        most++;
    struct page page = { .worker = worker, .out = out };
    page.rows = mw_alloc(out->mem, most * sizeof *page.rows);
    if (!page.rows)
        return MW_ERR_NOMEM;
    mw_process_look(&page.process);
    fill_rows(&page);
    for (size_t i = 0; i < MW_COUNT(metrics); i++)
        put_metric(&page, &metrics[i]);
    mw_free(out->mem, page.rows, most * sizeof *page.rows);
    return page.err;
}
