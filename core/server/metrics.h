/*
 * Counters for monitoring, and their text: the Prometheus exposition format 0.0.4. A count is a
 * plain increment of a cell of the script (script_counts.h), on its worker's thread; everything
 * else is put together when somebody asks (metrics_sheet.h).
 */
#ifndef MW_SERVER_METRICS_H
#define MW_SERVER_METRICS_H

#include "core/base/buf.h"
#include "core/base/list.h"
#include "core/server/route_fault.h"
#include "core/session/cause.h"

struct mw_route;
struct mw_worker;

/* Rows of the catalogue; all codes of its ranges are one. */
enum mw_metrics_code {
#define MW_CLOSE_ROW(first, last, key, name, title, sender, policy, level) MW_METRICS_CODE_##key,
#include "core/proto/close_catalog.def"
#undef MW_CLOSE_ROW
    MW_METRICS_CODE_OTHER,
    MW_METRICS_CODES
};

/* Upper bounds of the histogram of durations, in seconds. */
#define MW_METRICS_BUCKET_LIST(X) \
    X(1) X(5) X(15) X(60) X(300) X(900) X(3600) X(14400) X(43200) X(86400)

enum mw_metrics_bucket {
#define MW_METRICS_BUCKET(seconds) MW_METRICS_BUCKET_##seconds,
    MW_METRICS_BUCKET_LIST(MW_METRICS_BUCKET)
#undef MW_METRICS_BUCKET
        MW_METRICS_BUCKET_ABOVE,
    MW_METRICS_BUCKETS
};

/* Why a message did not arrive. */
#define MW_METRICS_DROP_LIST(X) \
    X(slow_consumer) /* the queue of its receiver was full */ \
    X(script_queued) /* script.queued was; once for a publish */ \
    X(drop)          /* the queue was full, and limits.policy or its sender said so */ \
    X(latest)        /* a newer one of its key has replaced it in the queue */ \
    X(handler_error) /* on_message failed on it */ \
    X(rate_limited)  /* it was one more than limits.rate */

/* What came of a request that named a session. */
#define MW_METRICS_RETURN_LIST(X) \
    X(whole)   /* it is back, and has got everything */ \
    X(hole)    /* ... but for what there was no room to keep */ \
    X(refused) /* by on_resume */ \
    X(expired) /* there is no such session any more */ \
    X(unknown) /* ... and never was, or the request could not be its client's */

enum mw_metrics_return {
#define MW_METRICS_RETURN(name) MW_METRICS_RETURN_##name,
    MW_METRICS_RETURN_LIST(MW_METRICS_RETURN)
#undef MW_METRICS_RETURN
        MW_METRICS_RETURNS
};

enum mw_metrics_drop {
#define MW_METRICS_DROP(name) MW_METRICS_DROP_##name,
    MW_METRICS_DROP_LIST(MW_METRICS_DROP)
#undef MW_METRICS_DROP
        MW_METRICS_DROPS
};

enum mw_metrics_type { MW_METRICS_TEXT, MW_METRICS_BINARY, MW_METRICS_TYPES };
enum mw_metrics_load { MW_METRICS_LOADED, MW_METRICS_REFUSED, MW_METRICS_LOADS };

/* All of one kind, so that two can be added cell by cell. */
struct mw_metrics_cells {
    uint64_t opened, ended; /* ended: of those that were opened */
    uint64_t away_begun, away_over, sessions_lost;
    uint64_t returns[MW_METRICS_RETURNS];
    uint64_t closes[MW_METRICS_CODES][MW_CAUSE_COUNT];
    uint64_t durations[MW_METRICS_BUCKETS], duration_ms;
    uint64_t received[MW_METRICS_TYPES], sent[MW_METRICS_TYPES];
    uint64_t received_bytes, sent_bytes;
    uint64_t dropped[MW_METRICS_DROPS];
    uint64_t loads[MW_METRICS_LOADS];
    uint64_t calls, slow_calls; /* of apps that are gone: those of others they count themselves */
    uint64_t errors[MW_FAULT_KINDS];
};

/* Of a route. */
struct mw_route_metrics {
    struct mw_metrics_cells *cells;       /* the script's; of as many routes as it has */
    uint64_t kept_calls, kept_slow_calls; /* of its app's that are in the cells */
    uint64_t hash;                        /* of what the live version is made of */
    mw_ms loaded_unix_ms;                 /* 0: never */
};

/* Refusals by their short name; what finds no room is counted in the last one. */
#define MW_METRICS_REFUSALS 32

struct mw_metrics_refusal {
    const char *error, *cause; /* static; cause NULL: none of cause.def */
    uint64_t count;
};

/* Of a worker. */
struct mw_worker_metrics {
    mw_ms started_ms, started_unix_ms;
    struct mw_link scripts; /* struct mw_script_counts */
    struct mw_metrics_cells gone;
    bool has_gone; /* scripts that nobody knows by name any more */
    struct mw_metrics_refusal refused[MW_METRICS_REFUSALS];
    uint64_t handovers,
        handovers_failed; /* connections of another worker's; those on either side */
};

static inline enum mw_metrics_type mw_metrics_type(enum mw_opcode kind)
{
    return kind == MW_OPCODE_TEXT ? MW_METRICS_TEXT : MW_METRICS_BINARY;
}

void mw_metrics_init(struct mw_worker_metrics *metrics, mw_ms now_ms);

/* The end of one that was opened, or was not yet. */
void mw_metrics_count_end(struct mw_metrics_cells *cells, unsigned code, enum mw_cause cause,
                          mw_ms lasted_ms, bool was_opened);
/* `error` and `cause` are static; cause NULL: none. */
void mw_metrics_count_refusal(struct mw_worker_metrics *metrics, const char *error,
                              const char *cause);
/* Counts as many as `of` has to what is alike. */
void mw_metrics_add_refusals(struct mw_metrics_refusal to[MW_METRICS_REFUSALS],
                             const struct mw_metrics_refusal *of);
void mw_metrics_add(struct mw_metrics_cells *to, const struct mw_metrics_cells *from);
/* These are of a script that is forgotten. */
void mw_metrics_keep(struct mw_worker_metrics *metrics, const struct mw_metrics_cells *cells);

struct mw_metrics_sheet;
/* Appends all of it. Any thread. MW_ERR_NOMEM. */
int mw_metrics_write(const struct mw_metrics_sheet *sheet, struct mw_buf *out);

#endif
