/*
 * What a candidate does to tables inside of `state`: undone when it is refused, done again at its
 * commit, and merged with what the old version did in between.
 */
#include "tests/unit/lua/fake_host.h"

static struct world world;

/* Each connection of this version says what is in `state`, or does what it is told. */
#define OLD \
    "return { on_message = function(conn, what)\n" \
    "  if what == 'keep' then conn.data.lobby = state.rooms.lobby end\n" \
    "  if what == 'same' then print(conn.data.lobby == state.rooms.lobby) end\n" \
    "  if what == 'add' then state.rooms.lobby.late = 'old' state.rooms.lobby.n = 5 end\n" \
    "  if what == 'show' then print(inspect(state)) end end }\n"

static void open_with_rooms(void)
{
    world_open(&world);
    must_load(&world, "state.rooms = { lobby = { n = 1, list = json.array { 'a', 'b' } } }\n" OLD);
    must_open(&world, 1);
}

#define ROOMS "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 1 } } }"

struct change {
    const char *code;
    const char *after; /* what is in state when it was committed */
};

static const struct change changes[] = {
    { "state.rooms.lobby.n = 2", "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 2 } } }" },
    { "state.rooms.lobby.n = nil", "{ rooms = { lobby = { list = { \"a\", \"b\" } } } }" },
    { "state.rooms.lobby = nil", "{ rooms = {} }" },
    { "state.rooms.hall = { n = 3 }",
      "{ rooms = { hall = { n = 3 }, lobby = { list = { \"a\", \"b\" }, n = 1 } } }" },
    { "table.insert(state.rooms.lobby.list, 1, 'c')",
      "{ rooms = { lobby = { list = { \"c\", \"a\", \"b\" }, n = 1 } } }" },
    { "local r = state.rooms state.rooms = nil r.lobby.n = 9", "{}" },
    { "state.all = state.rooms state.rooms = nil state.all.lobby.list = nil",
      "{ all = { lobby = { n = 1 } } }" },
    { "for _, room in pairs(state.rooms) do room.n = room.n + 0.5 end",
      "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 1.5 } } }" },
    { "for _, v in pairs(state) do v.lobby.n = 4 end",
      "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 4 } } }" },
    { "local _, v = next(state) v.lobby.n = 4",
      "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 4 } } }" },
    { "json.array(state.rooms.lobby)", ROOMS },
    { "setmetatable(state.rooms.lobby, { __index = string })", ROOMS }, /* with a warning */
    { "local l = state.rooms.lobby l.n = nil l.n = 1", ROOMS },
    { "state.rooms.lobby.n = 1.0", "{ rooms = { lobby = { list = { \"a\", \"b\" }, n = 1.0 } } }" },
    { "local l = state.rooms.lobby for i = 1, 100 do l[i] = i end\n"
      "for i = 1, 100 do l[i] = nil end",
      ROOMS },
};

TEST(nothing_of_a_refused_version_stays)
{
    char script[512];
    open_with_rooms();
    for (size_t i = 0; i < MW_COUNT(changes); i++) {
        snprintf(script, sizeof(script), "%s\nerror('no')", changes[i].code);
        assert_int_equal(load(&world, script), MW_ERR_SCRIPT);
        say(&world, 1, "show");
        expect(&world, "log info v1 c1 " ROOMS "\n");
    }
    world_close(&world);
}

TEST(before_its_commit_nobody_sees_what_a_version_did)
{
    char script[512], want[256];
    for (size_t i = 0; i < MW_COUNT(changes); i++) {
        open_with_rooms();
        snprintf(script, sizeof(script), "%s\n" OLD, changes[i].code);
        must_prepare(&world, script);
        say(&world, 1, "show");
        expect(&world, "log info v1 c1 " ROOMS "\n");
        commit(&world);
        forget(&world);
        say(&world, 1, "show");
        snprintf(want, sizeof(want), "log info v2 c1 %s\n", changes[i].after);
        expect(&world, want);
        world_close(&world);
    }
}

TEST(a_discarded_version_did_nothing)
{
    open_with_rooms();
    must_prepare(&world, "state.rooms.lobby.n = 2 state.more = {} return {}");
    world.engine->discard(world.app);
    say(&world, 1, "show");
    expect(&world, "log info v1 c1 " ROOMS "\n");
    world_close(&world);
}

TEST(what_the_old_version_writes_meanwhile_stays_unless_the_new_one_changed_it)
{
    open_with_rooms();
    must_prepare(&world, "state.rooms.lobby.n = 2 state.rooms.lobby.fresh = true\n" OLD);
    say(&world, 1, "add");
    commit(&world);
    say(&world, 1, "show");
    expect(&world, "log info v2 c1 { rooms = { lobby = { fresh = true, late = \"old\", list = "
                   "{ \"a\", \"b\" }, n = 2 } } }\n");
    world_close(&world);
}

TEST(tables_stay_the_same_ones_for_everybody_who_holds_them)
{
    open_with_rooms();
    say(&world, 1, "keep");
    must_load(&world, "local lobby = state.rooms.lobby lobby.n = 2 state.alias = lobby\n"
                      "return { on_message = function(conn)\n"
                      "  print(conn.data.lobby == state.rooms.lobby, lobby == state.alias,\n"
                      "    lobby == state.rooms.lobby, conn.data.lobby.n) end }");
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 true\ttrue\ttrue\t2\n");
    load(&world, "state.rooms.lobby = { other = true } state.rooms = {} error('no')");
    must_load(&world, OLD);
    say(&world, 1, "same");
    expect(&world, "log info v3 c1 true\n");
    world_close(&world);
}

TEST(circles_and_sharing_survive_both_ways)
{
    static const char *const build = "local a, b = {}, {} a.b, b.a, a.me = b, a, a\n"
                                     "state.a, state.b = a, b\n"
                                     "return { on_message = function()\n"
                                     "  print(state.a.b == state.b, state.b.a == state.a,\n"
                                     "    state.a.me == state.a, state.a.n) end }";
    world_open(&world);
    must_load(&world, build);
    must_open(&world, 1);
    load(&world, "state.a.b.a.n = 1 state.b.a = nil state.a.me = {} error('no')");
    say(&world, 1, "x");
    expect(&world, "log info v1 c1 true\ttrue\ttrue\tnil\n");
    must_load(&world, "state.b.a.me.n = 7 return { on_message = function()\n"
                      "  print(state.a.b == state.b, state.a.me == state.a, state.a.n) end }");
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 true\ttrue\t7\n");
    world_close(&world);
}

TEST(marks_and_nulls_are_kept)
{
    world_open(&world);
    must_load(&world, "state.t = { list = json.array {}, none = json.null } return {}");
    must_load(&world, "state.t.list, state.t.other = state.t.list, json.array {}\n"
                      "json.array(state.t) return { on_message = function()\n"
                      "  print(json.encode(state.t.list), json.encode(state.t.other),\n"
                      "    state.t.none == json.null) end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 []\t[]\ttrue\n");
    world_close(&world);
}

TEST(a_load_sees_all_of_state_with_what_it_did_itself)
{
    world_open(&world);
    must_load(&world, "state.a = { 1 } state.b = 2 return {}");
    must_load(&world, "state.a[1] = 10 state.c = 3 state.b = nil\n"
                      "print(inspect(state), #state, #json.encode(state))\n"
                      "state[1] = 'x' print(#state, next(state) ~= nil) state.d = 4\n"
                      "local n = 0 for k in pairs(state) do n = n + 1 end print(n) return {}");
    expect(&world, "log info v2 { a = { 10 }, c = 3 }\t0\t16\n"
                   "log info v2 1\ttrue\nlog info v2 4\n");
    world_close(&world);
}

TEST(a_field_that_stays_what_it_is_is_not_checked_again)
{
    world_open(&world);
    must_load(&world, "state.t = { n = 1 } return { on_message = function()\n"
                      "  state.t.f = print state.t = state.t print(state.t.n) end }");
    must_open(&world, 1);
    say(&world, 1, "x");
    expect(&world, "log info v1 c1 1\n");
    world_close(&world);
}

TEST(a_state_of_more_than_half_of_the_cap_can_be_changed_by_a_load)
{
    static const char fill[] =
        "if not state.t then state.t = {} for i = 1, 7000 do state.t[i] = { i, i } end end\n"
        "return { on_message = function() print(#state.t, state.t[1][1], state.t[7000][2]) end }";
    static const char change[] =
        "for i, t in ipairs(state.t) do t[1] = -i end\n"
        "return { on_message = function() print(#state.t, state.t[1][1], state.t[7000][2]) end }";
    struct mw_app_stats stats;
    world_open_capped(&world, 1400 * 1024);
    must_load(&world, fill);
    must_open(&world, 1);
    mw_lua_app_collect(world.app);
    world.engine->stats(world.app, &stats);
    assert_in_range(stats.memory_bytes, 720 * 1024, 1300 * 1024);
    must_load(&world, change);
    say(&world, 1, "x");
    expect(&world, "log info v2 c1 7000\t-1\t7000\n");
    pass(&world, 1000);                                      /* the sweep is over */
    assert_int_equal(world.app->mem.max_bytes, 1400 * 1024); /* as it was */
    world_close(&world);
}

/* The first readings fail while it is written down; the candidate goes on as if nothing was. */
static bool load_reading(struct mw_mem *mem)
{
    static const char reads[] =
        "for i = 1, 4 do pcall(function()\n"
        "  state.t.n = 9 for _, t in pairs(state.t) do t[1] = 0 end end) end\n"
        "error('no')";
    uint64_t fail_at = mem->fail_at;
    mem->fail_at = 0;
    assert_true(world_open_in(&world, mem, 0));
    must_load(&world,
              "state.t = {} for i = 1, 40 do state.t[i] = { i } end\n"
              "return { on_message = function() local n = 0\n"
              "  for _, t in ipairs(state.t) do n = n + t[1] end print(n, state.t.n) end }");
    must_open(&world, 1);
    mem->fail_at = mem->count + fail_at;
    uint64_t count = mem->count;
    assert_true(load(&world, reads) != MW_OK);
    bool got_through = mem->count - count < fail_at;
    mem->fail_at = 0;
    say(&world, 1, "x");
    expect_somewhere(&world, "log info v1 c1 820\tnil\n");
    world.engine->destroy(world.app);
    return got_through;
}

TEST(memory_that_runs_out_while_a_table_is_written_down_loses_nothing)
{
    bool got_through = false;
    for (uint64_t fail_at = 1; !got_through; fail_at++) {
        struct mw_mem mem;
        mw_mem_init(&mem, NULL, 0);
        mem.fail_at = fail_at;
        got_through = load_reading(&mem);
        assert_mem_empty(&mem);
        assert_in_range(fail_at, 1, 2000);
    }
}

/* ---- any tables, any changes ---- */

/*
 * The model is written in Lua: each table has an id, and a dump is a set of lines "id.key = value".
 * The merge must be, line by line, what the candidate saw where that differs from what there was
 * before, and else what the old version left.
 */
#define SHARED "local lib = require 'model'\n"

static const char model[] =
    "local M = {}\n"
    "local keys = { 'a', 'b', 'c', 1, 2, 3, true, 2.5 }\n"
    "function M.tables(root)\n" /* all that can be reached, in an order of their own */
    "  local list, seen = {}, {}\n"
    "  local function visit(t)\n"
    "    if seen[t] then return end seen[t] = true list[#list + 1] = t\n"
    "    for _, k in ipairs(keys) do if type(t[k]) == 'table' then visit(t[k]) end end\n"
    "  end\n"
    "  visit(root) return list\n"
    "end\n"
    "function M.dump(root)\n"
    "  local lines = {}\n"
    "  for _, t in ipairs(M.tables(root)) do for k, v in pairs(t) do\n"
    "    local text = type(v) == 'table' and 'table ' .. v.id or math.type(v) and\n"
    "      math.type(v) .. ' ' .. v or tostring(v)\n"
    "    lines[t.id .. '.' .. tostring(k)] = text end end\n"
    "  return lines\n"
    "end\n"
    "local function value(list, make)\n"
    "  local n = math.random(7)\n"
    "  if n == 1 then return nil elseif n == 2 then return math.random(5) elseif n == 3 then\n"
    "    return math.random(5) + 0.0 elseif n == 4 then return 'text ' .. math.random(3)\n"
    "  elseif n == 5 then return make() end\n"
    "  return list[math.random(#list)]\n"
    "end\n"
    "function M.change(root, times, tag)\n"
    "  local made = 0\n"
    "  local function make() made = made + 1 return { id = tag .. made } end\n"
    "  for _ = 1, times do\n"
    "    local list = M.tables(root)\n"
    "    list[math.random(#list)][keys[math.random(#keys)]] = value(list, make)\n"
    "  end\n"
    "end\n"
    "return M\n";

/*
 * v1: builds, and dumps into conn.data: `before`, then `undone` (must be the same), then changes
 * more and dumps as `old`. v2 changes while it loads; its handler compares.
 */
static const char first[] = SHARED
    "math.randomseed(SEED)\n"
    "local root = { id = 'root' } lib.change(root, 60, 'a') state.root = root\n"
    "return { on_message = function(conn, what)\n"
    "  local d = conn.data\n"
    "  if what == 'before' then d.all = lib.tables(state.root) d.before = lib.dump(state.root)\n"
    "  elseif what == 'undone' then\n"
    "    local now = lib.dump(state.root)\n"
    "    for k, v in pairs(now) do if d.before[k] ~= v then print(k, v, d.before[k]) end end\n"
    "    for k, v in pairs(d.before) do if now[k] ~= v then print(k, now[k], v) end end\n"
    "  else\n"
    "    math.randomseed(SEED + 1) lib.change(state.root, 20, 'o')\n"
    "    d.old = lib.dump(state.root)\n"
    "    for _, t in ipairs(d.all) do for k, v in pairs(lib.dump(t)) do d.old[k] = v end end\n"
    "  end end }";

static const char second[] =
    SHARED "math.randomseed(SEED + 2)\n"
           "local all = lib.tables(state.root)\n"
           "lib.change(state.root, 20, 'n')\n"
           "local seen = lib.dump(state.root)\n"
           "for _, t in ipairs(all) do for k, v in pairs(lib.dump(t)) do seen[k] = v end end\n"
           "if FAILS then error('no') end\n"
           "return { on_message = function(conn)\n"
           "  local d, now, wrong, held = conn.data, {}, 0, {}\n"
           "  local function look(t)\n"
           "    for k, v in pairs(lib.dump(t)) do now[k] = v end\n"
           "    for _, part in ipairs(lib.tables(t)) do held[part.id] = true end end\n"
           "  for _, t in ipairs(all) do look(t) end\n"
           "  look(state.root)\n"
           "  local function check(k)\n"
           "    if not held[k:match('^(.-)%.')] then return end\n"
           "    local want = d.old[k]\n"
           "    if seen[k] ~= d.before[k] then want = seen[k] end\n"
           "    if now[k] ~= want then wrong = wrong + 1 print(k, now[k], want) end\n"
           "  end\n"
           "  for k in pairs(now) do check(k) end\n"
           "  for k in pairs(d.old) do check(k) end\n"
           "  for k in pairs(seen) do check(k) end\n"
           "  print('wrong', wrong)\n"
           "end }";

static void fill_in(char *out, size_t size, const char *script, int seed, bool fails)
{
    snprintf(out, size, "local SEED, FAILS = %d, %s %s", seed, fails ? "true" : "false", script);
}

static void try_seed(int seed)
{
    static const char *const libs[] = { "lib/model.lua", model, NULL };
    char script[4096];
    world_open(&world);
    fill_in(script, sizeof(script), first, seed, false);
    assert_int_equal(load_with(&world, script, libs), MW_OK);
    must_open(&world, 1);
    say(&world, 1, "before");
    fill_in(script, sizeof(script), second, seed, true);
    assert_int_equal(load_with(&world, script, libs), MW_ERR_SCRIPT);
    assert_string_equal(world.fault.message, "no");
    say(&world, 1, "undone");
    fill_in(script, sizeof(script), second, seed, false);
    assert_int_equal(prepare_with(&world, script, libs), MW_OK);
    say(&world, 1, "undone");
    expect(&world, "");
    say(&world, 1, "old");
    commit(&world);
    say(&world, 1, "compare");
    expect(&world, "log info v2 c1 wrong\t0\n");
    world_close(&world);
}

TEST(any_changes_merge_field_by_field)
{
    for (int seed = 1; seed <= 300; seed++)
        try_seed(seed * 10);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(nothing_of_a_refused_version_stays),
        CASE(before_its_commit_nobody_sees_what_a_version_did),
        CASE(a_discarded_version_did_nothing),
        CASE(what_the_old_version_writes_meanwhile_stays_unless_the_new_one_changed_it),
        CASE(tables_stay_the_same_ones_for_everybody_who_holds_them),
        CASE(circles_and_sharing_survive_both_ways),
        CASE(marks_and_nulls_are_kept),
        CASE(a_load_sees_all_of_state_with_what_it_did_itself),
        CASE(a_field_that_stays_what_it_is_is_not_checked_again),
        CASE(a_state_of_more_than_half_of_the_cap_can_be_changed_by_a_load),
        CASE(memory_that_runs_out_while_a_table_is_written_down_loses_nothing),
        CASE(any_changes_merge_field_by_field),
    };
    return RUN(cases);
}
