/* What the files of core/io share of the loop. Nobody else includes this. */
#ifndef MW_IO_LOOP_UV_H
#define MW_IO_LOOP_UV_H

#include <uv.h>

#include "core/io/loop.h"

uv_loop_t *mw_loop_uv(struct mw_loop *loop);

/* MW_LOOP_READ_BYTES bytes that whoever reads may fill until its callback returns. */
char *mw_loop_read_buffer(struct mw_loop *loop);

/* MW_OK, MW_ERR_NOMEM or MW_ERR_IO for a status of libuv. */
int mw_err_from_uv(int status);

#endif
