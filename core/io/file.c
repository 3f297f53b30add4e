/*
 * Regular files below a root, for the pool's threads: everything that may wait for a disk happens
 * there. Never caches, never lists a folder, never writes.
 *
 * A path is resolved first and compared with the root's own place, then opened without following a
 * link in its last step. Whoever may swap folders below the root while we do that may also write
 * there.
 */
#define _GNU_SOURCE
#include "core/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/io/offload.h"

struct mw_file {
    struct mw_loop *loop;
    int fd;
    bool is_closed; /* by its owner, during a read */

    struct mw_job job; /* the read on its way; `done` tells whether there is one */
    mw_file_read_fn *done;
    void *ctx;
    uint64_t offset;
    char *out;
    size_t len;
    long count;
};

/* ---- opening: in the pool ---- */

struct opening {
    struct mw_job job;
    struct mw_loop *loop;
    struct mw_file *file;
    struct mw_file_info info;
    int err;
    mw_file_opened_fn *opened;
    void *ctx;
    size_t root_len;
    size_t bytes;
    char text[]; /* root/path */
};

/* What stays so is absence: no permission (for this process, as for its clients), or a socket. */
static int err_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EACCES:
    case ENXIO:
        return MW_ERR_NOT_FOUND;
    case ENOMEM:
        return MW_ERR_NOMEM;
    default:
        return MW_ERR_IO;
    }
}

static bool is_below(const char *path, const char *root)
{
    size_t len = strlen(root);
    if (len > 0 && root[len - 1] == '/') /* only "/" itself */
        len--;
    return strncmp(path, root, len) == 0 && path[len] == '/';
}

/* The real place of root/path, if it is below root's own. */
static int resolve(struct opening *opening, char real[PATH_MAX])
{
    char real_root[PATH_MAX];
    opening->text[opening->root_len] = '\0';
    bool has_root = realpath(opening->text, real_root);
    opening->text[opening->root_len] = '/';
    if (!has_root || !realpath(opening->text, real))
        return err_of_errno();
    return is_below(real, real_root) ? MW_OK : MW_ERR_NOT_FOUND;
}

static int check_kind(const struct stat *info)
{
    if (S_ISDIR(info->st_mode))
        return MW_ERR_BAD_ARG;
    return S_ISREG(info->st_mode) ? MW_OK : MW_ERR_NOT_FOUND;
}

static struct mw_file_info describe(const struct stat *info)
{
    return (struct mw_file_info){
        .size = (uint64_t)info->st_size,
        .modified_s = info->st_mtim.tv_sec,
        .modified_ns = (uint32_t)info->st_mtim.tv_nsec,
        .inode = info->st_ino,
    };
}

/* O_NONBLOCK: opening a pipe would wait for a writer. It changes nothing for a regular file. */
static int open_real(struct opening *opening, const char *real)
{
    int fd = open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_of_errno();
    struct stat info;
    int err = fstat(fd, &info) < 0 ? MW_ERR_IO : check_kind(&info);
    if (err < 0) {
        close(fd);
        return err;
    }
    opening->file->fd = fd;
    opening->info = describe(&info);
    return MW_OK;
}

static void run_open(struct mw_job *job)
{
    struct opening *opening = MW_OWNER(job, struct opening, job);
    char real[PATH_MAX];
    opening->err = resolve(opening, real);
    if (opening->err == MW_OK)
        opening->err = open_real(opening, real);
}

/* ---- opening: on the loop ---- */

static void free_opening(struct opening *opening)
{
    mw_free(mw_loop_mem(opening->loop), opening, opening->bytes);
}

static void free_file(struct mw_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    mw_free(mw_loop_mem(file->loop), file, sizeof(*file));
}

static void on_opened(struct mw_job *job)
{
    struct opening *opening = MW_OWNER(job, struct opening, job);
    if (opening->err == MW_OK) {
        opening->opened(opening->ctx, MW_OK, opening->file, &opening->info);
    } else {
        free_file(opening->file);
        opening->opened(opening->ctx, opening->err, NULL, NULL);
    }
    free_opening(opening);
}

static struct mw_file *new_file(struct mw_loop *loop)
{
    struct mw_file *file = mw_alloc_zero(mw_loop_mem(loop), sizeof(*file));
    if (file) {
        file->loop = loop;
        file->fd = -1;
    }
    return file;
}

static struct opening *new_opening(struct mw_loop *loop, const char *root, struct mw_view path)
{
    size_t root_len = strlen(root);
    size_t bytes = sizeof(struct opening) + root_len + 1 + path.len + 1;
    struct opening *opening = mw_alloc_zero(mw_loop_mem(loop), bytes);
    if (!opening)
        return NULL;
    opening->loop = loop;
    opening->bytes = bytes;
    opening->root_len = root_len;
    memcpy(opening->text, root, root_len);
    opening->text[root_len] = '/';
    memcpy(opening->text + root_len + 1, path.data, path.len);
    return opening;
}

int mw_file_open(struct mw_loop *loop, const char *root, struct mw_view path,
                 mw_file_opened_fn *opened, void *ctx)
{
    if (path.len == 0 || mw_view_find(path, '\0', 0) < path.len)
        return MW_ERR_BAD_ARG;
    struct mw_file *file = new_file(loop);
    struct opening *opening = file ? new_opening(loop, root, path) : NULL;
    int err = MW_ERR_NOMEM;
    if (!opening)
        goto fail;
    opening->job = (struct mw_job){ run_open, on_opened };
    opening->file = file;
    opening->opened = opened;
    opening->ctx = ctx;
    err = mw_offload(loop, &opening->job);
    if (err == MW_OK)
        return MW_OK;
    free_opening(opening);
fail:
    if (file)
        free_file(file);
    return err;
}

/* ---- reading ---- */

static void run_read(struct mw_job *job)
{
    struct mw_file *file = MW_OWNER(job, struct mw_file, job);
    ssize_t count;
    do
        count = pread(file->fd, file->out, file->len, (off_t)file->offset);
    while (count < 0 && errno == EINTR);
    file->count = count < 0 ? MW_ERR_IO : (long)count;
}

static void on_read(struct mw_job *job)
{
    struct mw_file *file = MW_OWNER(job, struct mw_file, job);
    mw_file_read_fn *done = file->done;
    void *ctx = file->ctx;
    long count = file->is_closed ? MW_ERR_CLOSED : file->count;
    file->done = NULL;
    if (file->is_closed)
        free_file(file);
    done(ctx, count); /* which may read on, or close the file */
}

int mw_file_read(struct mw_file *file, uint64_t offset, char *out, size_t len,
                 mw_file_read_fn *done, void *ctx)
{
    mw_assert(!file->done && !file->is_closed);
    if (offset > INT64_MAX)
        return MW_ERR_BAD_ARG;
    file->job = (struct mw_job){ run_read, on_read };
    file->offset = offset;
    file->out = out;
    file->len = len;
    int err = mw_offload(file->loop, &file->job);
    if (err < 0)
        return err;
    file->done = done;
    file->ctx = ctx;
    return MW_OK;
}

void mw_file_close(struct mw_file *file)
{
    if (!file)
        return;
    if (file->done)
        file->is_closed = true;
    else
        free_file(file);
}
