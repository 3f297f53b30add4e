#include "core/io/knock.h"

#include "core/base/str.h"
#include "core/io/listener.h"
#include "tests/unit/io/sockets.h"

struct caller {
    struct world world;
    struct mw_listener *listener;
    uint16_t port;
    struct owner there, here;
    unsigned arrived;
    char from[MW_STREAM_ADDRESS_LEN];
    bool is_done;
    int error;
};

static struct caller caller;

static void let_in(void *ctx, struct mw_stream *stream)
{
    (void)ctx;
    mw_stream_peer(stream, caller.from);
    take_stream(&caller.there, &caller.world, stream);
    caller.arrived++;
}

static void on_done(void *owner, struct mw_stream *stream, int error)
{
    assert_ptr_equal(owner, &caller);
    caller.is_done = true;
    caller.error = error;
    if (stream)
        take_stream(&caller.here, &caller.world, stream);
}

static void open_caller(void)
{
    char why[128];
    uint64_t port = 0;
    memset(&caller, 0, sizeof caller);
    open_world(&caller.world);
    assert_int_equal(mw_listener_open(caller.world.loop, mw_view_text("127.0.0.1:0"), let_in, NULL,
                                      &caller.listener, why),
                     MW_OK);
    const char *colon = strrchr(mw_listener_address(caller.listener), ':');
    assert_true(mw_parse_u64(mw_view_text(colon + 1), 1, UINT16_MAX, &port));
    caller.port = (uint16_t)port;
}

static struct mw_knock_setup setup_from(struct mw_ip from)
{
    return (struct mw_knock_setup){
        .to = mw_ip_of((const uint8_t[]){ 127, 0, 0, 1 }, 4),
        .port = caller.port,
        .from = from,
        .done = on_done,
        .owner = &caller,
    };
}

static void close_caller(void)
{
    mw_listener_close(caller.listener);
    if (caller.arrived)
        mw_stream_close(caller.there.stream, false);
    if (caller.here.stream)
        mw_stream_close(caller.here.stream, false);
    close_world(&caller.world);
}

TEST(the_source_is_the_one_that_was_chosen)
{
    struct mw_knock *knock;
    open_caller();
    struct mw_knock_setup setup = setup_from(mw_ip_of((const uint8_t[]){ 127, 0, 3, 7 }, 4));
    assert_int_equal(mw_knock_start(caller.world.loop, &setup, &knock), 0);
    assert_false(caller.is_done);
    wait_for(&caller.world, &caller.is_done);
    wait_for_count(&caller.world, &caller.arrived, 1);
    assert_int_equal(caller.error, 0);
    assert_string_equal(caller.from, "127.0.3.7");
    close_caller();
}

TEST(where_nobody_listens_the_errno_is_told)
{
    struct mw_knock *knock;
    open_caller();
    struct mw_knock_setup setup = setup_from((struct mw_ip){ 0 });
    mw_listener_close(caller.listener);
    caller.listener = NULL;
    run_some_turns(&caller.world);
    assert_int_equal(mw_knock_start(caller.world.loop, &setup, &knock), 0);
    wait_for(&caller.world, &caller.is_done);
    assert_int_equal(caller.error, ECONNREFUSED);
    assert_null(caller.here.stream);
    close_caller();
}

TEST(one_that_is_cancelled_says_nothing)
{
    struct mw_knock *knock;
    open_caller();
    struct mw_knock_setup setup = setup_from((struct mw_ip){ 0 });
    assert_int_equal(mw_knock_start(caller.world.loop, &setup, &knock), 0);
    mw_knock_cancel(knock);
    run_some_turns(&caller.world);
    assert_false(caller.is_done);
    close_caller();
}

TEST(a_source_of_another_machine_fails_at_once)
{
    struct mw_knock *knock;
    open_caller();
    struct mw_knock_setup setup = setup_from(mw_ip_of((const uint8_t[]){ 192, 0, 2, 1 }, 4));
    assert_int_equal(mw_knock_start(caller.world.loop, &setup, &knock), EADDRNOTAVAIL);
    close_caller();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_source_is_the_one_that_was_chosen),
        CASE(where_nobody_listens_the_errno_is_told),
        CASE(one_that_is_cancelled_says_nothing),
        CASE(a_source_of_another_machine_fails_at_once),
    };
    return RUN(cases);
}
