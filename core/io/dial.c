/*
 * Names to connected sockets. Knows addresses, nothing of what is said over them. Sockets connect
 * by themselves and are watched until they are there; tcp.c takes them then.
 */
#include "core/io/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/io/loop_uv.h"
#include "core/io/tcp.h"

/* One address that is tried. */
struct attempt {
    struct mw_dial *dial;
    uv_poll_t poll;
    int socket;
    uint64_t began_us;
    mw_ms due_ms; /* no longer than that */
};

struct mw_dial {
    struct mw_loop *loop;
    const struct mw_dial_events *events;
    void *owner;
    mw_ms wait_ms, next_ms; /* next_ms: the next address begins then; MW_NEVER: there is none */
    struct mw_alarm alarm;
    uv_getaddrinfo_t resolver;
    bool is_resolving, is_over;
    unsigned handles; /* that the loop has not let go of yet */
    enum mw_dial_fault fault;
    const char *error;
    uint64_t began_us, resolve_us;
    size_t count, next;
    struct sockaddr_storage sockets[MW_DIAL_ADDRESSES];
    struct mw_dial_address addresses[MW_DIAL_ADDRESSES];
    struct attempt attempts[MW_DIAL_ADDRESSES];
};

/* ---- words ---- */

static const char *error_of_socket(int number)
{
    static const struct {
        int number;
        const char *text;
    } rows[] = {
        { ECONNREFUSED, "connection refused" },
        { ETIMEDOUT, "no answer" },
        { EHOSTUNREACH, "no route to the host" },
        { ENETUNREACH, "no route to the network" },
        { ECONNRESET, "reset while connecting" },
        { EADDRNOTAVAIL, "no local address for it, or no free port" },
        { EACCES, "the system does not permit it" },
        { EPERM, "the system does not permit it" },
        { EMFILE, "no descriptor is left (ulimit -n)" },
        { ENFILE, "the system has no descriptor left" },
        { EAFNOSUPPORT, "this machine does not have the address family" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (rows[i].number == number)
            return rows[i].text;
    }
    return "the system cannot connect to it";
}

static const char *error_of_resolver(int status)
{
    switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_ADDRFAMILY:
        return "the name is unknown, or has no address of this kind";
    case UV_EAI_AGAIN:
        return "no name server has answered";
    case UV_EAI_FAIL:
        return "the name server has failed";
    default:
        return "the name cannot be resolved";
    }
}

/* ---- its end ---- */

static void let_go(struct mw_dial *dial)
{
    if (!dial->is_over || dial->is_resolving || dial->handles > 0)
        return;
    mw_free(mw_loop_mem(dial->loop), dial, sizeof(*dial));
}

static void finish(struct mw_dial *dial, struct mw_stream *stream, enum mw_dial_fault fault,
                   const char *error)
{
    mw_alarm_stop(dial->loop, &dial->alarm);
    dial->fault = fault;
    dial->error = error;
    dial->is_over = true;
    dial->events->done(dial->owner, dial, stream);
    let_go(dial);
}

static void on_dropped(uv_handle_t *handle)
{
    struct mw_dial *dial = MW_OWNER(handle, struct attempt, poll)->dial;
    dial->handles--;
    let_go(dial);
}

static void drop_attempt(struct mw_dial *dial, size_t i, enum mw_dial_state state)
{
    struct attempt *attempt = &dial->attempts[i];
    dial->addresses[i].state = state;
    uv_close((uv_handle_t *)&attempt->poll, on_dropped);
    close(attempt->socket); /* which is not watched any more */
}

static void drop_others(struct mw_dial *dial)
{
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->addresses[i].state == MW_DIAL_TRYING)
            drop_attempt(dial, i, MW_DIAL_LEFT);
    }
}

/* ---- trying ---- */

static void note_failure(struct mw_dial *dial, size_t i, int number)
{
    dial->addresses[i].state = MW_DIAL_FAILED;
    dial->addresses[i].error = error_of_socket(number);
    dial->addresses[i].took_us = mw_clock_monotonic_us() - dial->attempts[i].began_us;
}

/* The socket may be adopted once libuv has forgotten that it watched it. */
static void on_winner_closed(uv_handle_t *handle)
{
    struct attempt *attempt = MW_OWNER(handle, struct attempt, poll);
    struct mw_dial *dial = attempt->dial;
    dial->handles--;
    if (dial->is_over) {
        close(attempt->socket);
        let_go(dial);
        return;
    }
    mw_tcp_hurry(attempt->socket);
    struct mw_stream *stream = mw_tcp_adopt(dial->loop, attempt->socket);
    if (stream)
        finish(dial, stream, MW_DIAL_FAULT_NONE, "");
    else
        finish(dial, NULL, MW_DIAL_FAULT_NOMEM, "there was no memory for the connection");
}

static void win(struct mw_dial *dial, size_t i)
{
    struct attempt *attempt = &dial->attempts[i];
    dial->addresses[i].state = MW_DIAL_CONNECTED;
    dial->addresses[i].took_us = mw_clock_monotonic_us() - attempt->began_us;
    mw_alarm_stop(dial->loop, &dial->alarm);
    drop_others(dial);
    uv_close((uv_handle_t *)&attempt->poll, on_winner_closed);
}

static void go_on(struct mw_dial *dial);

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct attempt *attempt = MW_OWNER(poll, struct attempt, poll);
    struct mw_dial *dial = attempt->dial;
    size_t i = (size_t)(attempt - dial->attempts);
    int number = 0;
    socklen_t len = sizeof(number);
    (void)events;
    if (getsockopt(attempt->socket, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
        number = errno;
    if (number == 0 && status >= 0) {
        win(dial, i);
        return;
    }
    note_failure(dial, i, number);
    drop_attempt(dial, i, MW_DIAL_FAILED);
    dial->next_ms = mw_loop_now(dial->loop);
    go_on(dial);
}

static socklen_t size_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

/* 0, or why not. */
static int watch(struct mw_dial *dial, struct attempt *attempt)
{
    const struct sockaddr_storage *address = &dial->sockets[attempt - dial->attempts];
    int err = connect(attempt->socket, (const struct sockaddr *)address, size_of(address));
    if (err != 0 && errno != EINPROGRESS)
        return errno;
    if (uv_poll_init(mw_loop_uv(dial->loop), &attempt->poll, attempt->socket) < 0)
        return EMFILE;
    dial->handles++;
    (void)uv_poll_start(&attempt->poll, UV_WRITABLE, on_ready);
    return 0;
}

static void begin(struct mw_dial *dial, size_t i)
{
    struct attempt *attempt = &dial->attempts[i];
    attempt->dial = dial;
    attempt->began_us = mw_clock_monotonic_us();
    attempt->due_ms = mw_ms_add(mw_loop_now(dial->loop), dial->wait_ms);
    attempt->socket =
        socket(dial->sockets[i].ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int number = attempt->socket < 0 ? errno : watch(dial, attempt);
    if (number == 0) {
        dial->addresses[i].state = MW_DIAL_TRYING;
        return;
    }
    note_failure(dial, i, number);
    if (attempt->socket >= 0)
        close(attempt->socket);
}

/* Begins what is due. An address that fails at once is not waited for. */
static void begin_next(struct mw_dial *dial, mw_ms now_ms)
{
    while (dial->next < dial->count && now_ms >= dial->next_ms) {
        size_t i = dial->next++;
        begin(dial, i);
        if (dial->addresses[i].state == MW_DIAL_TRYING)
            dial->next_ms = now_ms + MW_DIAL_STAGGER_MS;
    }
    if (dial->next == dial->count)
        dial->next_ms = MW_NEVER;
}

static void expire(struct mw_dial *dial, mw_ms now_ms)
{
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->addresses[i].state != MW_DIAL_TRYING || now_ms < dial->attempts[i].due_ms)
            continue;
        note_failure(dial, i, ETIMEDOUT);
        drop_attempt(dial, i, MW_DIAL_FAILED);
        if (dial->next < dial->count)
            dial->next_ms = now_ms;
    }
}

/* What is due is done, and the alarm is set to the next moment; or nothing is left to try. */
static void go_on(struct mw_dial *dial)
{
    mw_ms now_ms = mw_loop_now(dial->loop), due_ms;
    const char *last = "";
    bool is_trying = false;
    if (dial->next == dial->count)
        dial->next_ms = MW_NEVER;
    begin_next(dial, now_ms);
    due_ms = dial->next_ms;
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->addresses[i].state == MW_DIAL_TRYING) {
            is_trying = true;
            due_ms = mw_ms_min(due_ms, dial->attempts[i].due_ms);
        } else if (dial->addresses[i].error) {
            last = dial->addresses[i].error;
        }
    }
    if (is_trying || dial->next < dial->count)
        mw_alarm_set(dial->loop, &dial->alarm, due_ms);
    else
        finish(dial, NULL, MW_DIAL_FAULT_CONNECT, last);
}

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_dial *dial = MW_OWNER(alarm, struct mw_dial, alarm);
    expire(dial, mw_loop_now(dial->loop));
    go_on(dial);
}

/* ---- resolving ---- */

static void add_address(struct mw_dial *dial, const struct addrinfo *info)
{
    struct mw_dial_address *address = &dial->addresses[dial->count];
    memcpy(&dial->sockets[dial->count], info->ai_addr, info->ai_addrlen);
    address->is_v6 = info->ai_family == AF_INET6;
    (void)uv_ip_name(info->ai_addr, address->text, sizeof(address->text));
    dial->count++;
}

/* The next one of this family, or NULL. */
static const struct addrinfo *find_family(const struct addrinfo *info, int family)
{
    while (info && info->ai_family != family)
        info = info->ai_next;
    return info;
}

/* In the resolver's order, but families in turn: one that is broken costs one stagger. */
static void take_addresses(struct mw_dial *dial, const struct addrinfo *first)
{
    int family = first ? first->ai_family : AF_INET;
    const struct addrinfo *rest[2] = {
        find_family(first, family),
        find_family(first, family == AF_INET ? AF_INET6 : AF_INET),
    };
    for (size_t side = 0; (rest[0] || rest[1]) && dial->count < MW_DIAL_ADDRESSES; side = !side) {
        if (!rest[side])
            continue;
        add_address(dial, rest[side]);
        rest[side] = find_family(rest[side]->ai_next, rest[side]->ai_family);
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct mw_dial *dial = MW_OWNER(request, struct mw_dial, resolver);
    dial->is_resolving = false;
    dial->resolve_us = mw_clock_monotonic_us() - dial->began_us;
    if (!dial->is_over && status >= 0)
        take_addresses(dial, found);
    uv_freeaddrinfo(found);
    if (dial->is_over) {
        let_go(dial);
        return;
    }
    if (status == UV_ENOMEM || status == UV_EAI_MEMORY) {
        finish(dial, NULL, MW_DIAL_FAULT_NOMEM, "there was no memory to resolve the name");
        return;
    }
    if (dial->count == 0) {
        finish(dial, NULL, MW_DIAL_FAULT_RESOLVE, error_of_resolver(status));
        return;
    }
    dial->is_resolving = true; /* it stays where the owner cancels it in there */
    if (dial->events->resolved)
        dial->events->resolved(dial->owner, dial);
    dial->is_resolving = false;
    if (dial->is_over)
        let_go(dial);
    else
        go_on(dial);
}

int mw_dial_start(struct mw_loop *loop, const struct mw_dial_setup *setup, struct mw_dial **out)
{
    struct mw_dial *dial = mw_alloc_zero(mw_loop_mem(loop), sizeof(*dial));
    if (!dial)
        return MW_ERR_NOMEM;
    const struct addrinfo hints = {
        .ai_family = setup->family == 6   ? AF_INET6
                     : setup->family == 4 ? AF_INET
                                          : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", setup->port);
    dial->loop = loop;
    dial->events = setup->events;
    dial->owner = setup->owner;
    dial->wait_ms = setup->connect_wait_ms;
    dial->began_us = mw_clock_monotonic_us();
    dial->error = "";
    mw_alarm_init(&dial->alarm, on_alarm);
    int status =
        uv_getaddrinfo(mw_loop_uv(loop), &dial->resolver, on_resolved, setup->host, port, &hints);
    if (status < 0) { /* a host that can be no name at all, too */
        mw_free(mw_loop_mem(loop), dial, sizeof(*dial));
        return mw_err_from_uv(status);
    }
    dial->is_resolving = true;
    *out = dial;
    return MW_OK;
}

void mw_dial_cancel(struct mw_dial *dial)
{
    if (MW_NEVER_IF(dial->is_over))
        return;
    dial->is_over = true;
    mw_alarm_stop(dial->loop, &dial->alarm);
    drop_others(dial);
    if (dial->is_resolving)
        (void)uv_cancel((uv_req_t *)&dial->resolver); /* fails where it is at work */
    let_go(dial);
}

/* ---- what is known ---- */

size_t mw_dial_count(const struct mw_dial *dial)
{
    return dial->count;
}

const struct mw_dial_address *mw_dial_addresses(const struct mw_dial *dial)
{
    return dial->addresses;
}

uint64_t mw_dial_resolve_us(const struct mw_dial *dial)
{
    return dial->resolve_us;
}

enum mw_dial_fault mw_dial_fault(const struct mw_dial *dial)
{
    return dial->fault;
}

const char *mw_dial_error(const struct mw_dial *dial)
{
    return dial->error;
}
