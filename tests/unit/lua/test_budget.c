/*
 * Where a call may come from, what is told of a stop, and what is left afterwards. The many ways to
 * loop and to catch are in tests/attack.
 */
#include "lua/state.h"
#include "tests/unit/lua/fake_host.h"

#define BUDGET_MS 20

static void open_limited(struct world *world)
{
    world_open(world);
    world->app->budget.stop_ms = BUDGET_MS;
}

static void expect_stop(struct world *world, const char *handler, int line)
{
    const struct mw_fault *fault = &world->host.fault;
    assert_int_equal(fault->kind, MW_FAULT_CPU);
    assert_string_equal(fault->handler, handler);
    assert_string_equal(fault->file, "chat.lua");
    assert_int_equal(fault->line, line);
    world->host.fault = (struct mw_fault){ 0 };
    forget(world);
}

TEST(a_stop_names_place_source_trace_and_limit)
{
    struct world world;
    open_limited(&world);
    must_load(&world, "local function inner()\n"
                      "  while true do end\n"
                      "end\n"
                      "return { on_message = function(conn)\n"
                      "  inner()\n"
                      "end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
    const struct mw_fault *fault = &world.host.fault;
    assert_int_equal(fault->kind, MW_FAULT_CPU);
    assert_string_equal(fault->frame, "   2 |   while true do end");
    assert_non_null(strstr(fault->trace, "chat.lua:2 in inner\nchat.lua:5 in "));
    assert_non_null(strstr(fault->message, "one call may take 20 ms"));
    assert_non_null(strstr(fault->hint, "script.cpu"));
    assert_int_equal(fault->conn, 1);
    assert_int_equal(fault->version, 1);
    world_close(&world);
}

TEST(file_level_code_is_stopped_and_the_old_version_stays)
{
    struct world world;
    open_limited(&world);
    must_load(&world, "return { on_message = function(conn) conn:send('v1') end }");
    must_open(&world, 1);
    assert_int_equal(load(&world, "\nwhile true do end"), MW_ERR_SCRIPT);
    assert_int_equal(world.fault.kind, MW_FAULT_CPU);
    assert_int_equal(world.fault.line, 2);
    assert_string_equal(world.fault.handler, "load");
    const char *const libs[] = { "lib/a.lua", "pcall(function() while true do end end)", NULL };
    assert_int_equal(load_with(&world, "require 'a'", libs), MW_ERR_SCRIPT);
    assert_int_equal(world.fault.kind, MW_FAULT_CPU);
    assert_string_equal(world.fault.file, "lib/a.lua");
    say(&world, 1, "x");
    expect(&world, "send 1 text v1\n");
    world_close(&world);
}

TEST(every_handler_is_stopped)
{
    struct world world;
    struct mw_verdict verdict;
    open_limited(&world);
    must_load(&world,
              "local function spin()\n while true do end end\n"
              "return { on_start = spin, on_stop = spin, on_close = spin, on_drain = spin,\n"
              " on_open = function(_, req) if req.query.a == '9' then spin() end end }");
    assert_int_equal(world.engine->start(world.app), MW_APP_FAILED);
    expect_stop(&world, "on_start", 2);
    assert_int_equal(open_conn(&world, 2, "a=9", &verdict), MW_APP_FAILED);
    expect_stop(&world, "on_open", 2);
    must_open(&world, 1);
    world.engine->drain(world.app, 1);
    expect_stop(&world, "on_drain", 2);
    end_conn(&world, 1, 1000, "peer_close");
    expect_stop(&world, "on_close", 2);
    world.engine->stop(world.app);
    expect_stop(&world, "on_stop", 2);
    world_close(&world);
}

TEST(a_timer_is_stopped_and_rings_again)
{
    struct world world;
    open_limited(&world);
    must_load(&world, "local n = 0\n"
                      "timer.every('t', 1, function()\n"
                      "  n = n + 1\n"
                      "  if n == 1 then while true do end end\n"
                      "  print('rang', n) end)\n"
                      "return {}");
    pass(&world, 1000);
    expect_stop(&world, "timer", 4);
    pass(&world, 1000);
    expect(&world, "log info v1 rang\t2\n");
    world_close(&world);
}

TEST(what_runs_after_a_wait_has_a_budget_and_is_stopped)
{
    struct world world;
    open_limited(&world);
    must_load(&world, "return { on_message = function(conn)\n"
                      "  pcall(function() sleep(1)\n"
                      "    coroutine.wrap(function() sleep(1)\n"
                      "    while true do end end)() end) conn:send('never') end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_WAITING);
    pass(&world, 1000);
    forget(&world);
    pass(&world, 1000);
    expect_stop(&world, "on_message", 4);
    assert_int_equal(world.app->waiting_count, 0);
    world_close(&world);
}

/* Works for many times the ticks that it takes to be slow, so that a busy machine tells it too. */
TEST(a_slow_call_goes_on_and_is_told_of_once_in_a_while)
{
    struct world world;
    open_limited(&world);
    world.app->budget.stop_ms = 60000;
    world.app->budget.warn_ms = 8;
    must_load(&world, "return { on_message = function(conn)\n"
                      "  local start = os.clock()\n"
                      "  while os.clock() - start < 0.15 do end\n"
                      "  conn:send('done') end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
    expect_somewhere(&world, "ms of CPU time (chat.lua:3");
    assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
    assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
    expect(&world, "send 1 text done\nsend 1 text done\n");
    pass(&world, 10000);
    say(&world, 1, "x");
    expect_somewhere(&world, "the last of 3 such calls");
    world_close(&world);
}

static struct mw_app *stopped_in_wait;

/* sleep asks for the time just before it waits. */
static mw_ms stop_and_tell_time(void *host_app)
{
    stopped_in_wait->budget.stop = MW_LUA_STOP_CPU;
    return ((struct fake_host *)host_app)->now_ms;
}

TEST(a_stop_that_meets_a_wait_leaves_no_alarm_behind)
{
    struct world world;
    struct mw_host host = fake_host_functions;
    open_limited(&world);
    must_load(&world, "return { on_message = function(conn) sleep(1) end }");
    must_open(&world, 1);
    stopped_in_wait = world.app;
    host.monotonic_ms = stop_and_tell_time;
    world.app->host = &host;
    assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
    world.app->host = &fake_host_functions;
    assert_int_equal(world.app->waiting_count, 0);
    pass(&world, 2000); /* an alarm of the call that is gone would ring here */
    world_close(&world);
}

TEST(killed_coroutines_leave_nothing_behind)
{
    struct world world;
    open_limited(&world);
    must_load(&world,
              "return { on_message = function(conn)\n"
              "  local t = setmetatable({}, { __close = function() while true do end end })\n"
              "  coroutine.wrap(function() local c <close> = t; while true do end end)()\n"
              "end }");
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
    mw_lua_app_collect(world.app);
    size_t bytes = world.app->mem.bytes;
    for (int i = 0; i < 10; i++)
        assert_int_equal(say(&world, 1, "x"), MW_APP_FAILED);
    mw_lua_app_collect(world.app);
    assert_int_equal(world.app->mem.bytes, bytes);
    world_close(&world);
}

/* ---- strings that are too long ---- */

#define LONGEST 5000

static const char writer[] =
    "local kept = 0\n"
    "return { limits = { message = 5000 }, on_message = function(conn, data)\n"
    "  local joined =\n"
    "    data .. 'y'\n"
    "  kept = #joined\n"
    "  conn:send(tostring(kept))\n"
    "end }";

static void open_writer(struct world *world)
{
    world_open(world);
    world->app->budget.string_bytes = LONGEST;
    must_load(world, writer);
    must_open(world, 1);
    forget(world);
}

static enum mw_app_result say_long(struct world *world, size_t len)
{
    char text[LONGEST + 1];
    memset(text, 'x', len);
    text[len] = '\0';
    return say(world, 1, text);
}

TEST(a_string_of_the_greatest_length_is_made)
{
    struct world world;
    open_writer(&world);
    assert_int_equal(say_long(&world, LONGEST - 1), MW_APP_DONE);
    expect(&world, "send 1 text 5000\n");
    world_close(&world);
}

TEST(one_byte_more_ends_the_call_and_says_what_to_do)
{
    struct world world;
    open_writer(&world);
    assert_int_equal(say_long(&world, LONGEST), MW_APP_FAILED);
    const struct mw_fault *fault = &world.host.fault;
    assert_int_equal(fault->kind, MW_FAULT_MEMORY);
    assert_string_equal(fault->message,
                        "a string of 5001 bytes is too long: one string may have 5000 bytes");
    assert_non_null(strstr(fault->hint, "raise script.string"));
    assert_int_equal(fault->line, 4);
    assert_string_equal(fault->handler, "on_message");
    forget(&world);
    assert_int_equal(say_long(&world, 3), MW_APP_DONE);
    expect(&world, "send 1 text 4\n");
    world_close(&world);
}

TEST(a_file_with_a_string_that_is_too_long_is_refused)
{
    struct world world;
    static char file[LONGEST + 64];
    open_writer(&world);
    size_t len = (size_t)snprintf(file, sizeof(file), "local s = '");
    memset(file + len, 'x', LONGEST + 1);
    len += LONGEST + 1;
    snprintf(file + len, sizeof(file) - len, "'\nreturn { limits = { message = 9 } }");
    assert_int_not_equal(load(&world, file), MW_OK);
    assert_int_equal(world.fault.kind, MW_FAULT_MEMORY);
    assert_non_null(strstr(world.fault.message, "one string may have 5000 bytes"));
    memcpy(file, "--", 2); /* long text of a file is none of its strings */
    must_load(&world, file);
    world_close(&world);
}

TEST(json_on_its_way_out_is_no_string)
{
    struct world world;
    open_writer(&world);
    must_load(&world, "return { limits = { message = 5000 }, on_message = function(conn, data)\n"
                      "  conn:send { data, data }\n"
                      "end }");
    assert_int_equal(say_long(&world, LONGEST), MW_APP_DONE);
    expect_somewhere(&world, "send 1 text [\"xxx");
    world_close(&world);
}

TEST(strings_of_our_own_may_be_longer)
{
    struct world world;
    open_writer(&world);
    lua_State *L = world.app->L;
    world.app->budget.string_bytes = 100;
    mw_lua_push_view(L, mw_view(writer, sizeof(writer) - 1));
    lua_pop(L, 1);
    assert_int_equal(world.app->budget.stop, MW_LUA_STOP_NONE);
    must_load(&world, "return { limits = { message = 100 } }");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_stop_names_place_source_trace_and_limit),
        CASE(file_level_code_is_stopped_and_the_old_version_stays),
        CASE(every_handler_is_stopped),
        CASE(a_timer_is_stopped_and_rings_again),
        CASE(what_runs_after_a_wait_has_a_budget_and_is_stopped),
        CASE(a_slow_call_goes_on_and_is_told_of_once_in_a_while),
        CASE(a_stop_that_meets_a_wait_leaves_no_alarm_behind),
        CASE(killed_coroutines_leave_nothing_behind),
        CASE(a_string_of_the_greatest_length_is_made),
        CASE(one_byte_more_ends_the_call_and_says_what_to_do),
        CASE(a_file_with_a_string_that_is_too_long_is_refused),
        CASE(json_on_its_way_out_is_no_string),
        CASE(strings_of_our_own_may_be_longer),
    };
    return RUN(cases);
}
