/* A rebuild, seen from the engine: what of an app is in the one that replaces it. */
#include "lua/carry.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;
static struct mw_carried told;

/* Says what the expression that it is sent has for a value, in this version. */
#define TELLER \
    "local M = {}\n" \
    "function M.on_message(conn, data)\n" \
    "  local see = {\n" \
    "    keys = function() local k = {} for n in pairs(state) do k[#k + 1] = tostring(n) end\n" \
    "      table.sort(k) return table.concat(k, ' ') end,\n" \
    "    all = function() return inspect(state) end,\n" \
    "    data = function() return inspect(conn.data) end,\n" \
    "    json = function() return json.encode(state) end,\n" \
    "    same = function() return tostring(state.a == state.b.a and state.a.self == state.a and\n" \
    "      connection('2').data.shared == state.a) end,\n" \
    "    partner = function() return conn.data.partner.data.name end,\n" \
    "  }\n" \
    "  conn:send(see[data]())\n" \
    "end\n" \
    "function M.on_reload(s, info) log.info('from ' .. info.from .. ' to ' .. info.to) end\n" \
    "function M.on_close(conn, code) log.info('gone ' .. tostring(conn.path), conn.data) end\n" \
    "log.info('loads', { key = state.key })\n" \
    "return M\n"

/* Its connections 1 to 3 are open, and `fill` was done for the first. */
static void open_with(const char *fill)
{
    char script[2048];
    world_open(&world);
    snprintf(script, sizeof script,
             "return { on_message = function(conn, data) %s end, on_close = function() end }",
             fill);
    must_load(&world, script);
    for (mw_id id = 1; id <= 3; id++)
        must_open(&world, id);
    (void)say(&world, 1, "fill");
    assert_int_equal(world.host.fault_count, 0);
    forget(&world);
}

static struct mw_app *fresh_app(size_t memory_bytes)
{
    const struct mw_app_setup setup = {
        .host = &fake_host_functions,
        .host_app = &world.host,
        .name = mw_view_text("chat.lua"),
        .memory_bytes = memory_bytes,
    };
    return mw_lua_app_new(&setup, &world.mem);
}

/* As the server does it; world.app is the new one then. */
static void rebuild_capped(size_t memory_bytes)
{
    struct mw_app *old = world.app;
    struct mw_app *app = fresh_app(memory_bytes);
    assert_non_null(app);
    assert_int_equal(world.engine->carry(old, app, &told), MW_OK);
    world.engine->pause(old, true);
    world.engine->pause(app, true);
    world.app = app;
    must_load(&world, TELLER);
    world.engine->destroy(old);
    world.engine->pause(app, false);
}

static void rebuild(void)
{
    rebuild_capped(64 * 1024 * 1024);
}

static void expect_seen(const char *word, const char *seen)
{
    char line[512];
    forget(&world);
    (void)say(&world, 1, word);
    snprintf(line, sizeof line, "send 1 text %s\n", seen);
    expect(&world, line);
}

TEST(each_kind_of_plain_value_is_carried)
{
    static const struct {
        const char *fill, *word, *seen;
    } cases[] = {
        { "state.key = true", "all", "{ key = true }" },
        { "state.key = 7", "json", "{\"key\":7}" },
        { "state.key = 7.0", "all", "{ key = 7.0 }" },
        { "state.key = 0.1", "json", "{\"key\":0.1}" },
        { "state.key = 'a\\0b'", "json", "{\"key\":\"a\\u0000b\"}" },
        { "state.key = json.null", "json", "{\"key\":null}" },
        { "state.key = json.array {}", "json", "{\"key\":[]}" },
        { "state.key = {}", "json", "{\"key\":{}}" },
        { "state.key = { 1, { 2, { x = 3 } } }", "json", "{\"key\":[1,[2,{\"x\":3}]]}" },
        { "state[1] = 'one' state[true] = 'yes' state[0.5] = 'half'", "keys", "0.5 1 true" },
        { "state.key = ('x'):rep(100) .. 'y' state.b = state.key", "keys", "b key" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        open_with(cases[i].fill);
        rebuild();
        expect_seen(cases[i].word, cases[i].seen);
        assert_int_equal(told.keys, told.all_keys);
        assert_int_equal(told.left_out, 0);
        world_close(&world);
    }
}

TEST(file_and_on_reload_of_the_new_version_see_it_as_in_any_reload)
{
    open_with("state.key = 5");
    rebuild();
    expect(&world, "log info v2 loads key=5\nlog info v2 from 1 to 2\n");
    world_close(&world);
}

TEST(tables_that_were_one_are_one_again)
{
    open_with("state.a = { n = 1 } state.a.self = state.a state.b = { a = state.a }\n"
              "connection('2').data.shared = state.a");
    rebuild();
    expect_seen("same", "true");
    world_close(&world);
}

TEST(connections_are_carried_with_their_data)
{
    open_with("conn.data.name = 'one' connection('2').data.name = 'two'\n"
              "conn.data.partner = connection('2')");
    rebuild();
    assert_int_equal(told.conns, 3);
    expect_seen("partner", "two");
    forget(&world);
    end_conn(&world, 2, 1000, "peer_close");
    expect_somewhere(&world, "gone /chat/lobby");
    world_close(&world);
}

TEST(what_is_no_plain_data_is_left_out_and_named)
{
    static const struct {
        const char *fill, *warning;
        size_t left_out;
    } cases[] = {
        { "state.a = {} state.a.f = print",
          "state.a.f is not carried over: functions cannot survive a reload", 1 },
        { "state.a = { {} } state.a[1].co = coroutine.create(print)",
          "state.a[1].co is not carried over: coroutines cannot survive a reload", 1 },
        { "state.a = {} state.a.t = setmetatable({}, {})",
          "state.a.t is not carried over: tables with a metatable cannot survive a reload", 1 },
        { "state.a = {} state.a.c = conn",
          "state.a.c is not carried over: objects such as connections cannot be kept in state", 1 },
        { "state.a = {} state.a[conn] = 1",
          "state.a is not carried over: only strings, numbers and booleans can be keys", 1 },
        { "local t = {} state.a = t for i = 1, 105 do t.t = {} t = t.t end",
          "is not carried over: nested deeper than 100 levels", 1 },
        { "state.a = {} conn.data.f = print",
          "conn 1.data.f is not carried over: functions cannot survive a reload", 1 },
        { "state.a = {} for i = 1, 30 do state.a[i] = print end",
          "state.a[1] is not carried over: functions cannot survive a reload", 30 },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        open_with(cases[i].fill);
        rebuild();
        expect_somewhere(&world, cases[i].warning);
        assert_int_equal(told.left_out, cases[i].left_out);
        assert_int_equal(told.keys, 1);
        expect_seen("keys", "a");
        world_close(&world);
    }
}

TEST(a_key_that_does_not_fit_is_left_out_and_the_others_stay)
{
    open_with("state.a = 1 state.z = { 'small' } state.big = {}\n"
              "for i = 1, 60000 do state.big[i] = { i } end\n"
              "conn.data = { name = 'one', mine = state.z } state.key = 2");
    rebuild_capped(2 * 1024 * 1024);
    expect_somewhere(&world,
                     "state.big is not carried over: there is no memory for it beside the rest");
    assert_int_equal(told.keys, 3);
    assert_int_equal(told.all_keys, 4);
    expect_seen("keys", "a key z");
    expect_seen("data", "{ mine = { \"small\" }, name = \"one\" }");
    assert_true(world.app->mem.bytes < 1024 * 1024);
    world_close(&world);
}

TEST(a_quarter_of_the_memory_is_left_for_the_version)
{
    open_with("state.big = ('x'):rep(1700000) state.a = ('x'):rep(1200000)");
    rebuild_capped(2 * 1024 * 1024);
    assert_int_equal(told.keys, 1);
    expect_seen("keys", "a");
    world_close(&world);
}

TEST(half_of_a_key_that_failed_is_nobodys)
{
    open_with("local all = {} for i = 1, 60000 do all[i] = { i } end\n"
              "local part = { name = 'part', whole = all } all[1] = part\n"
              "state.big = all conn.data = part");
    rebuild_capped(2 * 1024 * 1024);
    assert_int_equal(told.keys, 0);
    assert_int_equal(told.left_out, 2);
    expect_seen("data", "{}");
    world_close(&world);
}

TEST(ends_that_are_owed_are_told_by_the_new_version)
{
    open_with("connection('2').data.name = 'two'");
    world.engine->pause(world.app, true);
    end_conn(&world, 2, 1000, "peer_close");
    rebuild();
    assert_int_equal(told.conns, 2);
    forget(&world);
    pass(&world, 0);
    expect(&world, "log info v2 c2 gone /chat/lobby name=\"two\"\n");
    world_close(&world);
}

TEST(an_end_before_the_commit_reaches_both)
{
    open_with("connection('2').data.name = 'two'");
    struct mw_app *old = world.app, *app = fresh_app(0);
    assert_int_equal(world.engine->carry(old, app, &told), MW_OK);
    world.engine->pause(old, true);
    world.engine->pause(app, true);
    const struct mw_end end = { .code = 1000, .who = "client", .cause = "peer_close", .rule = "" };
    world.app = app;
    must_prepare(&world, TELLER);
    world.engine->close(old, 2, &end);
    world.engine->close(app, 2, &end);
    forget(&world);
    commit(&world);
    world.engine->destroy(old);
    world.engine->pause(app, false);
    pass(&world, 0);
    expect(&world, "log info v2 c2 gone /chat/lobby name=\"two\"\n");
    world_close(&world);
}

TEST(the_old_app_is_as_it_was)
{
    open_with("if data == 'fill' then state.a = { conn.id } sleep(1) conn:send('slept')\n"
              "else conn:send(inspect(state)) end");
    struct mw_app *app = fresh_app(0);
    size_t bytes = world.app->mem.bytes;
    assert_int_equal(world.engine->carry(world.app, app, &told), MW_OK);
    assert_true(world.app->mem.bytes <= bytes + 8192); /* its stack */
    world.engine->destroy(app);
    pass(&world, 1000);
    expect(&world, "send 1 text slept\nfinished 1 message\n");
    expect_seen("x", "{ a = { \"1\" } }");
    world_close(&world);
}

static const char rich[] = "state.a = { n = 1, json.null, json.array {}, ('long '):rep(20) }\n"
                           "state.b = { a = state.a, [2.5] = {} } state.c = 'c'\n"
                           "conn.data = { name = 'one', mine = state.a, other = connection('2') }\n"
                           "connection('2').data.f = print";

/* One allocation fails, then that and all later ones: refused, or with holes, never broken. */
TEST(each_failing_allocation_leaves_an_app_that_serves_or_is_refused)
{
    for (int all_later = 0; all_later < 2; all_later++) {
        size_t refused = 0, with_holes = 0;
        for (uint64_t n = 1;; n++) {
            open_with(rich);
            world.engine->pause(world.app, true);
            end_conn(&world, 3, 1000, "peer_close");
            struct mw_app *old = world.app, *app = fresh_app(0);
            assert_non_null(app);
            uint64_t begun = world.mem.count;
            world.mem.fail_at = begun + n;
            world.mem.fail_after = all_later;
            int err = world.engine->carry(old, app, &told);
            bool has_failed = world.mem.count >= begun + n;
            world.mem.fail_at = 0;
            world.mem.fail_after = false;
            refused += err != MW_OK;
            with_holes += err == MW_OK && told.keys < told.all_keys;
            if (err == MW_OK) {
                assert_int_equal(told.conns, 2);
                assert_int_equal(told.all_keys, 3);
                world.app = app;
                world.engine->pause(app, true);
                must_load(&world, TELLER);
                world.engine->destroy(old);
                world.engine->pause(app, false);
                pass(&world, 0);
                (void)say(&world, 1, "data");
                (void)say(&world, 2, "all");
                assert_int_equal(world.host.fault_count, 0);
            } else {
                world.engine->destroy(app);
            }
            world_close(&world);
            if (!has_failed)
                break;
        }
        assert_true(refused > 0 || !all_later);
        assert_true(with_holes > 0 || !all_later);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_kind_of_plain_value_is_carried),
        CASE(file_and_on_reload_of_the_new_version_see_it_as_in_any_reload),
        CASE(tables_that_were_one_are_one_again),
        CASE(connections_are_carried_with_their_data),
        CASE(what_is_no_plain_data_is_left_out_and_named),
        CASE(a_key_that_does_not_fit_is_left_out_and_the_others_stay),
        CASE(a_quarter_of_the_memory_is_left_for_the_version),
        CASE(half_of_a_key_that_failed_is_nobodys),
        CASE(ends_that_are_owed_are_told_by_the_new_version),
        CASE(an_end_before_the_commit_reaches_both),
        CASE(the_old_app_is_as_it_was),
        CASE(each_failing_allocation_leaves_an_app_that_serves_or_is_refused),
    };
    return RUN(cases);
}
