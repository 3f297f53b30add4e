/* Fields of `conn` and its life after the end. Methods: test_api_conn.c. */
#include "lua/state.h"
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct {
    const char *body, *transcript;
} cases_of_fields[] = {
    { "print(conn.id, conn.path, conn.ip, conn.protocol)",
      "log info v1 c1 1\t/chat/lobby\t192.0.2.1\tnil\n" },
    { "print(conn.params.room, conn.params == conn.params)", "log info v1 c1 lobby\ttrue\n" },
    { "print(conn.dropped, conn.replaced)", "log info v1 c1 3\t4\n" },
    { "print(conn.version, conn.rtt, conn.queued, conn.opened_at, conn.resumed, conn.state)",
      "log info v1 c1 1\tnil\t42\t1.5\tfalse\topen\n" },
    { "conn.data.x = 5 print(conn.data.x, conn.data == conn.data)", "log info v1 c1 5\ttrue\n" },
    { "conn.data = { y = 6 } print(conn.data.y, conn.data.x)", "log info v1 c1 6\tnil\n" },
    { "conn.data = 7", "fault on_message v1 chat.lua:1 conn.data must be a table, not a number\n" },
    { "conn.user = 'ann'", "fault on_message v1 chat.lua:1 conn.user cannot be set: keep your own "
                           "values in conn.data\n" },
    { "conn.id = '7'",
      "fault on_message v1 chat.lua:1 conn.id cannot be set: keep your own values in "
      "conn.data\n" },
    { "print(conn.nothing, conn[1], conn[conn])", "log info v1 c1 nil\tnil\tnil\n" },
    { "print(tostring(conn), type(conn), getmetatable(conn))",
      "log info v1 c1 conn 1\tuserdata\tfalse\n" },
    { "conn:sendd('x')",
      "fault on_message v1 chat.lua:1 attempt to call a nil value (method 'sendd')\n" },
    { "print(pcall(setmetatable, conn, {}))", "log info v1 c1 false\tbad argument #1 to "
                                              "'setmetatable' (table expected, got conn)\n" },
};

TEST(fields_are_those_of_the_reference)
{
    for (size_t i = 0; i < MW_COUNT(cases_of_fields); i++) {
        world_open(&world);
        expect_from(&world, cases_of_fields[i].body, cases_of_fields[i].transcript);
        world_close(&world);
    }
}

TEST(a_conn_kept_after_its_end_is_harmless)
{
    world_open(&world);
    must_load(&world, "local kept\n"
                      "return { on_message = function(conn, data)\n"
                      "  if not kept then kept = conn conn.data.name = 'ann' return end\n"
                      "  print(kept.id, kept.path, kept.ip, kept.params.room, kept.opened_at)\n"
                      "  print(kept.state, kept.queued, kept.rtt, kept.data.name, tostring(kept))\n"
                      "  print(kept:send('x')) print(kept:close()) print(kept:ping())\n"
                      "  print(kept:subscribe('t')) print(kept:unsubscribe('t'))\n"
                      "  print(kept:topics()) print(kept:publish('t', 'x'))\n"
                      "  print(connection(kept.id), rawequal(kept, conn))\n"
                      "end }");
    must_open(&world, 1);
    world.host.conns[1].rtt_s = 0.25;
    say(&world, 1, "keep");
    end_conn(&world, 1, 1000, "peer_close");
    must_open(&world, 2);
    say(&world, 2, "look");
    expect(&world, "log info v1 c2 1\t/chat/lobby\t192.0.2.1\tlobby\t1.5\n"
                   "log info v1 c2 closed\t0\t0.25\tann\tconn 1 (closed)\n"
                   "log info v1 c2 nil\tclosed\nlog info v1 c2 nil\tclosed\n"
                   "log info v1 c2 nil\tclosed\nlog info v1 c2 nil\tclosed\n"
                   "log info v1 c2 nil\tclosed\nlog info v1 c2 nil\tclosed\n"
                   "log info v1 c2 nil\tclosed\n"
                   "log info v1 c2 nil\tfalse\n");
    world_close(&world);
}

TEST(data_survives_a_reload_and_version_says_which_runs)
{
    world_open(&world);
    expect_from(&world, "conn.data.n = 1 print(conn.version)", "log info v1 c1 1\n");
    expect_from(&world, "conn.data.n = conn.data.n + 1 print(conn.version, conn.data.n)",
                "log info v2 c1 2\t2\n");
    world_close(&world);
}

TEST(an_id_that_is_used_again_finds_the_new_connection)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  print(conn.data.old, connection('1') == conn, connection('g'), "
                      "connection(''))\n"
                      "  conn.data.old = true end }");
    for (int i = 0; i < 2; i++) {
        must_open(&world, 1);
        say(&world, 1, "x");
        end_conn(&world, 1, 1000, "peer_close");
    }
    expect(&world, "log info v1 c1 nil\ttrue\tnil\tnil\nlog info v1 c1 nil\ttrue\tnil\tnil\n");
    world_close(&world);
}

static struct mw_app_stats stats(void)
{
    struct mw_app_stats stats;
    world.engine->stats(world.app, &stats);
    return stats;
}

TEST(objects_are_counted)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn) end }");
    must_open(&world, 1);
    must_open(&world, 2);
    assert_int_equal(stats().conn_objects, 0);
    say(&world, 1, "x");
    say(&world, 2, "x");
    say(&world, 2, "x");
    assert_int_equal(stats().conn_objects, 2);
    end_conn(&world, 1, 1000, "peer_close");
    end_conn(&world, 2, 1000, "peer_close");
    assert_int_equal(stats().conn_objects, 0);
    world_close(&world);
}

TEST(a_connection_that_the_script_has_not_seen_costs_it_nothing)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn) end }");
    struct mw_app_stats before = stats();
    for (mw_id id = 1; id < FAKE_CONNS; id++)
        must_open(&world, id);
    assert_int_equal(stats().memory_bytes, before.memory_bytes);
    for (mw_id id = 1; id < FAKE_CONNS; id++)
        end_conn(&world, id, 1000, "peer_close");
    assert_int_equal(stats().memory_bytes, before.memory_bytes);
    assert_int_equal(stats().calls, before.calls);
    world_close(&world);
}

TEST(on_close_is_called_also_where_nothing_was_before)
{
    world_open(&world);
    must_load(&world, "local M = {}\n"
                      "function M.on_close(c, code) print(c.id, c.state, c.ip, code) end\n"
                      "return M");
    must_open(&world, 1);
    end_conn(&world, 1, 1000, "peer_close");
    expect(&world, "log info v1 c1 1\tclosed\t192.0.2.1\t1000\n");
    assert_int_equal(stats().conn_objects, 0);
    world_close(&world);
}

TEST(who_was_never_accepted_is_not_met_later)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  print(connection('2'), connection('7'))\n"
                      "  for c in connections() do print(c.id) end end,\n"
                      "  on_close = function() print('closed') end }");
    must_open(&world, 1);
    world.host.conns[2] = (struct fake_conn){ .id = 2, .state = MW_CONN_STATE_OPENING };
    say(&world, 1, "look");
    end_conn(&world, 2, 1006, "peer_reset");
    expect(&world, "log info v1 c1 nil\tnil\nlog info v1 c1 1\n");
    assert_int_equal(stats().conn_objects, 1);
    world_close(&world);
}

TEST(a_script_meets_others_before_they_say_anything)
{
    world_open(&world);
    must_load(&world,
              "local M = {}\n"
              "function M.on_message(conn)\n"
              "  local other = connection('2')\n"
              "  other.data.by = conn.id\n"
              "  for c in connections() do print(c.id, c == other, c == conn, c.data.by) end\n"
              "end\n"
              "return M");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 1, "look");
    expect(&world, "log info v1 c1 1\tfalse\ttrue\tnil\nlog info v1 c1 2\ttrue\tfalse\t1\n");
    world_close(&world);
}

TEST(what_was_seen_stays_in_weak_tables_until_its_end)
{
    world_open(&world);
    must_load(&world, "local seen = setmetatable({}, { __mode = 'v' })\n"
                      "return { on_message = function(conn, data)\n"
                      "  if data == 'keep' then seen[1] = conn else print(seen[1]) end end }");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 1, "keep");
    lua_gc(world.app->L, LUA_GCCOLLECT, 0);
    say(&world, 2, "look");
    end_conn(&world, 1, 1000, "peer_close");
    lua_gc(world.app->L, LUA_GCCOLLECT, 0);
    say(&world, 2, "look");
    expect(&world, "log info v1 c2 conn 1\nlog info v1 c2 nil\n");
    world_close(&world);
}

TEST(without_memory_for_it_a_message_is_dropped_and_the_next_one_heard)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data) print(conn.id, data) end,\n"
                      "  on_close = function(conn) print('closed') end }");
    must_open(&world, 1);
    must_open(&world, 2);
    say(&world, 2, "warm");
    lua_gc(world.app->L, LUA_GCCOLLECT, 0);
    size_t cap = world.app->mem.max_bytes;
    world.app->mem.max_bytes = 1;
    assert_int_equal(say(&world, 1, "lost"), MW_APP_FAILED);
    world.app->mem.max_bytes = cap;
    assert_int_equal(stats().conn_objects, 1);
    assert_int_equal(say(&world, 1, "heard"), MW_APP_DONE);
    end_conn(&world, 1, 1000, "peer_close");
    expect_somewhere(&world, "log info v1 c1 1\theard\nlog info v1 c1 closed\n");
    world_close(&world);
}

TEST(what_it_gives_back_is_counted_as_spare)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data) local t = { data .. 'x' } end }");
    must_open(&world, 1);
    for (int i = 0; i < 1000; i++)
        say(&world, 1, "some text that is no short string: it is longer than forty bytes");
    assert_in_range(stats().spare_bytes, 1, MW_LUA_SPARE_BYTES);
    assert_int_equal(world.mem.bytes, stats().memory_bytes);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(fields_are_those_of_the_reference),
        CASE(a_conn_kept_after_its_end_is_harmless),
        CASE(data_survives_a_reload_and_version_says_which_runs),
        CASE(an_id_that_is_used_again_finds_the_new_connection),
        CASE(objects_are_counted),
        CASE(a_connection_that_the_script_has_not_seen_costs_it_nothing),
        CASE(on_close_is_called_also_where_nothing_was_before),
        CASE(who_was_never_accepted_is_not_met_later),
        CASE(a_script_meets_others_before_they_say_anything),
        CASE(what_was_seen_stays_in_weak_tables_until_its_end),
        CASE(without_memory_for_it_a_message_is_dropped_and_the_next_one_heard),
        CASE(what_it_gives_back_is_counted_as_spare),
    };
    return RUN(cases);
}
