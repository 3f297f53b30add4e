/*
 * What there is to be counted at one moment, of all workers together: each adds its numbers on its
 * own thread, so that nobody looks at a running worker from outside. Belongs to whoever holds it.
 */
#ifndef MW_SERVER_METRICS_SHEET_H
#define MW_SERVER_METRICS_SHEET_H

#include "core/server/config.h"
#include "core/server/metrics.h"
#include "core/server/shortage.h"

struct mw_worker;

/* Of one script; or of all that are forgotten. */
struct mw_metrics_row {
    struct mw_view script, pattern; /* owned */
    struct mw_metrics_cells cells;
    uint64_t connections, away, sessions_lost, opened, received_bytes, sent_bytes, queued_bytes;
    uint64_t calls, slow_calls, memory_bytes, timers, waiting, paused, is_fresh;
    bool has_route; /* else its file is gone */
    unsigned version;
    uint64_t hash;
    mw_ms loaded_unix_ms;
};

struct mw_metrics_sheet {
    struct mw_mem *mem; /* borrowed */
    struct mw_metrics_row **rows;
    size_t count, cap;
    struct mw_metrics_refusal refused[MW_METRICS_REFUSALS];
    const struct mw_config *config; /* borrowed */
    mw_ms started_unix_ms, uptime_ms;
    uint64_t topics, heap_bytes, memory_limit_bytes;
    uint64_t pauses[MW_SHORTAGES];
    uint64_t handovers, handovers_failed;
    unsigned workers;                          /* so many have added theirs */
    uint64_t by_worker[MW_CONFIG_MAX_WORKERS]; /* connections */
};

void mw_metrics_sheet_init(struct mw_metrics_sheet *sheet, struct mw_mem *mem);
void mw_metrics_sheet_free(struct mw_metrics_sheet *sheet);

/* On the worker's thread, each worker once. MW_ERR_NOMEM: not all of it is there. */
int mw_metrics_sheet_add(struct mw_metrics_sheet *sheet, const struct mw_worker *worker);

#endif
