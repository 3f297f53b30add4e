/*
 * Tables that must not grow, and those that must. That it is in time is seen in tests/attack; that
 * the keys of a real table are counted as Lua would place them shows that the linked Lua lays its
 * tables out as crowd.c supposes.
 */
#include "lua/crowd.h"

#include "lua/budget.h"
#include "tests/unit/lua/fake_host.h"

static struct world world;

/* `key` of i makes the keys; "grow" adds one more to them. */
#define SCRIPT \
    "local t, u, N = {}, {}, 16384\n" \
    "local function key(i) return %s end\n" \
    "return { on_message = function(conn, what)\n" \
    "  if what == 'fill' then for i = 1, N do u[-i] = i t[key(i)] = i end end\n" \
    "  if what == 'grow' then pcall(function()\n" \
    "    t.more = 1 end) end\n" \
    "  if what == 'shrink' then for i = 1, N - 3000 do t[key(i)] = nil end t.more = 1 end\n" \
    "  if what == 'drop' then t = u t.more = 1 end\n" \
    "  local n = 0 for k, v in pairs(t) do n = n + 1 assert(v == t[k]) end\n" \
    "  print(n, t[key(N)], t.more)\n" \
    "end }"

static void open_with(const char *key)
{
    char script[1024];
    snprintf(script, sizeof(script), SCRIPT, key);
    world_open(&world);
    must_load(&world, script);
    must_open(&world, 1);
}

static void expect_done(const char *what, const char *line)
{
    forget(&world);
    assert_int_equal(say(&world, 1, what), MW_APP_DONE);
    expect(&world, line);
}

static void expect_stopped(const char *what)
{
    assert_int_equal(say(&world, 1, what), MW_APP_FAILED);
    assert_int_equal(world.app->budget.stop, MW_LUA_STOP_CROWD);
    assert_int_equal(world.host.fault.kind, MW_FAULT_CPU);
}

/* All of these come into one place of 32768, each kind by its own hash. */
static const char *const crowds[] = {
    "i * 32767",
    "-i * 32767",
    "i * 32767 + (1 << 52)",
    "(2 ^ 30 + i * 32767) / 2 ^ 31",
};

TEST(a_table_whose_keys_would_share_a_place_does_not_grow)
{
    for (size_t i = 0; i < MW_COUNT(crowds); i++) {
        open_with(crowds[i]);
        expect_done("fill", "log info v1 c1 16384\t16384\tnil\n");
        expect_stopped("grow");
        assert_string_equal(world.host.fault.message,
                            "a table of 16384 keys would take too long to grow: 16384 of them "
                            "share one place in it");
        assert_int_equal(world.host.fault.line, 6);
        assert_string_equal(world.host.fault.handler, "on_message");
        assert_non_null(strstr(world.host.fault.hint, "tostring(id)"));
        world_close(&world);
    }
}

TEST(it_stays_whole_and_of_use)
{
    open_with("i * 32767");
    expect_done("fill", "log info v1 c1 16384\t16384\tnil\n");
    mw_lua_app_collect(world.app);
    size_t bytes = world.app->mem.bytes;
    for (int i = 0; i < 3; i++) {
        expect_stopped("grow");
        expect_done("nothing", "log info v1 c1 16384\t16384\tnil\n");
    }
    mw_lua_app_collect(world.app);
    assert_true(world.app->mem.bytes <= bytes + 1024);
    expect_done("shrink", "log info v1 c1 3001\t16384\t1\n");
    world_close(&world);
}

TEST(one_that_is_garbage_stops_nobody)
{
    open_with("i * 32767");
    expect_done("fill", "log info v1 c1 16384\t16384\tnil\n");
    expect_done("drop", "log info v1 c1 16385\tnil\t1\n");
    world_close(&world);
}

TEST(keys_of_an_array_that_move_do_not_hide_a_crowd)
{
    world_open(&world);
    must_load(&world, "local t = {}\n"
                      "return { on_message = function()\n"
                      "  for i = 1, 65536 do t[i] = i end\n"
                      "  for i = 1, 8192 do t[i * 32767 + (1 << 40)] = i end\n"
                      "  for i = 1, 65536 do if i % 8 > 0 then t[i] = nil end end\n"
                      "  t.more = 1\n"
                      "end }");
    must_open(&world, 1);
    expect_stopped("x");
    assert_int_equal(world.host.fault.line, 6);
    world_close(&world);
}

TEST(tables_of_honest_keys_grow)
{
    static const char *const keys[] = {
        "i",
        "-i",
        "i * 1000",
        "i * 4096",
        "i << 32",
        "1732200000000 + i * 37",
        "i * 65536",
        "i * 3600",
        "i + 0.5",
        "i / 7",
        "'k' .. i",
        "('k'):rep(50) .. i",
        "{}",
        "i * 255",
        "-i << 20",
        "(i // 128) << 20 | i % 128",
        "i * 2^40",
        "i ~ 0x5555",
        "1 / i",
        "function() return i end",
        "i * 0x9E3779B97F4A7C15",
    };
    for (size_t i = 0; i < MW_COUNT(keys); i++) {
        char script[512];
        snprintf(script, sizeof(script),
                 "local function key(i) return %s end\n"
                 "return { on_message = function() local t = {}\n"
                 "  for i = 1, 70000 do t[key(i)] = i end end }",
                 keys[i]);
        world_open(&world);
        must_load(&world, script);
        must_open(&world, 1);
        assert_int_equal(say(&world, 1, "x"), MW_APP_DONE);
        world_close(&world);
    }
}

/* ---- blocks as Lua would have them ---- */

#define NODES 16384

struct node {
    uint64_t value;
    uint8_t value_type, key_type;
    int32_t next;
    uint64_t key;
};

static struct node table[NODES], larger[2 * NODES];

/* `length` strings in each list, of which each begins at its first node. */
static void fill_with_strings(int length)
{
    for (int i = 0; i < NODES; i++)
        table[i] = (struct node){
            .value_type = LUA_TTABLE,
            .key_type = LUA_TSTRING | 0x40,
            .next = i % length == length - 1 ? 0 : 1,
        };
}

static bool grows(void)
{
    assert_true(mw_lua_crowd_admit(world.app, table, sizeof(table)));
    world.app->budget.running = world.app->L;
    bool is_admitted = mw_lua_crowd_admit(world.app, larger, sizeof(larger));
    world.app->budget.running = NULL;
    world.app->crowd.refused_bytes = 0;
    mw_lua_crowd_forget(world.app, larger);
    mw_lua_crowd_forget(world.app, table);
    return is_admitted;
}

TEST(strings_are_counted_by_the_lists_that_they_are_in)
{
    world_open(&world);
    for (int length = 1; length <= 1024; length *= 2) {
        fill_with_strings(length);
        assert_true(grows());
    }
    fill_with_strings(4096);
    assert_false(grows());
    fill_with_strings(NODES);
    assert_false(grows());
    fill_with_strings(4096); /* who has no value is not put anywhere */
    for (int i = 0; i < NODES; i += 2)
        table[i].value_type = 0;
    assert_true(grows());
    fill_with_strings(NODES);
    table[7 * 255].key_type = 0; /* it has room left: another table grows */
    assert_true(grows());
    assert_null(world.app->crowd.vectors);
    world_close(&world);
}

TEST(foreign_bytes_of_that_size_do_no_harm)
{
    uint32_t noise = 1;
    unsigned char *bytes = (unsigned char *)table;
    world_open(&world);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(table); i++) {
            noise = noise * 1664525 + 1013904223;
            bytes[i] = (unsigned char)(noise >> 24);
        }
        for (size_t i = 0; i < NODES; i++) { /* rings, and ways out of the block */
            table[i].key_type = LUA_TSTRING;
            if (round % 2)
                table[i].next %= NODES;
        }
        (void)grows();
    }
    world_close(&world);
}

TEST(outside_of_calls_any_table_grows)
{
    world_open(&world);
    fill_with_strings(NODES);
    assert_true(mw_lua_crowd_admit(world.app, table, sizeof(table)));
    assert_true(mw_lua_crowd_admit(world.app, larger, sizeof(larger)));
    mw_lua_crowd_forget(world.app, table);
    mw_lua_crowd_forget(world.app, larger);
    mw_lua_crowd_forget(world.app, larger); /* unknown: nothing */
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_table_whose_keys_would_share_a_place_does_not_grow),
        CASE(it_stays_whole_and_of_use),
        CASE(one_that_is_garbage_stops_nobody),
        CASE(keys_of_an_array_that_move_do_not_hide_a_crowd),
        CASE(tables_of_honest_keys_grow),
        CASE(strings_are_counted_by_the_lists_that_they_are_in),
        CASE(foreign_bytes_of_that_size_do_no_harm),
        CASE(outside_of_calls_any_table_grows),
    };
    return RUN(cases);
}
