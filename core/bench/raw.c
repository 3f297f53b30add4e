/*
 * Sockets without a library between. A short read says that a socket is empty, for only a new edge
 * can bring more; a hang-up is read to its end at once. Called by drive and, as mw_stream, by peer.
 */
#include "core/bench/raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/io/sockaddr.h"

#define EVENTS     512
#define READ_BYTES 262144

struct mw_raw {
    struct mw_mem *mem;
    int epoll;
    bool is_stopped;
    struct mw_link closing; /* streams whose `closed` is due */
    struct epoll_event events[EVENTS];
    char buffer[READ_BYTES];
};

/* What the kernel did not take. */
struct rest {
    struct mw_view vectors[MW_STREAM_MAX_VECTORS];
    size_t first, count;
};

struct socket {
    struct mw_stream stream;
    struct mw_raw *raw;
    int fd;
    bool is_knocking, is_reading, is_closed;
    struct rest *rest; /* NULL: nothing is in flight */
    struct mw_link link;
    void (*done)(void *owner, int error);
    void *owner; /* of done */
};

/* ---- closing ---- */

static void close_socket(struct socket *it)
{
    it->is_closed = true;
    close(it->fd);
    mw_list_push(&it->raw->closing, &it->link);
}

static void op_close(struct mw_stream *stream, bool reset)
{
    struct socket *it = MW_OWNER(stream, struct socket, stream);
    const struct linger linger = { .l_onoff = 1 };
    if (it->is_closed)
        return;
    if (reset)
        (void)setsockopt(it->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close_socket(it);
}

static void free_closed(struct mw_raw *raw)
{
    struct mw_link *link;
    while ((link = mw_list_pop(&raw->closing))) {
        struct socket *it = MW_OWNER(link, struct socket, link);
        if (it->stream.events)
            it->stream.events->closed(it->stream.owner);
        if (it->rest)
            mw_free(raw->mem, it->rest, sizeof *it->rest);
        mw_free(raw->mem, it, sizeof *it);
    }
}

/* ---- out ---- */

static ssize_t send_parts(int fd, const struct mw_view *vectors, size_t count)
{
    struct iovec parts[MW_STREAM_MAX_VECTORS];
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct iovec){ (void *)(uintptr_t)vectors[i].data, vectors[i].len };
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Gone, or the kernel is full: the latter is no error. */
static long send_some(int fd, const struct mw_view *vectors, size_t count)
{
    ssize_t sent = count == 1 ? send(fd, vectors->data, vectors->len, MSG_NOSIGNAL)
                              : send_parts(fd, vectors, count);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return MW_ERR_CLOSED;
    return sent < 0 ? 0 : (long)sent;
}

/* Leaves in vectors[*first ..] what was not taken. */
static void cut(struct mw_view *vectors, size_t *first, size_t count, size_t taken)
{
    while (*first < count && taken >= vectors[*first].len)
        taken -= vectors[(*first)++].len;
    if (*first < count)
        vectors[*first] = mw_view(vectors[*first].data + taken, vectors[*first].len - taken);
}

static long keep_rest(struct socket *it, const struct mw_view *vectors, size_t count, size_t taken)
{
    it->rest = mw_alloc(it->raw->mem, sizeof *it->rest);
    if (!it->rest) {
        (void)shutdown(it->fd, SHUT_RDWR); /* an end follows from the loop */
        return MW_ERR_CLOSED;
    }
    memcpy(it->rest->vectors, vectors, count * sizeof *vectors);
    it->rest->first = 0;
    it->rest->count = count;
    cut(it->rest->vectors, &it->rest->first, count, taken);
    return (long)taken;
}

static long op_write(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct socket *it = MW_OWNER(stream, struct socket, stream);
    size_t sum = vectors->len;
    mw_assert(!it->rest && count > 0 && count <= MW_STREAM_MAX_VECTORS);
    for (size_t i = 1; i < count; i++)
        sum += vectors[i].len;
    long taken = send_some(it->fd, vectors, count);
    if (taken < 0 || (size_t)taken == sum)
        return taken;
    return keep_rest(it, vectors, count, (size_t)taken);
}

static void end(struct socket *it, enum mw_stream_end how)
{
    it->is_reading = false;
    it->stream.events->end(it->stream.owner, how);
}

static void write_rest(struct socket *it)
{
    struct rest *rest = it->rest;
    long taken = send_some(it->fd, rest->vectors + rest->first, rest->count - rest->first);
    if (taken < 0) {
        end(it, MW_STREAM_RESET);
        return;
    }
    cut(rest->vectors, &rest->first, rest->count, (size_t)taken);
    if (rest->first < rest->count)
        return;
    mw_free(it->raw->mem, rest, sizeof *rest);
    it->rest = NULL;
    it->stream.events->written(it->stream.owner);
}

/* ---- in ---- */

static void read_all(struct socket *it, bool to_the_end)
{
    ssize_t len = READ_BYTES;
    while (it->is_reading && !it->is_closed && (len == READ_BYTES || (to_the_end && len > 0))) {
        len = recv(it->fd, it->raw->buffer, READ_BYTES, 0);
        if (len > 0)
            it->stream.events->read(it->stream.owner, it->raw->buffer, (size_t)len);
        else if (len == 0)
            end(it, MW_STREAM_FIN);
        else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            end(it, MW_STREAM_RESET);
    }
}

static void op_set_reading(struct mw_stream *stream, bool on)
{
    MW_OWNER(stream, struct socket, stream)->is_reading = on;
}

static void op_finish(struct mw_stream *stream)
{
    (void)shutdown(MW_OWNER(stream, struct socket, stream)->fd, SHUT_WR);
}

static const struct mw_stream_ops ops = {
    .set_reading = op_set_reading,
    .write = op_write,
    .finish = op_finish,
    .close = op_close,
};

/* ---- connecting ---- */

static int connect_socket(struct socket *it, const struct mw_raw_knock *knock)
{
    struct sockaddr_storage address;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = it };
    int on = 1;
    socklen_t len = mw_sockaddr_put(&address, &knock->to, knock->port);
    it->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (it->fd < 0)
        return errno;
    (void)setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int error = mw_sockaddr_bind_source(it->fd, &knock->from);
    if (!error && connect(it->fd, (const struct sockaddr *)&address, len) != 0 &&
        errno != EINPROGRESS)
        error = errno;
    if (!error && epoll_ctl(it->raw->epoll, EPOLL_CTL_ADD, it->fd, &event) != 0)
        error = errno;
    if (error)
        close(it->fd);
    return error;
}

int mw_raw_knock(struct mw_raw *raw, const struct mw_raw_knock *knock, struct mw_stream **out)
{
    struct socket *it = mw_alloc_zero(raw->mem, sizeof *it);
    if (!it)
        return ENOMEM;
    mw_list_init(&it->link);
    it->stream.ops = &ops;
    it->raw = raw;
    it->is_knocking = true;
    it->done = knock->done;
    it->owner = knock->owner;
    int error = connect_socket(it, knock);
    if (error) {
        mw_free(raw->mem, it, sizeof *it);
        return error;
    }
    *out = &it->stream;
    return 0;
}

static void finish_knock(struct socket *it)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    it->is_knocking = false;
    if (error)
        close_socket(it);
    it->done(it->owner, error);
}

/* ---- the loop ---- */

static void on_event(struct socket *it, uint32_t events)
{
    if (it->is_knocking && !it->is_closed) {
        finish_knock(it);
        events &= ~(uint32_t)EPOLLOUT;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && it->is_reading && !it->is_closed)
        read_all(it, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    if ((events & EPOLLOUT) && it->rest && !it->is_closed)
        write_rest(it);
}

int mw_raw_new(struct mw_mem *mem, struct mw_raw **out)
{
    struct mw_raw *raw = mw_alloc(mem, sizeof *raw);
    if (!raw)
        return MW_ERR_NOMEM;
    raw->mem = mem;
    raw->is_stopped = false;
    mw_list_init(&raw->closing);
    raw->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (raw->epoll < 0) {
        mw_free(mem, raw, sizeof *raw);
        return MW_ERR_IO;
    }
    *out = raw;
    return MW_OK;
}

void mw_raw_free(struct mw_raw *raw)
{
    if (!raw)
        return;
    close(raw->epoll);
    mw_free(raw->mem, raw, sizeof *raw);
}

void mw_raw_run(struct mw_raw *raw, int (*turn)(void *owner), void *owner)
{
    while (!raw->is_stopped) {
        int wait_ms = turn(owner);
        int count = epoll_wait(raw->epoll, raw->events, EVENTS,
                               mw_list_is_empty(&raw->closing) ? wait_ms : 0);
        for (int i = 0; i < count; i++)
            on_event(raw->events[i].data.ptr, raw->events[i].events);
        free_closed(raw);
    }
    free_closed(raw);
}

void mw_raw_stop(struct mw_raw *raw)
{
    raw->is_stopped = true;
}
