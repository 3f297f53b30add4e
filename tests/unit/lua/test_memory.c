/*
 * Stops for memory, seen over many calls: nothing piles up, nobody else notices, and what waited or
 * loaded at that moment is whole. What one call may try is in tests/attack/memory.lua.
 *
 * MW_KILLS=10000 makes the long run of it (security goal G7).
 */
#include <stdlib.h>

#include "core/base/str.h"
#include "tests/unit/lua/fake_host.h"

#define CAP (2 * 1024 * 1024)

static struct world world;

static const char glutton[] =
    "local M = {}\n"
    "local function eat(how)\n"
    "  local kept = {}\n"
    "  if how == 'text' then while true do pcall(string.rep, 'x', 2 ^ 26) end end\n"
    "  if how == 'lists' then while true do pcall(function()\n"
    "    while true do kept[#kept + 1] = {} end end) end end\n"
    "  if how == 'json' then while true do kept[#kept + 1] = json.decode('[{},{},{}]') end end\n"
    "  if how == 'coroutine' then coroutine.wrap(function() eat('lists') end)() end\n"
    "  if how == 'encode' then local t = { ('x'):rep(9e5) } json.encode { t, t, t, t } end\n"
    "  if how == 'recursion' then local function f() return 1 + f() end f() end\n"
    "  while true do kept[#kept + 1] = function() return kept, how end end\n"
    "end\n"
    "function M.on_open(conn, req) if req.query.eat then eat('lists') end end\n"
    "function M.on_message(conn, how)\n"
    "  if how == 'alive' then conn:send('alive')\n"
    "  elseif how == 'wait' then sleep(5) conn:send('waited')\n"
    "  elseif how == 'later' then timer.after(1, function() eat('lists') end)\n"
    "  elseif how == 'wait and eat' then sleep(1) eat('lists')\n"
    "  else eat(how) end\n"
    "end\n"
    "return M\n";

static const char *const ways[] = { "text",   "lists",     "json",    "coroutine",
                                    "encode", "recursion", "closures" };

static void open_glutton(struct world *w)
{
    world_open_capped(w, CAP);
    must_load(w, glutton);
    must_open(w, 1);
}

static void assert_alive(struct world *w)
{
    forget(w);
    assert_int_equal(say(w, 1, "alive"), MW_APP_DONE);
    expect(w, "send 1 text alive\n");
}

static void kill_once(struct world *w, const char *how)
{
    unsigned before = w->host.fault_count;
    assert_int_equal(say(w, 1, how), MW_APP_FAILED);
    assert_int_equal(w->host.fault_count, before + 1);
    assert_int_equal(w->host.fault.kind, MW_FAULT_MEMORY);
    assert_memory_equal(w->host.fault.message, "not enough memory: the script holds", 35);
    assert_true(w->app->mem.peak <= CAP + CAP / 20);
    assert_alive(w);
}

static size_t settled_bytes(struct world *w)
{
    mw_lua_app_collect(w->app);
    return w->mem.bytes;
}

static size_t kills_wanted(void)
{
    const char *text = getenv("MW_KILLS");
    uint64_t kills = 210;
    if (text)
        assert_true(mw_parse_u64(mw_view_text(text), 1, 1000000, &kills));
    return (size_t)kills;
}

/* Kilobytes that the process holds in memory, as the kernel counts them. */
static long resident_kib(void)
{
    long pages = 0, unused = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &unused, &pages) != 2)
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * 4;
}

TEST(after_very_many_kills_nothing_has_piled_up)
{
    size_t kills = kills_wanted();
    open_glutton(&world);
    for (size_t i = 0; i < MW_COUNT(ways); i++)
        kill_once(&world, ways[i]);
    size_t before = settled_bytes(&world);
    long before_kib = resident_kib();
    for (size_t i = 0; i < kills; i++)
        kill_once(&world, ways[i % MW_COUNT(ways)]);
    size_t after = settled_bytes(&world);
    print_message("%zu kills: %zu -> %zu bytes held, %ld -> %ld KiB resident\n", kills, before,
                  after, before_kib, resident_kib());
    assert_true(after <= before + before / 100);
    end_conn(&world, 1, 1000, "peer_close");
    world_close(&world);
}

TEST(other_scripts_do_not_notice)
{
    static struct world other;
    open_glutton(&other);
    open_glutton(&world);
    assert_int_equal(say(&other, 1, "wait"), MW_APP_WAITING);
    size_t before = other.app->mem.bytes;
    for (size_t i = 0; i < MW_COUNT(ways); i++)
        kill_once(&world, ways[i]);
    assert_int_equal(other.app->mem.bytes, before);
    assert_int_equal(other.host.fault_count, 0);
    forget(&other);
    pass(&other, 6000);
    expect(&other, "send 1 text waited\nfinished 1 message\n");
    world_close(&other);
    world_close(&world);
}

TEST(calls_that_wait_go_on_after_a_kill)
{
    open_glutton(&world);
    must_open(&world, 2);
    assert_int_equal(say(&world, 2, "wait"), MW_APP_WAITING);
    for (size_t i = 0; i < MW_COUNT(ways); i++)
        kill_once(&world, ways[i]);
    forget(&world);
    pass(&world, 6000);
    expect(&world, "send 2 text waited\nfinished 2 message\n");
    world_close(&world);
}

TEST(what_is_killed_later_is_told_of_and_over)
{
    struct mw_app_stats stats;
    open_glutton(&world);
    assert_int_equal(say(&world, 1, "wait and eat"), MW_APP_WAITING);
    pass(&world, 2000);
    assert_int_equal(world.host.fault_count, 1);
    expect_somewhere(&world, "finished 1 message\n");
    assert_int_equal(say(&world, 1, "later"), MW_APP_DONE);
    pass(&world, 2000);
    assert_int_equal(world.host.fault_count, 2);
    assert_string_equal(world.host.fault.handler, "timer");
    assert_alive(&world);
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.timers + stats.waiting, 0);
    world_close(&world);
}

TEST(an_on_open_that_is_killed_opens_nothing)
{
    struct mw_verdict verdict;
    open_glutton(&world);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(open_conn(&world, 2, "eat=all", &verdict), MW_APP_FAILED);
        end_conn(&world, 2, 1011, "script_error");
        assert_alive(&world);
    }
    struct mw_app_stats stats;
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.conn_objects, 1);
    world_close(&world);
}

TEST(a_version_that_eats_while_it_loads_is_refused)
{
    open_glutton(&world);
    for (int i = 0; i < 10; i++) {
        int err = load(&world, "local t = {}\nwhile true do t[#t + 1] = {} end\nreturn {}");
        assert_int_equal(err, MW_ERR_NOMEM);
        assert_int_equal(world.fault.kind, MW_FAULT_MEMORY);
        assert_int_equal(world.fault.line, 2);
        assert_alive(&world);
    }
    world_close(&world);
}

/* Four fifths of the cap are the script's own, and stay so. */
TEST(what_a_script_keeps_outlives_its_kills)
{
    world_open_capped(&world, CAP);
    must_load(&world, "local kept = {}\n"
                      "return { on_message = function(conn, what)\n"
                      "  if what == 'keep' then\n"
                      "    while collectgarbage('count') < 1600 do kept[#kept + 1] = #kept .. ''\n"
                      "    end end\n"
                      "  if what == 'drop' then kept = {} end\n"
                      "  if what == 'eat' then local t = {} while true do t[#t + 1] = {} end end\n"
                      "  conn:send(what == 'count' and #kept .. '' or 'alive')\n"
                      "end }");
    must_open(&world, 1);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(say(&world, 1, "keep"), MW_APP_DONE);
        assert_int_equal(say(&world, 1, "count"), MW_APP_DONE);
        char before[64];
        snprintf(before, sizeof before, "%s", strchr(world.host.transcript, '\n') + 1);
        for (int i = 0; i < 5; i++)
            kill_once(&world, "eat");
        assert_int_equal(say(&world, 1, "count"), MW_APP_DONE);
        expect(&world, before);
        assert_int_equal(say(&world, 1, "drop"), MW_APP_DONE);
        assert_true(settled_bytes(&world) < CAP / 4);
        forget(&world);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(after_very_many_kills_nothing_has_piled_up),
        CASE(other_scripts_do_not_notice),
        CASE(calls_that_wait_go_on_after_a_kill),
        CASE(what_is_killed_later_is_told_of_and_over),
        CASE(an_on_open_that_is_killed_opens_nothing),
        CASE(a_version_that_eats_while_it_loads_is_refused),
        CASE(what_a_script_keeps_outlives_its_kills),
    };
    return RUN(cases);
}
