/* string.pack, packsize, unpack: as Lua's own, and stopped while they work. */
#include "lua/stdlib.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "string", mw_lua_pack_functions);
}

static const char formats[] =
    "local letters = {}\n"
    "for c in ('<>=!bBhHlLjJTiIfdnszxXc yp0'):gmatch '.' do letters[#letters + 1] = c end\n"
    "function R.format() local out = {}\n"
    "  for i = 1, math.random(0, 7) do\n"
    "    local letter = R.pick(letters)\n"
    "    if letter:find '[!iIsc]' and math.random(4) > 1 then\n"
    "      letter = letter .. R.pick { math.random(0, 17), 1 << math.random(0, 4),\n"
    "        math.random(0, 9) } end\n"
    "    if math.random(300) == 1 then letter = letter .. R.pick { 214748363, 2147483647, 99 } "
    "end\n"
    "    out[i] = letter end\n"
    "  return table.concat(out) end\n";

TEST(pack_is_as_luas_own)
{
    open_twins();
    twins_run(&twins, formats);
    twins_run(&twins,
              "same('string', 'pack', 3000, function(R)\n"
              "  local format, args = R.format(), {}\n"
              "  if format:find '%d%d%d' then format = 'i4' end\n"
              "  for i = 1, math.random(0, 8) do args[i] = R.pick { R.number(), 7, 200, 'ab',\n"
              "    R.text(), R.value() } end\n"
              "  return format, table.unpack(args, 1, 8 - math.random(0, 2)) end)");
    twins_close(&twins);
}

TEST(packsize_is_as_luas_own)
{
    open_twins();
    twins_run(&twins, formats);
    twins_run(&twins, "same('string', 'packsize', 3000, function(R)\n"
                      "  return R.format() .. R.format() end)\n"
                      "same('string', 'packsize', 300, function(R)\n"
                      "  return ('c214748363'):rep(math.random(8, 11)) .. R.format() end)");
    twins_close(&twins);
}

TEST(unpack_is_as_luas_own)
{
    open_twins();
    twins_run(&twins, formats);
    twins_run(&twins, "same('string', 'unpack', 3000, function(R)\n"
                      "  local data = {}\n"
                      "  for i = 1, math.random(0, 30) do data[i] = string.char(R.pick { 0, 1, 3,\n"
                      "    255, 127, 128, math.random(0, 255) }) end\n"
                      "  return R.format(), R.pick { table.concat(data), table.concat(data),\n"
                      "    R.value() }, R.pick { 1, R.index() } end)\n"
                      "same('string', 'unpack', 2, function() return ('b'):rep(1000001),\n"
                      "  ('b'):rep(1000001) end)");
    twins_close(&twins);
}

TEST(they_stop_while_they_work)
{
    static const char *const scripts[] = {
        "stop() own.string.pack('c100000000', '')",
        "stop() own.string.pack(('x'):rep(10000))",
        "stop() own.string.packsize((' '):rep(10000))",
        "stop() own.string.unpack(('b'):rep(1000), ('b'):rep(1000))",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(pack_is_as_luas_own),
        CASE(packsize_is_as_luas_own),
        CASE(unpack_is_as_luas_own),
        CASE(they_stop_while_they_work),
    };
    return RUN(cases);
}
