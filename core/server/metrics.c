/*
 * The text of the metrics: each metric of metrics.def writes its lines from the numbers of a sheet
 * (metrics_sheet.c). For who asks over HTTP (metrics_page.c) or over the control channel
 * (inquiry.c); looks at no worker.
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
#include "core/server/metrics_sheet.h"
#include "core/server/process.h"
#include "core/server/shortage.h"
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

static void add_refusals(struct mw_metrics_refusal *to, const char *error, const char *cause,
                         uint64_t count)
{
    size_t i = 0, last = MW_METRICS_REFUSALS - 1;
    while (i < last && to[i].error && strcmp(to[i].error, error) != 0)
        i++;
    struct mw_metrics_refusal *cell = &to[i];
    cell->error = i < last ? error : "other";
    cell->cause = i < last ? cause : 0;
    cell->count += count;
}

void mw_metrics_count_refusal(struct mw_worker_metrics *metrics, const char *error,
                              const char *cause)
{
    add_refusals(metrics->refused, error, cause, 1);
}

void mw_metrics_add_refusals(struct mw_metrics_refusal to[MW_METRICS_REFUSALS],
                             const struct mw_metrics_refusal *of)
{
    add_refusals(to, of->error, of->cause, of->count);
}

void mw_metrics_add(struct mw_metrics_cells *to, const struct mw_metrics_cells *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *numbers = (const uint64_t *)from;
    _Static_assert(sizeof *to % sizeof *sums == 0, "cells are numbers and nothing else");
    for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
        sums[i] += numbers[i];
}

void mw_metrics_keep(struct mw_worker_metrics *metrics, const struct mw_metrics_cells *cells)
{
    mw_metrics_add(&metrics->gone, cells);
    metrics->has_gone = true;
}

struct page {
    const struct mw_metrics_sheet *sheet;
    struct mw_metrics_row *const *rows; /* of the sheet */
    size_t count;
    struct mw_buf *out;
    int err;
    const char *name; /* of the metric whose lines are written */
    struct mw_process process;
};

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
static bool has_member(const struct mw_metrics_row *row, const struct metric *metric)
{
    return row->has_route || metric->of_route || !strcmp(metric->type, "counter");
}

static void put_member(struct page *page, const struct metric *metric)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct mw_metrics_row *row = page->rows[i];
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
    const struct mw_metrics_refusal *refused = page->sheet->refused;
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
        put_number(page, labels, page->sheet->pauses[kind]);
    }
}

static void put_moonwire_handovers_total(struct page *page)
{
    const struct label done[MOST_LABELS] = { { "result", mw_view_text("done") } };
    const struct label failed[MOST_LABELS] = { { "result", mw_view_text("failed") } };
    put_number(page, done, page->sheet->handovers);
    put_number(page, failed, page->sheet->handovers_failed);
}

static void put_closes(struct page *page, const struct mw_metrics_row *row,
                       enum mw_metrics_code code)
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
        if (row->cells.closes[code][cause])
            put_number(page, labels, row->cells.closes[code][cause]);
    }
}

static void put_moonwire_closes_total(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        for (int code = 0; code < MW_METRICS_CODES; code++)
            put_closes(page, page->rows[i], (enum mw_metrics_code)code);
    }
}

static void put_durations(struct page *page, const struct mw_metrics_row *row)
{
    struct label labels[MOST_LABELS] = { { "route", row->pattern }, { "script", row->script } };
    uint64_t sum = 0;
    for (size_t i = 0; i < MW_METRICS_BUCKETS; i++) {
        char bound[12] = "+Inf";
        if (i < MW_METRICS_BUCKET_ABOVE)
            snprintf(bound, sizeof bound, "%u", bucket_seconds[i]);
        labels[2] = (struct label){ "le", mw_view_text(bound) };
        sum += row->cells.durations[i];
        put_sample(page, "_bucket", labels);
        if (!page->err)
            page->err = mw_buf_putf(page->out, "%" PRIu64 "\n", sum);
    }
    labels[2].name = 0;
    put_ms(page, "_sum", labels, row->cells.duration_ms);
    put_sample(page, "_count", labels);
    if (!page->err)
        page->err = mw_buf_putf(page->out, "%" PRIu64 "\n", sum);
}

static void put_moonwire_connection_duration_seconds(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        put_durations(page, page->rows[i]);
}

/* Numbers of a row that a third label tells apart. */
static void put_named(struct page *page, const struct mw_metrics_row *row, const char *label,
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
        put_named(page, page->rows[i], "type", types, page->rows[i]->cells.received,
                  MW_METRICS_TYPES);
}

static void put_moonwire_messages_sent_total(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        put_named(page, page->rows[i], "type", types, page->rows[i]->cells.sent, MW_METRICS_TYPES);
}

static void put_moonwire_messages_dropped_total(struct page *page)
{
    static const char *const names[] = {
#define MW_METRICS_DROP(name) #name,
        MW_METRICS_DROP_LIST(MW_METRICS_DROP)
#undef MW_METRICS_DROP
    };
    for (size_t i = 0; i < page->count; i++)
        put_named(page, page->rows[i], "cause", names, page->rows[i]->cells.dropped,
                  MW_METRICS_DROPS);
}

static void put_moonwire_session_returns_total(struct page *page)
{
    static const char *const names[] = {
#define MW_METRICS_RETURN(name) #name,
        MW_METRICS_RETURN_LIST(MW_METRICS_RETURN)
#undef MW_METRICS_RETURN
    };
    for (size_t i = 0; i < page->count; i++)
        put_named(page, page->rows[i], "outcome", names, page->rows[i]->cells.returns,
                  MW_METRICS_RETURNS);
}

/* The same for what is a script's and of no route. */
static void put_of_script(struct page *page, const struct mw_metrics_row *row, const char *label,
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
        const struct mw_metrics_row *row = page->rows[i];
        for (size_t kind = 0; kind < MW_FAULT_KINDS; kind++)
            put_of_script(page, row, "kind", kinds[kind], row->cells.errors[kind]);
    }
}

static void put_moonwire_script_reloads_total(struct page *page)
{
    static const char *const results[MW_METRICS_LOADS] = { "loaded", "refused" };
    for (size_t i = 0; i < page->count; i++) {
        const struct mw_metrics_row *row = page->rows[i];
        for (size_t load = 0; load < MW_METRICS_LOADS; load++)
            put_of_script(page, row, "result", results[load], row->cells.loads[load]);
    }
}

static void put_moonwire_script_info(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct mw_metrics_row *row = page->rows[i];
        char version[12], hash[17];
        if (!row->has_route || !row->version)
            continue;
        snprintf(version, sizeof version, "%u", row->version);
        snprintf(hash, sizeof hash, "%016" PRIx64, row->hash);
        const struct label labels[MOST_LABELS] = { { "script", row->script },
                                                   { "version", mw_view_text(version) },
                                                   { "hash", mw_view(hash, 8) } };
        put_number(page, labels, 1);
    }
}

static void put_moonwire_script_last_reload_success_timestamp_seconds(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct mw_metrics_row *row = page->rows[i];
        const struct label labels[MOST_LABELS] = { { "script", row->script } };
        if (row->has_route && row->loaded_unix_ms)
            put_ms(page, "", labels, row->loaded_unix_ms);
    }
}

static void put_moonwire_script_memory_limit_bytes(struct page *page)
{
    put_number(page, 0, (uint64_t)page->sheet->config->script_memory * page->sheet->workers);
}

static void put_moonwire_worker_connections(struct page *page)
{
    for (unsigned i = 0; i < page->sheet->workers; i++) {
        char number[12];
        snprintf(number, sizeof number, "%u", i);
        const struct label labels[MOST_LABELS] = { { "worker", mw_view_text(number) } };
        put_number(page, labels, page->sheet->by_worker[i]);
    }
}

static void put_moonwire_memory_limit_bytes(struct page *page)
{
    put_number(page, 0, page->sheet->memory_limit_bytes);
}

static void put_moonwire_heap_bytes(struct page *page)
{
    put_number(page, 0, page->sheet->heap_bytes);
}

static void put_moonwire_topics(struct page *page)
{
    put_number(page, 0, page->sheet->topics);
}

static void put_moonwire_build_info(struct page *page)
{
    const struct label labels[MOST_LABELS] = { { "version", mw_view_text(MOONWIRE_VERSION) } };
    put_number(page, labels, 1);
}

static void put_moonwire_uptime_seconds(struct page *page)
{
    put_ms(page, "", 0, page->sheet->uptime_ms);
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
    put_ms(page, "", 0, page->sheet->started_unix_ms);
}

/* ---- all of it ---- */

static const struct metric metrics[] = {
#define MW_METRIC_OF_ROUTE(name, type, member, help) \
    { #name, #type, help, 0, offsetof(struct mw_metrics_row, member), true },
#define MW_METRIC_OF_SCRIPT(name, type, member, help) \
    { #name, #type, help, 0, offsetof(struct mw_metrics_row, member), false },
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

int mw_metrics_write(const struct mw_metrics_sheet *sheet, struct mw_buf *out)
{
    struct page page = {
        .sheet = sheet,
        .rows = sheet->rows,
        .count = sheet->count,
        .out = out,
    };
    mw_process_look(&page.process);
    for (size_t i = 0; i < MW_COUNT(metrics); i++)
        put_metric(&page, &metrics[i]);
    return page.err;
}
