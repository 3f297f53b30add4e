/* From names to sockets: addresses of both families, those that fail, and giving up. */
#include "core/io/dial.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/io/listener.h"
#include "tests/unit/io/sockets.h"

struct caller {
    struct world world;
    struct mw_listener *listener;
    uint16_t port;
    struct mw_dial *dial;
    struct owner near, far[4];
    unsigned arrived, resolved, done;
    bool has_stream, cancels;
    enum mw_dial_fault fault;
    char error[64];
    size_t count;
    struct mw_dial_address addresses[MW_DIAL_ADDRESSES];
};

static void on_arrival(void *ctx, struct mw_stream *stream)
{
    struct caller *caller = ctx;
    take_stream(&caller->far[caller->arrived++], &caller->world, stream);
}

static void on_resolved(void *ctx, const struct mw_dial *dial)
{
    struct caller *caller = ctx;
    caller->resolved++;
    assert_true(mw_dial_count(dial) > 0);
    if (caller->cancels)
        mw_dial_cancel(caller->dial);
}

static void on_done(void *ctx, const struct mw_dial *dial, struct mw_stream *stream)
{
    struct caller *caller = ctx;
    caller->done++;
    caller->has_stream = stream;
    caller->fault = mw_dial_fault(dial);
    snprintf(caller->error, sizeof(caller->error), "%s", mw_dial_error(dial));
    caller->count = mw_dial_count(dial);
    memcpy(caller->addresses, mw_dial_addresses(dial), sizeof(caller->addresses));
    if (stream)
        take_stream(&caller->near, &caller->world, stream);
}

static const struct mw_dial_events events = { .resolved = on_resolved, .done = on_done };

/* Listens on `address`, which has port 0. False: this machine has none of the kind. */
static bool open_caller(struct caller *caller, const char *address)
{
    char why[128];
    memset(caller, 0, sizeof(*caller));
    open_world(&caller->world);
    if (mw_listener_open(caller->world.loop, mw_view_text(address), on_arrival, caller,
                         &caller->listener, why) != MW_OK) {
        close_world(&caller->world);
        return false;
    }
    const char *at = mw_listener_address(caller->listener);
    caller->port = (uint16_t)strtoul(strrchr(at, ':') + 1, NULL, 10);
    return true;
}

static void dial(struct caller *caller, const char *host, int family)
{
    const struct mw_dial_setup setup = {
        .host = host,
        .port = caller->port,
        .family = family,
        .connect_wait_ms = 50,
        .events = &events,
        .owner = caller,
    };
    assert_int_equal(mw_dial_start(caller->world.loop, &setup, &caller->dial), MW_OK);
    assert_int_equal(caller->resolved + caller->done, 0);
}

static void close_caller(struct caller *caller)
{
    if (caller->has_stream)
        drop_stream(&caller->near, false);
    for (unsigned i = 0; i < caller->arrived; i++)
        drop_stream(&caller->far[i], false);
    mw_listener_close(caller->listener);
    close_world(&caller->world);
}

TEST(an_address_of_either_family_is_connected_to)
{
    static const struct {
        const char *listens, *host;
        int family;
        bool is_v6;
    } rows[] = {
        { "127.0.0.1:0", "127.0.0.1", 0, false },
        { "127.0.0.1:0", "localhost", 4, false },
        { "[::1]:0", "::1", 0, true },
        { "[::1]:0", "::1", 6, true },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        struct caller caller;
        if (!open_caller(&caller, rows[i].listens))
            continue;
        dial(&caller, rows[i].host, rows[i].family);
        wait_for_count(&caller.world, &caller.done, 1);
        assert_true(caller.has_stream);
        assert_int_equal(caller.fault, MW_DIAL_FAULT_NONE);
        assert_int_equal(caller.addresses[0].state, MW_DIAL_CONNECTED);
        assert_int_equal(caller.addresses[0].is_v6, rows[i].is_v6);
        wait_for_count(&caller.world, &caller.arrived, 1);
        close_caller(&caller);
    }
}

TEST(where_nobody_listens_every_address_says_why)
{
    struct caller caller;
    assert_true(open_caller(&caller, "127.0.0.1:0"));
    mw_listener_close(caller.listener);
    caller.listener = NULL;
    run_some_turns(&caller.world);
    dial(&caller, "localhost", 0);
    wait_for_count(&caller.world, &caller.done, 1);
    assert_false(caller.has_stream);
    assert_int_equal(caller.fault, MW_DIAL_FAULT_CONNECT);
    for (size_t i = 0; i < caller.count; i++) {
        assert_int_equal(caller.addresses[i].state, MW_DIAL_FAILED);
        assert_non_null(caller.addresses[i].error);
    }
    close_caller(&caller);
}

/* Its queue of two is full, so the kernel answers no third one. */
TEST(an_address_that_does_not_answer_is_left_in_time)
{
    struct caller caller;
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int busy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), others[8];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(busy, 0), 0);
    assert_int_equal(getsockname(busy, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < MW_COUNT(others); i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(others[i], (struct sockaddr *)&address, sizeof(address));
    }
    assert_true(open_caller(&caller, "127.0.0.1:0"));
    caller.port = ntohs(address.sin_port);
    dial(&caller, "127.0.0.1", 0);
    wait_for_count(&caller.world, &caller.done, 1);
    assert_int_equal(caller.fault, MW_DIAL_FAULT_CONNECT);
    assert_string_equal(caller.error, "no answer");
    close_caller(&caller);
    for (size_t i = 0; i < MW_COUNT(others); i++)
        close(others[i]);
    close(busy);
}

TEST(a_name_that_is_none_is_told)
{
    struct caller caller;
    assert_true(open_caller(&caller, "127.0.0.1:0"));
    dial(&caller, "nobody.invalid", 0);
    wait_for_count(&caller.world, &caller.done, 1);
    assert_int_equal(caller.fault, MW_DIAL_FAULT_RESOLVE);
    assert_int_equal(caller.resolved, 0);
    close_caller(&caller);
}

TEST(given_up_nothing_is_told_and_nothing_stays)
{
    struct caller caller;
    for (int in_event = 0; in_event < 2; in_event++) {
        assert_true(open_caller(&caller, "127.0.0.1:0"));
        dial(&caller, "127.0.0.1", 0);
        caller.cancels = in_event;
        if (in_event)
            wait_for_count(&caller.world, &caller.resolved, 1);
        else
            mw_dial_cancel(caller.dial);
        run_some_turns(&caller.world);
        assert_int_equal(caller.done, 0);
        close_caller(&caller);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_address_of_either_family_is_connected_to),
        CASE(where_nobody_listens_every_address_says_why),
        CASE(an_address_that_does_not_answer_is_left_in_time),
        CASE(a_name_that_is_none_is_told),
        CASE(given_up_nothing_is_told_and_nothing_stays),
    };
    return RUN(cases);
}
