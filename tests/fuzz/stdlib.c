/*
 * Library functions of ours beside Lua's own: the first byte says which, the next ones make its
 * arguments; results and messages must be the same.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "lua/stdlib.h"
#include "tests/fuzz/fuzz.h"

/* Longer numbers in a format ask for more memory than a comparison is worth. */
#define MAX_DIGITS 3

static const struct function {
    const char *library, *name;
    const luaL_Reg *ours;
    bool has_format; /* its first argument */
} functions[] = {
    { "string", "format", mw_lua_format_functions, true },
    { "string", "pack", mw_lua_pack_functions, true },
    { "string", "packsize", mw_lua_pack_functions, true },
    { "string", "unpack", mw_lua_pack_functions, true },
    { "string", "lower", mw_lua_string_functions, false },
    { "string", "upper", mw_lua_string_functions, false },
    { "string", "reverse", mw_lua_string_functions, false },
    { "utf8", "len", mw_lua_utf8_functions, false },
    { "utf8", "offset", mw_lua_utf8_functions, false },
};

static lua_CFunction ours_of(const struct function *function)
{
    const luaL_Reg *at = function->ours;
    while (strcmp(at->name, function->name) != 0)
        at++;
    return at->func;
}

/* A state whose only app is one that is never stopped. */
static lua_State *state(void)
{
    static struct mw_app app;
    static lua_State *L;
    if (L)
        return L;
    L = luaL_newstate();
    CHECK(L != NULL);
    luaL_openlibs(L);
    app.lanes[MW_LUA_LANE_SCRIPT].app = &app;
    mw_lua_set_lane(L, &app, MW_LUA_LANE_SCRIPT);
    return L;
}

static void push_integer(lua_State *L, struct mw_view *input)
{
    uint64_t number = 0;
    size_t bytes = 1 + take_below(input, 8);
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | take_byte(input);
    lua_pushinteger(L, take_below(input, 2) ? (lua_Integer)number : -(lua_Integer)(number / 2));
}

static void push_text(lua_State *L, struct mw_view *input)
{
    size_t len = take_below(input, 24);
    struct mw_view text = mw_view(input->data, len < input->len ? len : input->len);
    mw_lua_push_view(L, text);
    *input = mw_view_from(*input, text.len);
}

static void push_argument(lua_State *L, struct mw_view *input)
{
    switch (take_below(input, 8)) {
    case 0:
        lua_pushnil(L);
        break;
    case 1:
        lua_pushboolean(L, true);
        break;
    case 2:
        lua_pushnumber(L, (double)take_byte(input) / 4);
        break;
    case 3:
    case 4:
    case 5:
        push_integer(L, input);
        break;
    default:
        push_text(L, input);
        break;
    }
}

/* Formats end where the line does. False: its result could be huge. */
static bool push_format(lua_State *L, struct mw_view *input)
{
    struct mw_view format = take_line(input);
    size_t digits = 0;
    for (size_t i = 0; i < format.len; i++) {
        bool is_digit = format.data[i] >= '0' && format.data[i] <= '9';
        digits = is_digit ? digits + 1 : 0;
        if (digits > MAX_DIGITS || format.data[i] == 'p') /* shows no address */
            return false;
    }
    mw_lua_push_view(L, format);
    return true;
}

/* Calls the function below `args` copies of what is at 1..args; the outcome is one text on top. */
static void push_outcome(lua_State *L, int args)
{
    int base = lua_gettop(L);
    for (int i = 1; i <= args; i++)
        lua_pushvalue(L, i);
    int status = lua_pcall(L, args, LUA_MULTRET, 0);
    int last = lua_gettop(L);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    luaL_addstring(&text, status == LUA_OK ? "ok" : "failed");
    for (int i = base; i <= last; i++) {
        luaL_addstring(&text, lua_typename(L, lua_type(L, i)));
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
}

/* Messages name a function as far as Lua knows its name: both are called so. */
static void push_named(lua_State *L, const struct function *function, lua_CFunction ours)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, function->library);
    if (ours) {
        lua_pushcfunction(L, ours);
        lua_setfield(L, -2, function->name);
    }
    lua_getfield(L, -1, function->name);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

static void compare(lua_State *L, const struct function *function, int args)
{
    push_named(L, function, NULL);
    lua_pushvalue(L, -1);
    int theirs = lua_gettop(L) - 1;
    push_outcome(L, args);
    int wanted = lua_gettop(L);
    push_named(L, function, ours_of(function));
    push_outcome(L, args);
    struct mw_view want = mw_lua_view(L, wanted), got = mw_lua_view(L, -1);
    if (!mw_view_equal(want, got))
        fprintf(stderr, "%s\nLua's %.*s\nours  %.*s\n", function->name, (int)want.len, want.data,
                (int)got.len, got.data);
    CHECK(mw_view_equal(want, got));
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, function->library);
    lua_pushvalue(L, theirs);
    lua_setfield(L, -2, function->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L = state();
    struct mw_view input = mw_view((const char *)data, size);
    const struct function *function = &functions[take_below(&input, MW_COUNT(functions))];
    int args = 0;
    luaL_checkstack(L, 64, NULL);
    if (function->has_format) {
        if (!push_format(L, &input)) {
            lua_settop(L, 0);
            return 0;
        }
        args++;
    }
    while (input.len > 0 && args < 9) {
        push_argument(L, &input);
        args++;
    }
    compare(L, function, args);
    lua_settop(L, 0);
    return 0;
}
