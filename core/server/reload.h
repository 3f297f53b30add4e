/*
 * Hot reload, on the server's thread: watch the script folder, find out what changed, have the
 * workers prepare and commit it, and report. A broken save leaves the old version serving. Who asks
 * for a load or for going back takes part in the same rounds.
 */
#ifndef MW_SERVER_RELOAD_H
#define MW_SERVER_RELOAD_H

#include "core/io/loop.h"
#include "core/server/crew.h"

struct mw_reload;

struct mw_reload_setup {
    struct mw_loop *loop; /* the server's */
    struct mw_crew *crew;
    struct mw_log *log;
    const char *folder; /* of the scripts */
    struct mw_view suffix;
    struct mw_project *project; /* what is loaded already; a reference is kept */
    bool auto_rollback;
};

/* Everything is borrowed for its life. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_reload_open(const struct mw_reload_setup *setup, struct mw_reload **out);

/* The first load, which the server makes itself, is over: reports it and writes it down. */
void mw_reload_first(struct mw_reload *reload, const struct mw_batch *batch);

/* Looks now, whether or not anything was seen to change. */
void mw_reload_now(struct mw_reload *reload);

/* A wish for a round of its own; lives inside its owner until `done` or `forget`. */
struct mw_reload_ask {
    struct mw_link link;
    /* Borrowed, perhaps without its suffix; "": all that has changed, or failed the last time. When
     * it is served, the whole name as the batch has it. */
    struct mw_view script;
    bool back; /* to the version before, or to version `to` where that is not 0 */
    int64_t to;
    /*
     * Once, perhaps before mw_reload_ask returns: `batch` is committed and reported (borrowed until
     * this returns), or NULL where `why` says why nothing was done.
     */
    void (*done)(struct mw_reload_ask *ask, const struct mw_batch *batch, const char *why);
};
/* Without `back`: looks now, and loads the script even where it is as it was. */
void mw_reload_ask(struct mw_reload *reload, struct mw_reload_ask *ask);
/* `done` will not come. What has begun goes on. */
void mw_reload_forget(struct mw_reload_ask *ask);

/* A batch has come back from the workers; takes it. */
void mw_reload_mail(struct mw_reload *reload, struct mw_batch *batch);

/* A fresh version fails: goes back, or says how to; what is not live any more is let be. */
void mw_reload_worse(struct mw_reload *reload, const struct mw_worse *worse);

/*
 * Stops watching, and whoever has asked is told that nothing comes of it; the rest is freed when
 * the scan and the batch that are on their way are back. NULL is allowed.
 */
void mw_reload_close(struct mw_reload *reload);

#endif
