/* Runs a blocking job in the pool and comes back to the loop. */
#ifndef MW_IO_OFFLOAD_H
#define MW_IO_OFFLOAD_H

#include "core/io/loop.h"

/* Lives inside its owner until `done`. */
struct mw_job {
    void (*run)(struct mw_job *job);  /* in a thread of the pool: touches nothing of the loop */
    void (*done)(struct mw_job *job); /* on the loop's thread */
};

/* MW_OK, or MW_ERR_NOMEM / MW_ERR_IO: neither function will be called. */
int mw_offload(struct mw_loop *loop, struct mw_job *job);

#endif
