/*
 * Loading scripts on one worker, in two steps: prepare beside what runs, then commit or discard.
 */
#ifndef MW_SERVER_LOAD_H
#define MW_SERVER_LOAD_H

#include "core/server/batch.h"

struct mw_worker;

/* On the worker's thread. Outcomes are set. */
void mw_load_prepare(struct mw_worker *worker, struct mw_batch *batch);
/* Commits what `commit` says and discards the rest. */
void mw_load_commit(struct mw_worker *worker, struct mw_batch *batch);

#endif
