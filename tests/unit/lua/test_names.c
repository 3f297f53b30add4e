/*
 * The lists of names against what a script really finds, both ways: a walk from inside over every
 * table, and the members of the objects that are given to handlers.
 */
#include "lua/names.h"

#include "tests/unit/lua/fake_host.h"

static struct world world;

/*
 * Prints every name that can be reached by pairs, next and indexing, and the type of what is there;
 * a metatable that shows would be walked as well. The rows of `codes` have numbers, not names.
 */
static const char walk[] =
    "local seen, found = {}, {}\n"
    "local function visit(at, value)\n"
    "  local meta = getmetatable(value)\n"
    "  if meta then found[#found + 1] = at .. '<meta> ' .. type(meta) visit(at, meta) end\n"
    "  if type(value) ~= 'table' or seen[value] then return end\n"
    "  seen[value] = true\n"
    "  for key, item in pairs(value) do\n"
    "    assert(value[key] == item)\n"
    "    if type(key) == 'string' and (rawequal(value, _G) or type(item) ~= 'table') then\n"
    "      found[#found + 1] = at .. '.' .. tostring(key) .. ' '\n"
    "    end\n"
    "    if type(key) == 'string' then visit(key, item) end\n"
    "  end\n"
    "  for key in next, value do assert(value[key] ~= nil) end\n"
    "end\n"
    "visit('_G', _G) visit('text', '') assert(not getmetatable(_ENV))\n"
    "for name, item in pairs(_ENV) do assert(_G[name] == item) end\n"
    "for name, item in pairs(_G) do assert(_ENV[name] == item) end\n"
    "for name, item in pairs(string) do assert(('')[name] == item) end\n"
    "for _, name in ipairs { 'dump', '__index', 'x' } do assert(('')[name] == nil) end\n"
    "table.sort(found)\n"
    "print(table.concat(found, '\\n') .. '\\n')\n"
    "return {}";

static const char *const libraries[] = {
    "_G", "string", "table", "math", "utf8", "coroutine", "os", "json", "log", "timer", "codes",
};

/* "string.find" stands for itself in the transcript: a line with that beginning. */
static void expect_line(const char *library, const char *name)
{
    char line[128];
    snprintf(line, sizeof(line), "\n%s.%s ", library, name);
    if (!strstr(world.host.transcript, line))
        fail_msg("a script does not find %s.%s", library, name);
}

TEST(a_script_reaches_what_the_table_allows_and_nothing_else)
{
    size_t expected = 0, lines = 0;
    world_open(&world);
    must_load(&world, walk);
    char *first = strstr(world.host.transcript, "log info v1 ");
    assert_non_null(first);
    memcpy(first, "           \n", 12); /* the first name begins a line as the others do */
    for (size_t i = 0; i < MW_COUNT(libraries); i++) {
        const char *const *names = mw_lua_names(libraries[i]);
        assert_non_null(names);
        for (; *names; names++, expected++)
            expect_line(libraries[i], *names);
    }
    for (const char *at = first + 12; (at = strstr(at, " \n")); at++)
        lines++;
    if (lines != expected)
        fail_msg("%zu names of %zu:\n%s", lines, expected, world.host.transcript);
    assert_null(strstr(world.host.transcript, "<meta>"));
    world_close(&world);
}

/* A table constructor of the names of a list: { send = true, close = true, }. */
static void write_set(char *out, size_t size, const char *list)
{
    size_t len = (size_t)snprintf(out, size, "{ ");
    for (const char *const *names = mw_lua_names(list); *names; names++)
        len += (size_t)snprintf(out + len, size - len, "%s = true, ", *names);
    snprintf(out + len, size - len, "}");
}

TEST(members_of_objects_are_the_lists)
{
    static const struct mw_tls_facts tls = { .version = "TLSv1.3", .cipher = "X" };
    static char script[8192], conn[1024], req[1024];
    write_set(conn, sizeof(conn), "conn");
    write_set(req, sizeof(req), "req");
    snprintf(script, sizeof(script),
             "local conn_names, req_names = %s, %s\n"
             "return { on_open = function(conn, req)\n"
             "  for name in pairs(req) do assert(req_names[name], name) end\n"
             "  for name in pairs(req_names) do\n"
             "    assert(req[name] ~= nil or name == 'resume', name)\n"
             "  end\n"
             "  for name in pairs(conn_names) do\n"
             "    local is_given = conn[name] ~= nil or name == 'protocol' or name == 'rtt'\n"
             "    assert(is_given, name)\n"
             "  end\n"
             "  for _, name in ipairs { '__index', '__gc', 'x', 1, '' } do\n"
             "    assert(conn[name] == nil)\n"
             "  end\n"
             "end }",
             conn, req);
    world_open(&world);
    world.host.tls = &tls;
    must_load(&world, script);
    must_open(&world, 1);
    assert_int_equal(world.host.fault_count, 0);
    world_close(&world);
}

static bool has(const char *const *names, const char *wanted)
{
    while (*names && strcmp(*names, wanted) != 0)
        names++;
    return *names != NULL;
}

TEST(lists_are_found_by_their_titles)
{
    assert_null(mw_lua_names("debug"));
    assert_null(mw_lua_names("find"));
    assert_true(has(mw_lua_names("M"), "on_message") && has(mw_lua_names("M"), "route"));
    assert_true(has(mw_lua_names("limits"), "queue"));
    assert_true(has(mw_lua_conn_method_names, "send") && !has(mw_lua_conn_method_names, "id"));
    assert_true(has(mw_lua_handler_names, "on_close") && !has(mw_lua_handler_names, "route"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_script_reaches_what_the_table_allows_and_nothing_else),
        CASE(members_of_objects_are_the_lists),
        CASE(lists_are_found_by_their_titles),
    };
    return RUN(cases);
}
