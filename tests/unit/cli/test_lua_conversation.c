/*
 * The talk of tests/unit/server/talk.h with scripts in Lua: the whole way from a stream through the
 * drivers into the engine and back, also where the worker's memory or the scripts' own fails.
 */
#include "lua/engine.h"
#include "moonwire/engine_lua.h"
#include "tests/unit/server/talk.h"

/* What cannot be said must not be missing silently: pcall, then 1011. */
#define SURE \
    "local function sure(conn, fn, ...)\n" \
    "  if not pcall(fn, ...) then conn:close(1011, 'no memory') end\n" \
    "end\n"

static const char *const scripts[][2] = {
    { "room.lua", SURE "local M = {}\n"
                       "function M.on_open(conn)\n"
                       "  conn:subscribe('room')\n"
                       "  conn:subscribe('lobby')\n"
                       "end\n"
                       "function M.on_message(conn, data)\n"
                       "  sure(conn, publish, 'room', data)\n"
                       "end\n"
                       "return M\n" },
    { "refuse.lua", "return { on_open = function() return false, 403, 'not you' end }\n" },
    { "late.lua", "return { on_open = function()\n"
                  "  sleep(0)\n"
                  "  return false, 4001, 'not you either'\n"
                  "end }\n" },
    { "slow.lua", SURE "local M = { route = '/slow/:name' }\n"
                       "function M.on_open(conn)\n"
                       "  sleep(0)\n"
                       "  conn.data.name = conn.params.name\n"
                       "  sure(conn, conn.send, conn, 'hi')\n"
                       "end\n"
                       "function M.on_message(conn, data)\n"
                       "  assert(conn.data.name == 'sue')\n"
                       "  sleep(0)\n"
                       "  state.count = (state.count or 0) + 1\n"
                       "  sure(conn, conn.send, conn, data)\n"
                       "end\n"
                       "return M\n" },
    { "echo.lua", SURE "return { on_message = function(conn, data)\n"
                       "  sure(conn, conn.send, conn, data)\n"
                       "end }\n" },
    { "bye.lua", SURE "return { on_message = function(conn, data)\n"
                      "  sure(conn, conn.send, conn, data)\n"
                      "  conn:close(4000, data)\n"
                      "end }\n" },
};

static struct talk talk;
static struct mw_mem script_mem; /* what all scripts hold, to be told to fail */
static struct mw_engine engine;  /* the Lua engine with that memory */

static struct mw_app *create_in_script_mem(const struct mw_app_setup *setup)
{
    return mw_lua_app_new(setup, &script_mem);
}

static int set_up(void **state)
{
    (void)state;
    mw_mem_init(&script_mem, NULL, 0);
    engine = *mw_engine_lua();
    engine.create = create_in_script_mem;
    open_talk(&talk, &engine, scripts, MW_COUNT(scripts));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_talk(&talk);
    assert_mem_empty(&script_mem);
    return 0;
}

TEST(everybody_sees_the_right_answer_however_it_is_cut)
{
    for (talk.seed = 1; talk.seed <= 15; talk.seed++) {
        assert_talk_is_right(&talk);
        assert_mem_empty(&script_mem);
    }
}

TEST(each_failing_allocation_of_the_worker_is_a_right_answer_or_an_end)
{
    fail_everywhere(&talk);
}

TEST(when_the_workers_memory_ends_everybody_sees_a_right_beginning_and_an_end)
{
    talk.fail_after = true;
    fail_everywhere(&talk);
}

static uint64_t script_fail_at;
static bool script_fail_after;

static void fail_script(struct talk *of)
{
    (void)of;
    script_mem.fail_at = script_fail_at ? script_mem.count + script_fail_at : 0;
    script_mem.fail_after = script_fail_after;
}

static uint64_t talk_with_failing_scripts(void)
{
    mw_mem_init(&script_mem, NULL, 0);
    (void)talk_once(&talk);
    assert_mem_empty(&script_mem);
    return script_mem.count;
}

/* A handler may lose its message for it, as the contract says, but nobody sees garbage. */
TEST(when_the_scripts_memory_fails_nothing_is_garbled_and_nothing_stays)
{
    talk.begins = fail_script;
    talk.scripts_fail = true;
    for (int all_later = 0; all_later < 2; all_later++) {
        script_fail_after = all_later;
        script_fail_at = 0;
        uint64_t count = talk_with_failing_scripts();
        assert_true(count > 1000);
        for (script_fail_at = 1; script_fail_at <= count; script_fail_at += 1 + count / 100)
            (void)talk_with_failing_scripts();
    }
}

#define IN_A_TALK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_TALK(everybody_sees_the_right_answer_however_it_is_cut),
        IN_A_TALK(each_failing_allocation_of_the_worker_is_a_right_answer_or_an_end),
        IN_A_TALK(when_the_workers_memory_ends_everybody_sees_a_right_beginning_and_an_end),
        IN_A_TALK(when_the_scripts_memory_fails_nothing_is_garbled_and_nothing_stays),
    };
    return RUN(cases);
}
