/* require: names, the cache of a version, circles. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(a_library_runs_once_for_each_version)
{
    static const char *const libs[] = { "lib/rooms.lua",
                                        "print('runs', ...) return { name = 'r' }",
                                        "lib/a/b.lua",
                                        "return 'deep'",
                                        "lib/none.lua",
                                        "local x = 1",
                                        NULL };
    world_open(&world);
    static const char script[] = "local r = require 'rooms'\n"
                                 "print(r.name, r == require('rooms'))\n"
                                 "print(require 'a.b', require 'a/b', require 'none')\nreturn {}";
    assert_int_equal(load_with(&world, script, libs), MW_OK);
    expect(&world, "log info v1 runs\nlog info v1 r\ttrue\nlog info v1 deep\tdeep\ttrue\n");
    assert_int_equal(load_with(&world, script, libs), MW_OK);
    expect(&world, "log info v2 runs\nlog info v2 r\ttrue\nlog info v2 deep\tdeep\ttrue\n");
    world_close(&world);
}

TEST(a_version_knows_what_it_uses)
{
    static const char *const libs[] = { "lib/a.lua", "return require 'b'", "lib/b.lua", "return 1",
                                        "lib/c.lua", "return 1",           NULL };
    world_open(&world);
    assert_int_equal(load_with(&world, "require 'a' return {}", libs), MW_OK);
    assert_true(world.engine->uses(world.app, mw_view_text("lib/a.lua")));
    assert_true(world.engine->uses(world.app, mw_view_text("lib/b.lua")));
    assert_false(world.engine->uses(world.app, mw_view_text("lib/c.lua")));
    assert_false(world.engine->uses(world.app, mw_view_text("chat.lua")));
    world_close(&world);
}

TEST(a_handler_may_require_later)
{
    static const char *const libs[] = { "lib/a.lua", "return { v = conn }", NULL };
    world_open(&world);
    assert_int_equal(load_with(&world,
                               "return { on_message = function()\n"
                               "  print(type(require 'a')) end }",
                               libs),
                     MW_OK);
    assert_false(world.engine->uses(world.app, mw_view_text("lib/a.lua")));
    must_open(&world, 1);
    say(&world, 1, "x");
    expect(&world, "log info v1 c1 table\n");
    assert_true(world.engine->uses(world.app, mw_view_text("lib/a.lua")));
    world_close(&world);
}

static const struct {
    const char *name, *message;
} refused[] = {
    { "'roms'", "there is no lib/roms.lua; did you mean lib/rooms.lua?" },
    { "'banana'", "there is no lib/banana.lua" },
    { "'../chat'", "*'../chat' is no name of a library" },
    { "'/etc/passwd'", "*'/etc/passwd' is no name of a library" },
    { "'a..b'", "*'a..b' is no name of a library" },
    { "'a/'", "*'a/' is no name of a library" },
    { "''", "*'' is no name of a library" },
    { "'a\\\\b'", "*is no name of a library" },
    { "'a\\0b'", "*is no name of a library" },
    { "('a'):rep(300)", "*is no name of a library" },
    { "5", "bad argument #1 to 'require' (string expected, got number)" },
};

TEST(names_that_find_nothing_are_refused)
{
    static const char *const libs[] = { "lib/rooms.lua", "return 1", NULL };
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        char script[128];
        world_open(&world);
        snprintf(script, sizeof(script), "require(%s) return {}", refused[i].name);
        assert_int_equal(load_with(&world, script, libs), MW_ERR_SCRIPT);
        if (refused[i].message[0] == '*')
            assert_non_null(strstr(world.fault.message, refused[i].message + 1));
        else
            assert_string_equal(world.fault.message, refused[i].message);
        world_close(&world);
    }
}

TEST(a_circle_is_named)
{
    static const char *const libs[] = {
        "lib/a.lua", "return require 'b'", "lib/b.lua",    "return require 'c'",
        "lib/c.lua", "return require 'a'", "lib/self.lua", "return require 'self'",
        NULL
    };
    world_open(&world);
    assert_int_equal(load_with(&world, "require 'a' return {}", libs), MW_ERR_SCRIPT);
    assert_string_equal(world.fault.message, "these files require each other in a circle: "
                                             "lib/a.lua -> lib/b.lua -> lib/c.lua -> lib/a.lua");
    assert_string_equal(world.fault.file, "lib/c.lua");
    assert_int_equal(load_with(&world, "require 'self' return {}", libs), MW_ERR_SCRIPT);
    assert_string_equal(world.fault.message, "these files require each other in a circle: "
                                             "lib/self.lua -> lib/self.lua");
    world_close(&world);
}

TEST(a_library_that_failed_can_be_tried_again)
{
    static const char *const libs[] = { "lib/bad.lua", "error('no')", NULL };
    world_open(&world);
    assert_int_equal(
        load_with(&world, "for i = 1, 2 do print(pcall(require, 'bad')) end return {}", libs),
        MW_OK);
    expect(&world, "log info v1 false\tlib/bad.lua:1: no\nlog info v1 false\tlib/bad.lua:1: no\n");
    world_close(&world);
}

TEST(a_mistake_in_a_library_is_shown_there)
{
    static const char *const libs[] = { "lib/bad.lua", "local a = 1\nlocal b = = 2\n", NULL };
    world_open(&world);
    assert_int_equal(load_with(&world, "require 'bad' return {}", libs), MW_ERR_SCRIPT);
    assert_string_equal(world.fault.file, "lib/bad.lua");
    assert_int_equal(world.fault.line, 2);
    assert_string_equal(world.fault.frame, "   2 | local b = = 2");
    world_close(&world);
}

TEST(a_library_cannot_wait_while_it_loads)
{
    static const char *const libs[] = { "lib/slow.lua", "sleep(1) return 1", NULL };
    world_open(&world);
    assert_int_equal(
        load_with(&world, "return { on_message = function() require 'slow' end }", libs), MW_OK);
    must_open(&world, 1);
    say(&world, 1, "x");
    expect_somewhere(&world, "lib/slow.lua:1 sleep cannot wait here");
    world_close(&world);
}

/* More than ten seconds of work to the compiler. */
static const char *slow_source(void)
{
    static char text[4 * 1000 * 1000];
    size_t len = (size_t)snprintf(text, sizeof(text), "local a if a then ");
    while (len + 40 < sizeof(text))
        len += (size_t)snprintf(text + len, sizeof(text) - len, "elseif a then ");
    snprintf(text + len, sizeof(text) - len, "end return {}");
    return text;
}

TEST(a_source_that_compiles_slowly_is_stopped)
{
    world_open(&world);
    world.app->budget.stop_ms = 20;
    assert_int_equal(load(&world, slow_source()), MW_ERR_SCRIPT);
    assert_int_equal(world.fault.kind, MW_FAULT_CPU);
    const char *const libs[] = { "lib/a.lua", slow_source(), NULL };
    assert_int_equal(load_with(&world, "pcall(require, 'a') return {}", libs), MW_ERR_SCRIPT);
    assert_int_equal(world.fault.kind, MW_FAULT_CPU);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_library_runs_once_for_each_version),
        CASE(a_version_knows_what_it_uses),
        CASE(a_handler_may_require_later),
        CASE(names_that_find_nothing_are_refused),
        CASE(a_circle_is_named),
        CASE(a_library_that_failed_can_be_tried_again),
        CASE(a_mistake_in_a_library_is_shown_there),
        CASE(a_library_cannot_wait_while_it_loads),
        CASE(a_source_that_compiles_slowly_is_stopped),
    };
    return RUN(cases);
}
