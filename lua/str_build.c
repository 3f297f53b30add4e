/*
 * string.rep, lower, upper and reverse: results whose size is known before the first byte is
 * written. The memory is asked for at once, so what does not fit under the cap fails before any
 * work; then it is filled in pieces, with a look at the clock between them.
 */
#include <limits.h>

#include "lua/budget.h"
#include "lua/build.h"
#include "lua/stdlib.h"

/* About 20 µs of work. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* Lua's own limit for what rep makes. */
#define MAX_BYTES ((size_t)INT_MAX)

/* A result of this length, to be filled. */
static char *begin(struct mw_build *build, lua_State *L, size_t len)
{
    mw_build_init(build, L);
    mw_build_reserve(build, len);
    build->len = len;
    return build->data;
}

static size_t piece_of(size_t left)
{
    return left < PIECE_BYTES ? left : PIECE_BYTES;
}

static void copy_metered(lua_State *L, char *to, const char *from, size_t len)
{
    for (size_t done = 0, piece; done < len; done += piece) {
        piece = piece_of(len - done);
        memcpy(to + done, from + done, piece);
        mw_lua_poll(L);
    }
}

/* ---- rep ---- */

/*
 * The unit is text and separator. What is there already is copied behind itself: twice as much each
 * time up to a piece, from then on a piece each time.
 */
static void fill(lua_State *L, char *out, size_t unit, size_t total)
{
    size_t done = unit;
    while (done < total) {
        size_t step = done < PIECE_BYTES ? done : PIECE_BYTES - PIECE_BYTES % unit;
        if (step == 0) /* the unit is larger than a piece */
            step = unit;
        if (step > total - done)
            step = total - done;
        copy_metered(L, out + done, out, step);
        done += step;
    }
}

static int rep(lua_State *L)
{
    struct mw_view text, separator;
    text.data = luaL_checklstring(L, 1, &text.len);
    lua_Integer count = luaL_checkinteger(L, 2);
    separator.data = luaL_optlstring(L, 3, "", &separator.len);
    size_t unit = text.len + separator.len;
    if (count <= 0 || (unit == 0)) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (unit < text.len || unit > MAX_BYTES / (size_t)count)
        return luaL_error(L, "resulting string too large");
    size_t total = unit * (size_t)count - separator.len;
    struct mw_build build;
    char *out = begin(&build, L, total);
    copy_metered(L, out, text.data, text.len);
    if (count > 1) {
        copy_metered(L, out + text.len, separator.data, separator.len);
        fill(L, out, unit, total);
    }
    mw_build_push(&build);
    return 1;
}

/* ---- byte by byte ---- */

/* The 26 letters from `first` on become those that lie `step` further on; others are none in the C
 * locale, which is the server's. */
static int shift_letters(lua_State *L, unsigned first, int step)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct mw_build build;
    char *out = begin(&build, L, len);
    for (size_t done = 0, piece; done < len; done += piece) {
        piece = piece_of(len - done);
        for (size_t i = done; i < done + piece; i++) {
            unsigned byte = (unsigned char)text[i];
            out[i] = (char)(text[i] + (byte - first < 26 ? step : 0));
        }
        mw_lua_poll(L);
    }
    mw_build_push(&build);
    return 1;
}

static int lower(lua_State *L)
{
    return shift_letters(L, 'A', 'a' - 'A');
}

static int upper(lua_State *L)
{
    return shift_letters(L, 'a', 'A' - 'a');
}

static int reverse(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct mw_build build;
    char *out = begin(&build, L, len);
    for (size_t done = 0, piece; done < len; done += piece) {
        piece = piece_of(len - done);
        for (size_t i = done; i < done + piece; i++)
            out[i] = text[len - 1 - i];
        mw_lua_poll(L);
    }
    mw_build_push(&build);
    return 1;
}

const luaL_Reg mw_lua_string_functions[] = {
    { "rep", rep }, { "lower", lower }, { "upper", upper }, { "reverse", reverse }, { NULL, NULL },
};
