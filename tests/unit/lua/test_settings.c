/* moonwire.lua: what becomes a setting, and what is refused. */
#include "tests/unit/lua/fake_host.h"

struct seen {
    char text[2048];
    size_t len;
    int stop_after;
};

static bool see(void *ctx, const struct mw_setting *setting)
{
    struct seen *seen = ctx;
    char *out = seen->text + seen->len;
    size_t size = sizeof(seen->text) - seen->len;
    int len = snprintf(out, size, "%.*s=", (int)setting->key.len, setting->key.data);
    switch (setting->kind) {
    case MW_SETTING_TEXT:
        len += snprintf(out + len, size - (size_t)len, "'%.*s'\n", (int)setting->text.len,
                        setting->text.data);
        break;
    case MW_SETTING_NUMBER:
        len += snprintf(out + len, size - (size_t)len, "%g\n", setting->number);
        break;
    case MW_SETTING_BOOL:
        len += snprintf(out + len, size - (size_t)len, "%s\n", setting->flag ? "true" : "false");
        break;
    }
    seen->len += (size_t)len;
    return --seen->stop_after != 0;
}

static int read_settings(const char *text, struct seen *seen, struct mw_fault *fault)
{
    struct mw_source file = { mw_view_text("moonwire.lua"), mw_view_text(text) };
    return mw_engine_lua()->settings(&file, see, seen, fault);
}

static const struct {
    const char *text, *settings;
} files[] = {
    { "", "" },
    { "return {}", "" },
    { "return nil", "" },
    { "return { listen = '127.0.0.1:0' }", "listen='127.0.0.1:0'\n" },
    { "return { n = 1.5 }", "n=1.5\n" },
    { "return { flag = false }", "flag=false\n" },
    { "return { log = { format = 'json' } }", "log.format='json'\n" },
    { "return { origins = { 'a', 'b' } }", "origins[1]='a'\norigins[2]='b'\n" },
    { "return { a = { b = { c = 2 } } }", "a.b.c=2\n" },
    { "return { list = { { x = 1 }, { x = 2 } } }", "list[1].x=1\nlist[2].x=2\n" },
    { "local port = 8000 + 80 return { listen = '[::1]:' .. port }", "listen='[::1]:8080'\n" },
    { "return { name = ('x'):rep(3), n = math.max(1, 2) and 2 }", NULL },
};

TEST(tables_become_keys_with_dots)
{
    for (size_t i = 0; i < MW_COUNT(files); i++) {
        struct seen seen = { .stop_after = -1 };
        struct mw_fault fault;
        assert_int_equal(read_settings(files[i].text, &seen, &fault), MW_OK);
        if (files[i].settings)
            assert_string_equal(seen.text, files[i].settings);
    }
}

static const struct {
    const char *text;
    int line;
    const char *message;
} refused[] = {
    { "return {\n  a = 1\n  b = 2 }", 3, "'}' expected (to close '{' at line 1) near 'b'" },
    { "\nerror('no')", 2, "no" },
    { "return 5", 0, "the file returned a number: settings are a table" },
    { "return { f = function() end }", 0,
      "setting 'f' is a function: strings, numbers, booleans and tables only" },
    { "return { a = { [true] = 1 } }", 0,
      "a key of the settings is a boolean: names and numbers only" },
    { "listen = 'x'", 1, "global 'listen' is not declared" },
    { "require 'x'", 1, "attempt to call a nil value (global 'require')" },
    { "while true do end", 1, "*of CPU time" },
    { "publish('a', 'b')", 1, "attempt to call a nil value (global 'publish')" },
    { "local t = {} t.t = t return t", 0, "*is nested too deeply" },
    { "local s = 'x' while true do s = s .. s end", 1, "*not enough memory" },
};

TEST(mistakes_are_faults_with_a_line)
{
    for (size_t i = 0; i < MW_COUNT(refused); i++) {
        struct seen seen = { .stop_after = -1 };
        struct mw_fault fault;
        int err = read_settings(refused[i].text, &seen, &fault);
        assert_true(err == MW_ERR_SCRIPT || err == MW_ERR_NOMEM);
        if (refused[i].message[0] == '*')
            assert_non_null(strstr(fault.message, refused[i].message + 1));
        else
            assert_string_equal(fault.message, refused[i].message);
        assert_int_equal(fault.line, refused[i].line);
    }
}

TEST(the_reader_may_stop)
{
    struct seen seen = { .stop_after = 2 };
    struct mw_fault fault;
    assert_int_equal(read_settings("return { { 1, 2, 3 }, 4 }", &seen, &fault), MW_OK);
    assert_string_equal(seen.text, "[1][1]=1\n[1][2]=2\n");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(tables_become_keys_with_dots),
        CASE(mistakes_are_faults_with_a_line),
        CASE(the_reader_may_stop),
    };
    return RUN(cases);
}
