/*
 * The far ends of a test's connections: plain sockets on loopback, and an owner of a stream that
 * writes down what happens to it.
 */
#ifndef MW_TESTS_UNIT_IO_SOCKETS_H
#define MW_TESTS_UNIT_IO_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/io/stream.h"
#include "core/io/tcp.h"
#include "tests/unit/io/io.h"

#define KEPT_BYTES 256

/* ---- plain sockets ---- */

static inline void set_nonblocking(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static inline int connect_to(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    set_nonblocking(fd);
    return fd;
}

/* Two connected, non-blocking TCP sockets. */
static inline void connect_pair(int *near, int *far)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *far = connect_to(ntohs(address.sin_port));
    *near = accept(fd, NULL, NULL);
    assert_true(*near >= 0);
    set_nonblocking(*near);
    close(fd);
}

/* Closes with an RST. */
static inline void reset_socket(int fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(fd);
}

/* What the far end has seen of a connection. */
struct far {
    int fd;
    size_t len;
    uint64_t sum; /* of the bytes, each times its place: tells their order too */
    bool is_ended, is_reset;
};

static inline uint64_t sum_of_bytes(const char *bytes, size_t len, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (uint64_t)(unsigned char)bytes[i] * (offset + i + 1);
    return sum;
}

static inline void read_far(struct far *far)
{
    char bytes[65536];
    ssize_t count;
    while (!far->is_ended && !far->is_reset &&
           (count = read(far->fd, bytes, sizeof(bytes))) != -1) {
        far->sum += sum_of_bytes(bytes, (size_t)count, far->len);
        far->len += (size_t)count;
        far->is_ended = count == 0;
    }
    if (!far->is_ended && !far->is_reset && errno != EAGAIN)
        far->is_reset = true;
}

/* For wait_until. */
static inline bool far_has_ended(void *ctx)
{
    struct far *far = ctx;
    read_far(far);
    return far->is_ended || far->is_reset;
}

/* ---- the owner of a stream ---- */

struct owner {
    struct world *world;
    struct mw_stream *stream;
    char kept[KEPT_BYTES]; /* the first that came */
    size_t len;
    uint64_t sum;
    unsigned reads, fins, resets, faults, written, closed;
    bool does_echo, closes_on_read, closes_on_end;
};

static inline void on_read_(void *ctx, char *bytes, size_t len)
{
    struct owner *owner = ctx;
    if (owner->len < sizeof(owner->kept)) {
        size_t room = sizeof(owner->kept) - owner->len;
        memcpy(owner->kept + owner->len, bytes, len < room ? len : room);
    }
    owner->sum += sum_of_bytes(bytes, len, owner->len);
    owner->len += len;
    owner->reads++;
    memset(bytes, 0xee, len); /* the buffer is the owner's to change */
    if (owner->does_echo) {
        struct mw_view echo = mw_view(owner->kept, len);
        assert_true(owner->len <= sizeof(owner->kept));
        echo.data += owner->len - len;
        assert_true(mw_stream_write(owner->stream, &echo, 1) >= 0);
    }
    if (owner->closes_on_read)
        mw_stream_close(owner->stream, false);
}

static inline void on_end_(void *ctx, enum mw_stream_end how)
{
    struct owner *owner = ctx;
    switch (how) {
    case MW_STREAM_FIN:
        owner->fins++;
        break;
    case MW_STREAM_RESET:
        owner->resets++;
        break;
    case MW_STREAM_TLS_ERROR:
        owner->faults++;
        break;
    }
    if (owner->closes_on_end)
        mw_stream_close(owner->stream, false);
}

static inline void on_written_(void *ctx)
{
    ((struct owner *)ctx)->written++;
}

static inline void on_closed_(void *ctx)
{
    struct owner *owner = ctx;
    assert_int_equal(owner->closed++, 0);
}

static const struct mw_stream_events owner_events = {
    .read = on_read_,
    .end = on_end_,
    .written = on_written_,
    .closed = on_closed_,
};

static inline void take_stream(struct owner *owner, struct world *world, struct mw_stream *stream)
{
    assert_non_null(stream);
    owner->world = world;
    owner->stream = stream;
    mw_stream_attach(stream, &owner_events, owner);
}

/* Closes unless that was done, and waits for the last event. */
static inline void drop_stream(struct owner *owner, bool reset)
{
    mw_stream_close(owner->stream, reset);
    assert_int_equal(owner->closed, 0); /* never from inside close */
    wait_for_count(owner->world, &owner->closed, 1);
}

#endif
