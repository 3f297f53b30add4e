/* What counts as plain data, and how the place of what does not is named. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

#define FAULT "fault on_message v1 chat.lua:1 "

static const struct line_case values[] = {
    { "state.x = { 1, 2.5, 'x', true, false, json.null, json.array {}, { [true] = {}, [1.5] = 1 } "
      "}",
      "" },
    { "local a = {} a.a = { a, { a } } state.x = a state.y = { a, a }", "" },
    { "state.x = { { { cb = print } } }",
      FAULT "state.x[1][1].cb: functions cannot survive a reload\n" },
    { "state['a b'] = { [0.5] = conn }",
      FAULT "state[\"a b\"][0.5]: objects such as connections cannot be kept in state\n" },
    { "state.x = { timer.after(1, print) }",
      FAULT "state.x[1]: objects such as connections cannot be kept in state\n" },
    { "state.x = { state }",
      FAULT "state.x[1]: tables with a metatable cannot survive a reload\n" },
    { "state.x = { string }",
      FAULT "state.x[1]: tables with a metatable cannot survive a reload\n" },
    { "state.x = { [conn] = 1 }", "*only strings, numbers and booleans can be keys\n" },
    { "state[{}] = 1", "*only strings, numbers and booleans can be keys\n" },
    { "local t = {} local r = t for i = 1, 98 do t.t = {} t = t.t end state.x = r", "" },
    { "local t = {} local r = t for i = 1, 99 do t.t = {} t = t.t end state.x = r",
      "*nested deeper than 100 levels\n" },
};

TEST(each_value_is_plain_or_refused_by_its_place)
{
    expect_lines(&world, values, MW_COUNT(values));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(each_value_is_plain_or_refused_by_its_place),
    };
    return RUN(cases);
}
