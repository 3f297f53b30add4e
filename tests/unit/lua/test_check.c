#include "lua/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "moonwire/engine_lua.h"
#include "tests/unit/unit.h"

/* ---- a project in memory, and what is found in it ---- */

struct seen {
    char lines[8192]; /* "chat.lua:2:5 undeclared-write global 'x' is not declared | hint\n" */
    char routes[256], settings[512];
};

static void see_finding(void *ctx, const struct mw_finding *finding)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->lines);
    snprintf(seen->lines + len, sizeof(seen->lines) - len, "%.*s:%d:%d+%d %s %s%s%s\n",
             (int)finding->file.len, finding->file.data, finding->line, finding->column,
             finding->width, finding->rule, finding->message, *finding->hint ? " | " : "",
             finding->hint);
}

static void see_route(void *ctx, struct mw_view pattern, const struct mw_finding *place)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->routes);
    snprintf(seen->routes + len, sizeof(seen->routes) - len, "%d:%d %.*s\n", place->line,
             place->column, (int)pattern.len, pattern.data);
}

static void see_setting(void *ctx, struct mw_view key, const struct mw_finding *place)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->settings);
    snprintf(seen->settings + len, sizeof(seen->settings) - len, "%d:%d %.*s\n", place->line,
             place->column, (int)key.len, key.data);
}

/* A stand-in for the server's own: 1005 and 1006 are not to be sent. */
static const char *refusal(unsigned code)
{
    return code == 1005 || code == 1006 ? "never sent" : NULL;
}

#define MAX_FILES 8

/* path, text, path, text, ..., NULL; lib/ and moonwire.lua are what their names say. */
static void look(struct seen *seen, const char *const *files)
{
    struct mw_source scripts[MAX_FILES], libs[MAX_FILES], settings;
    struct mw_check check = {
        .scripts = scripts,
        .libs = libs,
        .code_refusal = refusal,
        .ctx = seen,
        .finding = see_finding,
        .route = see_route,
        .setting = see_setting,
    };
    *seen = (struct seen){ .lines = "" };
    for (; files[0]; files += 2) {
        struct mw_source file = { mw_view_text(files[0]), mw_view_text(files[1]) };
        if (strncmp(files[0], "lib/", 4) == 0) {
            libs[check.lib_count++] = file;
        } else if (strcmp(files[0], "moonwire.lua") == 0) {
            settings = file;
            check.settings = &settings;
        } else {
            scripts[check.script_count++] = file;
        }
    }
    assert_int_equal(mw_engine_lua()->check(&check), MW_OK);
}

static void expect(const char *script, const char *want)
{
    struct seen seen;
    look(&seen, (const char *const[]){ "a.lua", script, NULL });
    assert_string_equal(seen.lines, want);
}

struct snippet {
    const char *text, *want; /* between "local M = {}" in line 1 and "return M" */
};

static void expect_all(const struct snippet *snippets, size_t count)
{
    char script[1024];
    for (size_t i = 0; i < count; i++) {
        snprintf(script, sizeof(script), "local M = {}\n%s\nreturn M\n", snippets[i].text);
        expect(script, snippets[i].want);
    }
}

#define EXPECT_ALL(table) expect_all(table, MW_COUNT(table))

/* ---- syntax ---- */

TEST(syntax_errors_have_a_place_and_a_hint)
{
    static const struct snippet table[] = {
        { "if a = b then end",
          "a.lua:2:6+1 syntax 'then' expected near '=' | == compares; = assigns\n" },
        { "x += 1", "a.lua:2:3+1 syntax syntax error near '+' | Lua has no +=: write x = x + 1\n" },
        { "if a != b then end", "a.lua:2:6+1 syntax 'then' expected near '!' | 'not equal' is ~= "
                                "in Lua, and 'not' negates\n" },
        { "local t = {\n  a = 1\n  b = 2,\n}",
          "a.lua:4:3+1 syntax '}' expected (to close '{' at line 2) near 'b' | a comma may be "
          "missing at the end of the line before\n" },
        { "local s = \"abc",
          "a.lua:2:11+4 syntax unfinished string near '\"abc' | the quote is not closed in this "
          "line; [[ ... ]] holds several\n" },
        { "function M.on_open()\n  if a then\n    b()\nend",
          "a.lua:6:9+1 syntax 'end' expected (to close 'function' at line 2) near <eof> | the "
          "block that begins in line 3 is not closed: add its 'end' before line 5\n" },
        { "local \xc3\xa4 = 1", "a.lua:2:7+1 syntax <name> expected near '<\\195>'\n" },
        { "--[[ \xc3\xa4 ]] x = = 1", "a.lua:2:15+1 syntax unexpected symbol near '='\n" },
    };
    EXPECT_ALL(table);
}

TEST(what_only_the_compiler_sees_has_a_line)
{
    static const struct snippet table[] = {
        { "do\n  goto missing\nend",
          "a.lua:3:3+12 syntax no visible label 'missing' for <goto> at line 3\n" },
        { "::a:: do ::a:: end", "a.lua:2:1+18 syntax label 'a' already defined on line 2\n" },
    };
    EXPECT_ALL(table);
}

/* ---- names ---- */

TEST(globals_must_exist)
{
    static const struct snippet table[] = {
        { "usr = 1", "a.lua:2:1+3 undeclared-write global 'usr' is not declared | write `local usr "
                     "= ...`, or `state.usr = ...` to keep it across reloads\n" },
        { "local user usr = 1",
          "a.lua:2:12+3 undeclared-write global 'usr' is not declared | did you mean 'user'?\n" },
        { "function on_message() end", "a.lua:2:10+10 undeclared-write global 'on_message' is not "
                                       "declared | handlers belong to the table: M.on_message\n" },
        { "print = 1", "a.lua:2:1+5 undeclared-write global 'print' belongs to the server | give "
                       "your own variable a `local`\n" },
        { "_G.x = 1", "a.lua:2:4+1 undeclared-write global 'x' is not declared | keep values in a "
                      "local, or in `state`\n" },
        { "prnt(1)",
          "a.lua:2:1+4 undeclared-read there is no global 'prnt': it is nil | did you mean "
          "'print'?\n" },
        { "local x = null", "a.lua:2:11+4 undeclared-read there is no global 'null': it is nil | "
                            "in Lua, and here: nil\n" },
        { "print(_G.strng)",
          "a.lua:2:10+5 unknown-member there is no _G.strng | did you mean '_G.string'?\n" },
        { "local print = 1 print = 2 string.len = 3 local string string.len = 4",
          "a.lua:2:34+3 read-only string.len cannot be set: this table belongs to the server | "
          "write a function of your own\n" },
        { "local _ENV = { x = 1 } y = x", "" },
        { "local function f() return f, M, state, json, now end f()", "" },
    };
    EXPECT_ALL(table);
}

TEST(members_must_exist)
{
    static const struct snippet table[] = {
        { "string.fnd()", "a.lua:2:8+3 unknown-member there is no string.fnd | did you mean "
                          "'string.find'?\n" },
        { "timer.evry()", "a.lua:2:7+4 unknown-member there is no timer.evry | did you mean "
                          "'timer.every'?\n" },
        { "json.encod {}", "a.lua:2:6+5 unknown-member there is no json.encod | did you mean "
                           "'json.encode'?\n" },
        { "log.wran ''", "a.lua:2:5+4 unknown-member there is no log.wran | did you mean "
                         "'log.warn'?\n" },
        { "local s = string s['fnd']()", "a.lua:2:20+5 unknown-member there is no string.fnd | did "
                                         "you mean 'string.find'?\n" },
        { "print(('x'):uper())", "a.lua:2:13+4 unknown-member there is no string:uper | did you "
                                 "mean 'string:upper'?\n" },
        { "log:info('x')", "a.lua:2:5+4 call-style functions of a library take a dot, a colon adds "
                           "the library itself | write log.info(...)\n" },
        { "os.execute()", "a.lua:2:4+7 unknown-member there is no os.execute\n" },
        { "local string = {} string.fnd() local x = M.string x.fnd()", "" },
    };
    EXPECT_ALL(table);
}

TEST(conn_is_known_where_it_comes_from)
{
    static const struct snippet table[] = {
        { "function M.on_message(c) c:sendd() end",
          "a.lua:2:28+5 unknown-member there is no conn:sendd | did you mean 'conn:send'?\n" },
        { "M.on_message = function(c) c.sned = 1 end",
          "a.lua:2:30+4 read-only conn.sned cannot be set | keep your own values in conn.data\n" },
        { "local function f(c) c.send('x') end M.on_message = f",
          "a.lua:2:23+4 call-style conn.send called without its connection | methods take a "
          "colon: conn:send(...)\n" },
        { "for c in connections() do print(c.pth) end",
          "a.lua:2:35+3 unknown-member there is no conn.pth | did you mean 'conn.path'?\n" },
        { "local c = connection('x') c:brodcast()",
          "a.lua:2:29+8 unknown-member there is no conn:brodcast | did you mean "
          "'conn:publish'?\n" },
        { "local function greet(conn) conn:path() end greet()",
          "a.lua:2:33+4 call-style conn.path is a field, no method | read it with a dot: "
          "conn.path\n" },
        { "function M.on_open(a, b) print(b.qery, b.query, b.tls) end",
          "a.lua:2:34+4 unknown-member there is no req.qery | did you mean 'req.query'?\n" },
        { "function M:on_open(r) print(self.pth, r.heders) end",
          "a.lua:2:34+3 unknown-member there is no conn.pth | did you mean 'conn.path'?\n"
          "a.lua:2:41+6 unknown-member there is no req.heders | did you mean 'req.headers'?\n" },
        { "function M.on_message(conn) conn = {} conn.x = 1 conn:sendd() end", "" },
        { "function M.on_message(conn) conn.data.x = 1 conn.data = {} conn.send(conn, 'x') end",
          "" },
        { "function M.on_start(a) a:sendd() end function M.helper(c) c:sendd() end", "" },
        { "local send = function(conn, ...) return conn.send(...) end send()", "" },
    };
    EXPECT_ALL(table);
}

/* ---- the table ---- */

TEST(keys_that_are_nearly_right_are_told)
{
    static const struct snippet table[] = {
        { "function M.on_mesage() end",
          "a.lua:2:12+9 unknown-key key 'on_mesage' is unknown | did you mean 'on_message'?\n" },
        { "M['rote'] = '/x'",
          "a.lua:2:3+6 unknown-key key 'rote' is unknown | did you mean 'route'?\n" },
        { "M.limits = { mesage = 1 }",
          "a.lua:2:14+6 unknown-key limit 'mesage' is unknown and ignored | did you mean "
          "'message'?\n" },
        { "function M.on_tick() end M.helper = 1 M.on_message = nil", "" },
    };
    EXPECT_ALL(table);
}

TEST(values_must_be_what_the_key_can_hold)
{
    static const struct snippet table[] = {
        { "M.on_open = 'x'", "a.lua:2:3+7 bad-value on_open must be a function, not a string\n" },
        { "M.route = 'chat'", "a.lua:2:11+6 bad-value route must begin with \"/\": \"/chat\"\n" },
        { "M.route = 1", "a.lua:2:3+5 bad-value route must be a string, not a number\n" },
        { "M.affinity = 1", "a.lua:2:3+8 bad-value affinity must be a string, not a number\n" },
        { "M.affinity = ''", "a.lua:2:14+2 bad-value affinity must be the name of a parameter of "
                             "the route, not empty\n" },
        { "M.affinity = 'room'", "" },
        { "M.format = 'xml'", "a.lua:2:12+5 bad-value format can only be \"json\"\n" },
        { "M.limits = { policy = 'latest' }",
          "a.lua:2:23+8 bad-value limits.policy is \"close\" or \"drop\": \"latest\" needs a key "
          "for "
          "each message | send with { policy = \"latest\", key = \"pos\" }\n" },
        { "M.limits = { policy = 'dorp' }",
          "a.lua:2:23+6 bad-value limits.policy is \"close\" or \"drop\", not \"dorp\"\n" },
        { "M.limits = { policy = 5 }",
          "a.lua:2:23+1 bad-value limits.policy must be a string, not a number\n" },
        { "M.limits = { policy = 'drop' }", "" },
        { "M.compression = 1",
          "a.lua:2:17+1 bad-value compression must be true or false, not a number\n" },
        { "M.protocols = { 'a b', 1 }",
          "a.lua:2:17+5 bad-value protocols: 'a b' is no token: letters, digits and "
          "!#$%&'*+-.^_`|~ only\n"
          "a.lua:2:24+1 bad-value protocols: each must be a string, not a number\n" },
        { "M.origins = true",
          "a.lua:2:13+4 bad-value origins must be a list of strings, not a boolean\n" },
        { "M.limits = { ping = 90000, rate = '5', message = 64 * 1024, queue = -1 }",
          "a.lua:2:21+5 bad-value limits.ping is 90000, but must be from 0 to 86400\n"
          "a.lua:2:35+3 bad-value limits.rate must be a number, not a string\n"
          "a.lua:2:69+1 bad-value limits.queue is -1, but must be from 1024 to 1073741824\n" },
        { "M.limits = { 1 }", "a.lua:2:14+1 bad-value limits is no list: write limits = { message "
                              "= 65536 }\n" },
        { "M.codes = { [2999] = { 'x' }, [4001] = {}, [4002] = { 'x' }, x = 1 }",
          "a.lua:2:14+4 bad-value codes: a script's own codes are from 3000 to 4999\n"
          "a.lua:2:32+4 bad-value codes[4001] must begin with its name: [4001] = { \"kicked\" }\n"
          "a.lua:2:62+1 bad-value codes: a script's own codes are from 3000 to 4999\n" },
        { "local n = 5 M.limits = { rate = n, ping = tonumber('5') } M.route = '/' .. n M.codes = "
          "{ [n] = 1 }",
          "a.lua:2:91+1 bad-value codes: a script's own codes are from 3000 to 4999\n" },
    };
    EXPECT_ALL(table);
}

TEST(a_script_returns_its_table)
{
    expect("print(1)\n",
           "a.lua:1:6+1 no-module a.lua returned nothing: its last line must be `return M`\n");
    expect("", "a.lua:1:1+1 no-module a.lua returned nothing: its last line must be `return M`\n");
    expect("return 'x'",
           "a.lua:1:1+6 no-module a.lua does not return its table: its last line must be `return "
           "M`\n");
    expect("return", "a.lua:1:1+6 no-module a.lua does not return its table: its last line must be "
                     "`return M`\n");
    expect("return { on_mesage = function(c) end, on_open = function(c) c:sendd() end }",
           "a.lua:1:10+9 unknown-key key 'on_mesage' is unknown | did you mean 'on_message'?\n"
           "a.lua:1:63+5 unknown-member there is no conn:sendd | did you mean 'conn:send'?\n");
    expect("return setmetatable({}, {})", "");
    expect("return require", "");
}

TEST(routes_are_given_to_the_server)
{
    struct seen seen;
    look(&seen, (const char *const[]){ "a.lua", "local M = { route = '/x/:y' }\nreturn M", "b.lua",
                                       "return { route = '/' .. 'x' }", NULL });
    assert_string_equal(seen.routes, "1:21 /x/:y\n");
    assert_string_equal(seen.lines, "");
}

/* ---- decisions ---- */

TEST(on_open_returns_a_decision)
{
    static const struct snippet table[] = {
        { "function M.on_open() return false, 403 end",
          "a.lua:2:36+3 http-refusal refused with HTTP 403: a script in a browser sees only 1006 | "
          "a close code can be read: return false, 4001, \"why\"\n" },
        { "function M.on_open() return false end",
          "a.lua:2:22+6 http-refusal refused with HTTP 403: a script in a browser sees only 1006 | "
          "a close code can be read: return false, 4001, \"why\"\n" },
        { "function M.on_open() return false, 1006 end",
          "a.lua:2:36+4 close-code on_open returns false, 1006: never sent\n" },
        { "function M.on_open() return false, 200 end",
          "a.lua:2:36+3 open-return on_open returns false, 200: that is neither an HTTP status "
          "from 400 to 599 nor a close code\n" },
        { "function M.on_open() return false, 'no' end",
          "a.lua:2:36+4 open-return on_open returns false and a string: the second value is an "
          "HTTP status from 400 to 599 or a close code\n" },
        { "function M.on_open() return true end",
          "a.lua:2:29+4 open-return on_open returns a boolean: return nothing to accept, or "
          "false[, code[, reason]] to refuse\n" },
        { "function M.on_resume() return true end",
          "a.lua:2:31+4 open-return on_resume returns a boolean: return nothing to accept, or "
          "false[, code[, reason]] to refuse\n" },
        { "function M.on_open() local f = function() return false, 403 end f() return false, 4001 "
          "end function M.other() return false end",
          "" },
        { "function M.on_open(c) c:close(1006) c:close(1000) c:close(-1) end",
          "a.lua:2:31+4 close-code conn:close: 1006: never sent\n"
          "a.lua:2:59+1 close-code conn:close: -1: close codes have four digits\n" },
    };
    EXPECT_ALL(table);
}

TEST(state_holds_plain_data)
{
    static const struct snippet table[] = {
        { "state.x = function() end",
          "a.lua:2:11+8 state-value functions cannot survive a reload "
          "| keep it in a local or in M, and a name for it in state\n" },
        { "function state.f() end", "a.lua:2:1+8 state-value functions cannot survive a reload | "
                                    "keep it in a local or in M, and a name for it in state\n" },
        { "local function f() end state.a.b[1].c = { d = { f } }",
          "a.lua:2:49+1 state-value functions cannot survive a reload | keep it in a local or in "
          "M, and a name for it in state\n" },
        { "function M.on_open(c) state.x = c end",
          "a.lua:2:33+1 state-value objects such as connections cannot be kept in state | keep "
          "conn.id: connection(id) gives the connection\n" },
        { "local rooms = state.rooms or {} for _, r in pairs(rooms) do r.co = "
          "coroutine.create(print) end",
          "a.lua:2:84+1 state-value coroutines cannot survive a reload | keep plain data in "
          "state\n" },
        { "state.x, state.y = 1, setmetatable({}, {})",
          "a.lua:2:35+1 state-value tables with a metatable cannot survive a reload | keep plain "
          "data in state\n" },
        { "table.insert(state.list, function() end)",
          "a.lua:2:26+8 state-value functions cannot survive a reload | keep it in a local or in "
          "M, and a name for it in state\n" },
        { "state.x = f and {} local t = { f = function() end } state.n = #t",
          "a.lua:2:11+1 undeclared-read there is no global 'f': it is nil\n" },
    };
    EXPECT_ALL(table);
}

TEST(timers_name_functions_of_the_table)
{
    static const struct snippet table[] = {
        { "function M.on_tick() end timer.every('t', 1, 'on_tik')",
          "a.lua:2:46+8 timer-handler the table that this script returns has no function 'on_tik' "
          "| did you mean 'on_tick'?\n" },
        { "function M.on_tick() end timer.every('t', 1, 'on_tick')", "" },
        { "M[now()] = 1 timer.every('t', 1, 'any')", "" },
        { "setmetatable(M, {}) timer.every('t', 1, 'any')", "" },
    };
    EXPECT_ALL(table);
}

/* ---- libraries ---- */

TEST(libraries_must_exist)
{
    struct seen seen;
    look(&seen, (const char *const[]){
                    "a.lua",
                    "local a, b, c = require 'roms', require('game.x'), require '../x'\nreturn {}",
                    "lib/rooms.lua", "return {}", "lib/game/x.lua", "return {}", NULL });
    assert_string_equal(seen.lines,
                        "a.lua:1:25+6 require there is no lib/roms.lua | did you mean "
                        "lib/rooms.lua?\n"
                        "a.lua:1:60+6 require '../x' is no name of a library: nothing outside of "
                        "lib is found | require \"rooms\" finds lib/rooms.lua\n");
}

TEST(libraries_that_require_each_other_are_told_once)
{
    struct seen seen;
    look(&seen, (const char *const[]){ "a.lua", "require 'b' return {}", "lib/b.lua",
                                       "require 'c' return 1", "lib/c.lua",
                                       "local function later() require 'c' end\nrequire 'd'",
                                       "lib/d.lua", "require 'b'", NULL });
    assert_string_equal(seen.lines,
                        "lib/d.lua:1:9+3 require these files require each other in a circle: "
                        "lib/b.lua -> lib/c.lua -> lib/d.lua -> lib/b.lua | move what both need "
                        "into a third file\n");
}

TEST(values_of_the_settings_have_places)
{
    struct seen seen;
    look(&seen, (const char *const[]){
                    "moonwire.lua",
                    "local s = {\n  listen = 'x', tls = { certificates = { { cert = 1 } } },\n}\n"
                    "return s",
                    NULL });
    assert_string_equal(seen.lines, "");
    assert_string_equal(seen.settings, "2:3 listen\n2:17 tls\n2:25 tls.certificates\n"
                                       "2:42 tls.certificates[1]\n"
                                       "2:44 tls.certificates[1].cert\n");
}

/* ---- silence ---- */

TEST(a_comment_silences_a_rule_for_its_line)
{
    static const struct snippet table[] = {
        { "function M.on_open()\n  return false -- moonwire: ignore http-refusal\nend", "" },
        { "function M.on_open()\n  -- moonwire: ignore undeclared-read, http-refusal\n"
          "  return false\nend",
          "" },
        { "-- moonwire: ignore-file http-refusal\n\n\nfunction M.on_open() return false end", "" },
        { "x = 1 -- moonwire: ignore undeclared-write\ny = 1",
          "a.lua:3:1+1 undeclared-write global 'y' is not declared | write `local y = ...`, or "
          "`state.y = ...` to keep it across reloads\n" },
        { "x = 1 -- moonwire: ignore undeclared-writ",
          "a.lua:2:1+1 undeclared-write global 'x' is not declared | write `local x = ...`, or "
          "`state.x = ...` to keep it across reloads\n"
          "a.lua:2:27+15 ignore there is no rule 'undeclared-writ' | did you mean "
          "'undeclared-write'?\n" },
    };
    EXPECT_ALL(table);
}

static void count_finding(void *ctx, const struct mw_finding *finding)
{
    size_t *count = ctx;
    ++*count;
    assert_true(*count <= 501);
    if (*count == 501)
        assert_string_equal(finding->message, "there is more than this in the file");
}

TEST(a_flood_of_findings_is_cut)
{
    struct mw_mem mem;
    struct mw_buf text;
    size_t count = 0;
    mw_mem_init(&mem, NULL, 0);
    mw_buf_init(&text, &mem, 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(mw_buf_putf(&text, "global%d = 1\n", i), MW_OK);
    struct mw_source source = { mw_view_text("lib/a.lua"), mw_buf_view(&text) };
    struct mw_check check = {
        .libs = &source,
        .lib_count = 1,
        .code_refusal = refusal,
        .ctx = &count,
        .finding = count_finding,
    };
    assert_int_equal(mw_lua_check(&check), MW_OK);
    assert_int_equal(count, 501);
    mw_buf_free(&text);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(syntax_errors_have_a_place_and_a_hint),
        CASE(what_only_the_compiler_sees_has_a_line),
        CASE(globals_must_exist),
        CASE(members_must_exist),
        CASE(conn_is_known_where_it_comes_from),
        CASE(keys_that_are_nearly_right_are_told),
        CASE(values_must_be_what_the_key_can_hold),
        CASE(a_script_returns_its_table),
        CASE(routes_are_given_to_the_server),
        CASE(on_open_returns_a_decision),
        CASE(state_holds_plain_data),
        CASE(timers_name_functions_of_the_table),
        CASE(libraries_must_exist),
        CASE(libraries_that_require_each_other_are_told_once),
        CASE(values_of_the_settings_have_places),
        CASE(a_comment_silences_a_rule_for_its_line),
        CASE(a_flood_of_findings_is_cut),
    };
    return RUN(cases);
}
