/*
 * string.find, match, gmatch and gsub on our own matcher (pattern.h), with exactly the behaviour
 * and the messages of Lua 5.4. Lua's own cannot be stopped in the middle of a match.
 *
 * Nothing here holds anything that an error would lose: all memory is on Lua's stack.
 */
#include "lua/api.h"
#include "lua/budget.h"
#include "lua/build.h"
#include "lua/bytes.h"
#include "lua/pattern.h"

static const volatile int *stop_flag(lua_State *L)
{
    return &mw_lua_app(L)->budget.stop;
}

/* ---- arguments ---- */

static struct mw_view check_string(lua_State *L, int arg)
{
    size_t len;
    const char *data = luaL_checklstring(L, arg, &len);
    return mw_view(data, len);
}

/* The argument `init` as an offset: one from 1 on, or from the end where it is negative. */
static size_t opt_init(lua_State *L, int arg, size_t len)
{
    lua_Integer init = luaL_optinteger(L, arg, 1);
    if (init > 0)
        return (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len)
        return 0;
    return len - (size_t)-init;
}

/* Takes the '^' off the front, which find, match and gsub understand. */
static void anchor(struct mw_match *match)
{
    struct mw_view *pattern = &match->pattern;
    match->is_anchored = pattern->len > 0 && pattern->data[0] == '^';
    if (match->is_anchored)
        *pattern = mw_view(pattern->data + 1, pattern->len - 1);
}

/* ---- matching ---- */

static const char *const messages[] = {
    [MW_MATCH_CUT_ESCAPE] = "malformed pattern (ends with '%')",
    [MW_MATCH_CUT_SET] = "malformed pattern (missing ']')",
    [MW_MATCH_CUT_BALANCE] = "malformed pattern (missing arguments to '%b')",
    [MW_MATCH_CUT_FRONTIER] = "missing '[' after '%f' in pattern",
    [MW_MATCH_BAD_CLOSE] = "invalid pattern capture",
    [MW_MATCH_MANY_CAPTURES] = "too many captures",
    [MW_MATCH_TOO_COMPLEX] = "pattern too complex",
};

/* mw_match_next that raises what is wrong. */
static bool next_match(lua_State *L, struct mw_match *match, size_t from, size_t not_end)
{
    enum mw_match_result result = mw_match_next(match, from, not_end);
    if (result == MW_MATCH_FOUND || result == MW_MATCH_NONE)
        return result == MW_MATCH_FOUND;
    mw_lua_poll(L);
    if (result == MW_MATCH_BAD_INDEX)
        return luaL_error(L, "invalid capture index %%%d", match->bad_index);
    return luaL_error(L, "%s", messages[result]);
}

static struct mw_view whole_match(const struct mw_match *match)
{
    return mw_view(match->subject.data + match->start, match->end - match->start);
}

/* Pushes capture 0, 1, ...; where there are none the first is the whole match. */
static void push_capture(lua_State *L, const struct mw_match *match, unsigned i)
{
    if (match->capture_count == 0 && i == 0) {
        mw_lua_push_view(L, whole_match(match));
        return;
    }
    if (i >= match->capture_count)
        luaL_error(L, "invalid capture index %%%d", (int)i + 1);
    const struct mw_capture *capture = &match->captures[i];
    if (capture->len == MW_CAPTURE_OPEN)
        luaL_error(L, "unfinished capture");
    else if (capture->len == MW_CAPTURE_POSITION)
        lua_pushinteger(L, (lua_Integer)capture->start + 1);
    else
        lua_pushlstring(L, match->subject.data + capture->start, capture->len);
}

static int push_captures(lua_State *L, const struct mw_match *match)
{
    luaL_checkstack(L, MW_MAX_CAPTURES, "too many captures");
    for (unsigned i = 0; i < match->capture_count; i++)
        push_capture(L, match, i);
    return (int)match->capture_count;
}

static int push_captures_or_whole(lua_State *L, const struct mw_match *match)
{
    if (match->capture_count > 0)
        return push_captures(L, match);
    push_capture(L, match, 0);
    return 1;
}

/* ---- find, match ---- */

static int push_fail(lua_State *L)
{
    luaL_pushfail(L);
    return 1;
}

static void push_bounds(lua_State *L, size_t start, size_t end)
{
    lua_pushinteger(L, (lua_Integer)start + 1);
    lua_pushinteger(L, (lua_Integer)end);
}

static int find_plain(lua_State *L, struct mw_view subject, struct mw_view what, size_t from)
{
    size_t at = mw_bytes_find(subject, what, from, stop_flag(L));
    mw_lua_poll(L);
    if (at == MW_BYTES_NONE)
        return push_fail(L);
    push_bounds(L, at, at + what.len);
    return 2;
}

static int str_find(lua_State *L)
{
    struct mw_view subject = check_string(L, 1), pattern = check_string(L, 2);
    size_t from = opt_init(L, 3, subject.len);
    if (from > subject.len)
        return push_fail(L);
    if (lua_toboolean(L, 4) || mw_pattern_is_plain(pattern, stop_flag(L)))
        return find_plain(L, subject, pattern, from);
    struct mw_match match;
    mw_match_init(&match, subject, pattern, stop_flag(L));
    anchor(&match);
    if (!next_match(L, &match, from, MW_MATCH_ANY_END))
        return push_fail(L);
    push_bounds(L, match.start, match.end);
    return 2 + push_captures(L, &match);
}

static int str_match(lua_State *L)
{
    struct mw_view subject = check_string(L, 1), pattern = check_string(L, 2);
    size_t from = opt_init(L, 3, subject.len);
    if (from > subject.len)
        return push_fail(L);
    struct mw_match match;
    mw_match_init(&match, subject, pattern, stop_flag(L));
    anchor(&match);
    if (!next_match(L, &match, from, MW_MATCH_ANY_END))
        return push_fail(L);
    return push_captures_or_whole(L, &match);
}

/* ---- gmatch ---- */

/* What an iterator knows, in a userdata that only it has. Its other upvalues keep the two texts. */
struct iterator {
    struct mw_match match;
    size_t from, last_end; /* from > subject.len: there is nothing any more */
};

#define ITERATOR_UPVALUES 3 /* the iterator is the last one */

static int gmatch_next(lua_State *L)
{
    struct iterator *it = lua_touserdata(L, lua_upvalueindex(ITERATOR_UPVALUES));
    if (it->from > it->match.subject.len || !next_match(L, &it->match, it->from, it->last_end))
        return 0;
    it->from = it->last_end = it->match.end;
    return push_captures_or_whole(L, &it->match);
}

static int str_gmatch(lua_State *L)
{
    struct mw_view subject = check_string(L, 1), pattern = check_string(L, 2);
    size_t from = opt_init(L, 3, subject.len);
    lua_settop(L, 2);
    struct iterator *it = lua_newuserdatauv(L, sizeof(*it), 0);
    mw_match_init(&it->match, subject, pattern, stop_flag(L));
    it->from = from;
    it->last_end = MW_MATCH_ANY_END;
    lua_pushcclosure(L, gmatch_next, ITERATOR_UPVALUES);
    return 1;
}

/* ---- gsub ---- */

#define GSUB_BY 3 /* the argument that says by what */

struct gsub {
    lua_State *L;
    struct mw_match match;
    bool asks;         /* a function or a table; else `by` is the replacement */
    struct mw_view by; /* with %0 and the like */
    struct mw_build out;
    size_t done; /* so much of the subject is in `out`, or was replaced by what is */
};

/* The rest of a text behind its first `len` bytes. */
static struct mw_view behind(struct mw_view text, size_t len)
{
    return mw_view(text.data + len, text.len - len);
}

/* What `%letter` in the replacement means. */
static void put_escaped(struct gsub *gsub, char letter)
{
    if (letter == '%') {
        mw_build_put(&gsub->out, mw_view("%", 1));
    } else if (letter == '0') {
        mw_build_put(&gsub->out, whole_match(&gsub->match));
    } else if (letter >= '1' && letter <= '9') {
        push_capture(gsub->L, &gsub->match, (unsigned)(letter - '1'));
        mw_build_put_top(&gsub->out);
    } else {
        luaL_error(gsub->L, "invalid use of '%%' in replacement string");
    }
}

static void put_replacement(struct gsub *gsub)
{
    struct mw_view by = gsub->by;
    size_t at;
    while (by.len > 0 && (at = mw_bytes_seek(by, '%', 0, gsub->match.stop)) != MW_BYTES_NONE) {
        mw_build_put(&gsub->out, mw_view(by.data, at));
        put_escaped(gsub, at + 1 < by.len ? by.data[at + 1] : 0);
        by = behind(by, at + 2);
    }
    mw_build_put(&gsub->out, by);
}

/* Pushes what the function or table answers; false, and nothing: the match is to stay. */
static bool push_answer(lua_State *L, const struct mw_match *match)
{
    if (lua_type(L, GSUB_BY) == LUA_TFUNCTION) {
        lua_pushvalue(L, GSUB_BY);
        lua_call(L, push_captures_or_whole(L, match), 1);
    } else {
        push_capture(L, match, 0);
        lua_gettable(L, GSUB_BY);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    return true;
}

static void replace(struct gsub *gsub)
{
    const struct mw_match *match = &gsub->match;
    if (gsub->asks && !push_answer(gsub->L, match))
        return;
    mw_build_put(&gsub->out, mw_view(match->subject.data + gsub->done, match->start - gsub->done));
    if (gsub->asks)
        mw_build_put_top(&gsub->out);
    else
        put_replacement(gsub);
    gsub->done = match->end;
}

/* Replaces `most` matches at most and returns how many there were. */
static lua_Integer replace_all(struct gsub *gsub, lua_Integer most)
{
    size_t from = 0, last = MW_MATCH_ANY_END;
    lua_Integer count = 0;
    while (count < most && next_match(gsub->L, &gsub->match, from, last)) {
        replace(gsub);
        from = last = gsub->match.end;
        count++;
        if (gsub->match.is_anchored)
            break;
    }
    return count;
}

static int str_gsub(lua_State *L)
{
    struct mw_view subject = check_string(L, 1), pattern = check_string(L, 2);
    int type = lua_type(L, GSUB_BY);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)subject.len + 1);
    bool is_text = type == LUA_TNUMBER || type == LUA_TSTRING;
    luaL_argexpected(L, is_text || type == LUA_TFUNCTION || type == LUA_TTABLE, GSUB_BY,
                     "string/function/table");
    struct gsub gsub;
    gsub.L = L;
    gsub.asks = !is_text;
    gsub.by = is_text ? mw_lua_view(L, GSUB_BY) : mw_view(NULL, 0);
    gsub.done = 0;
    mw_match_init(&gsub.match, subject, pattern, stop_flag(L));
    anchor(&gsub.match);
    mw_build_init(&gsub.out, L);
    lua_Integer count = replace_all(&gsub, most);
    if (gsub.done == 0 && gsub.out.len == 0) {
        lua_pushvalue(L, 1);
    } else {
        mw_build_put(&gsub.out, behind(subject, gsub.done));
        mw_build_push(&gsub.out);
    }
    lua_pushinteger(L, count);
    return 2;
}

const luaL_Reg mw_lua_match_functions[] = {
    { "find", str_find },   { "gmatch", str_gmatch }, { "gsub", str_gsub },
    { "match", str_match }, { NULL, NULL },
};
