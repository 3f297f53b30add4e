/*
 * Hot reload, on the server's thread: watch the script folder, find out what changed, have the
 * workers prepare and commit it, and report. A broken save leaves the old version serving.
 */
#ifndef MW_SERVER_RELOAD_H
#define MW_SERVER_RELOAD_H

#include "core/io/loop.h"
#include "core/server/load.h"
#include "core/server/worker.h"

struct mw_reload;

struct mw_reload_setup {
    struct mw_loop *loop; /* the server's */
    struct mw_worker *worker;
    struct mw_log *log;
    const char *folder; /* of the scripts */
    struct mw_view suffix;
    struct mw_project *project; /* what is loaded already; a reference is kept */
};

/* Everything is borrowed for its life. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_reload_open(const struct mw_reload_setup *setup, struct mw_reload **out);

/* Looks now, whether or not anything was seen to change. */
void mw_reload_now(struct mw_reload *reload);

/* A batch has come back from the worker; takes it. */
void mw_reload_mail(struct mw_reload *reload, struct mw_batch *batch);

/*
 * Stops watching; the rest is freed when the scan and the batch that are on their way are back.
 * NULL is allowed.
 */
void mw_reload_close(struct mw_reload *reload);

/* Writes what became of each load of a batch to the log; also for the first one. */
void mw_reload_report(struct mw_log *log, const struct mw_batch *batch);

#endif
