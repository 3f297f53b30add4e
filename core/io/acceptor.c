/*
 * accept(2) is called here and not by libuv, because libuv answers a shortage of descriptors by
 * closing the connections that wait. Here they stay in the kernel's queue until there is room
 * again. Knows no addresses.
 */
#define _GNU_SOURCE /* accept4 */
#include "core/io/acceptor.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/io/tcp.h"

#define PAUSE_MS 100 /* without descriptors or memory: time for some connection to end */

static void on_connection(uv_poll_t *poll, int status, int events);

static void start_accepting(struct mw_alarm *alarm)
{
    struct mw_acceptor *acceptor = MW_OWNER(alarm, struct mw_acceptor, go_on);
    (void)uv_poll_start(&acceptor->poll, UV_READABLE, on_connection);
}

static void pause_accepting(struct mw_acceptor *acceptor)
{
    (void)uv_poll_stop(&acceptor->poll);
    mw_alarm_set(acceptor->loop, &acceptor->go_on,
                 mw_ms_add(mw_loop_now(acceptor->loop), PAUSE_MS));
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void let_in(struct mw_acceptor *acceptor, int fd)
{
    if (acceptor->lets_in && !acceptor->lets_in(fd)) {
        close(fd);
        return;
    }
    struct mw_stream *stream = mw_tcp_adopt(acceptor->loop, fd);
    if (stream)
        acceptor->accept(acceptor->ctx, stream);
}

/* False when there is nothing more to accept in this turn. */
static bool accept_one(struct mw_acceptor *acceptor)
{
    int fd = accept4(acceptor->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (is_shortage(errno))
            pause_accepting(acceptor);
        /* Any other error is of a connection that died while it waited. */
        return errno != EAGAIN && !is_shortage(errno);
    }
    let_in(acceptor, fd);
    return !uv_is_closing((uv_handle_t *)&acceptor->poll);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct mw_acceptor *acceptor = MW_OWNER(poll, struct mw_acceptor, poll);
    (void)status;
    (void)events;
    for (unsigned i = 0; i < acceptor->per_turn; i++) {
        if (!accept_one(acceptor))
            return;
    }
}

int mw_acceptor_open(struct mw_acceptor *acceptor)
{
    int status = uv_poll_init(mw_loop_uv(acceptor->loop), &acceptor->poll, acceptor->socket);
    if (status < 0)
        return status;
    mw_alarm_init(&acceptor->go_on, start_accepting);
    start_accepting(&acceptor->go_on);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct mw_acceptor *acceptor = MW_OWNER(handle, struct mw_acceptor, poll);
    acceptor->closed(acceptor);
}

void mw_acceptor_close(struct mw_acceptor *acceptor)
{
    mw_alarm_stop(acceptor->loop, &acceptor->go_on);
    uv_close((uv_handle_t *)&acceptor->poll, on_closed);
    close(acceptor->socket);
}
