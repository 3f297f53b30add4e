/* sleep, now, monotonic, os. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct line_case lines[] = {
    { "print(now(), monotonic())", "log info v1 c1 1700000000.5\t1.0\n" },
    { "print(os.time(), math.type(os.time()))", "log info v1 c1 1700000000\tinteger\n" },
    { "print(os.time({ year = 2020, month = 1, day = 2, hour = 12 }) > 1577800000)",
      "log info v1 c1 true\n" },
    { "print(os.date('!%Y-%m-%d %H:%M:%S'))", "log info v1 c1 2023-11-14 22:13:20\n" },
    { "print(os.date('!%Y', 0), os.date('!*t').year, type(os.date()))",
      "log info v1 c1 1970\t2023\tstring\n" },
    { "print(os.difftime(5, 3), type(os.clock()))", "log info v1 c1 2.0\tnumber\n" },
    { "os.date('%Ez')", "*invalid conversion specifier" },
    { "os.time({})", "*missing in date table" },
    { "sleep('1')",
      "fault on_message v1 chat.lua:1 bad argument #1 to 'sleep' (number of seconds expected, got "
      "string)\n" },
    { "sleep(-1)",
      "fault on_message v1 chat.lua:1 bad argument #1 to 'sleep' (seconds must be from 0 "
      "to ten years)\n" },
};

TEST(times_come_from_the_host)
{
    expect_lines(&world, lines, MW_COUNT(lines));
}

TEST(long_formats_of_dates_mean_what_short_ones_do)
{
    world_open(&world);
    expect_from(
        &world,
        "for _, f in ipairs { '%d', '%Ec', 'a%%', '!', '*t', '%Y!*t', '%H:%M!', '\\0%S' } do\n"
        "  for _, n in ipairs { 200, 256, 257, 300 } do\n"
        "    for _, zone in ipairs { '', '!' } do\n"
        "      local long = os.date(zone .. 'x' .. f:rep(n), 5)\n"
        "      local short = os.date(zone .. 'x' .. f, 5):sub(2)\n"
        "      if long ~= 'x' .. short:rep(n) then print(zone, f, n) end\n"
        "    end end end\n"
        "print(type(os.date('*t' .. (' '):rep(300))), type(os.date('!*t' .. (' '):rep(300))))\n"
        "print(#os.date(('%d'):rep(300)))\n"
        "print((pcall(os.date, ('%d'):rep(300) .. '%Q')))",
        "log info v1 c1 string\tstring\nlog info v1 c1 600\nlog info v1 c1 false\n");
    world_close(&world);
}

TEST(sleep_lets_others_go_on)
{
    world_open(&world);
    must_load(&world, "return { on_message = function(conn, data)\n"
                      "  sleep(tonumber(data)) conn:send(data) end }");
    must_open(&world, 1);
    must_open(&world, 2);
    must_open(&world, 3);
    say(&world, 1, "2");
    say(&world, 2, "1");
    say(&world, 3, "0");
    expect(&world, "");
    pass(&world, 0);
    expect(&world, "send 3 text 0\nfinished 3 message\n");
    pass(&world, 2000);
    expect(&world, "send 2 text 1\nfinished 2 message\nsend 1 text 2\nfinished 1 message\n");
    world_close(&world);
}

TEST(many_may_sleep_at_once)
{
    struct mw_app_stats stats;
    world_open(&world);
    must_load(&world, "local n = 0 for i = 1, 500 do timer.after(0, function() sleep(1) n = n + 1\n"
                      "  if n == 500 then print('all') end end) end return {}");
    pass(&world, 0);
    world.engine->stats(world.app, &stats);
    assert_int_equal(stats.waiting, 500);
    pass(&world, 1000);
    expect(&world, "log info v1 all\n");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(times_come_from_the_host),
        CASE(long_formats_of_dates_mean_what_short_ones_do),
        CASE(sleep_lets_others_go_on),
        CASE(many_may_sleep_at_once),
    };
    return RUN(cases);
}
