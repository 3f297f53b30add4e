/* string.rep, lower, upper, reverse: as Lua's own, and stopped while they work. */
#include "lua/stdlib.h"
#include "tests/unit/lua/fake_host.h"
#include "tests/unit/lua/twins.h"

static struct twins twins;

static void open_twins(void)
{
    twins_open(&twins);
    twins_add(&twins, "string", mw_lua_string_functions);
}

TEST(rep_is_as_luas_own)
{
    open_twins();
    twins_run(
        &twins,
        "same('string', 'rep', 3000, function(R)\n"
        "  local n = R.pick { R.index(), R.value(), math.random(0, 40) }\n"
        "  if math.type(tonumber(n)) and tonumber(n) > 1000 then n = 2 ^ 62 // 1 | 0 end\n"
        "  local text = n == 2 ^ 62 and 'abc' or R.pick { R.text(), R.value() }\n"
        "  return text, n, R.pick { nil, R.text(), R.value() } end)\n"
        "same('string', 'rep', 40, function(R) return ('ab'):rep(math.random(90000)),\n"
        "  math.random(0, 5), ('-'):rep(math.random(0, 70000)) end)\n"
        "same('string', 'rep', 40, function(R) return 'xy', (1 << 30) + math.random(9), 'z' end)\n"
        "same('string', 'rep', 40, function(R) return 'abc', math.random(100000), ',' end)\n"
        "same('string', 'rep', 20, function(R) return 'x', math.maxinteger - 20 +\n"
        "  math.random(20), 'yz' end)");
    twins_close(&twins);
}

TEST(bytes_are_mapped_as_by_luas_own)
{
    open_twins();
    twins_run(&twins, "for _, name in ipairs { 'lower', 'upper', 'reverse' } do\n"
                      "  same('string', name, 500, function(R) return R.value() end)\n"
                      "  same('string', name, 20, function(R)\n"
                      "    return ('aB\\200z'):rep(math.random(60000)) end) end");
    twins_close(&twins);
}

TEST(they_stop_while_they_work)
{
    static const char *const scripts[] = {
        "stop() own.string.rep('x', 1000000)",
        "stop() own.string.rep(('x'):rep(100000), 3)",
        "stop() own.string.rep('x', 2, ('x'):rep(100000))",
        "stop() own.string.lower(('x'):rep(100000))",
        "stop() own.string.upper(('x'):rep(100000))",
        "stop() own.string.reverse(('x'):rep(100000))",
    };
    open_twins();
    twins_expect_stops(&twins, scripts, MW_COUNT(scripts));
    twins_close(&twins);
}

TEST(nothing_is_repeated_at_once_however_often)
{
    open_twins();
    twins_run(&twins, "assert(own.string.rep('', 10 ^ 15 // 1 | 0) == '')\n"
                      "assert(own.string.rep('', math.maxinteger) == '')");
    twins_close(&twins);
}

TEST(what_does_not_fit_is_refused_before_it_is_written)
{
    static struct world world;
    world_open(&world);
    expect_from(&world, "print(pcall(string.rep, 'x', 1 << 62, 'yyy'))",
                "log info v1 c1 false\tresulting string too large\n");
    must_load(&world, "return { on_message = function() string.rep('x', 1000000000) end }");
    say(&world, 1, "go");
    assert_int_equal(world.host.fault.kind, MW_FAULT_MEMORY);
    forget(&world);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(rep_is_as_luas_own),
        CASE(bytes_are_mapped_as_by_luas_own),
        CASE(they_stop_while_they_work),
        CASE(nothing_is_repeated_at_once_however_often),
        CASE(what_does_not_fit_is_refused_before_it_is_written),
    };
    return RUN(cases);
}
