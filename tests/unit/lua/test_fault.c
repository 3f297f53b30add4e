/* Faults: place, source line, trace, and the hints of hints.c. */
#include "tests/unit/lua/fake_host.h"

static struct world world;

/* Runs `body` as on_message, which must fail. The body begins in line 2. */
static const struct mw_fault *fail_with(const char *body)
{
    char script[2048];
    snprintf(script, sizeof(script), "return { on_message = function(conn, data)\n%s\nend }", body);
    if (load(&world, script) != MW_OK)
        return &world.fault;
    must_open(&world, 1);
    assert_int_equal(say(&world, 1, "go"), MW_APP_FAILED);
    return &world.host.fault;
}

static const struct {
    const char *body;
    int line;
    const char *message;
} messages[] = {
    { "error('plain')", 2, "plain" },
    { "\n  error('below')", 3, "below" },
    { "error('no place', 0)", 2, "no place" },
    { "error()", 2, "error value nil" },
    { "error({ code = 5 })", 2, "error value { code = 5 }" },
    { "error(setmetatable({}, { __tostring = function() return 'mine' end }))", 2,
      "error value {}" },
    { "error(5.5)", 2, "error value 5.5" },
    { "error(conn)", 2, "error value conn 1" },
    { "error('other.lua:7: not ours')", 2, "other.lua:7: not ours" },
    { "error('other.lua:7: not ours', 0)", 2, "other.lua:7: not ours" },
    { "error('', 0)", 2, "" },
    { "local a = nil .. 'x'", 2, "attempt to concatenate a nil value" },
    { "('x'):rep(1e10)", 2, "resulting string too large" },
};

TEST(the_message_stands_without_its_place)
{
    for (size_t i = 0; i < MW_COUNT(messages); i++) {
        world_open(&world);
        const struct mw_fault *fault = fail_with(messages[i].body);
        assert_string_equal(fault->message, messages[i].message);
        assert_string_equal(fault->file, "chat.lua");
        assert_int_equal(fault->line, messages[i].line);
        world_close(&world);
    }
}

TEST(the_source_line_is_shown_with_its_number)
{
    world_open(&world);
    const struct mw_fault *fault = fail_with("  local x = data.a.b -- here");
    assert_string_equal(fault->frame, "   2 |   local x = data.a.b -- here");
    assert_string_equal(fault->trace, "");
    world_close(&world);
}

/* In line 2 something fails, in line 3 the error goes on. */
static const char *const raised_again[] = {
    "local f = coroutine.wrap(function() error('oh')\nend) f()",
    "local ok, e = pcall(error, 'chat.lua:2: oh')\nerror(e)",
};

TEST(an_error_that_was_raised_again_shows_where_it_came_from_and_its_way)
{
    for (size_t i = 0; i < MW_COUNT(raised_again); i++) {
        world_open(&world);
        const struct mw_fault *fault = fail_with(raised_again[i]);
        assert_string_equal(fault->message, "oh");
        assert_int_equal(fault->line, 2);
        assert_string_equal(fault->trace, "chat.lua:3 in on_message");
        world_close(&world);
    }
}

TEST(a_trace_shows_script_frames_only)
{
    static const char *const libs[] = {
        "lib/rooms.lua",
        "local M = {}\nfunction M.deliver(t)\n  t:go()\nend\n"
        "function M.all(list)\n  for _, t in ipairs(list) do M.deliver(t) end\nend\nreturn M",
        NULL
    };
    world_open(&world);
    assert_int_equal(load_with(&world,
                               "local rooms = require 'rooms'\n"
                               "return { on_message = function(conn)\n"
                               "  pcall(string.rep) rooms.all({ {} })\n"
                               "end }",
                               libs),
                     MW_OK);
    must_open(&world, 1);
    say(&world, 1, "x");
    assert_string_equal(world.host.fault.file, "lib/rooms.lua");
    assert_int_equal(world.host.fault.line, 3);
    assert_string_equal(world.host.fault.trace, "lib/rooms.lua:3 in deliver\n"
                                                "lib/rooms.lua:6 in all\n"
                                                "chat.lua:3 in on_message");
    world_close(&world);
}

TEST(a_deep_recursion_has_a_short_trace)
{
    world_open(&world);
    const struct mw_fault *fault = fail_with("local function f() return 1 + f() end f()");
    assert_string_equal(fault->hint, "a function calls itself without end");
    assert_string_equal(fault->file, "chat.lua");
    assert_true(strlen(fault->trace) < sizeof(fault->trace) - 1);
    world_close(&world);
}

TEST(long_texts_are_cut)
{
    char body[1024];
    world_open(&world);
    snprintf(body, sizeof(body), "error(('x'):rep(5000)) -- %0500d", 7);
    const struct mw_fault *fault = fail_with(body);
    assert_int_equal(strlen(fault->message), sizeof(fault->message) - 1);
    assert_true(strlen(fault->frame) > 300);
    world_close(&world);
}

TEST(long_file_names_are_found_again)
{
    static const char path[] =
        "lib/a_rather_long_folder_name/another_rather_long_folder_name/and_a_file.lua";
    const char *const libs[] = { path, "local x = 1\nerror('deep')", NULL };
    world_open(&world);
    assert_int_equal(load_with(&world,
                               "require 'a_rather_long_folder_name."
                               "another_rather_long_folder_name.and_a_file' return {}",
                               libs),
                     MW_ERR_SCRIPT);
    assert_string_equal(world.fault.file, path);
    assert_int_equal(world.fault.line, 2);
    assert_string_equal(world.fault.message, "deep");
    assert_string_equal(world.fault.frame, "   2 | error('deep')");
    world_close(&world);
}

/* ---- hints ---- */

static const struct {
    const char *body, *hint;
} hints[] = {
    { "conn:sendd('x')", "did you mean 'send'?" },
    { "conn:subscibe('x')", "did you mean 'subscribe'?" },
    { "data:uper()", "did you mean 'upper'?" },
    { "publsh('a', 'b')", "did you mean 'publish'?" },
    { "pritn('a')", "did you mean 'print'?" },
    { "string.uper('x')", "did you mean 'string.upper'?" },
    { "jsno.encode({})", "did you mean 'json'?" },
    { "json.enocde({})", "did you mean 'json.encode'?" },
    { "console.log('x')", "in Lua, and here: log.info(...)" },
    { "setTimeout(print, 5)", "in Lua, and here: timer.after(seconds, fn)" },
    { "io.open('x')", "in Lua, and here: files cannot be opened from a script" },
    { "conn.send('x')", "did you write conn.send? methods take a colon: conn:send(...)" },
    { "usr = 5", "write `local usr = ...`, or `state.usr = ...` to keep it across reloads" },
    { "local x = conn.data.user.name",
      "'user' is nil here: set it before, or write (user or {}).field" },
    { "local t local x = t.name", "'t' is nil here: set it before, or write (t or {}).field" },
    { "local name local x = 'a' .. name",
      "'name' has no text here: write tostring(name), or (name or \"\")" },
    { "local x = 'a' .. conn.data", "inspect(t) or json.encode(t) make text of a table" },
    { "local n n = n + 1", "'n' is nil here: write (n or 0) if that is what it means" },
    { "local x = 1 < '2'", "tonumber(x) makes a number of a string" },
    { "local x = '1' < 2", "tonumber(x) makes a number of a string" },
    { "local x = 1 < nil", "one side is nil: give it a default, (x or 0)" },
    { "conn:send(5)", "tostring(x) makes text of a number" },
    { "if data != 'x' then end", "'not equal' is ~= in Lua, and 'not' negates" },
    { "if data = 'x' then end", "== compares; = assigns" },
    { "local n = 1 n += 1", "Lua has no +=: write x = x + 1" },
    { "local n = 1 n++", "Lua has no ++: write x = x + 1" },
    { "local s = 'a' s ..= 'b'", "Lua has no ..=: write s = s .. \"more\"" },
    { "if data && conn then end", "'and' joins conditions in Lua" },
    { "if data || conn then end", "'or' joins conditions in Lua" },
    { "// a comment", "comments begin with -- in Lua" },
    { "let x = 5", "variables are made with 'local' in Lua" },
    { "for i = 1, 2 do continue end",
      "Lua has no continue: write goto continue, and ::continue:: before the loop's end" },
    { "print(conn:data)", "fields take a dot, conn.data; a colon is for methods, conn:send(x)" },
    { "local t = {\n a = 1\n b = 2 }", "a comma may be missing at the end of the line before" },
    { "local s = 'abc", "the quote is not closed in this line; [[ ... ]] holds several" },
    { "if data then\n else if conn then\n end",
      "'else if' opens a block of its own: write elseif" },
    { "  if data then\n    conn:ping()\nend\nlocal function f()\n",
      "the block that begins in line 2 is not closed: add its 'end' before line 4" },
    { "end } end", "there is one 'end' too many, or a 'then' or 'do' is missing before" },
    { "end end end", "there is one 'end' too many, or a '}' is missing before" },
    { "conn:send(data,\n kind\nend", "there is one 'end' too many, or a ')' is missing before" },
    { "timer.after(1, function() end end)",
      "there is one 'end' too many, or a ')' is missing before" },
    { "local x =\nend", "" },
    { "error('nothing known')", "" },
};

TEST(hints_say_what_to_do)
{
    for (size_t i = 0; i < MW_COUNT(hints); i++) {
        world_open(&world);
        const struct mw_fault *fault = fail_with(hints[i].body);
        if (strcmp(fault->hint, hints[i].hint) != 0)
            fail_msg("%s\n%s\nhint: %s\nwant: %s", hints[i].body, fault->message, fault->hint,
                     hints[i].hint);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(the_message_stands_without_its_place),
        CASE(the_source_line_is_shown_with_its_number),
        CASE(an_error_that_was_raised_again_shows_where_it_came_from_and_its_way),
        CASE(a_trace_shows_script_frames_only),
        CASE(a_deep_recursion_has_a_short_trace),
        CASE(long_texts_are_cut),
        CASE(long_file_names_are_found_again),
        CASE(hints_say_what_to_do),
    };
    return RUN(cases);
}
