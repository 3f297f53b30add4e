/*
 * One thread with its loop, its connections and its script states. Nothing of it is touched from
 * outside but by mail. Opened, loaded for the first time and freed on the server's thread, while
 * its own does not run.
 */
#ifndef MW_SERVER_WORKER_H
#define MW_SERVER_WORKER_H

#include "core/base/rng.h"
#include "core/base/slot.h"
#include "core/hub/sub.h"
#include "core/io/listener.h"
#include "core/io/mailbox.h"
#include "core/io/tls.h"
#include "core/proto/deflate.h"
#include "core/server/away.h"
#include "core/server/client_js.h"
#include "core/server/config.h"
#include "core/server/drain.h"
#include "core/server/end_counts.h"
#include "core/server/ends.h"
#include "core/server/letter.h"
#include "core/server/load.h"
#include "core/server/log.h"
#include "core/server/metrics.h"
#include "core/server/rare.h"
#include "core/server/refused.h"
#include "core/server/route.h"
#include "core/server/shortage.h"
#include "core/session/conn_pool.h"

struct mw_admission;
struct mw_crew;

struct mw_worker {
    uint8_t number;    /* in its crew, from 0; in each id that it gives */
    struct mw_mem mem; /* everything of this worker but the scripts' own */
    struct mw_loop *loop;
    struct mw_mailbox *mailbox;
    struct mw_listener *listener;
    struct mw_slots slots; /* id to struct mw_client */
    struct mw_conn_pool pool;
    mw_id offered_to;      /* sending.c: who was sent the last large payload, */
    uint64_t offered_turn; /* and when */
    struct mw_deflate_pool deflate;
    struct mw_hub hub;
    struct mw_rng rng;
    struct mw_fair fair;
    struct mw_delivery *delivery; /* deliver.c: the message that a script hears now, or NULL */
    struct mw_away away;          /* sessions without a connection */
    struct mw_ends ends;          /* that are remembered */
    struct mw_end_counts end_counts;
    struct mw_worker_metrics metrics;
    struct mw_refused refused; /* handshakes, for clients that ask why */
    struct mw_client_js client_js;
    struct mw_link routes;
    struct mw_link accounts; /* of routes, and of those that have gone */
    struct mw_link doors;    /* who is not a client yet */
    size_t client_count;
    struct mw_tls_loop *tls_loop; /* NULL: connections are plain */
    struct mw_tls_ctx *tls;       /* for those that come next; a reference */
    struct mw_rare strangers;     /* what is told of those who got no further */
    struct mw_rare undecided;     /* ... of those whose script had no turn at their end */
    struct mw_shortage shortage;
    struct mw_admission *admission; /* the process's; borrowed */
    const struct mw_config *config;
    const struct mw_engine *engine;
    const char *public_files;
    struct mw_log *log;
    bool stopping; /* nobody comes in any more */
    struct mw_drain drain;
    struct mw_mailbox *server;
    struct mw_crew *crew; /* all workers, this one included */
    struct mw_thread *thread;
    struct mw_letter leave;
    struct mw_letter publications; /* posted by whoever publishes for this worker */
    struct mw_alarm sweep;         /* of histories, while there are any */
    atomic_size_t remote_bytes;    /* of letters to it from other workers' scripts */
    struct mw_rare misdirected;    /* what is told of those that were for nobody */
};

struct mw_worker_setup {
    uint8_t number;
    struct mw_crew *crew;
    struct mw_listener *beside; /* of another worker, whose address it takes; NULL: config's */
    const struct mw_config *config;
    const struct mw_engine *engine;
    const char *public_files;
    struct mw_tls_ctx *tls; /* NULL: plain; the worker holds it */
    struct mw_log *log;
    struct mw_admission *admission;
    struct mw_mailbox *server; /* where batches go back to, and the stopped letter */
};

/*
 * Everything is borrowed for the worker's life. MW_OK; MW_ERR_NOMEM; MW_ERR_IO or MW_ERR_BAD_ARG
 * with why the address cannot be had.
 */
int mw_worker_open(struct mw_worker *worker, const struct mw_worker_setup *setup, char why[128]);
/* MW_ERR_IO: no thread. */
int mw_worker_start(struct mw_worker *worker);

static inline bool mw_worker_is_first(const struct mw_worker *worker)
{
    return worker->number == 0;
}

/* Any thread, while the worker is open: takes the letter. In order for each sender. */
void mw_worker_send(struct mw_worker *to, struct mw_letter *letter);
/* On the worker's thread: a letter that goes around is sent on. Without a server it is let go. */
void mw_worker_pass(struct mw_worker *worker, struct mw_letter *letter);

/* Other certificates: who connects from then on gets the new ones. */
struct mw_tls_swap {
    struct mw_letter letter;
    struct mw_tls_ctx *ctx; /* a reference that travels; each worker takes one of its own */
};

/*
 * A fresh version fails far more often than the one before it: goes from the worker to the server,
 * which frees it.
 */
struct mw_worse {
    struct mw_letter letter;
    unsigned version;
    struct mw_tally live, before;
    size_t name_len;
    char name[]; /* of the script */
};
/* On the worker's thread. Without memory nobody is told. */
void mw_worker_tell_worse(const struct mw_route *route);
void mw_worse_free(struct mw_worse *worse);

/*
 * The server's thread; the first time counts: closes every connection with 1001, or with 1012 for a
 * restart (drain.h), runs on_stop and posts drain.over. Its thread goes on for the mail of others.
 */
void mw_worker_drain(struct mw_worker *worker, bool restart);

struct mw_worker_leftovers {
    size_t bytes;
    int handles;
};
/*
 * When it is over (or was never started): ends its thread and joins. What it posts after that it
 * posts from this thread.
 */
void mw_worker_join(struct mw_worker *worker);
/* ... and frees. */
struct mw_worker_leftovers mw_worker_close(struct mw_worker *worker);

/* For client and door: one has gone; the last one ends a stopping worker. */
void mw_worker_client_gone(struct mw_worker *worker);
void mw_worker_door_gone(struct mw_worker *worker);

#endif
