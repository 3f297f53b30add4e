/* What the files of core/io share of the loop. Nobody else includes this. */
#ifndef MW_IO_LOOP_UV_H
#define MW_IO_LOOP_UV_H

#include <uv.h>

#include "core/io/loop.h"

/*
 * Whoever is about to start a handle of libuv that watches a descriptor asks for this first, each
 * time: it makes the loop run libuv once, which takes up new descriptors only then.
 */
uv_loop_t *mw_loop_uv(struct mw_loop *loop);

/* MW_LOOP_READ_BYTES bytes that whoever reads may fill until its callback returns. */
char *mw_loop_read_buffer(struct mw_loop *loop);

/* MW_OK, MW_ERR_NOMEM or MW_ERR_IO for a status of libuv. */
int mw_err_from_uv(int status);

#endif
