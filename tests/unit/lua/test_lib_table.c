/* table.concat, insert, remove, move, unpack: as Lua's own, and stopped while they work. */
#include "lua/stdlib.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "table", mw_lua_table_functions);
}

TEST(concat_is_as_luas_own)
{
    open_twins();
    twins_run(&twins,
              /* Where a range is huge it begins with a hole, or Lua's own would go on for years. */
              "same('table', 'concat', 2000, function(R, log)\n"
              "  return R.pick { R.asked(log), R.asked(log), R.value() },\n"
              "    R.pick { nil, ',', R.value() }, R.pick { nil, R.index() },\n"
              "    R.pick { nil, R.index() } end)");
    twins_close(&twins);
}

TEST(insert_is_as_luas_own)
{
    open_twins();
    /* Near 2^63 only where what is moved is little. */
    twins_run(&twins, "same('table', 'insert', 2000, function(R, log)\n"
                      "  local t = R.asked(log)\n"
                      "  if getmetatable(t) and getmetatable(t).__len then\n"
                      "    local n = R.pick { 3, 0, 2.5, 'x', 2.0 }\n"
                      "    getmetatable(t).__len = function() return n end end\n"
                      "  if math.random(20) == 1 then return R.value(), R.index(), 1 end\n"
                      "  if math.random(3) == 1 then return t, R.value() end\n"
                      "  if math.random(20) == 1 then return t, R.index(), 1, 2 end\n"
                      "  return t, R.index(), R.value() end)\n"
                      "same('table', 'insert', 100, function(R, log)\n"
                      "  local t = setmetatable({}, { __len = function() return -3 end,\n"
                      "    __newindex = function(_, k) log[#log + 1] = k end })\n"
                      "  return t, math.random(-8, 3), 'v' end)\n"
                      "same('table', 'insert', 300, function(R, log)\n"
                      "  local t = setmetatable({}, {\n"
                      "    __len = function() return math.maxinteger - math.random(0, 2) end,\n"
                      "    __newindex = function(_, k) log[#log + 1] = k end })\n"
                      "  return t, math.maxinteger - math.random(0, 4), 'v' end)");
    twins_close(&twins);
}

TEST(remove_is_as_luas_own)
{
    open_twins();
    twins_run(&twins, "same('table', 'remove', 2000, function(R, log)\n"
                      "  local t = R.asked(log)\n"
                      "  if getmetatable(t) and getmetatable(t).__len then\n"
                      "    local n = R.pick { 3, 0, 2.5, 'x', 2.0 }\n"
                      "    getmetatable(t).__len = function() return n end end\n"
                      "  if math.random(20) == 1 then return R.value(), R.index() end\n"
                      "  return t, R.pick { nil, R.index() } end)\n"
                      "same('table', 'remove', 100, function(R, log)\n"
                      "  local t = setmetatable({}, { __len = function() return -3 end,\n"
                      "    __newindex = function(_, k) log[#log + 1] = k end })\n"
                      "  return t, math.random(-8, 3) end)\n"
                      "same('table', 'remove', 300, function(R, log)\n"
                      "  local n = R.pick { math.maxinteger, math.mininteger }\n"
                      "  local t = setmetatable({}, { __len = function() return n end,\n"
                      "    __newindex = function(_, k) log[#log + 1] = k end })\n"
                      "  return t, R.pick { n, math.maxinteger - math.random(0, 4) } end)");
    twins_close(&twins);
}

TEST(move_is_as_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "local function index(R) local i = R.index()\n"
        "  return math.type(i) and i > 500 and math.random(0, 20) or i end\n"
        "same('table', 'move', 2000, function(R, log)\n"
        "  local from = index(R)\n"
        "  if math.type(from) and from < -500 then from = 0 end\n"
        "  return R.pick { R.asked(log), R.asked(log), R.asked(log), R.value() }, from,\n"
        "    index(R), R.index(), R.pick { nil, nil, R.asked(log), R.value() } end)\n"
        /* Of what is too much nothing is done. */
        "same('table', 'move', 300, function(R) return {}, R.pick { math.mininteger, 0, -1 },\n"
        "  math.maxinteger, 1 end)\n"
        "same('table', 'move', 300, function(R) return { 1, 2, 3 }, 1, math.random(4),\n"
        "  math.maxinteger - math.random(0, 4) end)\n"
        "same('table', 'move', 300, function(R) return {}, math.maxinteger - 3,\n"
        "  math.maxinteger, math.random(-5, 5) end)\n"
        "same('table', 'move', 50, function(R, log)\n"
        "  local meta = { __eq = function() log[#log + 1] = 'eq' return true end }\n"
        "  return setmetatable({ 1, 2, 3 }, meta), 1, 3, math.random(-2, 5),\n"
        "    setmetatable({}, meta) end)");
    twins_close(&twins);
}

TEST(unpack_is_as_luas_own)
{
    open_twins();
    twins_run(&twins,
              "same('table', 'unpack', 2000, function(R, log)\n"
              "  return R.pick { R.asked(log), R.asked(log), R.value() },\n"
              "    R.pick { nil, R.index() }, R.pick { nil, R.index() } end)\n"
              "same('table', 'unpack', 4, function(R) return {}, 1, 10 ^ math.random(7, 9) end)");
    twins_close(&twins);
}

TEST(they_stop_while_they_work)
{
    static const char *const scripts[] = {
        "own.table.concat(setmetatable({}, { __index = stops }), '', 1, 1 << 62)",
        "own.table.insert(setmetatable({}, { __index = stops, __newindex = rawlen,\n"
        "  __len = function() return 1 << 62 end }), 1, 'x')",
        "stop() own.table.insert(setmetatable({}, { __len = function() return 1 << 62 end }), 1, "
        "2)",
        "stop() own.table.remove(setmetatable({}, { __len = function() return 1 << 62 end }), 1)",
        "stop() own.table.move({}, 1, 1 << 62, 2)",
        "own.table.move(setmetatable({}, { __index = stops }), 1, 1 << 62, 2, {})",
        "own.table.unpack(setmetatable({}, { __index = stops }), 1, 100000)",
        "stop() own.table.concat({ 1, 2, 3 })",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(concat_is_as_luas_own), CASE(insert_is_as_luas_own), CASE(remove_is_as_luas_own),
        CASE(move_is_as_luas_own),   CASE(unpack_is_as_luas_own), CASE(they_stop_while_they_work),
    };
    return RUN(cases);
}
