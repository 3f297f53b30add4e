/* string.format: as Lua's own but for addresses, and stopped while it works. */
#include "lua/stdlib.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "string", mw_lua_format_functions);
}

TEST(each_conversion_is_as_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "local letters = {}\n"
        "for c in ('diucsqaAeEfFgGoxXnlhyz%* \\0\\n\\200'):gmatch '.' do\n"
        "  letters[#letters + 1] = c end\n"
        "local function spec(R)\n"
        "  local flags, width, precision = '', '', ''\n"
        "  for _ = 1, math.random(0, 2) do flags = flags .. R.pick { '-', '+', ' ', '#', '0',\n"
        "    '' } end\n"
        "  if math.random(3) == 1 then width = math.random(0, 30) end\n"
        "  if math.random(40) == 1 then width = math.random(90, 130) end\n"
        "  if math.random(3) == 1 then precision = '.' .. R.pick { '', math.random(0, 30) } end\n"
        "  if math.random(60) == 1 then precision = '.' .. math.random(90, 130) end\n"
        "  if math.random(60) == 1 then flags = ('0'):rep(math.random(16, 25)) end\n"
        "  return '%' .. flags .. width .. precision .. R.pick(letters) end\n"
        "same('string', 'format', 3000, function(R)\n"
        "  local format = R.text() .. spec(R)\n"
        "  if math.random(3) == 1 then format = format .. spec(R) .. R.text() end\n"
        "  local value = R.pick { R.value(), R.number(), R.number(), ('long'):rep(30) }\n"
        "  return format, value, R.pick { R.value(), R.number() } end)\n"
        "same('string', 'format', 3000, function(R) return R.value(), R.value() end)\n"
        "same('string', 'format', 300, function(R)\n"
        "  return '%' .. R.pick(letters) end)");
    twins_close(&twins);
}

TEST(long_texts_are_as_by_luas_own)
{
    open_twins();
    twins_run(&twins,
              "same('string', 'format', 30, function(R)\n"
              "  return ('ab%%%s'):rep(math.random(100)) .. ('x'):rep(math.random(99999)),\n"
              "    table.unpack({}, 1, 100) end)\n"
              "same('string', 'format', 60, function(R)\n"
              "  return '%q', (R.text() .. 'y'):rep(math.random(20000)) end)");
    twins_close(&twins);
}

TEST(each_conversion_fits_where_the_buffer_ends)
{
    open_twins();
    twins_run(&twins,
              "local specs = { '%5s|', '%-10s|', '%.2s|', '%s|', '%5d|', '%c|', '%q|', '%g|' }\n"
              "same('string', 'format', 16000, function(R)\n"
              "  return ('x'):rep(math.random(0, 2000)) .. R.pick(specs) .. R.pick(specs), 65, 66\n"
              "  end)");
    twins_close(&twins);
}

TEST(addresses_are_not_shown)
{
    open_twins();
    twins_run(&twins, "local t, f = {}, own.string.format\n"
                      "assert(f('%p', t):match '^0x%x+$' and f('%p', t) == f('%p', t))\n"
                      "assert(f('%p', t) ~= f('%p', {}) and f('%p', t) ~= string.format('%p', t))\n"
                      "assert(f('%8p|%-8p|', 1, nil) == '  (null)|(null)  |')\n"
                      "assert(not pcall(f, '%5.2p', t) and not pcall(f, '%08p', t))\n"
                      "assert(f('%s', t) == 'table: ' .. f('%p', t))");
    twins_close(&twins);
}

TEST(it_stops_while_it_works)
{
    static const char *const scripts[] = {
        "stop() own.string.format(('x'):rep(100000))",
        "stop() own.string.format(('%%'):rep(100000))",
        "stop() own.string.format('%q', ('x'):rep(100000))",
        "stop() own.string.format('%q', ('\"'):rep(100000))",
        "local t = setmetatable({}, { __tostring = stops }) local many = {}\n"
        "for i = 1, 100 do many[i] = t end own.string.format(('%s'):rep(100), table.unpack(many))",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_conversion_is_as_luas_own),
        CASE(long_texts_are_as_by_luas_own),
        CASE(each_conversion_fits_where_the_buffer_ends),
        CASE(addresses_are_not_shown),
        CASE(it_stops_while_it_works),
    };
    return RUN(cases);
}
