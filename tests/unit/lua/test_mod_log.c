/* log.*, print. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct line_case lines[] = {
    { "log.debug('a') log.info('b') log.warn('c') log.error('d')",
      "log debug v1 c1 a\nlog info v1 c1 b\nlog warn v1 c1 c\nlog error v1 c1 d\n" },
    { "print() print(nil, 1, 2.5, true, 'x')",
      "log info v1 c1 \nlog info v1 c1 nil\t1\t2.5\ttrue\tx\n" },
    { "print(setmetatable({}, { __tostring = function() return 'mine' end }))",
      "log info v1 c1 mine\n" },
    { "log.info(5, { a = 'x' })", "log info v1 c1 5 a=\"x\"\n" },
    { "log.info('m', { t = { 1, 2 } })", "log info v1 c1 m t=[1,2]\n" },
    { "log.info('m', { [1] = json.null })", "log info v1 c1 m 1=null\n" },
    { "log.info('m', { f = print })",
      "log info v1 c1 m f=\"is a function, which JSON cannot say\"\n" },
    { "log.info('m', { n = 0/0 })", "log info v1 c1 m n=\"is NaN, which JSON cannot say\"\n" },
    { "local t = {} t.t = t log.info('m', t)", "log info v1 c1 m t={\"t\":\"contains itself\"}\n" },
    { "log.info('m', { [print] = { [true] = 1 } })",
      "log info v1 c1 m function={\"boolean\":1}\n" },
    { "log.info('m', { a = '\\xff\\n' })", "log info v1 c1 m a=\"\xef\xbf\xbd\\n\"\n" },
    { "log.info('m', { a = { 1, x = 2 } })", "*log info v1 c1 m a=\"is neither" },
    { "log.info()", "fault on_message v1 chat.lua:1 bad argument #1 to 'info' (value expected)\n" },
    { "log.info('m', 5)",
      "fault on_message v1 chat.lua:1 bad argument #2 to 'info' (table expected, got number)\n" },
};

TEST(each_line_is_one_record)
{
    expect_lines(&world, lines, MW_COUNT(lines));
}

TEST(fields_beyond_the_limit_are_left_out)
{
    world_open(&world);
    must_load(&world, "local t = {} for i = 1, 100 do t['k' .. i] = i end\n"
                      "log.info('m', t) return {}");
    unsigned fields = 0;
    for (const char *at = world.host.transcript; (at = strchr(at, '=')); at++)
        fields++;
    assert_int_equal(fields, 32);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_line_is_one_record),
        CASE(fields_beyond_the_limit_are_left_out),
    };
    return RUN(cases);
}
