/*
 * Accepts until nobody waits, or so many as a turn allows. In a shortage of descriptors those who
 * wait stay in the kernel's queue until there is room again. Knows no addresses.
 */
#define _GNU_SOURCE /* accept4 */
#include "core/io/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/io/tcp.h"

#define PAUSE_MS 100 /* without descriptors or memory: time for some connection to end */

/* Whoever may raise it does so while the process runs (prlimit(1)): it is asked for at each start.
 */
static uint64_t descriptor_limit(void)
{
    struct rlimit limit;
    bool is_known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_known ? limit.rlim_cur : INT_MAX;
}

void mw_acceptor_take_care(struct mw_acceptor *acceptor, const struct mw_accept_care *care)
{
    acceptor->care = *care;
    acceptor->most = descriptor_limit();
}

static void start_accepting(struct mw_alarm *alarm)
{
    struct mw_acceptor *acceptor = MW_OWNER(alarm, struct mw_acceptor, go_on);
    acceptor->most = descriptor_limit();
    mw_ready_want(&acceptor->ready, MW_READY_READ);
}

static void tell(struct mw_acceptor *acceptor, int why)
{
    bool is_new = acceptor->why != why;
    acceptor->why = why;
    if (is_new && acceptor->care.pauses)
        acceptor->care.pauses(acceptor->ctx, why);
}

static void pause_accepting(struct mw_acceptor *acceptor, int why)
{
    mw_ready_want(&acceptor->ready, 0);
    mw_ready_again(&acceptor->ready, MW_READY_READ); /* for those who wait: when it goes on */
    mw_alarm_set(acceptor->loop, &acceptor->go_on,
                 mw_ms_add(mw_loop_now(acceptor->loop), PAUSE_MS));
    tell(acceptor, why);
}

/*
 * The kernel gives the lowest descriptor that is free, so its number tells how many are left: fewer
 * than all above it.
 */
static bool is_above(const struct mw_acceptor *acceptor, uint64_t fd, uint64_t left)
{
    return left > 0 && fd + left >= acceptor->most;
}

/* Looked for only where the last one who came had the last descriptor that may be had. */
static bool has_room(const struct mw_acceptor *acceptor)
{
    uint64_t kept_back = acceptor->care.kept_back;
    if (!is_above(acceptor, acceptor->newest + 1, kept_back))
        return true;
    int lowest = fcntl(acceptor->socket, F_DUPFD_CLOEXEC, 0);
    if (lowest >= 0)
        close(lowest);
    return lowest >= 0 && !is_above(acceptor, (uint64_t)lowest, kept_back);
}

bool mw_acceptor_is_last(const struct mw_acceptor *acceptor)
{
    const struct mw_accept_care *care = &acceptor->care;
    return care->last_ones > 0 &&
           is_above(acceptor, acceptor->newest, (uint64_t)care->kept_back + care->last_ones);
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
    if (!has_room(acceptor)) {
        pause_accepting(acceptor, EMFILE);
        return false;
    }
    int fd = accept4(acceptor->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        if (is_shortage(why))
            pause_accepting(acceptor, why);
        /* Any other error is of a connection that died while it waited. */
        return why != EAGAIN && !is_shortage(why);
    }
    acceptor->newest = (uint64_t)fd;
    tell(acceptor, 0);
    let_in(acceptor, fd);
    return !mw_ready_is_closed(&acceptor->ready);
}

static void accept_some(struct mw_acceptor *acceptor)
{
    for (unsigned i = 0; i < acceptor->per_turn; i++) {
        if (!accept_one(acceptor))
            return;
    }
    mw_ready_again(&acceptor->ready, MW_READY_READ);
}

static void on_ready(struct mw_loop *loop, struct mw_ready *ready, unsigned what)
{
    struct mw_acceptor *acceptor = MW_OWNER(ready, struct mw_acceptor, ready);
    (void)loop;
    if (what & MW_READY_CLOSED)
        acceptor->closed(acceptor);
    else
        accept_some(acceptor);
}

void mw_acceptor_take_rest(struct mw_acceptor *acceptor)
{
    for (unsigned i = 0; i < MW_LISTENER_BACKLOG; i++) {
        if (!accept_one(acceptor))
            return;
    }
}

int mw_acceptor_open(struct mw_acceptor *acceptor)
{
    int err = mw_ready_open(acceptor->loop, &acceptor->ready, acceptor->socket, on_ready);
    if (err)
        return err;
    mw_tcp_hurry(acceptor->socket);
    mw_alarm_init(&acceptor->go_on, start_accepting);
    start_accepting(&acceptor->go_on);
    return MW_OK;
}

void mw_acceptor_close(struct mw_acceptor *acceptor)
{
    mw_alarm_stop(acceptor->loop, &acceptor->go_on);
    mw_ready_close(&acceptor->ready);
}
