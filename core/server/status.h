/*
 * How the scripts of a worker fare: counters and the last fault of each, copied by the worker into
 * a letter, so that nobody looks at a running worker from outside.
 */
#ifndef MW_SERVER_STATUS_H
#define MW_SERVER_STATUS_H

#include "core/base/json.h"
#include "core/server/letter.h"
#include "core/server/route_fault.h"
#include "moonwire/app.h"

struct mw_worker;

struct mw_status_row {
    char script[128]; /* cut */
    char route[256];
    bool serves;  /* a version of it is live */
    bool refused; /* what lies on disk is not */
    unsigned version;
    size_t connections;
    struct mw_app_stats app;
    uint64_t faults[MW_FAULT_KINDS]; /* by enum mw_fault_kind */
    bool paused;
    mw_ms paused_ms; /* for so long */
    bool has_failed;
    struct mw_fault last;
};

/* There and back; belongs to whoever holds it. */
struct mw_status {
    struct mw_letter letter;
    struct mw_mem mem;
    struct mw_status_row *rows;
    size_t count;
    uint64_t ends, ends_by_network; /* of the last hour */
    bool is_whole;                  /* false: there was no memory for the rows */
    void *asker;                    /* of the server's thread; NULL: nobody waits for it any more */
};

/* NULL: no memory. */
struct mw_status *mw_status_new(void *asker);
void mw_status_free(struct mw_status *status);

/* On the worker's thread. */
void mw_status_fill(struct mw_status *status, struct mw_worker *worker);

/* Each script as some lines for people, and one about ends. MW_ERR_NOMEM. */
int mw_status_text(const struct mw_status *status, struct mw_buf *out);
/* An array of objects; the next value of `json`. */
void mw_status_json(const struct mw_status *status, struct mw_json_writer *json);

#endif
