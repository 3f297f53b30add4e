/*
 * The loop's own epoll descriptor and who is told by it. Knows no stream and no byte: tcp.c reads
 * and writes, acceptor.c accepts, loop.c says when the kernel is asked.
 *
 * A socket may be closed while what the kernel told of it still waits in `told`: its memory stays
 * until the end of the turn, and until then its descriptor of -1 says that nothing is to be told.
 * No other process has our descriptors (nothing here forks), so that close(2) alone takes them out
 * of the kernel's set.
 */
#include "core/io/ready.h"

#include <unistd.h>

static bool ask_kernel(struct mw_ready *ready, int how)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = ready };
    if (ready->knows_write)
        event.events |= EPOLLOUT;
    return epoll_ctl(mw_loop_ready(ready->loop)->epoll, how, ready->fd, &event) == 0;
}

int mw_ready_open(struct mw_loop *loop, struct mw_ready *ready, int fd,
                  void (*tell)(struct mw_loop *loop, struct mw_ready *ready, unsigned what))
{
    *ready = (struct mw_ready){ .tell = tell, .loop = loop, .fd = fd };
    if (!ask_kernel(ready, EPOLL_CTL_ADD))
        return MW_ERR_IO;
    mw_loop_ready(loop)->count++;
    return MW_OK;
}

/* A change of what is asked for makes the kernel look, and tell what is so already. */
static void look_again(struct mw_ready *ready)
{
    unsigned due = ready->wanted & ready->missed;
    if (due & MW_READY_WRITE)
        ready->knows_write = true;
    if (due)
        (void)MW_ALWAYS(ask_kernel(ready, EPOLL_CTL_MOD));
    ready->missed &= (uint8_t)~due;
}

void mw_ready_want(struct mw_ready *ready, unsigned wanted)
{
    ready->wanted = (uint8_t)wanted;
    look_again(ready);
}

void mw_ready_again(struct mw_ready *ready, unsigned what)
{
    ready->missed |= (uint8_t)what;
    look_again(ready);
}

static void leave(struct mw_ready *ready)
{
    struct mw_ready_set *set = mw_loop_ready(ready->loop);
    ready->fd = -1;
    ready->next = NULL;
    *set->end = ready;
    set->end = &ready->next;
}

void mw_ready_close(struct mw_ready *ready)
{
    close(ready->fd);
    leave(ready);
}

int mw_ready_give(struct mw_ready *ready)
{
    int fd = ready->fd;
    (void)epoll_ctl(mw_loop_ready(ready->loop)->epoll, EPOLL_CTL_DEL, fd, NULL);
    leave(ready);
    return fd;
}

/* ---- those of one loop ---- */

int mw_ready_set_open(struct mw_ready_set *set, int guest)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    set->end = &set->closed;
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0)
        return MW_ERR_IO;
    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, guest, &event) == 0)
        return MW_OK;
    close(set->epoll);
    return MW_ERR_IO;
}

void mw_ready_set_close(struct mw_ready_set *set)
{
    close(set->epoll);
}

int mw_ready_set_ask(struct mw_ready_set *set, int wait_ms)
{
    int count = epoll_wait(set->epoll, set->told, MW_READY_BATCH, wait_ms);
    return count > 0 ? count : 0; /* a signal is no event */
}

/* An error or a hang-up is told to who reads and to who writes: the call on the socket says it. */
static unsigned what_of(uint32_t events)
{
    unsigned what = 0;
    if (events & (EPOLLERR | EPOLLHUP))
        return MW_READY_READ | MW_READY_WRITE | MW_READY_STOPS;
    if (events & EPOLLOUT)
        what |= MW_READY_WRITE;
    if (events & EPOLLIN)
        what |= MW_READY_READ;
    if (events & (EPOLLRDHUP | EPOLLPRI))
        what |= MW_READY_READ | MW_READY_STOPS;
    return what;
}

static void tell_one(struct mw_loop *loop, struct mw_ready *ready, uint32_t events)
{
    unsigned what = what_of(events);
    unsigned wanted = what & ready->wanted;
    ready->missed |= (uint8_t)(what & ~wanted & (MW_READY_READ | MW_READY_WRITE));
    if (wanted)
        ready->tell(loop, ready, wanted | (what & MW_READY_STOPS));
}

bool mw_ready_set_tell(struct mw_ready_set *set, struct mw_loop *loop, int count)
{
    bool has_guest = false;
    for (int i = 0; i < count; i++) {
        struct mw_ready *ready = set->told[i].data.ptr;
        if (!ready)
            has_guest = true;
        else if (!mw_ready_is_closed(ready))
            tell_one(loop, ready, set->told[i].events);
    }
    return has_guest;
}

void mw_ready_set_tell_closed(struct mw_ready_set *set, struct mw_loop *loop)
{
    struct mw_ready *closed = set->closed;
    set->closed = NULL;
    set->end = &set->closed;
    while (closed) {
        struct mw_ready *ready = closed;
        closed = ready->next;
        set->count--;
        ready->tell(loop, ready, MW_READY_CLOSED);
    }
}
