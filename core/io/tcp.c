/*
 * A byte stream over TCP. Never interprets a byte, never queues: what the kernel does not take at
 * once stays with its owner until it has been brought away.
 *
 * A stream is one block of 56 bytes; only a write that stays in flight costs another, for as long
 * as it is there. A message costs one recv and one send: these, and not read and write, because
 * the way through the file system is longer (a bare echo: 6.0 us a message against 6.4).
 *
 * Of the two directions only reading tells that a connection is gone. So when a write finds it out,
 * the socket is shut down and read to its end, whether the owner reads or not: `end` comes by the
 * ordinary way out of the loop, and never out of a call of the owner's.
 */
#include "core/io/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/ip.h"
#include "core/io/debug.h"
#include "core/io/loop_uv.h"
#include "core/io/parcel.h"
#include "core/io/ready.h"

/* What mw_ready.state holds here. */
enum {
    WANTED = 1,   /* the owner wants to read */
    BROKEN = 2,   /* a write found the peer gone */
    ENDED = 4,    /* `end` has been told */
    FINISHED = 8, /* the owner writes no more */
};

/* A write on its way: what of it is left. */
struct flight {
    size_t bytes;
    unsigned first, count; /* of the vectors */
    unsigned room;
    struct iovec vectors[];
};

struct tcp {
    struct mw_stream stream;
    struct mw_ready ready;
    struct flight *flight; /* NULL: none */
};

static struct tcp *from_stream(const struct mw_stream *stream)
{
    return MW_OWNER(stream, struct tcp, stream);
}

static bool is_closing(const struct tcp *tcp)
{
    return mw_ready_is_closed(&tcp->ready);
}

static bool is(const struct tcp *tcp, unsigned state)
{
    return tcp->ready.state & state;
}

static void set(struct tcp *tcp, unsigned state, bool on)
{
    tcp->ready.state = (uint8_t)(on ? tcp->ready.state | state : tcp->ready.state & ~state);
}

static void shut_down(struct tcp *tcp, int how)
{
    (void)shutdown(tcp->ready.fd, how); /* fails where the peer is gone: all the same */
}

static void update(struct tcp *tcp)
{
    if (is_closing(tcp))
        return;
    bool does_read = is(tcp, WANTED | BROKEN) && !is(tcp, ENDED);
    mw_ready_want(&tcp->ready,
                  (does_read ? MW_READY_READ : 0) | (tcp->flight ? MW_READY_WRITE : 0));
}

/* ---- reading ---- */

static void end(struct tcp *tcp, bool is_fin)
{
    set(tcp, ENDED, true);
    update(tcp);
    tcp->stream.events->end(tcp->stream.owner, is_fin ? MW_STREAM_FIN : MW_STREAM_RESET);
}

/*
 * A message of 2^n bytes has a header, too, that was read with the first of it: so many bytes more
 * than usual are read along with the last of it.
 */
#define TAIL_BYTES 4096

/* Where the owner wants the bytes, or the loop's buffer; and how many fit. */
static char *place_for(struct mw_loop *loop, struct tcp *tcp, size_t *most)
{
    size_t room = 0;
    char *place = NULL;
    if (is(tcp, WANTED) && tcp->stream.events->place)
        place = tcp->stream.events->place(tcp->stream.owner, &room);
    mw_assert(!place || room > 0); /* or nothing would look like the end */
    bool is_rest = place && room <= MW_LOOP_READ_BYTES + TAIL_BYTES;
    *most = mw_debug_read_bytes(is_rest ? room : MW_LOOP_READ_BYTES);
    return place ? place : mw_loop_read_buffer(loop);
}

/*
 * Once: a peer that sends faster than we read has its turn when others have had theirs. A buffer
 * that was not filled shows that nothing is left, unless the read stopped before: of an end that
 * was told along with the bytes, or of what stands behind an urgent one, the kernel will not tell
 * again.
 */
static void read_some(struct mw_loop *loop, struct tcp *tcp, bool has_stopped)
{
    size_t most;
    char *buffer = place_for(loop, tcp, &most);
    ssize_t count = recv(tcp->ready.fd, buffer, most, MSG_DONTWAIT);
    if (count == 0) {
        end(tcp, !is(tcp, BROKEN));
        return;
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
        end(tcp, false);
        return;
    }
    if (count == (ssize_t)most || (count > 0 && has_stopped) || (count < 0 && errno == EINTR))
        mw_ready_again(&tcp->ready, MW_READY_READ);
    if (count > 0 && is(tcp, WANTED)) /* a broken stream is read to its end unasked */
        tcp->stream.events->read(tcp->stream.owner, buffer, (size_t)count);
}

static void set_reading(struct mw_stream *stream, bool on)
{
    struct tcp *tcp = from_stream(stream);
    mw_assert(stream->events || !on);
    set(tcp, WANTED, on);
    update(tcp);
}

/* ---- writing ---- */

/* The shutdown is told to the reader; what was told before, and not wanted, has to come again. */
static long break_off(struct tcp *tcp)
{
    set(tcp, BROKEN, true);
    shut_down(tcp, SHUT_RDWR);
    mw_ready_again(&tcp->ready, MW_READY_READ);
    update(tcp);
    return MW_ERR_CLOSED;
}

/* How many bytes the kernel took; -1: the peer is gone. */
static ssize_t offer(struct tcp *tcp, struct iovec *vectors, unsigned count)
{
    ssize_t taken;
    struct msghdr message = { .msg_iov = vectors, .msg_iovlen = count };
    if (count == 1)
        taken =
            send(tcp->ready.fd, vectors->iov_base, vectors->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    else
        taken = sendmsg(tcp->ready.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return taken < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) ? 0 : taken;
}

static size_t flight_size(const struct flight *flight)
{
    return sizeof(*flight) + flight->room * sizeof(flight->vectors[0]);
}

static void drop_flight(struct mw_loop *loop, struct tcp *tcp)
{
    if (tcp->flight)
        mw_free(mw_loop_mem(loop), tcp->flight, flight_size(tcp->flight));
    tcp->flight = NULL;
}

/* Takes off what has left. */
static void advance(struct flight *flight, size_t bytes)
{
    flight->bytes -= bytes;
    while (flight->count > 0 && bytes >= flight->vectors[flight->first].iov_len) {
        bytes -= flight->vectors[flight->first++].iov_len;
        flight->count--;
    }
    if (bytes > 0) {
        struct iovec *vector = &flight->vectors[flight->first];
        vector->iov_base = (char *)vector->iov_base + bytes;
        vector->iov_len -= bytes;
    }
}

/*
 * A kernel that has taken a part has no room, and tells when there is some again. Where it has
 * taken nothing, that may have been for another reason.
 */
static void fly_on(struct mw_loop *loop, struct tcp *tcp)
{
    struct flight *flight = tcp->flight;
    ssize_t taken = offer(tcp, flight->vectors + flight->first, flight->count);
    if (taken >= 0)
        advance(flight, (size_t)taken);
    if (taken == 0)
        mw_ready_again(&tcp->ready, MW_READY_WRITE);
    if (taken >= 0 && flight->bytes > 0)
        return;
    drop_flight(loop, tcp);
    if (taken < 0)
        break_off(tcp);
    else if (is(tcp, FINISHED))
        shut_down(tcp, SHUT_WR);
    update(tcp);
    tcp->stream.events->written(tcp->stream.owner);
}

/* The bytes of `vectors` after the first `skip` and before `end`; gives their number. */
static unsigned take_slice(const struct mw_view *vectors, size_t count, size_t skip, size_t end,
                           struct iovec *out)
{
    unsigned taken = 0;
    size_t begin = 0; /* of the vector in hand */
    for (size_t i = 0; i < count && begin < end; begin += vectors[i++].len) {
        size_t from = begin < skip ? skip - begin : 0;
        size_t to = vectors[i].len < end - begin ? vectors[i].len : end - begin;
        if (from < to)
            out[taken++] = (struct iovec){ (char *)vectors[i].data + from, to - from };
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

/* A count, or -1: the peer is gone. */
static ssize_t write_now(struct tcp *tcp, const struct mw_view *vectors, size_t count, size_t len)
{
    struct iovec pieces[MW_STREAM_MAX_VECTORS];
    unsigned used = take_slice(vectors, count, 0, mw_debug_write_bytes(len), pieces);
    return offer(tcp, pieces, used);
}

/* Asked for the first time, the kernel tells of room that there is already, too. */
static bool send_off(struct tcp *tcp, const struct mw_view *vectors, size_t count, size_t skip,
                     size_t len)
{
    struct iovec pieces[MW_STREAM_MAX_VECTORS];
    unsigned used = take_slice(vectors, count, skip, len, pieces);
    const struct flight flight = { .bytes = len - skip, .count = used, .room = used };
    tcp->flight = mw_alloc(mw_loop_mem(tcp->ready.loop), flight_size(&flight));
    if (!tcp->flight)
        return false;
    *tcp->flight = flight;
    memcpy(tcp->flight->vectors, pieces, used * sizeof(pieces[0]));
    mw_ready_again(&tcp->ready, MW_READY_WRITE);
    update(tcp);
    return true;
}

static long write_vectors(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct tcp *tcp = from_stream(stream);
    mw_assert(!tcp->flight && count <= MW_STREAM_MAX_VECTORS);
    if (is(tcp, BROKEN | FINISHED) || is_closing(tcp))
        return MW_ERR_CLOSED;
    size_t len = sum_of(vectors, count);
    if (len == 0)
        return 0;
    ssize_t taken = write_now(tcp, vectors, count, len);
    if (taken < 0)
        return break_off(tcp);
    if ((size_t)taken < len && !send_off(tcp, vectors, count, (size_t)taken, len))
        return break_off(tcp);
    return taken;
}

static long offer_vectors(struct mw_stream *stream, const struct mw_view *vectors, size_t count)
{
    struct tcp *tcp = from_stream(stream);
    mw_assert(!tcp->flight && count <= MW_STREAM_MAX_VECTORS);
    if (is(tcp, BROKEN | FINISHED) || is_closing(tcp))
        return MW_ERR_CLOSED;
    size_t len = sum_of(vectors, count);
    ssize_t taken = len > 0 ? write_now(tcp, vectors, count, len) : 0;
    return taken < 0 ? break_off(tcp) : taken;
}

static void finish(struct mw_stream *stream)
{
    struct tcp *tcp = from_stream(stream);
    set(tcp, FINISHED, true);
    if (!tcp->flight && !is_closing(tcp))
        shut_down(tcp, SHUT_WR);
}

/* ---- the rest ---- */

static void free_stream(struct mw_loop *loop, struct tcp *tcp)
{
    if (tcp->stream.events)
        tcp->stream.events->closed(tcp->stream.owner);
    mw_free(mw_loop_mem(loop), tcp, sizeof(*tcp));
}

static void on_ready(struct mw_loop *loop, struct mw_ready *ready, unsigned what)
{
    struct tcp *tcp = MW_OWNER(ready, struct tcp, ready);
    if (what & MW_READY_CLOSED) {
        free_stream(loop, tcp);
        return;
    }
    if (what & MW_READY_WRITE)
        fly_on(loop, tcp);
    if (!(what & MW_READY_READ) || is_closing(tcp))
        return;
    if (ready->wanted & MW_READY_READ)
        read_some(loop, tcp, what & MW_READY_STOPS);
    else
        mw_ready_again(ready, MW_READY_READ); /* for when `written` lets it go on */
}

static void close_stream(struct mw_stream *stream, bool reset)
{
    static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    struct tcp *tcp = from_stream(stream);
    if (MW_NEVER_IF(is_closing(tcp)))
        return;
    drop_flight(tcp->ready.loop, tcp);
    if (reset)
        (void)setsockopt(tcp->ready.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    mw_ready_close(&tcp->ready);
}

/* Where one socket hears IPv4 and IPv6, an IPv4 peer comes as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
static const char *without_mapping(const char *address)
{
    static const char mapped[] = "::ffff:";
    size_t len = sizeof(mapped) - 1;
    return strncmp(address, mapped, len) == 0 && strchr(address, '.') ? address + len : address;
}

/* For each that is accepted: by way of snprintf it took 1 850 instructions, and takes 150. */
static void tell_ipv4(const struct sockaddr_in *address, char out[MW_STREAM_ADDRESS_LEN])
{
    uint8_t bytes[4];
    memcpy(bytes, &address->sin_addr, sizeof(bytes));
    const struct mw_ip ip = mw_ip_of(bytes, sizeof(bytes));
    mw_ip_text(&ip, out);
}

static void tell_peer(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char text[MW_STREAM_ADDRESS_LEN];
    out[0] = '\0';
    if (getpeername(from_stream(stream)->ready.fd, (struct sockaddr *)&address, &len) < 0)
        return;
    if (address.ss_family == AF_INET) {
        tell_ipv4((const struct sockaddr_in *)&address, out);
        return;
    }
    if (uv_ip_name((const struct sockaddr *)&address, text, sizeof(text)) < 0)
        return;
    const char *plain = without_mapping(text);
    memcpy(out, plain, strlen(plain) + 1);
}

static size_t untaken(const struct mw_stream *stream)
{
    const struct tcp *tcp = from_stream(stream);
    int in_kernel = 0;
    size_t bytes = tcp->flight ? tcp->flight->bytes : 0;
    if (ioctl(tcp->ready.fd, TIOCOUTQ, &in_kernel) == 0) /* SIOCOUTQ by its other name */
        bytes += (size_t)in_kernel;
    return bytes;
}

static int pack(struct mw_stream *stream, struct mw_parcel *out)
{
    struct tcp *tcp = from_stream(stream);
    if (is(tcp, BROKEN | FINISHED) || is_closing(tcp))
        return MW_ERR_CLOSED;
    size_t unsent_bytes = tcp->flight ? tcp->flight->bytes : 0;
    drop_flight(tcp->ready.loop, tcp);
    int socket = mw_ready_give(&tcp->ready);
    *out = (struct mw_parcel){ .socket = socket, .unsent_bytes = unsent_bytes };
    return MW_OK;
}

static const struct mw_stream_ops ops = {
    .set_reading = set_reading,
    .write = write_vectors,
    .offer = offer_vectors,
    .finish = finish,
    .close = close_stream,
    .peer = tell_peer,
    .untaken = untaken,
    .pack = pack,
};

struct mw_stream *mw_tcp_adopt(struct mw_loop *loop, int socket)
{
    struct tcp *tcp = mw_alloc_zero(mw_loop_mem(loop), sizeof(*tcp));
    if (tcp && mw_ready_open(loop, &tcp->ready, socket, on_ready) == MW_OK) {
        tcp->stream.ops = &ops;
        return &tcp->stream;
    }
    mw_free(mw_loop_mem(loop), tcp, sizeof(*tcp));
    close(socket);
    return NULL;
}

void mw_tcp_hurry(int socket)
{
    int on = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof(on)); /* a Unix socket has none */
}
