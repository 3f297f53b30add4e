/*
 * Accepts connections on one address. Knows addresses and sockets; what a connection is for is its
 * owner's affair. acceptor.c accepts.
 */
#include "core/io/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/io/acceptor.h"
#include "core/io/loop_uv.h"

#define ACCEPTS_PER_TURN 256 /* then the connections that are there have their turn */
#define ADDRESS_BYTES    64

struct mw_listener {
    struct mw_acceptor acceptor;
    char address[ADDRESS_BYTES];
};

/* ---- the address ---- */

/* "HOST:PORT" into its parts; the brackets of "[V6]:PORT" are taken off. */
static bool split_address(struct mw_view address, struct mw_view *host, uint16_t *port)
{
    size_t colon = address.len;
    while (colon > 0 && address.data[colon - 1] != ':')
        colon--;
    uint64_t number;
    if (colon == 0 || !mw_parse_u64(mw_view_from(address, colon), 0, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    *host = mw_view(address.data, colon - 1);
    bool is_bracketed = mw_view_starts_with(*host, "[") && mw_view_ends_with(*host, "]");
    if (is_bracketed)
        *host = mw_view(host->data + 1, host->len - 2);
    /* A bare IPv6 address would be ambiguous, and brackets are for nothing else. */
    return is_bracketed == (mw_view_find(*host, ':', 0) < host->len);
}

static bool parse_address(struct mw_view address, struct sockaddr_storage *out)
{
    struct mw_view host;
    uint16_t port;
    char text[ADDRESS_BYTES];
    if (!split_address(address, &host, &port) || host.len >= sizeof(text))
        return false;
    if (mw_view_find(host, '\0', 0) < host.len)
        return false;
    if (host.len == 0)
        host = mw_view_text("::");
    else if (mw_view_is_nocase(host, "localhost"))
        host = mw_view_text("127.0.0.1");
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return uv_ip4_addr(text, port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(text, port, (struct sockaddr_in6 *)out) == 0;
}

static void name_address(struct mw_listener *listener)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    char host[ADDRESS_BYTES - sizeof("[]:65535")] = "";
    (void)getsockname(listener->acceptor.socket, (struct sockaddr *)&address, &len);
    (void)uv_ip_name((struct sockaddr *)&address, host, sizeof(host));
    bool is_v6 = address.ss_family == AF_INET6;
    unsigned port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                : ((struct sockaddr_in *)&address)->sin_port);
    (void)snprintf(listener->address, sizeof(listener->address), is_v6 ? "[%s]:%u" : "%s:%u", host,
                   port);
}

/* ---- the socket ---- */

static socklen_t length_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

/* How an address is taken. */
struct terms {
    int backlog; /* 0: it does not listen */
    bool is_shared;
};

static void set_terms(int fd, int family, const struct terms *terms)
{
    int on = 1, off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (terms->is_shared)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (family == AF_INET6) /* "::" hears IPv4 too, whatever the system's habit */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
}

/* A bound socket, or -1 and errno. */
static int take_address(const struct sockaddr_storage *address, const struct terms *terms)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_terms(fd, address->ss_family, terms);
    if (bind(fd, (const struct sockaddr *)address, length_of(address)) == 0 &&
        (terms->backlog == 0 || listen(fd, terms->backlog) == 0))
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* ":PORT" means every address there is: on a machine without IPv6, those of IPv4. */
static int take_all_addresses(struct sockaddr_storage *address, const struct terms *terms)
{
    int fd = take_address(address, terms);
    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    (void)uv_ip4_addr("0.0.0.0", ntohs(((struct sockaddr_in6 *)address)->sin6_port),
                      (struct sockaddr_in *)address);
    return take_address(address, terms);
}

/* By the address as it is written. */
static int take(struct mw_view text, struct sockaddr_storage *address, const struct terms *terms)
{
    return mw_view_starts_with(text, ":") ? take_all_addresses(address, terms)
                                          : take_address(address, terms);
}

int mw_listener_try(struct mw_view address)
{
    struct sockaddr_storage where = { 0 };
    if (!parse_address(address, &where))
        return EINVAL;
    int fd = take(address, &where, &(struct terms){ 0 });
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* ---- life ---- */

static void on_closed(struct mw_acceptor *acceptor)
{
    struct mw_listener *listener = MW_OWNER(acceptor, struct mw_listener, acceptor);
    mw_free(mw_loop_mem(acceptor->loop), listener, sizeof(*listener));
}

static int start_listening(struct mw_listener *listener)
{
    if (mw_acceptor_open(&listener->acceptor) != MW_OK)
        return uv_translate_sys_error(errno);
    name_address(listener);
    return 0;
}

static int refuse(char why[128], int err, int status)
{
    (void)snprintf(why, 128, "%s", uv_strerror(status));
    return err;
}

static int open_as(struct mw_loop *loop, struct mw_view address, const struct terms *terms,
                   const struct mw_acceptor *owner, struct mw_listener **out, char why[128])
{
    struct sockaddr_storage where = { 0 };
    if (!parse_address(address, &where)) {
        (void)snprintf(why, 128, "not an address of the form HOST:PORT, [IPV6]:PORT or :PORT");
        return MW_ERR_BAD_ARG;
    }
    struct mw_listener *listener = mw_alloc_zero(mw_loop_mem(loop), sizeof(*listener));
    if (!listener)
        return refuse(why, MW_ERR_NOMEM, UV_ENOMEM);
    listener->acceptor = *owner;
    listener->acceptor.loop = loop;
    listener->acceptor.socket = take(address, &where, terms);
    listener->acceptor.per_turn = ACCEPTS_PER_TURN;
    listener->acceptor.closed = on_closed;
    int status =
        listener->acceptor.socket < 0 ? uv_translate_sys_error(errno) : start_listening(listener);
    if (status < 0) {
        if (listener->acceptor.socket >= 0)
            close(listener->acceptor.socket);
        mw_free(mw_loop_mem(loop), listener, sizeof(*listener));
        return refuse(why, MW_ERR_IO, status);
    }
    *out = listener;
    return MW_OK;
}

int mw_listener_open(struct mw_loop *loop, struct mw_view address,
                     void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                     struct mw_listener **out, char why[128])
{
    const struct terms terms = { .backlog = MW_LISTENER_BACKLOG };
    const struct mw_acceptor owner = { .accept = accept, .ctx = ctx };
    return open_as(loop, address, &terms, &owner, out, why);
}

/* It listens already when it is made shareable: by then nobody else can have had the address. */
int mw_listener_join(struct mw_loop *loop, struct mw_listener *first,
                     void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                     struct mw_listener **out, char why[128])
{
    const struct terms terms = { .backlog = MW_LISTENER_BACKLOG, .is_shared = true };
    const struct mw_acceptor owner = { .accept = accept, .ctx = ctx };
    int on = 1;
    if (setsockopt(first->acceptor.socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
        return refuse(why, MW_ERR_IO, uv_translate_sys_error(errno));
    return open_as(loop, mw_view_text(first->address), &terms, &owner, out, why);
}

const char *mw_listener_address(const struct mw_listener *listener)
{
    return listener->address;
}

void mw_listener_care(struct mw_listener *listener, const struct mw_accept_care *care)
{
    mw_acceptor_take_care(&listener->acceptor, care);
}

bool mw_listener_is_last(const struct mw_listener *listener)
{
    return mw_acceptor_is_last(&listener->acceptor);
}

void mw_listener_take_rest(struct mw_listener *listener)
{
    if (listener)
        mw_acceptor_take_rest(&listener->acceptor);
}

void mw_listener_close(struct mw_listener *listener)
{
    if (listener)
        mw_acceptor_close(&listener->acceptor);
}
