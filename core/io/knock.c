/*
 * socket, bind, connect, and a look at how it went. Never tries twice. Called by bench/load, which
 * has its own idea of patience.
 */
#include "core/io/knock.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/io/loop_uv.h"
#include "core/io/sockaddr.h"
#include "core/io/tcp.h"

struct mw_knock {
    uv_poll_t poll;
    struct mw_loop *loop;
    int socket; /* -1: given away, or closed */
    struct mw_knock_setup setup;
};

static void on_closed(uv_handle_t *handle)
{
    struct mw_knock *knock = MW_OWNER(handle, struct mw_knock, poll);
    mw_free(mw_loop_mem(knock->loop), knock, sizeof *knock);
}

static void let_go(struct mw_knock *knock)
{
    (void)uv_poll_stop(&knock->poll);
    uv_close((uv_handle_t *)&knock->poll, on_closed);
}

/*
 * The loop lets go of the socket before the stream takes it; what is then left of the knock has no
 * descriptor.
 */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct mw_knock *knock = MW_OWNER(poll, struct mw_knock, poll);
    struct mw_stream *stream = 0;
    int error = 0, fd = knock->socket;
    socklen_t len = sizeof error;
    (void)status;
    (void)events;
    knock->socket = -1;
    let_go(knock);
    mw_tcp_hurry(fd);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0 && !(stream = mw_tcp_adopt(knock->loop, fd)))
        error = ENOMEM;
    else if (error)
        close(fd);
    knock->setup.done(knock->setup.owner, stream, error);
}

static int open_socket(struct mw_knock *knock)
{
    struct sockaddr_storage address;
    socklen_t len = mw_sockaddr_put(&address, &knock->setup.to, knock->setup.port);
    knock->socket = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (knock->socket < 0)
        return errno;
    int error = mw_sockaddr_bind_source(knock->socket, &knock->setup.from);
    if (!error && connect(knock->socket, (const struct sockaddr *)&address, len) != 0 &&
        errno != EINPROGRESS)
        error = errno;
    return error;
}

int mw_knock_start(struct mw_loop *loop, const struct mw_knock_setup *setup, struct mw_knock **out)
{
    struct mw_knock *knock = mw_alloc_zero(mw_loop_mem(loop), sizeof *knock);
    if (!knock)
        return ENOMEM;
    knock->loop = loop;
    knock->setup = *setup;
    int error = open_socket(knock);
    if (!error && uv_poll_init(mw_loop_uv(loop), &knock->poll, knock->socket) < 0)
        error = EMFILE;
    if (error) {
        if (knock->socket >= 0)
            close(knock->socket);
        mw_free(mw_loop_mem(loop), knock, sizeof *knock);
        return error;
    }
    (void)uv_poll_start(&knock->poll, UV_WRITABLE, on_ready);
    *out = knock;
    return 0;
}

void mw_knock_cancel(struct mw_knock *knock)
{
    let_go(knock);
    close(knock->socket);
    knock->socket = -1;
}
