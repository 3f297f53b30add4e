/* bounds.h: what a script may hold and do, an error at the call that says so, and life after it. */
#include "moonwire/bounds.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;

/* `body` is what on_message does; its `try` says what a function raised, without its place. */
static void open_with(const char *body)
{
    char script[2048];
    snprintf(script, sizeof script,
             "local function try(f, ...)\n"
             "  local ok, why = pcall(f, ...)\n"
             "  return ok and 'ok' or (why:gsub('^[%%w./]+:%%d+: ', ''))\n"
             "end\n"
             "return { on_message = function(conn, data)\n%s\nend }",
             body);
    world_open(&world);
    world.host.is_quiet = true;
    must_load(&world, script);
    must_open(&world, 1);
}

static void expect_line(const char *line)
{
    expect_somewhere(&world, line);
}

static void close_with(void)
{
    end_conn(&world, 1, 1000, "peer_close");
    world_close(&world);
}

TEST(timers_are_bounded_and_one_that_ends_makes_room)
{
    open_with("local first\n"
              "for i = 1, 1000 do first = timer.after(60, print) end\n"
              "print(try(timer.after, 60, print))\n"
              "print(try(timer.every, 'name', 60, print))\n"
              "timer.cancel(first)\n"
              "print(try(timer.after, 60, print), try(timer.after, 60, print))");
    say(&world, 1, "go");
    expect_line("timer: this script has 1000 timers, and may have no more: cancel what nobody "
                "needs, or let one timer look after many things\n"
                "log info v1 c1 timer: this script has 1000 timers, and may have no more: cancel "
                "what nobody needs, or let one timer look after many things\n"
                "log info v1 c1 ok\ttimer: this script has 1000");
    close_with();
}

TEST(calls_that_wait_are_bounded)
{
    struct mw_app_stats stats;
    open_with("sleep(60)");
    for (int i = 0; i < MW_BOUND_WAITING_CALLS; i++)
        assert_int_equal(say(&world, 1, "one"), MW_APP_WAITING);
    assert_int_equal(say(&world, 1, "one"), MW_APP_FAILED);
    assert_string_equal(world.host.fault.message,
                        "sleep: 10000 calls of this script wait already, and no more may: let one "
                        "timer do for all what each of them waits for");
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.waiting, MW_BOUND_WAITING_CALLS);
    pass(&world, 61000);
    assert_int_equal(say(&world, 1, "one"), MW_APP_WAITING);
    close_with();
}

TEST(messages_of_one_call_are_bounded)
{
    open_with("for i = 1, 99999 do assert(conn:send('x')) end\n"
              "print(try(conn.publish, conn, 'room', 'x'))\n"
              "print(try(conn.send, conn, 'x'), try(publish, 'room', 'x'), try(conn.ping, conn))\n"
              "sleep(0)\n"
              "print('then', try(conn.send, conn, 'x'))");
    say(&world, 1, "go");
    expect_line(
        "log info v1 c1 ok\n"
        "log info v1 c1 conn:send: this call has sent 100000 messages, and may send no more until "
        "it ends or waits: sleep(0) lets it go on in the next turn\t"
        "publish: this call has sent 100000 messages, and may send no more until it ends or waits: "
        "sleep(0) lets it go on in the next turn\tconn:ping: this call");
    pass(&world, 10);
    expect_line("then\tok");
    close_with();
}

TEST(receivers_of_what_is_published_count)
{
    open_with("conn:subscribe('room')\n"
              "for i = 1, 50000 do publish('room', 'x') end\n"
              "print(try(publish, 'room', 'x'))");
    must_open(&world, 2);
    say(&world, 2, "go");
    expect_line("c2 ok\n");
    say(&world, 1, "go"); /* now each of them reaches two */
    expect_line("c1 publish: this call has sent 100000 messages");
    end_conn(&world, 2, 1000, "peer_close");
    close_with();
}

TEST(bytes_of_one_call_are_bounded)
{
    open_with("local mib = ('x'):rep(2^20)\n"
              "for i = 1, 32 do conn:send(mib) publish('room', mib) end\n"
              "print(try(publish, 'room', 'x'))\n"
              "print(try(conn.send, conn, 'x'))");
    say(&world, 1, "go");
    expect_line("publish: this call has sent 67108864 bytes, and may send no more until it ends or "
                "waits: sleep(0) lets it go on in the next turn\n"
                "log info v1 c1 conn:send: this call has sent 67108864 bytes");
    close_with();
}

TEST(what_the_host_refuses_says_how_many_and_what_to_do)
{
    open_with("for i = 1, 4 do conn:subscribe('t' .. i) end\n"
              "print(try(conn.subscribe, conn, 'more'))");
    say(&world, 1, "go");
    expect_line("conn:subscribe: this connection is in 100 topics, and can be in no more: leave "
                "one first, or publish more kinds of messages to one topic");
    world.host.conns[1].send_answer = MW_ERR_QUOTA;
    must_load(&world, "return { on_message = function(conn) print(conn:send('x')) end }");
    say(&world, 1, "go");
    expect_line("nil\tdropped");
    close_with();
}

TEST(the_text_of_a_refusal_is_cut)
{
    struct mw_verdict verdict;
    world_open(&world);
    must_load(&world, "return { on_open = function() return false, 403, ('ä'):rep(1000) end }");
    assert_int_equal(open_conn(&world, 1, "", &verdict), MW_APP_DONE);
    assert_false(verdict.accept);
    assert_int_equal(verdict.reason.len, MW_BOUND_REFUSAL_BYTES);
    end_conn(&world, 1, 1000, "peer_close");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(timers_are_bounded_and_one_that_ends_makes_room),
        CASE(calls_that_wait_are_bounded),
        CASE(messages_of_one_call_are_bounded),
        CASE(receivers_of_what_is_published_count),
        CASE(bytes_of_one_call_are_bounded),
        CASE(what_the_host_refuses_says_how_many_and_what_to_do),
        CASE(the_text_of_a_refusal_is_cut),
    };
    return RUN(cases);
}
