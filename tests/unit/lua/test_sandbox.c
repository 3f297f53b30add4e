/*
 * What cannot be said in a script of its own: bytecode, hostile sources, one version against the
 * next, one app against another. The scripts that try to get out are in tests/sandbox.
 */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const char bytecode[] = "\x1bLuaT\0\x19\x93\r\n\x1a\n\x04\x08\x08";

static int load_bytes(const char *bytes, size_t len, const char *lib, size_t lib_len)
{
    struct mw_source libs[] = { { mw_view_text("lib/a.lua"), mw_view(lib, lib_len) } };
    struct mw_sources sources = {
        .script = { mw_view_text("chat.lua"), mw_view(bytes, len) },
        .libs = libs,
        .lib_count = lib ? 1 : 0,
    };
    return world.engine->prepare(world.app, &sources, 1, &world.spec, &world.fault);
}

TEST(bytecode_is_never_loaded)
{
    static const char asks[] = "require 'a' return {}";
    world_open(&world);
    assert_int_equal(load_bytes(bytecode, sizeof(bytecode), NULL, 0), MW_ERR_SCRIPT);
    assert_non_null(strstr(world.fault.message, "attempt to load a binary chunk"));
    assert_non_null(strstr(world.fault.hint, "source text"));
    assert_int_equal(load_bytes(asks, sizeof(asks) - 1, bytecode, sizeof(bytecode)), MW_ERR_SCRIPT);
    assert_non_null(strstr(world.fault.message, "attempt to load a binary chunk"));
    static const char behind_a_first_line[] = "#!/usr/bin/lua\n\x1bLuaT";
    assert_int_equal(load_bytes(behind_a_first_line, sizeof(behind_a_first_line), NULL, 0),
                     MW_ERR_SCRIPT);
    assert_non_null(strstr(world.fault.message, "unexpected symbol near '#'"));
    world_close(&world);
}

TEST(hostile_sources_are_refused)
{
    static char deep[200000];
    static const struct {
        char fill;
        const char *begin;
    } kinds[] = { { '(', "return " }, { '{', "return " }, { '-', "return " }, { 'x', "" },
                  { '\0', "" },       { '\n', "" },       { '"', "" },        { '[', "return " } };
    for (size_t i = 0; i < MW_COUNT(kinds); i++) {
        world_open(&world);
        memset(deep, kinds[i].fill, sizeof(deep));
        memcpy(deep, kinds[i].begin, strlen(kinds[i].begin));
        assert_int_equal(load_bytes(deep, sizeof(deep), NULL, 0), MW_ERR_SCRIPT);
        world_close(&world);
    }
}

TEST(a_bad_version_spoils_nothing_for_the_next)
{
    world_open(&world);
    assert_int_equal(load(&world,
                          "for _, t in ipairs { string, table, math, utf8, coroutine, os, json, "
                          "log, timer, _G, _ENV,\n"
                          "  state, getmetatable('') } do\n"
                          "  for _, key in ipairs { 'format', 'x', '__index', 1 } do\n"
                          "    pcall(function() t[key] = 'bad' end)\n"
                          "    pcall(rawset, t, key, 'bad')\n"
                          "    pcall(setmetatable, t, { __index = function() return 'bad' end })\n"
                          "    pcall(table.insert, t, 'bad')\n"
                          "  end end\n"
                          "pcall(function() ('').__index = nil end)\n"
                          "error('enough')"),
                     MW_ERR_SCRIPT);
    must_load(
        &world,
        "for _, t in ipairs { string, table, math, utf8, coroutine, os, json, log, timer, _G,\n"
        "  state } do assert(t.x == nil and t[1] == nil) end\n"
        "assert(x == nil and state.format == nil)\n"
        "print(string.format('%d', 5), ('x'):upper()) return {}");
    expect(&world, "log info v1 5\tX\n");
    world_close(&world);
}

TEST(apps_share_nothing)
{
    static struct world other;
    world_open(&world);
    world_open(&other);
    must_load(&world, "state.secret = 5 timer.every('t', 1, print) math.randomseed(1)\n"
                      "return { on_message = function(c) c.data.x = 1 end }");
    must_load(&other, "print(state.secret, timer.cancel('t')) return { on_message = function(c)\n"
                      "  print(c.data.x) end }");
    must_open(&world, 1);
    must_open(&other, 1);
    say(&world, 1, "x");
    say(&other, 1, "x");
    expect(&other, "log info v1 nil\tfalse\nlog info v1 c1 nil\n");
    world_close(&other);
    world_close(&world);
}

TEST(randomness_follows_the_host)
{
    static struct world other;
    static const char script[] = "print(math.random(1000000), math.random(1000000)) "
                                 "print(math.randomseed()) return {}";
    world_open(&world);
    world_open(&other);
    must_load(&world, script);
    must_load(&other, script);
    assert_string_equal(world.host.transcript, other.host.transcript);
    world_close(&other);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(bytecode_is_never_loaded),
        CASE(hostile_sources_are_refused),
        CASE(a_bad_version_spoils_nothing_for_the_next),
        CASE(apps_share_nothing),
        CASE(randomness_follows_the_host),
    };
    return RUN(cases);
}
