/* Asking both string libraries the same. */
#include "tests/unit/lua/versus.h"

#include <stdio.h>
#include <stdlib.h>

#include <lualib.h>

#include "lua/api.h"

#define MAX_ITERATIONS 60

/* ---- sides ---- */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "versus: %s\n", what);
    abort();
}

static void open_side(struct side *side, struct mw_mem *mem, const luaL_Reg *functions)
{
    lua_State *L = luaL_newstate();
    must(L, "no memory");
    memset(side, 0, sizeof(*side));
    side->L = L;
    mw_buf_init(&side->answer, mem, 0);
    side->app.L = L;
    for (int i = 0; i < MW_LUA_LANE_KINDS; i++)
        side->app.lanes[i].app = &side->app;
    mw_lua_set_lane(L, &side->app, MW_LUA_LANE_SCRIPT);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    if (functions)
        luaL_setfuncs(L, functions, 0);
    lua_settop(L, 0);
}

static void close_side(struct side *side)
{
    lua_close(side->L);
    mw_buf_free(&side->answer);
}

void versus_open(struct versus *versus)
{
    mw_mem_init(&versus->mem, NULL, 0);
    open_side(&versus->ours, &versus->mem, mw_lua_match_functions);
    open_side(&versus->theirs, &versus->mem, NULL);
}

void versus_close(struct versus *versus)
{
    close_side(&versus->ours);
    close_side(&versus->theirs);
    must(mw_mem_is_empty(&versus->mem), "the answers leak");
}

/* ---- answers ---- */

static void tell(struct mw_buf *out, lua_State *L, int index)
{
    size_t len;
    const char *type = luaL_typename(L, index), *text = luaL_tolstring(L, index, &len);
    must(mw_buf_putf(out, " %s:%zu:", type, len) == MW_OK, "no memory");
    must(mw_buf_put(out, text, len) == MW_OK, "no memory");
    lua_pop(L, 1);
}

static void tell_from(struct mw_buf *out, lua_State *L, int first)
{
    for (int i = first; i <= lua_gettop(L); i++)
        tell(out, L, i);
    must(mw_buf_put(out, "\n", 1) == MW_OK, "no memory");
}

/*
 * What a function or table answers for a match, by its first argument (captures or key) and the
 * text of upvalue 1: each kind of value comes up.
 */
static int answer_match(lua_State *L)
{
    size_t by_len, len = 0;
    const char *by = lua_tolstring(L, lua_upvalueindex(1), &by_len);
    int last = lua_gettop(L);
    const char *text = luaL_tolstring(L, last, &len);
    unsigned kind = (unsigned)(len + by_len + (len ? (uint8_t)text[0] : 0)) % 8;
    if (kind == 0)
        lua_pushboolean(L, 0);
    else if (kind == 1)
        return 0;
    else if (kind == 2)
        lua_pushinteger(L, (lua_Integer)by_len);
    else if (kind == 3 && by_len % 16 == 3)
        lua_pushboolean(L, 1); /* an error */
    else if (kind == 4)
        lua_pushlstring(L, by, by_len);
    else
        lua_pushfstring(L, "<%s>%d", text, last);
    return 1;
}

static int answer_key(lua_State *L)
{
    lua_remove(L, 1);
    return answer_match(L);
}

static void push_by(lua_State *L, const struct question *q)
{
    lua_pushlstring(L, q->by.data, q->by.len);
    if (q->asked == ASKED_GSUB_FUNCTION) {
        lua_pushcclosure(L, answer_match, 1);
    } else if (q->asked == ASKED_GSUB_TABLE) {
        lua_newtable(L);
        lua_newtable(L);
        lua_pushvalue(L, -3);
        lua_pushcclosure(L, answer_key, 1);
        lua_setfield(L, -2, "__index");
        lua_setmetatable(L, -2);
    }
}

static const char *function_of(enum asked asked)
{
    static const char *const names[] = {
        "find", "find", "match", "gmatch", "gsub", "gsub", "gsub"
    };
    return names[asked];
}

static void iterate(lua_State *L, struct mw_buf *out)
{
    int iterator = lua_gettop(L);
    for (int i = 0; i < MAX_ITERATIONS; i++) {
        lua_pushvalue(L, iterator);
        lua_call(L, 0, LUA_MULTRET);
        tell_from(out, L, iterator + 1);
        if (lua_isnoneornil(L, iterator + 1))
            return;
        lua_settop(L, iterator);
    }
}

/* Index 1: the side; index 2: the question. */
static int answer(lua_State *L)
{
    struct side *side = lua_touserdata(L, 1);
    const struct question *q = lua_touserdata(L, 2);
    lua_settop(L, 0);
    lua_getglobal(L, "string");
    lua_getfield(L, 1, function_of(q->asked));
    lua_replace(L, 1);
    lua_pushlstring(L, q->subject.data, q->subject.len);
    lua_pushlstring(L, q->pattern.data, q->pattern.len);
    if (q->asked >= ASKED_GSUB)
        push_by(L, q);
    if (q->has_number)
        lua_pushinteger(L, q->number);
    else
        lua_pushnil(L);
    lua_pushboolean(L, q->asked == ASKED_FIND_PLAIN);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    if (q->asked == ASKED_GMATCH)
        iterate(L, &side->answer);
    else
        tell_from(&side->answer, L, 1);
    return 0;
}

static int answer_with_file(lua_State *L)
{
    struct side *side = lua_touserdata(L, 1);
    const char *path = lua_touserdata(L, 2);
    lua_settop(L, 0);
    if (luaL_loadfile(L, path) != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 1);
    tell_from(&side->answer, L, 1);
    return 0;
}

static void ask(struct side *side, lua_CFunction body, const void *what)
{
    lua_State *L = side->L;
    mw_buf_clear(&side->answer);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, side);
    lua_pushlightuserdata(L, (void *)(uintptr_t)what);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        tell_from(&side->answer, L, 1);
    lua_settop(L, 0);
}

static bool agree(struct versus *versus, lua_CFunction body, const void *what)
{
    ask(&versus->ours, body, what);
    ask(&versus->theirs, body, what);
    struct mw_view a = mw_buf_view(&versus->ours.answer), b = mw_buf_view(&versus->theirs.answer);
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool versus_agree(struct versus *versus, const struct question *question)
{
    return agree(versus, answer, question);
}

bool versus_agree_on_file(struct versus *versus, const char *path)
{
    return agree(versus, answer_with_file, path);
}

/* ---- bounds ---- */

/* In how many ways q repetitions share n bytes at most: (n + q) over n. */
static double ways(size_t n, size_t q)
{
    double result = 1;
    for (size_t i = 1; i <= n && result < 1e9; i++)
        result = result * (double)(q + i) / (double)i;
    return result;
}

struct mw_view versus_bounded(struct mw_view subject, struct mw_view pattern)
{
    size_t repetitions = 0, len = 0;
    for (size_t i = 0; i < pattern.len; i++)
        repetitions += memchr("*+-?", pattern.data[i], 4) != NULL;
    while (len < subject.len && len < 64 && ways(len + 1, repetitions) < 2000)
        len++;
    return mw_view(subject.data, len);
}
