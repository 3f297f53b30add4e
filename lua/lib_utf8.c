/*
 * utf8.len and utf8.offset: the two that walk over a whole text. The rest of the library touches
 * one character a call, or as many as fit on the stack.
 *
 * Lua's strings end with a NUL, which continues no character, so nothing reads beyond the end.
 */
#include "lua/budget.h"
#include "lua/stdlib.h"

/* Characters between two looks at the clock: about 10 µs. */
#define STRIDE 4096

#define MAX_CODE 0x10FFFFu

static bool is_continuation(const char *at)
{
    return ((unsigned char)*at & 0xC0) == 0x80;
}

/* A position counted from the end is turned; before the start is 0. */
static lua_Integer position_of(lua_Integer pos, size_t len)
{
    if (pos >= 0)
        return pos;
    return 0u - (size_t)pos > len ? 0 : (lua_Integer)len + pos + 1;
}

/* How many bytes a character has that begins with this one; 0: none begins so. */
static int length_of(unsigned char first)
{
    static const unsigned char limits[] = { 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE };
    for (int i = 0; i < 7; i++) {
        if (first < limits[i])
            return i == 0 ? 1 : i == 1 ? 0 : i;
    }
    return 0;
}

/*
 * Bytes of the character at `at`, or 0. Lax: any number below 2^31 in its shortest form, as UTF-8
 * was first defined; else RFC 3629: up to 10FFFF and no surrogates.
 */
static size_t character_at(const char *at, bool is_lax)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000 };
    int len = length_of((unsigned char)*at);
    if (len <= 1)
        return (size_t)len;
    uint32_t code = (unsigned char)*at & (0x7Fu >> len);
    for (int i = 1; i < len; i++) {
        if (!is_continuation(at + i))
            return 0;
        code = code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    bool is_strict = code <= MAX_CODE && (code < 0xD800 || code > 0xDFFF);
    return code >= least[len] && (is_lax || is_strict) ? (size_t)len : 0;
}

/* utf8.len(s [, i [, j [, lax]]]) */
static int len(lua_State *L)
{
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    lua_Integer at = position_of(luaL_optinteger(L, 2, 1), bytes);
    lua_Integer last = position_of(luaL_optinteger(L, 3, -1), bytes);
    bool is_lax = lua_toboolean(L, 4);
    luaL_argcheck(L, at >= 1 && at <= (lua_Integer)bytes + 1, 2, "initial position out of bounds");
    luaL_argcheck(L, last <= (lua_Integer)bytes, 3, "final position out of bounds");
    lua_Integer count = 0;
    for (; at <= last; count++) {
        size_t size = character_at(text + at - 1, is_lax);
        if (size == 0) {
            lua_pushnil(L);
            lua_pushinteger(L, at);
            return 2;
        }
        at += (lua_Integer)size;
        if (count % STRIDE == 0)
            mw_lua_poll(L);
    }
    lua_pushinteger(L, count);
    return 1;
}

/* ---- offset ---- */

struct walk {
    lua_State *L;
    const char *text;
    size_t len, at; /* from 0 */
};

static void poll_at(const struct walk *w)
{
    if (w->at % STRIDE == 0)
        mw_lua_poll(w->L);
}

static void step_back(struct walk *w)
{
    do {
        w->at--;
        poll_at(w);
    } while (w->at > 0 && is_continuation(w->text + w->at));
}

static void step_on(struct walk *w)
{
    do {
        w->at++;
        poll_at(w);
    } while (is_continuation(w->text + w->at));
}

/* Goes n characters; what is left of n could not be gone. */
static lua_Integer go(struct walk *w, lua_Integer n)
{
    for (; n < 0 && w->at > 0; n++)
        step_back(w);
    for (; n > 0 && w->at < w->len; n--)
        step_on(w);
    return n;
}

/* utf8.offset(s, n [, i]) */
static int offset(lua_State *L)
{
    struct walk w = { .L = L };
    w.text = luaL_checklstring(L, 1, &w.len);
    lua_Integer n = luaL_checkinteger(L, 2);
    lua_Integer at = luaL_optinteger(L, 3, n > -1 ? 1 : (lua_Integer)w.len + 1);
    at = position_of(at, w.len);
    luaL_argcheck(L, at >= 1 && at <= (lua_Integer)w.len + 1, 3, "position out of bounds");
    w.at = (size_t)at - 1;
    bool is_inside = is_continuation(w.text + w.at);
    if (n == 0 && is_inside && w.at > 0)
        step_back(&w);
    if (n != 0 && is_inside)
        return luaL_error(L, "initial position is a continuation byte");
    if (go(&w, n > 0 ? n - 1 : n) == 0)
        lua_pushinteger(L, (lua_Integer)w.at + 1);
    else
        lua_pushnil(L);
    return 1;
}

const luaL_Reg mw_lua_utf8_functions[] = {
    { "len", len },
    { "offset", offset },
    { NULL, NULL },
};
