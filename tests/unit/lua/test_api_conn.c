/* Methods of `conn`, publish, connection, connections. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

#define FAULT "fault on_message v1 chat.lua:1 "

static const struct {
    const char *body, *transcript;
} calls[] = {
    { "print(conn:send('hi'))", "send 1 text hi\nlog info v1 c1 true\n" },
    { "conn:send('')", "send 1 text \n" },
    { "conn:send('\\xff', 'binary')", "send 1 binary \xff\n" },
    { "conn:send('x', { binary = true }) conn:send('y', { binary = false }) conn:send('z', {})",
      "send 1 binary x\nsend 1 text y\nsend 1 text z\n" },
    { "conn:send({ a = { 1, 2 } })", "send 1 text {\"a\":[1,2]}\n" },
    { "conn:send('\\xff')",
      FAULT "conn:send: text must be UTF-8; bytes go out with \"binary\" as last "
            "argument\n" },
    { "conn:send(5)", FAULT "conn:send takes a string or a table, not a number\n" },
    { "conn:send()", FAULT "conn:send takes a string or a table, not a no value\n" },
    { "conn:send({ f = print })", FAULT "json: f is a function, which JSON cannot say\n" },
    { "conn:send({}, 'binary')",
      FAULT "conn:send: a table goes out as JSON text; encode it yourself "
            "to send it as binary\n" },
    { "conn:send('x', 'words')",
      FAULT "conn:send: options are \"text\", \"binary\" or a table, { binary = true }\n" },
    { "conn:send('x', { polcy = 'drop' })",
      FAULT "conn:send: there is no option 'polcy'; there are binary, policy and key\n" },
    { "conn:send('x', { policy = 'drop' }) conn:send('y', { policy = 'close', binary = true })",
      "send 1 text x [drop]\nsend 1 binary y [close]\n" },
    { "conn:send({ x = 1 }, { policy = 'latest', key = 'pos:' .. 7 })",
      "send 1 text {\"x\":1} [latest pos:7]\n" },
    { "conn:send('x', { policy = 'oldest' })",
      FAULT "conn:send: policy is \"close\", \"drop\" or \"latest\", not oldest\n" },
    { "conn:send('x', { policy = true })",
      FAULT "conn:send: policy is \"close\", \"drop\" or \"latest\", not true\n" },
    { "conn:send('x', { policy = 'latest' })",
      FAULT "conn:send: policy = \"latest\" needs a key, which says what replaces what: "
            "{ policy = \"latest\", key = \"pos\" }\n" },
    { "conn:send('x', { policy = 'drop', key = 'pos' })",
      FAULT "conn:send: a key goes with policy = \"latest\" only\n" },
    { "conn:send('x', { key = 'pos' })",
      FAULT "conn:send: a key goes with policy = \"latest\" only\n" },
    { "conn:send('x', { policy = 'latest', key = 5 })",
      FAULT "conn:send: the option key is a string, not a number\n" },
    { "conn:send('x', { policy = 'latest', key = '' })",
      FAULT "conn:send: a key has 1 to 64 bytes\n" },
    { "conn:send('x', { policy = 'latest', key = ('k'):rep(65) })",
      FAULT "conn:send: a key has 1 to 64 bytes\n" },
    { "conn:send('x', { binary = 1 })",
      FAULT "conn:send: the option binary is true or false, not a number\n" },
    { "conn.send('x')", FAULT "conn.send called without its connection\n" },
    { "conn.close(json.null)", FAULT "conn.close called without its connection\n" },

    { "print(conn:close())", "close 1 1000 \nlog info v1 c1 true\n" },
    { "conn:close(4001, 'bye')", "close 1 4001 bye\n" },
    { "conn:close(1006)", FAULT "conn:close: 1006: this code is never sent\n" },
    { "conn:close(-1)", FAULT "conn:close: -1: close codes have four digits\n" },
    { "conn:close(70000)", FAULT "conn:close: 70000: close codes have four digits\n" },
    { "conn:close(4000, '\\xff')", FAULT "conn:close: the reason must be UTF-8\n" },
    { "conn:close(4000, {})", FAULT "bad argument #2 to 'close' (string expected, got table)\n" },
    { "conn:close() print(conn.state, conn:send('x')) print(conn:close())",
      "close 1 1000 \nlog info v1 c1 closing\tnil\tclosed\nlog info v1 c1 nil\tclosed\n" },

    { "print(conn:ping())", "ping 1\nlog info v1 c1 true\n" },
    { "print(conn:subscribe('a'), conn:subscribe('a'), conn:subscribe('b'))\n"
      "print(table.concat(conn:topics(), ',')) print(conn:unsubscribe('a'), conn:unsubscribe('a'))",
      "subscribe 1 a\nsubscribe 1 b\nlog info v1 c1 true\tfalse\ttrue\nlog info v1 c1 a,b\n"
      "unsubscribe 1 a\nlog info v1 c1 true\tfalse\n" },
    { "conn:subscribe('')", FAULT "conn:subscribe: a topic has 1 to 256 bytes\n" },
    { "conn:subscribe(5)", FAULT "bad argument #1 to 'subscribe' (string expected, got number)\n" },
    { "for i = 1, 5 do conn:subscribe('t' .. i) end",
      "subscribe 1 t1\nsubscribe 1 t2\nsubscribe 1 t3\nsubscribe 1 t4\n" FAULT
      "conn:subscribe: this connection is in 100 topics, and can be in no more: leave one first, "
      "or publish more kinds of messages to one topic\n" },

    { "conn:subscribe('a') print(publish('a', 'x')) print(conn:publish('a', { n = 1 }))",
      "subscribe 1 a\npublish a text x\nlog info v1 c1 1\npublish a text {\"n\":1}\n"
      "log info v1 c1 0\n" },
    { "publish('a', 'x', { policy = 'latest', key = 'a' }) "
      "conn:publish('a', 'y', { policy = 'drop' })",
      "publish a text x [latest a]\npublish a text y [drop]\n" },
    { "publish('a', 'x', { key = 'a' })",
      FAULT "publish: a key goes with policy = \"latest\" only\n" },
    { "publish('a', '\\xff', 'binary')", "publish a binary \xff\n" },
    { "publish('', 'x')", FAULT "publish: a topic has 1 to 256 bytes\n" },
    { "publish('a', '\\xff')", FAULT "publish: text must be UTF-8; bytes go out with \"binary\" as "
                                     "last argument\n" },
    { "publish('a')", FAULT "publish takes a string or a table, not a no value\n" },
    { "publish(nil, 'x')", FAULT "bad argument #1 to 'publish' (string expected, got nil)\n" },

    { "print(connection(conn.id) == conn, connection('ff'), connection('zz'))",
      "log info v1 c1 true\tnil\tnil\n" },
    { "connection(5)", FAULT "bad argument #1 to 'connection' (string expected, got number)\n" },
};

TEST(each_call_has_its_answer)
{
    for (size_t i = 0; i < MW_COUNT(calls); i++) {
        world_open(&world);
        expect_from(&world, calls[i].body, calls[i].transcript);
        world_close(&world);
    }
}

TEST(a_full_queue_is_an_answer)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn) print(conn:send('x')) end }");
    must_open(&world, 1);
    world.host.conns[1].send_answer = MW_ERR_DROPPED;
    say(&world, 1, "go");
    expect(&world, "send 1 text x\nlog info v1 c1 nil\tdropped\n");
    world_close(&world);
}

TEST(connections_walks_those_that_are_open)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  for c in connections() do c:send('from ' .. conn.id) end end }");
    for (mw_id id = 1; id <= 3; id++)
        must_open(&world, id);
    end_conn(&world, 2, 1000, "peer_close");
    say(&world, 3, "go");
    expect(&world, "send 1 text from 3\nsend 3 text from 3\n");
    world_close(&world);
}

TEST(connections_may_end_while_one_walks)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  for c in connections() do print(c.id) sleep(1) end end }");
    for (mw_id id = 1; id <= 4; id++)
        must_open(&world, id);
    say(&world, 1, "go");
    end_conn(&world, 2, 1000, "peer_close");
    pass(&world, 1000);
    end_conn(&world, 3, 1000, "peer_close");
    pass(&world, 2000);
    expect(&world, "log info v1 c1 1\nlog info v1 c1 3\nlog info v1 c1 4\nfinished 1 message\n");
    world_close(&world);
}

TEST(what_loads_may_not_act)
{
    static const char *const acts[] = {
        "publish('a', 'x')",   "kept:send('x')",        "kept:close()",           "kept:ping()",
        "kept:subscribe('a')", "kept:unsubscribe('a')", "kept:publish('a', 'x')",
    };
    for (size_t i = 0; i < MW_COUNT(acts); i++) {
        char script[256];
        world_open(&world);
        must_load(&world, "return {}");
        must_open(&world, 1);
        snprintf(script, sizeof(script), "local kept = connection('1') %s return {}", acts[i]);
        assert_int_equal(load(&world, script), MW_ERR_SCRIPT);
        assert_non_null(strstr(world.fault.message, "cannot be called while the file loads"));
        expect(&world, "");
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_call_has_its_answer),
        CASE(a_full_queue_is_an_answer),
        CASE(connections_walks_those_that_are_open),
        CASE(connections_may_end_while_one_walks),
        CASE(what_loads_may_not_act),
    };
    return RUN(cases);
}
