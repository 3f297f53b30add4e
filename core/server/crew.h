/*
 * All workers of the process: each has its own thread, loop, listener and script states, and they
 * are told apart by their numbers, from 0. Belongs to the server's thread; what is said below to be
 * for any thread is.
 */
#ifndef MW_SERVER_CREW_H
#define MW_SERVER_CREW_H

#include <stdatomic.h>

#include "core/hub/topic.h"
#include "core/server/letter.h"
#include "core/server/seats.h"
#include "core/server/worker.h"

struct mw_crew {
    struct mw_worker *workers; /* borrowed; by number */
    unsigned count;
    struct mw_seats seats;
    atomic_uint_fast64_t ends; /* of connections: two of one millisecond have their order */
    atomic_size_t draining;    /* WebSockets of those that drain, as each has counted them */
    struct mw_topics topics;   /* that they share; with its own locks */
};

/* `workers` are zeros yet; whoever opens them one by one (a test) does so after this. */
void mw_crew_init(struct mw_crew *crew, struct mw_worker *workers, unsigned count);
/* What they share, when all of them are closed. Bytes that were left: 0 when all is well. */
size_t mw_crew_free(struct mw_crew *crew);

/*
 * Opens all of them as `setup` says, but for number, crew and the others' listener: the first takes
 * the address, and the rest join it. As mw_worker_open; what was opened is closed by mw_crew_close.
 */
int mw_crew_open(struct mw_crew *crew, const struct mw_worker_setup *setup, char why[128]);
/* MW_ERR_IO: no thread for one of them; those before it run. */
int mw_crew_start(struct mw_crew *crew);

/* Any thread: the worker that gave this id, or NULL: none of this crew did. */
struct mw_worker *mw_crew_worker_of(const struct mw_crew *crew, mw_id id);

/* Any thread: to the first; each passes it on (mw_worker_pass), the last one to the server. */
void mw_crew_send(struct mw_crew *crew, struct mw_letter *letter);

/* The first load, while no thread runs yet: prepared everywhere, decided, committed. */
void mw_crew_load(struct mw_crew *crew, struct mw_batch *batch);

/* As mw_worker_drain, all of them. */
void mw_crew_drain(struct mw_crew *crew, bool restart);

/* When every worker is over, or none was started: joins and frees. The sum of what they left. */
struct mw_worker_leftovers mw_crew_close(struct mw_crew *crew);

#endif
