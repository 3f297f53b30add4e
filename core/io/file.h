/* Regular files below a root, opened and read off the loop. */
#ifndef MW_IO_FILE_H
#define MW_IO_FILE_H

#include "core/io/loop.h"

struct mw_file; /* an open file */

struct mw_file_info {
    uint64_t size;
    int64_t modified_s; /* Unix time */
    uint32_t modified_ns;
    uint64_t inode;
};

/*
 * Opens `root`/`path` (path without leading slash; "" is not allowed) if it is a regular file whose
 * real place is below root's real place: symbolic links may not lead out. `opened` gets the file
 * (gives) and its info, or NULL and MW_ERR_NOT_FOUND (also where this process may not read it),
 * MW_ERR_IO, MW_ERR_NOMEM; a folder is MW_ERR_BAD_ARG. Returns MW_OK when `opened` will come, else
 * MW_ERR_BAD_ARG (no path, a NUL in it), MW_ERR_NOMEM, MW_ERR_IO.
 */
typedef void mw_file_opened_fn(void *ctx, int err, struct mw_file *file,
                               const struct mw_file_info *info);
int mw_file_open(struct mw_loop *loop, const char *root, struct mw_view path,
                 mw_file_opened_fn *opened, void *ctx);

/*
 * Reads up to `len` bytes at `offset` into `out` (borrowed until done). `done` gets the count (0:
 * end) or MW_ERR_IO. One at a time.
 */
typedef void mw_file_read_fn(void *ctx, long count);
int mw_file_read(struct mw_file *file, uint64_t offset, char *out, size_t len,
                 mw_file_read_fn *done, void *ctx);

/* Also while a read is on its way: its `done` still comes, with MW_ERR_CLOSED. NULL is allowed. */
void mw_file_close(struct mw_file *file);

#endif
