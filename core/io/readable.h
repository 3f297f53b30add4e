/*
 * Tells when a descriptor of somebody else's has something to read: a terminal, a pipe, a file.
 * Does not read it, own it or change how it reads.
 */
#ifndef MW_IO_READABLE_H
#define MW_IO_READABLE_H

#include "core/io/loop.h"

struct mw_readable;

/*
 * `readable` comes once a turn while there are bytes or the end is there, so one read of any size
 * never blocks; a plain file always is. Gives it stopped. MW_ERR_NOMEM, MW_ERR_IO.
 */
int mw_readable_open(struct mw_loop *loop, int fd, void (*readable)(void *ctx), void *ctx,
                     struct mw_readable **out);
/* Also from inside `readable`. */
void mw_readable_set(struct mw_readable *readable, bool on);
/* NULL is allowed. The descriptor stays open and must stay so until here. */
void mw_readable_close(struct mw_readable *readable);

#endif
