/*
 * Lua values to JSON text. No metamethod runs here, so a value cannot change while it is walked,
 * and what is raised names the key path: "msg.items[3].price is NaN".
 *
 * A table is a list where its keys are 1..n, or where json.array marked it; otherwise an object. {}
 * is an object.
 */
#include <math.h>

#include "core/base/utf8.h"
#include "lua/budget.h"
#include "lua/mod_json.h"
#include "lua/path.h"
#include "lua/sandbox.h"

struct writer {
    lua_State *L;
    struct mw_json_writer json;
    struct mw_lua_path path;
    bool is_lenient;
};

static void write_value(struct writer *w, int index);

/* Raises "<path> <what>"; a lenient writer says it in the text instead and goes on. */
static void refuse(struct writer *w, const char *what)
{
    if (w->is_lenient) {
        mw_jw_string(&w->json, mw_view_text(what));
        return;
    }
    mw_lua_path_push(&w->path, w->L, "");
    luaL_error(w->L, "json: %s %s", lua_tostring(w->L, -1), what);
}

/*
 * 10 / 2 is 5.0 in Lua, and 5 for everybody else. Below 2^53 each whole number has its own double.
 */
static bool is_whole(double number)
{
    return number == floor(number) && fabs(number) < 9007199254740992.0 &&
           !(number == 0 && signbit(number));
}

static void write_number(struct writer *w, int index)
{
    double number = lua_tonumber(w->L, index);
    if (lua_isinteger(w->L, index))
        mw_jw_integer(&w->json, lua_tointeger(w->L, index));
    else if (isnan(number))
        refuse(w, "is NaN, which JSON cannot say");
    else if (isinf(number))
        refuse(w, "is infinite, which JSON cannot say");
    else if (is_whole(number))
        mw_jw_integer(&w->json, (int64_t)number);
    else
        mw_jw_number(&w->json, number);
}

static void write_string(struct writer *w, int index)
{
    struct mw_view text = mw_lua_view(w->L, index);
    if (text.len > MW_BOUND_JSON_BYTES) /* not worth reading */
        w->json.err = MW_ERR_FULL;
    else if (!w->is_lenient && !mw_utf8_valid(text))
        refuse(w, "is a string that is not UTF-8");
    else
        mw_jw_string(&w->json, text);
}

static bool is_marked_array(lua_State *L, int table)
{
    if (!lua_getmetatable(L, table))
        return false;
    bool is_array = lua_topointer(L, -1) == mw_lua_app(L)->array_meta;
    lua_pop(L, 1);
    return is_array;
}

static bool begins_as_list(lua_State *L, int table)
{
    lua_pushnil(L);
    if (!lua_next(L, table))
        return is_marked_array(L, table);
    bool is_list = lua_isinteger(L, -2) || is_marked_array(L, table);
    lua_pop(L, 2);
    return is_list;
}

/* ---- lists ---- */

/* Each key of a list must be one of 1..n; the first that is not is named. */
static bool check_list_keys(struct writer *w, int table, lua_Integer len)
{
    lua_State *L = w->L;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        mw_lua_poll(L);
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key < 1 || key > len) {
            w->path.key_at[w->path.depth - 1] = lua_absindex(L, -2);
            refuse(w, "is neither in a list without holes nor in an object whose keys are strings");
            lua_pop(L, 2);
            return false;
        }
        lua_pop(L, 1);
    }
    return true;
}

static void write_list(struct writer *w, int table)
{
    lua_State *L = w->L;
    lua_Integer len = (lua_Integer)lua_rawlen(L, table);
    if (!check_list_keys(w, table, len))
        return;
    mw_jw_array(&w->json);
    for (lua_Integer i = 1; i <= len; i++) {
        lua_pushinteger(L, i);
        w->path.key_at[w->path.depth - 1] = lua_gettop(L);
        if (lua_rawgeti(L, table, i) == LUA_TNIL)
            refuse(w, "is missing: a list has no holes; json.null can stand there");
        else
            write_value(w, lua_gettop(L));
        lua_pop(L, 2);
    }
    mw_jw_array_end(&w->json);
}

/* ---- objects ---- */

static void write_key(struct writer *w, int key)
{
    lua_State *L = w->L;
    if (lua_type(L, key) == LUA_TSTRING && (w->is_lenient || mw_utf8_valid(mw_lua_view(L, key)))) {
        mw_jw_key(&w->json, mw_lua_view(L, key));
        return;
    }
    if (!w->is_lenient) {
        refuse(w, "stands under a key that is no UTF-8 string");
        return;
    }
    mw_jw_key(&w->json, mw_view_text(luaL_typename(L, key)));
}

static void write_object(struct writer *w, int table)
{
    lua_State *L = w->L;
    mw_jw_object(&w->json);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        int key = lua_absindex(L, -2);
        w->path.key_at[w->path.depth - 1] = key;
        write_key(w, key);
        write_value(w, key + 1);
        lua_settop(L, key);
    }
    mw_jw_object_end(&w->json);
}

/* ---- any value ---- */

static void write_table(struct writer *w, int index)
{
    lua_State *L = w->L;
    luaL_checkstack(L, 12, "json");
    if (mw_lua_push_hidden(L, index)) {
        write_table(w, lua_gettop(L));
        lua_pop(L, 1);
        return;
    }
    if (mw_lua_path_has(&w->path, L, index)) {
        refuse(w, "contains itself");
        return;
    }
    if (!mw_lua_path_enter(&w->path, L, index)) {
        refuse(w, "is nested deeper than 100 levels");
        return;
    }
    if (begins_as_list(L, index))
        write_list(w, index);
    else
        write_object(w, index);
    mw_lua_path_leave(&w->path);
}

static bool is_null(lua_State *L, int index)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.null);
    bool is_same = lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    return is_same;
}

static void write_other(struct writer *w, int index)
{
    char what[64];
    if (lua_isnil(w->L, index) || is_null(w->L, index)) {
        mw_jw_null(&w->json);
        return;
    }
    snprintf(what, sizeof(what), "is a %s, which JSON cannot say", luaL_typename(w->L, index));
    refuse(w, what);
}

static void write_value(struct writer *w, int index)
{
    mw_lua_poll(w->L);
    if (w->json.err != MW_OK) /* tables that share others could be walked for ever */
        return;
    switch (lua_type(w->L, index)) {
    case LUA_TBOOLEAN:
        mw_jw_bool(&w->json, lua_toboolean(w->L, index));
        break;
    case LUA_TNUMBER:
        write_number(w, index);
        break;
    case LUA_TSTRING:
        write_string(w, index);
        break;
    case LUA_TTABLE:
        write_table(w, index);
        break;
    default:
        write_other(w, index);
        break;
    }
}

static int write_text(lua_State *L, int index, struct mw_buf *out, bool is_lenient)
{
    struct writer w = { .L = L, .json = { .out = out }, .is_lenient = is_lenient };
    int top = lua_gettop(L);
    luaL_checkstack(L, 12, "json");
    write_value(&w, index);
    lua_settop(L, top);
    return w.json.err;
}

void mw_lua_json_write(lua_State *L, int index, struct mw_buf *out, bool is_lenient)
{
    size_t start = out->len;
    index = lua_absindex(L, index);
    int err = write_text(L, index, out, is_lenient);
    if (err == MW_ERR_NOMEM) { /* the buffer is not the collector's: garbage may make room */
        out->len = start;
        lua_gc(L, LUA_GCCOLLECT, 0);
        err = write_text(L, index, out, is_lenient);
    }
    if (err == MW_ERR_FULL)
        luaL_error(L, "json: the text is larger than %d bytes: split it, or send it as a string",
                   MW_BOUND_JSON_BYTES);
    if (err != MW_OK)
        mw_lua_stop_for_memory(L);
}
