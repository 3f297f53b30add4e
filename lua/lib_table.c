/*
 * table.concat, insert, remove, move and unpack. What they walk over is a range of integers that
 * the script names, or what __len says, and each step may be a metamethod; so each step asks
 * whether it is still wanted.
 *
 * Indices wrap where Lua's do: the additions are made on unsigned numbers.
 */
#include <limits.h>

#include "lua/budget.h"
#include "lua/build.h"
#include "lua/stdlib.h"

static lua_Integer wrap_add(lua_Integer a, lua_Integer b)
{
    return (lua_Integer)((lua_Unsigned)a + (lua_Unsigned)b);
}

static bool has_field(lua_State *L, int meta, const char *name)
{
    lua_pushstring(L, name);
    bool is_there = lua_rawget(L, meta) != LUA_TNIL;
    lua_pop(L, 1);
    return is_there;
}

void mw_lua_check_table(lua_State *L, int arg, unsigned uses)
{
    if (lua_type(L, arg) == LUA_TTABLE)
        return;
    if (lua_getmetatable(L, arg)) {
        int meta = lua_gettop(L);
        if ((!(uses & MW_LUA_TABLE_READ) || has_field(L, meta, "__index")) &&
            (!(uses & MW_LUA_TABLE_WRITE) || has_field(L, meta, "__newindex")) &&
            (!(uses & MW_LUA_TABLE_LEN) || has_field(L, meta, "__len"))) {
            lua_pop(L, 1);
            return;
        }
    }
    luaL_checktype(L, arg, LUA_TTABLE);
}

static lua_Integer length_of(lua_State *L, unsigned uses)
{
    mw_lua_check_table(L, 1, uses | MW_LUA_TABLE_LEN);
    return luaL_len(L, 1);
}

/* t[to] = t[from], for the table at 1. */
static void copy_item(lua_State *L, lua_Integer from, lua_Integer to)
{
    lua_geti(L, 1, from);
    lua_seti(L, 1, to);
    mw_lua_poll(L);
}

/* ---- concat ---- */

static void add_item(lua_State *L, struct mw_build *out, lua_Integer at)
{
    lua_geti(L, 1, at);
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
                   (LUAI_UACINT)at);
    mw_build_put_top(out);
    mw_lua_poll(L);
}

static int concat(lua_State *L)
{
    struct mw_build out;
    size_t separator_len;
    lua_Integer last = length_of(L, MW_LUA_TABLE_READ);
    const char *separator = luaL_optlstring(L, 2, "", &separator_len);
    lua_Integer at = luaL_optinteger(L, 3, 1);
    last = luaL_optinteger(L, 4, last);
    mw_build_init(&out, L);
    for (; at < last; at++) {
        add_item(L, &out, at);
        mw_build_put(&out, mw_view(separator, separator_len));
    }
    if (at == last)
        add_item(L, &out, at);
    mw_build_push(&out);
    return 1;
}

/* ---- insert and remove ---- */

static int insert(lua_State *L)
{
    unsigned uses = MW_LUA_TABLE_READ | MW_LUA_TABLE_WRITE;
    lua_Integer end = wrap_add(length_of(L, uses), 1), at = end;
    int args = lua_gettop(L);
    if (args == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)at - 1 < (lua_Unsigned)end, 2, "position out of bounds");
        for (lua_Integer i = end; i > at; i--)
            copy_item(L, i - 1, i);
    } else if (args != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, at);
    return 0;
}

static int remove_item(lua_State *L)
{
    lua_Integer len = length_of(L, MW_LUA_TABLE_READ | MW_LUA_TABLE_WRITE);
    lua_Integer at = luaL_optinteger(L, 2, len);
    if (at != len)
        luaL_argcheck(L, (lua_Unsigned)at - 1 <= (lua_Unsigned)len, 2, "position out of bounds");
    lua_geti(L, 1, at);
    for (; at < len; at++)
        copy_item(L, at + 1, at);
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

/* ---- move ---- */

struct span {
    lua_Integer first, last, to;
    int target; /* index of the table that is written to */
};

/* Into itself and to a place inside of what is moved: from the end, or it would overwrite itself.
 */
static bool must_go_backwards(lua_State *L, const struct span *s)
{
    if (s->to > s->last || s->to <= s->first)
        return false;
    return s->target == 1 || lua_compare(L, 1, s->target, LUA_OPEQ);
}

static void move_one(lua_State *L, const struct span *s, lua_Integer i)
{
    lua_geti(L, 1, s->first + i);
    lua_seti(L, s->target, s->to + i);
    mw_lua_poll(L);
}

/* table.move(a1, f, e, t [, a2]) */
static int move(lua_State *L)
{
    struct span s = {
        .first = luaL_checkinteger(L, 2),
        .last = luaL_checkinteger(L, 3),
        .to = luaL_checkinteger(L, 4),
        .target = lua_isnoneornil(L, 5) ? 1 : 5,
    };
    mw_lua_check_table(L, 1, MW_LUA_TABLE_READ);
    mw_lua_check_table(L, s.target, MW_LUA_TABLE_WRITE);
    if (s.last >= s.first) {
        luaL_argcheck(L, s.first > 0 || s.last < LUA_MAXINTEGER + s.first, 3,
                      "too many elements to move");
        lua_Integer count = s.last - s.first + 1;
        luaL_argcheck(L, s.to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        if (must_go_backwards(L, &s)) {
            for (lua_Integer i = count - 1; i >= 0; i--)
                move_one(L, &s, i);
        } else {
            for (lua_Integer i = 0; i < count; i++)
                move_one(L, &s, i);
        }
    }
    lua_pushvalue(L, s.target);
    return 1;
}

/* ---- unpack ---- */

static int unpack(lua_State *L)
{
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
    if (first > last)
        return 0;
    lua_Unsigned more = (lua_Unsigned)last - (lua_Unsigned)first;
    if (more >= INT_MAX || !lua_checkstack(L, (int)more + 1))
        return luaL_error(L, "too many results to unpack");
    for (lua_Integer i = first; i < last; i++) {
        lua_geti(L, 1, i);
        mw_lua_poll(L);
    }
    lua_geti(L, 1, last);
    return (int)more + 1;
}

const luaL_Reg mw_lua_table_functions[] = {
    { "concat", concat }, { "insert", insert }, { "remove", remove_item },
    { "move", move },     { "unpack", unpack }, { NULL, NULL },
};
