/*
 * How the scripts fare: counters and the last fault of each, added by one worker after the other to
 * a letter that goes around, so that nobody looks at a running worker from outside.
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
    bool removed; /* its file is gone, and it has connections yet */
    bool serves;  /* a version of it is live */
    bool refused; /* what lies on disk is not */
    unsigned version;
    size_t connections;
    struct mw_app_stats app;
    uint64_t faults[MW_FAULT_KINDS]; /* by enum mw_fault_kind */
    unsigned paused;                 /* in so many workers */
    mw_ms paused_ms;                 /* for so long, in the first of them */
    bool has_failed;
    mw_ms failed_ms; /* when, on the clock of the loops */
    struct mw_fault last;
};

/* The whole process beside its limits (docs/running.md, "Operating limits"). */
struct mw_status_process {
    uint64_t connections, most_connections; /* most: 0 is any number */
    uint64_t resident, most_resident;       /* bytes; resident: 0 is not known */
    bool is_short;                          /* of memory: nobody new comes in */
};

/* Goes around; belongs to whoever holds it. */
struct mw_status {
    struct mw_letter letter;
    struct mw_mem mem;
    struct mw_status_row *rows;
    size_t count, cap;
    unsigned workers;               /* that have added theirs */
    uint64_t ends, ends_by_network; /* of the last hour */
    struct mw_status_process process;
    bool is_whole; /* false: there was no memory for the rows */
    void *asker;   /* of the server's thread; NULL: nobody waits for it any more */
};

/* NULL: no memory. */
struct mw_status *mw_status_new(void *asker);
void mw_status_free(struct mw_status *status);

/* On the worker's thread: adds what it has. */
void mw_status_fill(struct mw_status *status, struct mw_worker *worker);

/* Each script as some lines for people, and one about ends. MW_ERR_NOMEM. */
int mw_status_text(const struct mw_status *status, struct mw_buf *out);
/* An object: the whole process. */
void mw_status_process_json(const struct mw_status *status, struct mw_json_writer *json);
/* An array of objects; the next value of `json`. */
void mw_status_json(const struct mw_status *status, struct mw_json_writer *json);

#endif
