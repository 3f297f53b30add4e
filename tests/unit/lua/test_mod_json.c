/* json.encode, json.decode, json.null, json.array; json_write.c behind them. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

static const struct {
    const char *value, *text; /* text NULL: refused, and the message is `error` */
    const char *error;
} encoded[] = {
    { "nil", "null", NULL },
    { "json.null", "null", NULL },
    { "true", "true", NULL },
    { "'a\"\\n\\u{e9}'", "\"a\\\"\\n\xc3\xa9\"", NULL },
    { "0", "0", NULL },
    { "math.maxinteger", "9223372036854775807", NULL },
    { "math.mininteger", "-9223372036854775808", NULL },
    { "0.1", "0.1", NULL },
    { "1/3", "0.3333333333333333", NULL },
    { "2^53", "9007199254740992.0", NULL },
    { "10 / 2", "5", NULL },
    { "-0.0", "-0.0", NULL },
    { "1e300", "1e300", NULL },
    { "{}", "{}", NULL },
    { "json.array{}", "[]", NULL },
    { "json.array{1}", "[1]", NULL },
    { "{ 1, 'two', { 3 } }", "[1,\"two\",[3]]", NULL },
    { "{ a = { b = true } }", "{\"a\":{\"b\":true}}", NULL },
    { "setmetatable({ 1 }, { __index = print })", "[1]", NULL },
    { "state", "{}", NULL },
    { "0/0", NULL, "json: the value is NaN, which JSON cannot say" },
    { "{ a = { 1, { b = 0/0 } } }", NULL, "json: a[2].b is NaN, which JSON cannot say" },
    { "1/0", NULL, "json: the value is infinite, which JSON cannot say" },
    { "{ f = print }", NULL, "json: f is a function, which JSON cannot say" },
    { "{ ['a b'] = { c = conn } }", NULL,
      "json: [\"a b\"].c is a userdata, which JSON cannot say" },
    { "'\\xff'", NULL, "json: the value is a string that is not UTF-8" },
    { "{ ['\\xff'] = 1 }", NULL, "json: [\"\xff\"] stands under a key that is no UTF-8 string" },
    { "{ [true] = 1 }", NULL, "json: [true] stands under a key that is no UTF-8 string" },
    { "{ [2] = 1 }", NULL,
      "json: [2] is neither in a list without holes nor in an object whose keys are strings" },
    { "{ 1, x = 2 }", NULL,
      "json: x is neither in a list without holes nor in an object whose keys are strings" },
    { "(function() local t = {} t.a = { b = t } return t end)()", NULL,
      "json: a.b contains itself" },
    { "(function() local t = {} for i = 1, 101 do t = { t } end return t end)()", NULL, "*" },
};

TEST(values_become_text_or_are_refused_with_their_path)
{
    for (size_t i = 0; i < MW_COUNT(encoded); i++) {
        char body[512], want[512];
        world_open(&world);
        snprintf(body, sizeof(body), "print(json.encode(%s))", encoded[i].value);
        if (encoded[i].text)
            snprintf(want, sizeof(want), "log info v1 c1 %s\n", encoded[i].text);
        else
            snprintf(want, sizeof(want), "fault on_message v1 chat.lua:1 %s\n", encoded[i].error);
        if (encoded[i].error && encoded[i].error[0] == '*') {
            char script[1024];
            snprintf(script, sizeof(script), "return { on_message = function(conn) %s end }", body);
            must_load(&world, script);
            must_open(&world, 1);
            say(&world, 1, "go");
            expect_somewhere(&world, "is nested deeper than 100 levels");
        } else {
            expect_from(&world, body, want);
        }
        world_close(&world);
    }
}

static const struct {
    const char *text, *value; /* as inspect shows it */
} decoded[] = {
    { "null", "null" },
    { "true", "true" },
    { "5", "5" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "5.0", "5.0" },
    { "1e2", "100.0" },
    { "\"a\\u00e9\"", "\"a\xc3\xa9\"" },
    { "[]", "{}" },
    { "[1,[2],{}]", "{ 1, { 2 }, {} }" },
    { "{\"a\":{\"b\":null}}", "{ a = { b = null } }" },
    { "{\"a\":1,\"a\":2}", "{ a = 2 }" },
    { " [1] ", "{ 1 }" },
};

TEST(text_becomes_values)
{
    for (size_t i = 0; i < MW_COUNT(decoded); i++) {
        char body[256], want[256];
        world_open(&world);
        snprintf(body, sizeof(body), "print(inspect(json.decode([==[%s]==])))", decoded[i].text);
        snprintf(want, sizeof(want), "log info v1 c1 %s\n", decoded[i].value);
        expect_from(&world, body, want);
        world_close(&world);
    }
}

static const struct {
    const char *body, *transcript;
} habits[] = {
    { "for _, t in ipairs({ '[]', '{}', '{\"a\":[]}', '[[],{}]', '[1,2.5,-0.0,1e100]' }) do\n"
      "  assert(json.encode(json.decode(t)) == t, t) end",
      "" },
    { "local n = 0.1 + 0.2 assert(json.decode(json.encode(n)) == n)", "" },
    { "assert(math.type(json.decode('[1]')[1]) == 'integer')", "" },
    { "local t = json.decode('[1]') table.remove(t) print(json.encode(t))", "log info v1 c1 []\n" },
    { "print(json.null, json.null == nil, json.null == json.decode('null'))",
      "log info v1 c1 null\tfalse\ttrue\n" },
    { "print(select(2, pcall(json.decode, '[1,oops]')):match('^(json: ).+( at byte %d)$'))",
      "log info v1 c1 json: \t at byte 4\n" },
    { "print((pcall(json.decode, '')))", "log info v1 c1 false\n" },
    { "print(pcall(json.decode, ('['):rep(101) .. (']'):rep(101)))",
      "log info v1 c1 false\tjson: nested deeper than 100 levels at byte 1\n" },
    { "assert(json.decode(('['):rep(100) .. (']'):rep(100)))", "" },
    { "local ok = pcall(json.decode, 5) print(ok)", "log info v1 c1 false\n" },
    { "print(pcall(json.array, 'x'))",
      "log info v1 c1 false\tbad argument #1 to 'json.array' (table "
      "expected, got string)\n" },
    { "print(pcall(json.array, string))", "log info v1 c1 false\tthis table cannot be marked: its "
                                          "metatable is protected\n" },
    { "local t = {} for i = 1, 300 do t[i] = ('x'):rep(65536) end\n"
      "print(select(2, pcall(json.encode, t)))",
      "log info v1 c1 json: the text is larger than 16777216 bytes: split it, or send it as a "
      "string\n" },
    /* 2^90 tables to walk, of 90 that are there */
    { "local t = {} for i = 1, 90 do t = { t, t } end print(select(2, pcall(json.encode, t)))",
      "log info v1 c1 json: the text is larger than 16777216 bytes: split it, or send it as a "
      "string\n" },
};

TEST(habits_hold)
{
    for (size_t i = 0; i < MW_COUNT(habits); i++) {
        world_open(&world);
        expect_from(&world, habits[i].body, habits[i].transcript);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(values_become_text_or_are_refused_with_their_path),
        CASE(text_becomes_values),
        CASE(habits_hold),
    };
    return RUN(cases);
}
