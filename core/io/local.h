/*
 * Unix sockets: a listener for processes of the same user on this machine, and the way to it for
 * who is no server. A path may be longer than the address of a socket has room for.
 */
#ifndef MW_IO_LOCAL_H
#define MW_IO_LOCAL_H

#include "core/io/loop.h"
#include "core/io/stream.h"

struct mw_local;

/*
 * Listens at `path`; only this user may reach it (mode 0600), and who is neither this user nor root
 * is sent away all the same. Its folder is made (mode 0700) where it is missing. A socket that a
 * dead server has left is replaced. A server that takes the same place at the same moment is waited
 * for, up to a second: blocks. `accept` takes the stream. MW_OK; MW_ERR_FULL: a server listens
 * there; MW_ERR_AGAIN: somebody keeps the folder locked; MW_ERR_IO; MW_ERR_NOMEM; each with a
 * sentence in `why`.
 */
int mw_local_open(struct mw_loop *loop, const char *path,
                  void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                  struct mw_local **out, char why[256]);

/* No further accept; takes the socket away; frees itself by the loop. NULL is allowed. */
void mw_local_close(struct mw_local *local);

/*
 * A descriptor of a blocking socket that is connected to it; MW_ERR_NOT_FOUND: nobody listens
 * there; MW_ERR_IO with errno.
 */
int mw_local_dial(const char *path);

#endif
