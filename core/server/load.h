/*
 * Loading scripts on one worker, in two steps: prepare beside what runs, then commit or discard. A
 * batch goes through all workers with one step, in the order of their numbers, then with the next:
 * what one refuses those behind it do not try, and nobody commits.
 */
#ifndef MW_SERVER_LOAD_H
#define MW_SERVER_LOAD_H

#include "core/server/batch.h"

struct mw_worker;

/* On the worker's thread: which scripts a changed library concerns here. */
void mw_load_survey(struct mw_worker *worker, struct mw_batch *batch);
/*
 * On the worker's thread. Outcomes are set: the first worker finds out what is due, the others
 * prepare what was ready everywhere before them.
 */
void mw_load_prepare(struct mw_worker *worker, struct mw_batch *batch);
/* Commits what `commit` says and discards the rest, which then stands as refused here too. */
void mw_load_commit(struct mw_worker *worker, struct mw_batch *batch);

#endif
