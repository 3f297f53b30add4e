/* table.sort: sorts, keeps its bound on comparisons, loses nothing, and is stopped. */
#include "lua/stdlib.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "table", mw_lua_sort_functions);
}

TEST(what_has_one_order_is_sorted_as_by_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "local function numbers(R, n, range) local t = {}\n"
        "  for i = 1, n do t[i] = math.random(range) end return t end\n"
        "local size = { 0, 1, 2, 3, 5, 19, 20, 21, 22, 41, 100, 300 }\n"
        "same('table', 'sort', 2000, function(R)\n"
        "  return numbers(R, R.pick(size), R.pick { 1, 2, 10, 1000 }) end)\n"
        "same('table', 'sort', 1000, function(R)\n"
        "  return numbers(R, R.pick(size), R.pick { 1, 2, 10, 1000 }),\n"
        "    function(a, b) return a > b end end)\n"
        "same('table', 'sort', 300, function(R) local t = {}\n"
        "  for i = 1, R.pick(size) do t[i] = R.text() end return t end)\n"
        "same('table', 'sort', 12, function(R) return numbers(R, 20000, 10 ^ 9 // 1 | 0) end)\n"
        "same('table', 'sort', 300, function(R)\n" /* in order, and the other way round */
        "  local t, n, step = {}, R.pick(size), R.pick { 1, -1 }\n"
        "  for i = 1, n do t[i] = i * step end return t end)");
    twins_close(&twins);
}

TEST(wrong_arguments_are_refused_as_by_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "local function with_len(n) return setmetatable({}, { __len = function() return n end })\n"
        "end\n"
        "same('table', 'sort', 2000, function(R)\n"
        "  return R.pick { {}, { 1 }, { 2, 1 }, with_len(1 << 31), with_len(2), with_len(0),\n"
        "    with_len(-1), with_len('x'), R.value() }, R.value() end)\n"
        "same('table', 'sort', 200, function(R) return { 1, R.pick { 'x', {}, true }, nil } end)");
    twins_close(&twins);
}

TEST(metamethods_are_respected)
{
    open_twins();
    twins_run(&twins,
              "local behind = {}\n"
              "for i = 1, 500 do behind[i] = (i * 7919) % 500 end\n"
              "local t = setmetatable({}, { __len = function() return 500 end,\n"
              "  __index = behind, __newindex = behind })\n"
              "own.table.sort(t)\n"
              "assert(next(t) == nil)\n"
              "for i = 1, 500 do assert(behind[i] == i - 1) end\n"
              "local meta = { __lt = function(a, b) return a.n < b.n end }\n"
              "local list = {}\n"
              "for i = 1, 500 do list[i] = setmetatable({ n = (i * 7919) % 500 }, meta) end\n"
              "own.table.sort(list)\n"
              "for i = 1, 500 do assert(list[i].n == i - 1) end");
    twins_close(&twins);
}

/* A comparator that makes up the order as it is asked, so that each pivot is a bad one. */
TEST(an_adversary_gets_n_log_n_comparisons)
{
    open_twins();
    twins_run(
        &twins,
        "for _, n in ipairs { 100, 1000, 20000 } do\n"
        "  local value, solid, candidate, gas, asked = {}, 0, 0, n + 1, 0\n"
        "  local t = {}\n"
        "  for i = 1, n do t[i] = i value[i] = gas end\n"
        "  own.table.sort(t, function(x, y)\n"
        "    asked = asked + 1\n"
        "    if value[x] == gas and value[y] == gas then\n"
        "      solid = solid + 1\n"
        "      if x == candidate then value[x] = solid else value[y] = solid end\n"
        "    end\n"
        "    if value[x] == gas then candidate = x elseif value[y] == gas then candidate = y end\n"
        "    return value[x] < value[y] end)\n"
        "  assert(asked < 8 * n * math.log(n, 2), n .. ' ' .. asked)\n"
        "  for i = 2, n do assert(value[t[i - 1]] <= value[t[i]]) end\n"
        "end");
    twins_close(&twins);
}

/* Whatever the comparator says, or where it fails: all values are still there. */
TEST(nothing_is_lost_by_a_bad_comparator)
{
    open_twins();
    twins_run(
        &twins,
        "for seed = 1, 600 do\n"
        "  math.randomseed(seed)\n"
        "  local n, t, seen = math.random(2, 400), {}, {}\n"
        "  for i = 1, n do t[i] = i end\n"
        "  local fails_at = math.random(4000)\n"
        "  local ok, text = pcall(own.table.sort, t, function(a, b)\n"
        "    fails_at = fails_at - 1\n"
        "    if fails_at == 0 then error('enough', 0) end\n"
        "    if seed % 4 == 0 then return true end\n"
        "    if seed % 4 == 1 then return a > b end\n"
        "    return math.random(2) == 1 end)\n"
        "  assert(ok or text == 'enough' or text == 'invalid order function for sorting', text)\n"
        "  for i = 1, n do seen[t[i]] = true end\n"
        "  for i = 1, n do assert(seen[i], seed) end\n"
        "end");
    twins_close(&twins);
}

TEST(it_stops_while_it_works)
{
    static const char *const scripts[] = {
        "local t = {} for i = 1, 100 do t[i] = i end own.table.sort(t, stops)",
        "stop() own.table.sort({ 2, 1 })",
        "own.table.sort(setmetatable({}, { __index = stops, __newindex = rawlen,\n"
        "  __len = function() return (1 << 31) - 2 end }))",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_has_one_order_is_sorted_as_by_luas_own),
        CASE(wrong_arguments_are_refused_as_by_luas_own),
        CASE(metamethods_are_respected),
        CASE(an_adversary_gets_n_log_n_comparisons),
        CASE(nothing_is_lost_by_a_bad_comparator),
        CASE(it_stops_while_it_works),
    };
    return RUN(cases);
}
