/* utf8.len and offset: as Lua's own, and stopped while they work. */
#include "lua/stdlib.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "utf8", mw_lua_utf8_functions);
}

TEST(len_is_as_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "same('utf8', 'len', 2000, function(R) return R.pick { R.text(), R.text(),\n"
        "  R.value() }, R.pick { nil, R.index() }, R.pick { nil, R.index() },\n"
        "  R.pick { nil, true } end)\n"
        "same('utf8', 'len', 2000, function(R) local bytes = {}\n"
        "  for i = 1, math.random(7) do bytes[i] = string.char(R.pick { 0, 0x7F, 0x80, 0xBF,\n"
        "    0x80, 0x9F, 0xA0, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF7,\n"
        "    0xF8, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF, 0x8F, 0x90, 0x87, 0x88, 0x83, 0x84 }) end\n"
        "  return table.concat(bytes), 1, -1, math.random(2) == 1 end)\n"
        "same('utf8', 'len', 1000, function(R) return\n"
        "  utf8.char(R.pick { 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF, 0x110000,\n"
        "    0x1FFFFF, 0x200000, 0x3FFFFFF, 0x4000000, 0x7FFFFFFF,\n"
        "    math.random(0, 0x7FFFFFFF) }), 1, -1, math.random(2) == 1 end)");
    twins_close(&twins);
}

TEST(offset_is_as_luas_own)
{
    open_twins();
    twins_run(&twins,
              "same('utf8', 'offset', 3000, function(R) return R.pick { R.text(), R.text(),\n"
              "  R.value() }, R.index(), R.pick { nil, R.index() } end)\n"
              "same('utf8', 'offset', 30, function(R) return ('a\\xC3\\xA9'):rep(9999),\n"
              "  math.random(-20002, 20002) end)");
    twins_close(&twins);
}

TEST(they_stop_while_they_work)
{
    static const char *const scripts[] = {
        "stop() own.utf8.len(('x'):rep(100000))",
        "stop() own.utf8.offset(('x'):rep(100000), 90000)",
        "stop() own.utf8.offset(('x'):rep(100000), -90000)",
        "stop() own.utf8.offset('x' .. ('\\x80'):rep(100000), 2)",
        "stop() own.utf8.offset('x' .. ('\\x80'):rep(100000), -1)",
        "stop() own.utf8.offset('x' .. ('\\x80'):rep(100000), 0, -1)",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(len_is_as_luas_own),
        CASE(offset_is_as_luas_own),
        CASE(they_stop_while_they_work),
    };
    return RUN(cases);
}
