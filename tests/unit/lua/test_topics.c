/* M.topics, the options of subscribe, members, and connections of other workers. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

#define FAULT "fault on_message v1 chat.lua:1 "
#define FAR   "'0300000000000001'"

static const struct line_case lines[] = {
    { "print(conn:subscribe('t'))", "subscribe 1 t\nlog info v1 c1 true\n" },
    { "local new, i = conn:subscribe('t', {}) print(new, i.offset, i.whole, i.replayed)",
      "subscribe 1 t\nlog info v1 c1 true\t7\tfalse\t0\n" },
    { "local _, i = conn:subscribe('t', { since = 6 }) print(i.whole)",
      "since 6\nsubscribe 1 t\nlog info v1 c1 true\n" },
    { "conn:subscribe('t', { since = tonumber('6') }) conn:subscribe('u', { since = 6.0 })",
      "since 6\nsubscribe 1 t\nsince 6\nsubscribe 1 u\n" },
    /* What a client made up is an offset that nobody has given out. */
    { "for _, n in ipairs { 0/0, 1/0, 1.5, -1 } do conn:subscribe('t', { since = n }) end",
      "since -1\nsubscribe 1 t\nsince -1\nsince -1\nsince -1\n" },
    { "conn:subscribe('t', { since = '6' })",
      FAULT "conn:subscribe: since is an offset that publish or subscribe has given, not a "
            "string\n" },
    { "local _, i = conn:subscribe('t', { last = 3 }) print(i.replayed)",
      "last 3\nsubscribe 1 t\nlog info v1 c1 3\n" },
    { "conn:subscribe('t', { last = -1 })",
      FAULT "conn:subscribe: last is a whole number from 0 to 10000\n" },
    { "conn:subscribe('t', { last = 10001 })",
      FAULT "conn:subscribe: last is a whole number from 0 to 10000\n" },
    { "conn:subscribe('t', { last = 1, since = 2 })",
      FAULT "conn:subscribe: since says how many, so last cannot: give one of them\n" },
    { "conn:subscribe('t', { presence = { name = 'ann' } })",
      "presence {\"name\":\"ann\"}\nsubscribe 1 t\n" },
    { "conn:subscribe('t', { presence = ('x'):rep(1022) })", "*subscribe 1 t\n" },
    { "conn:subscribe('t', { presence = ('x'):rep(1023) })",
      FAULT "conn:subscribe: presence has 1025 bytes as JSON, and may have 1024\n" },
    { "conn:subscribe('t', { presence = print })", "*which JSON cannot say" },
    { "conn:subscribe('t', { sinse = 1 })",
      FAULT "conn:subscribe: there is no option 'sinse'; there are since, last and presence\n" },
    { "conn:subscribe('t', 5)",
      FAULT "conn:subscribe: options are a table such as { last = 20 }, not a number\n" },

    { "print(publish('t', 'x'))", "publish t text x\nlog info v1 c1 0\n" },
    { "print(publish('kept:t', 'x'))", "publish kept:t text x\nlog info v1 c1 0\t7\n" },
    { "print(conn:publish('kept:t', 'x'))", "publish kept:t text x\nlog info v1 c1 0\t7\n" },

    { "local list, n = members('t') print(#list, n)", "log info v1 c1 0\t0\n" },
    { "conn:subscribe('t') local l, n = members('t') print(n, l[1].id, l[1].presence.name)",
      "subscribe 1 t\nlog info v1 c1 1\t1\tann\n" },
    { "members('')", FAULT "members: a topic has 1 to 256 bytes\n" },
    { "members(5)", "*fault on_message" },

    { "print(connection('1').remote)", "log info v1 c1 false\n" },
    { "local c = connection(" FAR ") print(c, c.id, c.remote, c.ip, c.data, c.nothing)",
      "log info v1 c1 conn 300000000000001 (remote)\t300000000000001\ttrue\tnil\tnil\tnil\n" },
    { "local c = connection(" FAR ") print(c:send('hi'), c:send('b', 'binary'))",
      "send far 1 text\nsend far 1 binary\nlog info v1 c1 true\ttrue\n" },
    { "print(connection(" FAR "):close(4001, 'bye'))", "close far 1 4001\nlog info v1 c1 true\n" },
    { "connection(" FAR "):subscribe('t')",
      FAULT "conn:subscribe: this connection is on another worker, where send and close reach it: "
            "publish to a topic, or set M.affinity, to do more\n" },
    { "connection(" FAR ").data = {}",
      FAULT "conn.data cannot be set: this connection is on another worker\n" },
    { "print(connection(" FAR ") == connection(" FAR "), connection(" FAR ") == conn)",
      "log info v1 c1 true\tfalse\n" },
    { "state.c = connection(" FAR ")", "*fault on_message v1 chat.lua:1 state" },
    { "print(connection('400000000000001'))", "log info v1 c1 nil\n" },
};

TEST(options_members_and_far_connections)
{
    expect_lines(&world, lines, MW_COUNT(lines));
}

TEST(the_topics_of_a_module_are_read)
{
    world_open(&world);
    must_load(&world, "return { topics = { ['room:*'] = { history = 100, ttl = 60 },\n"
                      "  news = { history = 1, ttl = 86400.0 } } }");
    assert_int_equal(world.spec->topic_count, 2);
    assert_view(world.spec->topics[0].pattern, "news"); /* sorted, so all workers agree */
    assert_int_equal(world.spec->topics[0].ttl_s, 86400);
    assert_view(world.spec->topics[1].pattern, "room:*");
    assert_int_equal(world.spec->topics[1].history, 100);
    world_close(&world);
}

static const struct {
    const char *topics, *message;
} refused[] = {
    { "5", "topics must be a table, not a number" },
    { "{ { history = 1, ttl = 1 } }",
      "topics is no list: write topics = { [\"room:*\"] = { history = 100, ttl = 60 } }" },
    { "{ [''] = { history = 1, ttl = 1 } }", "topics: a topic has 1 to 256 bytes" },
    { "{ ['a*b'] = { history = 1, ttl = 1 } }",
      "topics[\"a*b\"]: '*' can only stand at the end, for whatever follows" },
    { "{ a = true }",
      "topics[\"a\"] must be a table such as { history = 100, ttl = 60 }, not a boolean" },
    { "{ a = { history = 1 } }", "topics[\"a\"] needs ttl: write { history = 100, ttl = 60 }" },
    { "{ a = { ttl = 1 } }", "topics[\"a\"] needs history: write { history = 100, ttl = 60 }" },
    { "{ a = { history = 0, ttl = 1 } }",
      "topics[\"a\"].history must be a whole number from 1 to 10000" },
    { "{ a = { history = 1, ttl = 86401 } }",
      "topics[\"a\"].ttl must be a whole number from 1 to 86400" },
    { "{ a = { history = 1.5, ttl = 1 } }",
      "topics[\"a\"].history must be a whole number from 1 to 10000" },
    { "{ a = { history = '1', ttl = 1 } }",
      "topics[\"a\"].history must be a whole number from 1 to 10000" },
    { "{ a = { history = 1, ttl = 1, size = 3 } }",
      "topics[\"a\"]: there is no 'size'; there are history (messages) and ttl (s)" },
};

TEST(what_is_wrong_with_topics_is_an_error_of_the_load)
{
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        char script[256];
        world_open(&world);
        snprintf(script, sizeof script, "return { topics = %s }", refused[i].topics);
        assert_int_equal(load(&world, script), MW_ERR_SCRIPT);
        assert_string_equal(world.fault.message, refused[i].message);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(options_members_and_far_connections),
        CASE(the_topics_of_a_module_are_read),
        CASE(what_is_wrong_with_topics_is_an_error_of_the_load),
    };
    return RUN(cases);
}
