/*
 * `codes = { [4001] = { "kicked", retry = false, fix = "ask a moderator" } }` as rows of
 * mw_route_spec. Called by shape.c while a version loads; may raise anywhere.
 */
#include "lua/codes.h"

#include "core/base/utf8.h"
#include "lua/advice.h"
#include "lua/shape.h"

/* `retry = true` where the code's own policy would be to stay away: that of 4000 to 4499. */
#define RETRY_AFTER_MS  1000
#define RETRY_SPREAD_MS 4000

/* Pushes a field of the row on top of the stack. */
static int get_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, -2);
}

static void check_fields(lua_State *L, const char *key, int code)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        bool is_name = lua_isinteger(L, -1) && lua_tointeger(L, -1) == 1;
        bool is_text = lua_type(L, -1) == LUA_TSTRING;
        const char *text = is_text ? lua_tostring(L, -1) : "";
        if (!is_name && strcmp(text, "retry") != 0 && strcmp(text, "fix") != 0)
            luaL_error(L, "%s[%d] has a field %s: a name, retry and fix only", key, code,
                       luaL_tolstring(L, -1, NULL));
    }
}

static struct mw_view read_name(lua_State *L, struct mw_lua_version *version, const char *key,
                                int code)
{
    if (!lua_istable(L, -1) || lua_rawgeti(L, -1, 1) != LUA_TSTRING)
        luaL_error(L, "%s[%d] must begin with its name: [%d] = { \"kicked\" }", key, code, code);
    struct mw_view name = mw_lua_shape_keep_text(L, version);
    if (name.len == 0 || !mw_utf8_valid(name))
        luaL_error(L, "%s[%d]: its name must be UTF-8, and not empty", key, code);
    lua_pop(L, 1);
    return name;
}

static struct mw_view read_fix(lua_State *L, struct mw_lua_version *version, const char *key,
                               int code)
{
    struct mw_view fix = { 0 };
    int type = get_field(L, "fix");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "%s[%d]: fix must be a string, not a %s", key, code, luaL_typename(L, -1));
    if (type == LUA_TSTRING)
        fix = mw_lua_shape_keep_text(L, version);
    if (!mw_utf8_valid(fix))
        luaL_error(L, "%s[%d]: fix must be UTF-8", key, code);
    lua_pop(L, 1);
    return fix;
}

static struct mw_advice read_retry(lua_State *L, const char *key, int code)
{
    struct mw_advice advice = { .kind = MW_ADVICE_RETURN,
                                .after_ms = RETRY_AFTER_MS,
                                .spread_ms = RETRY_SPREAD_MS };
    int top = lua_gettop(L);
    bool is_true = get_field(L, "retry") == LUA_TBOOLEAN && lua_toboolean(L, -1);
    const char *wrong = is_true ? NULL : mw_lua_advice_read(L, -1, &advice);
    if (wrong)
        luaL_error(L, "%s[%d].retry: %s", key, code, wrong);
    lua_settop(L, top);
    return advice;
}

/* Key at -2, value at -1. */
static void read_row(lua_State *L, struct mw_lua_version *version, const char *key, void *out)
{
    lua_Integer number = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
    if (number < 3000 || number > 4999)
        luaL_error(L, "%s: a script's own codes are from 3000 to 4999", key);
    int code = (int)number;
    struct mw_code_spec row = { .code = (unsigned)code, .name = read_name(L, version, key, code) };
    check_fields(L, key, code);
    row.fix = read_fix(L, version, key, code);
    row.advice = read_retry(L, key, code);
    *(struct mw_code_spec *)out = row;
}

static int by_code(const void *a, const void *b)
{
    const struct mw_code_spec *left = a, *right = b;
    return (left->code > right->code) - (left->code < right->code);
}

void mw_lua_codes_read(lua_State *L, struct mw_lua_version *version, const char *key)
{
    static const struct mw_lua_rows rows = { sizeof(struct mw_code_spec), read_row, by_code };
    struct mw_route_spec *spec = &version->spec;
    spec->codes = mw_lua_shape_rows(L, version, key, &rows, &spec->code_count);
}
