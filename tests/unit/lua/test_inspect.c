/* inspect(v). */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct {
    const char *value, *text;
} shown[] = {
    { "nil", "nil" },
    { "true", "true" },
    { "5", "5" },
    { "5.0", "5.0" },
    { "0/0", "*nan" },
    { "'a\"b\\\\\\n\\0\\127'", "\"a\\\"b\\\\\\n\\000\\127\"" },
    { "'a\\u{202e}b\\u{9b}\\u{e4}'", "\"a\\226\\128\\174b\\194\\155\xc3\xa4\"" },
    { "'\\u{1F600}'", "\"\xf0\x9f\x98\x80\"" },
    { "{}", "{}" },
    { "{ 1, 'two', { 3 } }", "{ 1, \"two\", { 3 } }" },
    { "{ b = 1, a = 2, ['c d'] = 3, [4] = 5, [true] = 6, [1.5] = 7 }",
      "{ [1.5] = 7, [4] = 5, a = 2, b = 1, [\"c d\"] = 3, [true] = 6 }" },
    { "{ 1, nil, 3 }", "{ 1, [3] = 3 }" },
    { "print", "function" },
    { "coroutine.create(print)", "coroutine" },
    { "conn", "conn 1" },
    { "json.null", "null" },
    { "(function() local t = {} t.self = t return t end)()", "{ self = { circle } }" },
    { "{{{{{{{{{}}}}}}}}}", "{ { { { { { { { { ... } } } } } } } } }" },
    { "setmetatable({ 1 }, { __tostring = error, __pairs = error, __index = error })", "{ 1 }" },
    { "os", "{ clock = function, date = function, difftime = function, time = function }" },
};

TEST(values_are_shown_in_one_line)
{
    for (size_t i = 0; i < MW_COUNT(shown); i++) {
        char body[256], want[256];
        world_open(&world);
        snprintf(body, sizeof(body), "print(inspect(%s))", shown[i].value);
        snprintf(want, sizeof(want), "log info v1 c1 %s\n", shown[i].text);
        if (shown[i].text[0] == '*') {
            char script[512];
            snprintf(script, sizeof(script), "return { on_message = function(conn) %s end }", body);
            must_load(&world, script);
            must_open(&world, 1);
            say(&world, 1, "go");
            expect_somewhere(&world, shown[i].text + 1);
        } else {
            expect_from(&world, body, want);
        }
        world_close(&world);
    }
}

TEST(large_values_are_cut)
{
    world_open(&world);
    expect_from(&world,
                "local t = {} for i = 1, 1000 do t[i] = 'x' end\n"
                "print(#inspect(t) < 1100, inspect(t):sub(-7))\n"
                "for i = 1, 200 do t[i] = ('x'):rep(10000) end print(#inspect(t) < 80000)",
                "log info v1 c1 true\t, ... }\nlog info v1 c1 true\n");
    world_close(&world);
}

TEST(tables_that_share_others_are_not_walked_for_ever)
{
    world_open(&world);
    expect_from(&world,
                "local t = {} for i = 1, 7 do local wide = {}\n"
                "  for k = 1, 199 do wide[k] = t end t = wide end\n"
                "print(#inspect(t) < 70000, #inspect({ [('k'):rep(1 << 20)] = 1 }) < 70000)",
                "log info v1 c1 true\ttrue\n");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(values_are_shown_in_one_line),
        CASE(large_values_are_cut),
        CASE(tables_that_share_others_are_not_walked_for_ever),
    };
    return RUN(cases);
}
