/*
 * Listens on a Unix socket and knows who is at its other end. acceptor.c accepts; the stream is
 * that of tcp.c, which asks no more of a socket than that it be a stream.
 *
 * The folder is locked while the path is looked at and bound, so that of two servers that start at
 * once none takes the other's socket for a dead one.
 */
#define _GNU_SOURCE /* O_PATH, struct ucred */
#include "core/io/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/io/acceptor.h"

#define BACKLOG          128
#define ACCEPTS_PER_TURN 16

/* Another server holds the lock for as long as a bind takes. */
#define LOCK_TRIES   100
#define LOCK_STEP_MS 10

struct mw_local {
    struct mw_acceptor acceptor;
    dev_t device; /* of the socket's file, so that nobody else's is taken away */
    ino_t inode;
    char path[PATH_MAX];
};

/* ---- the address ---- */

/* The folder of a path: "." where it names none. False: the path is too long. */
static bool folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    if (slash == path)
        len = 1; /* "/" itself */
    if (len >= PATH_MAX)
        return false;
    memcpy(out, slash ? path : ".", len);
    out[len] = '\0';
    return true;
}

/*
 * The path as an address. One that does not fit is reached by a descriptor of its folder, which is
 * put into *folder (-1: none) and must stay open until the address has been used.
 */
static int to_address(const char *path, struct sockaddr_un *out, int *folder)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *folder = -1;
    size_t len = strlen(path);
    if (len < sizeof out->sun_path) {
        memcpy(out->sun_path, path, len + 1);
        return MW_OK;
    }
    errno = ENAMETOOLONG;
    if (!slash || !folder_of(path, parent))
        return MW_ERR_IO;
    *folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return MW_ERR_IO;
    int n = snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d%s", *folder, slash);
    if (n > 0 && (size_t)n < sizeof out->sun_path)
        return MW_OK;
    close(*folder);
    *folder = -1;
    errno = ENAMETOOLONG;
    return MW_ERR_IO;
}

/* bind or connect. 0, or -1 with errno. */
static int at_path(int fd, const char *path,
                   int (*act)(int fd, const struct sockaddr *address, socklen_t len))
{
    struct sockaddr_un address;
    int folder;
    if (to_address(path, &address, &folder))
        return -1;
    int status = act(fd, (struct sockaddr *)&address, sizeof address);
    int why = errno;
    if (folder >= 0)
        close(folder);
    errno = why;
    return status;
}

static int connect_to(const char *path, int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        return MW_ERR_IO;
    if (at_path(fd, path, connect) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return why == ENOENT || why == ENOTDIR || why == ECONNREFUSED ? MW_ERR_NOT_FOUND : MW_ERR_IO;
}

int mw_local_dial(const char *path)
{
    return connect_to(path, 0);
}

/* ---- the place ---- */

/* Makes room at the path. MW_ERR_FULL: somebody is there; MW_ERR_IO with errno. */
static int clear_place(const char *path)
{
    struct stat st;
    if (lstat(path, &st))
        return errno == ENOENT ? MW_OK : MW_ERR_IO;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return MW_ERR_IO;
    }
    int fd = connect_to(path, SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || errno == EAGAIN) /* ... whose queue is full */
        return MW_ERR_FULL;
    return unlink(path) && errno != ENOENT ? MW_ERR_IO : MW_OK;
}

/* Nobody but this user may connect from the first moment on: the mode is there before the file. */
static int bind_socket(struct mw_local *local)
{
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    local->acceptor.socket = fd;
    if (fd < 0 || fchmod(fd, 0600) || at_path(fd, local->path, bind) || lstat(local->path, &st))
        return MW_ERR_IO;
    local->device = st.st_dev;
    local->inode = st.st_ino;
    return listen(fd, BACKLOG) ? MW_ERR_IO : MW_OK;
}

/* Waits for a server that takes its place just now. MW_ERR_AGAIN: it takes very long. */
static int lock_folder(int folder)
{
    const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(folder, LOCK_EX | LOCK_NB) == 0)
            return MW_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return MW_ERR_IO;
        (void)nanosleep(&step, NULL);
    }
    return MW_ERR_AGAIN;
}

static int take_place(struct mw_local *local)
{
    char folder[PATH_MAX];
    (void)folder_of(local->path, folder);
    if (mkdir(folder, 0700) && errno != EEXIST)
        return MW_ERR_IO;
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0)
        return MW_ERR_IO;
    int err = lock_folder(lock);
    if (!err)
        err = clear_place(local->path);
    if (!err)
        err = bind_socket(local);
    int why = errno;
    close(lock); /* and with it the lock */
    errno = why;
    return err;
}

static void leave_place(const struct mw_local *local)
{
    struct stat st;
    if (local->inode && lstat(local->path, &st) == 0 && st.st_dev == local->device &&
        st.st_ino == local->inode)
        (void)unlink(local->path);
}

/* ---- life ---- */

static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

static const char *reason_of(int err)
{
    if (err == MW_ERR_FULL)
        return "another server listens there";
    if (err == MW_ERR_AGAIN)
        return "its folder is locked by another process, perhaps a server that starts";
    return strerror(errno);
}

static int refuse(struct mw_local *local, int err, char why[256])
{
    (void)snprintf(why, 256, "%.160s: %s", local->path, reason_of(err));
    if (local->acceptor.socket >= 0)
        close(local->acceptor.socket);
    leave_place(local);
    mw_free(mw_loop_mem(local->acceptor.loop), local, sizeof *local);
    return err;
}

static void on_closed(struct mw_acceptor *acceptor)
{
    struct mw_local *local = MW_OWNER(acceptor, struct mw_local, acceptor);
    mw_free(mw_loop_mem(acceptor->loop), local, sizeof *local);
}

int mw_local_open(struct mw_loop *loop, const char *path,
                  void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                  struct mw_local **out, char why[256])
{
    (void)snprintf(why, 256, "out of memory");
    struct mw_local *local = mw_alloc_zero(mw_loop_mem(loop), sizeof *local);
    if (!local)
        return MW_ERR_NOMEM;
    local->acceptor = (struct mw_acceptor){
        .loop = loop,
        .socket = -1,
        .per_turn = ACCEPTS_PER_TURN,
        .lets_in = is_ours,
        .accept = accept,
        .ctx = ctx,
        .closed = on_closed,
    };
    errno = ENAMETOOLONG;
    int n = snprintf(local->path, sizeof local->path, "%s", path);
    int err = n > 0 && (size_t)n < sizeof local->path ? take_place(local) : MW_ERR_IO;
    if (err)
        return refuse(local, err, why);
    if ((err = mw_acceptor_open(&local->acceptor)) != MW_OK)
        return refuse(local, err, why);
    *out = local;
    return MW_OK;
}

void mw_local_close(struct mw_local *local)
{
    if (!local)
        return;
    leave_place(local);
    mw_acceptor_close(&local->acceptor);
}
