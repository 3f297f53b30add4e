/*
 * A byte stream over TCP. Never interprets a byte, never queues: what the kernel does not take at
 * once stays with its owner until libuv has brought it away.
 *
 * Stream and handle are one block; only a write that stays in flight costs another, for as long as
 * it is there. Nothing else is allocated per connection.
 *
 * Of the two directions only reading tells that a connection is gone. So when a write finds it out,
 * the socket is shut down and read to its end, whether the owner reads or not: `end` comes by the
 * ordinary way out of the loop, and never out of a call of the owner's.
 */
#define _GNU_SOURCE
#include "core/io/tcp.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/io/debug.h"
#include "core/io/loop_uv.h"
#include "core/io/parcel.h"

struct flight; /* a write on its way */

struct tcp {
    struct mw_stream stream;
    struct mw_loop *loop;
    struct flight *flight; /* NULL: none */
    uv_tcp_t handle;
    bool is_wanted;   /* the owner wants to read */
    bool is_broken;   /* a write found the peer gone */
    bool is_ended;    /* `end` has been told */
    bool is_finished; /* the owner writes no more */
};

struct flight {
    uv_write_t request;
    struct tcp *tcp;
};

static struct tcp *from_stream(const struct mw_stream *stream)
{
    return MW_OWNER(stream, struct tcp, stream);
}

static bool is_closing(const struct tcp *tcp)
{
    return uv_is_closing((const uv_handle_t *)&tcp->handle);
}

static void shut_down(struct tcp *tcp, int how)
{
    uv_os_fd_t socket;
    if (uv_fileno((const uv_handle_t *)&tcp->handle, &socket) == 0)
        (void)shutdown(socket, how); /* fails where the peer is gone: all the same */
}

/* ---- reading ---- */

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct tcp *tcp = MW_OWNER(handle, struct tcp, handle);
    (void)suggested;
    *out = uv_buf_init(mw_loop_read_buffer(tcp->loop),
                       (unsigned)mw_debug_read_bytes(MW_LOOP_READ_BYTES));
}

static void on_end(struct tcp *tcp, ssize_t status)
{
    tcp->is_ended = true;
    (void)uv_read_stop((uv_stream_t *)&tcp->handle);
    bool is_fin = status == UV_EOF && !tcp->is_broken;
    tcp->stream.events->end(tcp->stream.owner, is_fin ? MW_STREAM_FIN : MW_STREAM_RESET);
}

static void on_read(uv_stream_t *handle, ssize_t count, const uv_buf_t *buffer)
{
    struct tcp *tcp = MW_OWNER(handle, struct tcp, handle);
    if (count < 0)
        on_end(tcp, count);
    else if (count > 0 && tcp->is_wanted) /* a broken stream is read to its end unasked */
        tcp->stream.events->read(tcp->stream.owner, buffer->base, (size_t)count);
}

static void update_reading(struct tcp *tcp)
{
    uv_stream_t *handle = (uv_stream_t *)&tcp->handle;
    bool is_on = (tcp->is_wanted || tcp->is_broken) && !tcp->is_ended && !is_closing(tcp);
    if (is_on)
        (void)uv_read_start(handle, lend_buffer, on_read);
    else
        (void)uv_read_stop(handle);
}

static void set_reading(struct mw_stream *stream, bool on)
{
    struct tcp *tcp = from_stream(stream);
    mw_assert(stream->events || !on);
    tcp->is_wanted = on;
    update_reading(tcp);
}

/* ---- writing ---- */

static long break_off(struct tcp *tcp)
{
    tcp->is_broken = true;
    shut_down(tcp, SHUT_RDWR);
    update_reading(tcp);
    return MW_ERR_CLOSED;
}

static void on_flown(uv_write_t *request, int status)
{
    struct flight *flight = MW_OWNER(request, struct flight, request);
    struct tcp *tcp = flight->tcp;
    mw_free(mw_loop_mem(tcp->loop), flight, sizeof(*flight));
    tcp->flight = NULL;
    if (is_closing(tcp))
        return;
    if (status < 0)
        break_off(tcp);
    else if (tcp->is_finished)
        shut_down(tcp, SHUT_WR);
    tcp->stream.events->written(tcp->stream.owner);
}

/* The bytes of `vectors` after the first `skip` and before `end` as libuv's; gives their number. */
static unsigned take_slice(const struct mw_view *vectors, size_t count, size_t skip, size_t end,
                           uv_buf_t *out)
{
    unsigned taken = 0;
    size_t begin = 0; /* of the vector in hand */
    for (size_t i = 0; i < count && begin < end; begin += vectors[i++].len) {
        size_t from = begin < skip ? skip - begin : 0;
        size_t to = vectors[i].len < end - begin ? vectors[i].len : end - begin;
        if (from < to)
            out[taken++] = (uv_buf_t){ (char *)vectors[i].data + from, to - from };
    }
    return taken;
}

static size_t sum_of(const struct mw_view *vectors, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += vectors[i].len;
    return sum;
}

/* A count, or a negative status of libuv. */
static int write_now(struct tcp *tcp, const struct mw_view *vectors, size_t count, size_t len)
{
    uv_buf_t buffers[MW_STREAM_MAX_VECTORS];
    unsigned used = take_slice(vectors, count, 0, mw_debug_write_bytes(len), buffers);
    int taken = uv_try_write((uv_stream_t *)&tcp->handle, buffers, used);
    return taken == UV_EAGAIN ? 0 : taken;
}

static bool send_off(struct tcp *tcp, const struct mw_view *vectors, size_t count, size_t skip,
                     size_t len)
{
    struct flight *flight = mw_alloc(mw_loop_mem(tcp->loop), sizeof(*flight));
    if (!flight)
        return false;
    uv_buf_t buffers[MW_STREAM_MAX_VECTORS];
    unsigned used = take_slice(vectors, count, skip, len, buffers);
    flight->tcp = tcp;
    uv_stream_t *handle = (uv_stream_t *)&tcp->handle;
    if (uv_write(&flight->request, handle, buffers, used, on_flown) < 0) {
        mw_free(mw_loop_mem(tcp->loop), flight, sizeof(*flight));
        return false;
    }
    tcp->flight = flight;
    return true;
}

static long write_vectors(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct tcp *tcp = from_stream(stream);
    mw_assert(!tcp->flight && count <= MW_STREAM_MAX_VECTORS);
    if (tcp->is_broken || tcp->is_finished || is_closing(tcp))
        return MW_ERR_CLOSED;
    size_t len = sum_of(vectors, count);
    if (len == 0)
        return 0;
    int taken = write_now(tcp, vectors, count, len);
    if (taken < 0)
        return break_off(tcp);
    if ((size_t)taken < len && !send_off(tcp, vectors, count, (size_t)taken, len))
        return break_off(tcp);
    return taken;
}

/* By shutdown(2) and not by libuv's request for it: that would be a block of memory more. */
static void finish(struct mw_stream *stream)
{
    struct tcp *tcp = from_stream(stream);
    tcp->is_finished = true;
    if (!tcp->flight && !is_closing(tcp))
        shut_down(tcp, SHUT_WR);
}

/* ---- the rest ---- */

static void on_closed(uv_handle_t *handle)
{
    struct tcp *tcp = MW_OWNER(handle, struct tcp, handle);
    if (tcp->stream.events)
        tcp->stream.events->closed(tcp->stream.owner);
    mw_free(mw_loop_mem(tcp->loop), tcp, sizeof(*tcp));
}

static void close_stream(struct mw_stream *stream, bool reset)
{
    struct tcp *tcp = from_stream(stream);
    if (MW_NEVER_IF(is_closing(tcp)))
        return;
    if (!reset || uv_tcp_close_reset(&tcp->handle, on_closed) < 0)
        uv_close((uv_handle_t *)&tcp->handle, on_closed);
}

/* Where one socket hears IPv4 and IPv6, an IPv4 peer comes as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
static const char *without_mapping(const char *address)
{
    static const char mapped[] = "::ffff:";
    size_t len = sizeof(mapped) - 1;
    return strncmp(address, mapped, len) == 0 && strchr(address, '.') ? address + len : address;
}

static void tell_peer(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    struct sockaddr_storage address;
    int len = sizeof(address);
    char text[MW_STREAM_ADDRESS_LEN];
    out[0] = '\0';
    if (uv_tcp_getpeername(&from_stream(stream)->handle, (struct sockaddr *)&address, &len) < 0)
        return;
    if (uv_ip_name((const struct sockaddr *)&address, text, sizeof(text)) < 0)
        return;
    const char *plain = without_mapping(text);
    memcpy(out, plain, strlen(plain) + 1);
}

static size_t untaken(const struct mw_stream *stream)
{
    const struct tcp *tcp = from_stream(stream);
    uv_os_fd_t socket;
    int in_kernel = 0;
    size_t bytes = uv_stream_get_write_queue_size((const uv_stream_t *)&tcp->handle);
    if (uv_fileno((const uv_handle_t *)&tcp->handle, &socket) == 0 &&
        ioctl(socket, TIOCOUTQ, &in_kernel) == 0) /* SIOCOUTQ by its other name */
        bytes += (size_t)in_kernel;
    return bytes;
}

/*
 * libuv has no way to take a socket back from it. So there is a second descriptor of it, and with
 * the handle only the first goes.
 */
static int pack(struct mw_stream *stream, struct mw_parcel *out)
{
    struct tcp *tcp = from_stream(stream);
    uv_os_fd_t socket;
    if (tcp->is_broken || tcp->is_finished || is_closing(tcp) ||
        uv_fileno((const uv_handle_t *)&tcp->handle, &socket) < 0)
        return MW_ERR_CLOSED;
    int copy = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return MW_ERR_IO;
    *out = (struct mw_parcel){
        .socket = copy,
        .unsent_bytes = uv_stream_get_write_queue_size((const uv_stream_t *)&tcp->handle),
    };
    uv_close((uv_handle_t *)&tcp->handle, on_closed);
    return MW_OK;
}

static const struct mw_stream_ops ops = {
    .set_reading = set_reading,
    .write = write_vectors,
    .finish = finish,
    .close = close_stream,
    .peer = tell_peer,
    .untaken = untaken,
    .pack = pack,
};

struct mw_stream *mw_tcp_adopt(struct mw_loop *loop, int socket)
{
    struct tcp *tcp = mw_alloc_zero(mw_loop_mem(loop), sizeof(*tcp));
    if (!tcp) {
        close(socket);
        return NULL;
    }
    tcp->stream.ops = &ops;
    tcp->loop = loop;
    (void)uv_tcp_init(mw_loop_uv(loop), &tcp->handle);
    if (uv_tcp_open(&tcp->handle, socket) < 0) {
        close(socket);
        uv_close((uv_handle_t *)&tcp->handle, on_closed);
        return NULL;
    }
    (void)uv_tcp_nodelay(&tcp->handle, 1);
    return &tcp->stream;
}
