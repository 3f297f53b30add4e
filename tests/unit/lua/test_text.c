/* Values as text, and the numbers that stand for addresses. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

TEST(values_read_as_in_lua)
{
    static const struct line_case lines[] = {
        { "print(tostring(nil), tostring(true), tostring(5), tostring(5.0), tostring('x'))",
          "log info v1 c1 nil\ttrue\t5\t5.0\tx\n" },
        { "print(setmetatable({}, { __tostring = function() return 'mine' end }))",
          "log info v1 c1 mine\n" },
        { "print(pcall(tostring, setmetatable({}, { __tostring = function() end })))",
          "log info v1 c1 false\t'__tostring' must return a string\n" },
        { "print(pcall(tostring))",
          "log info v1 c1 false\tbad argument #1 to 'tostring' (value expected)\n" },
        { "print((tostring(setmetatable({}, { __name = 'Mine' })):gsub('0x%x+', 'n')))",
          "log info v1 c1 Mine: n\n" },
        { "print((tostring(setmetatable({}, { __name = 5 })):gsub('0x%x+', 'n')))",
          "log info v1 c1 table: n\n" },
        { "for _, v in ipairs { {}, print, function() end, coroutine.create(print) } do\n"
          "print((tostring(v):gsub('0x' .. ('%x'):rep(16) .. '$', 'n'))) end",
          "log info v1 c1 table: n\nlog info v1 c1 function: n\nlog info v1 c1 function: n\n"
          "log info v1 c1 thread: n\n" },
        { "print(conn, json.null, timer.after(1, print))",
          "*log info v1 c1 conn 1\tnull\ttimer after\n" },
    };
    expect_lines(&world, lines, MW_COUNT(lines));
}

TEST(an_object_keeps_its_number_and_shares_it_with_none)
{
    world_open(&world);
    must_load(&world, "local kept, seen = {}, {}\n"
                      "for i = 1, 3000 do\n"
                      "  local t = {}\n"
                      "  assert(tostring(t) == tostring(t) and not seen[tostring(t)])\n"
                      "  kept[i], seen[tostring(t)] = t, true\n"
                      "end return {}");
    world_close(&world);
}

/* Addresses of a process begin with two zero bytes; the numbers do not. */
TEST(a_number_is_no_address)
{
    world_open(&world);
    must_load(&world, "local small, kept = 0, {}\n"
                      "for i = 1, 1000 do\n"
                      "  kept[i] = {}\n"
                      "  if tostring(kept[i]):find('0x0000', 1, true) then small = small + 1 end\n"
                      "end\n"
                      "assert(small < 10) return {}");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(values_read_as_in_lua),
        CASE(an_object_keeps_its_number_and_shares_it_with_none),
        CASE(a_number_is_no_address),
    };
    return RUN(cases);
}
