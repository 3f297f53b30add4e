/* Weak tables: what the collector takes away, by the Lua that is linked. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

/* `make` puts a table into t; the second message counts what a full collection left of 1 entry. */
static void expect_left(const char *make, const char *count)
{
    char script[1024], line[64];
    snprintf(script, sizeof(script),
             "local t, meta\n"
             "return { on_message = function(conn, data)\n"
             "  if data == 'make' then %s return end\n"
             "  local n = 0 for _ in pairs(t) do n = n + 1 end print(n)\n"
             "end }",
             make);
    snprintf(line, sizeof(line), "log info v1 c1 %s\n", count);
    world_open(&world);
    must_load(&world, script);
    must_open(&world, 1);
    say(&world, 1, "make");
    mw_lua_app_collect(world.app);
    say(&world, 1, "count");
    expect(&world, line);
    world_close(&world);
}

TEST(values_and_both_can_be_weak)
{
    expect_left("t = setmetatable({ x = {} }, { __mode = 'v' })", "0");
    expect_left("t = setmetatable({ [{}] = true }, { __mode = 'kv' })", "0");
    expect_left("t = setmetatable({ [{}] = true }, { __mode = 'v' })", "1");
    expect_left("t = setmetatable({ x = {} }, { __mode = '' })", "1");
    expect_left("t = setmetatable({ x = {} }, { __mode = 5 })", "1");
    expect_left("t = setmetatable({ x = {} }, { __mode = 'v' }) t = setmetatable(t, {})", "1");
}

TEST(no_table_becomes_weak_afterwards)
{
    expect_left("meta = {} t = setmetatable({ [{}] = true }, meta) meta.__mode = 'k'", "1");
    expect_left("meta = {} t = setmetatable({ [{}] = {} }, meta) meta.__mode = 'kv'", "1");
    expect_left("meta = {} t = setmetatable({ [{}] = {} }, meta) rawset(meta, '__mode', 'kv')",
                "1");
    expect_left("meta = { __mode = 'v' } t = setmetatable({ [{}] = 1 }, meta) meta.__mode = 'k'",
                "1");
    expect_left("meta = {} t = setmetatable({ [{}] = {} }, meta) meta['__' .. ('edom'):reverse()]"
                " = 'kv'",
                "1");
}

TEST(the_metatable_stays_the_scripts_own)
{
    static const struct line_case lines[] = {
        { "local m = { __mode = 'v', __index = { x = 5 } } local t = setmetatable({}, m)\n"
          "local n = 0 for _ in pairs(getmetatable(t)) do n = n + 1 end\n"
          "print(getmetatable(t) == m, t.x, n, m.__mode)",
          "log info v1 c1 true\t5\t2\tv\n" },
        { "print(getmetatable(setmetatable({}, { __mode = 'v', __metatable = 'no' })))",
          "log info v1 c1 no\n" },
        { "print(pcall(setmetatable, {}, { __mode = 'k' }))",
          "*log info v1 c1 false\ta table with weak keys alone is not allowed" },
        { "print(pcall(setmetatable, {}, { __mode = '1k' }))", "*is not allowed" },
    };
    expect_lines(&world, lines, MW_COUNT(lines));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(values_and_both_can_be_weak),
        CASE(no_table_becomes_weak_afterwards),
        CASE(the_metatable_stays_the_scripts_own),
    };
    return RUN(cases);
}
