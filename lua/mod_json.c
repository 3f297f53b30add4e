/*
 * The json library, and JSON text to Lua values. Decoded lists keep the mark of json.array, so that
 * [] goes out again as []; null becomes json.null, because a nil in a table would be gone.
 *
 * The document of the parser is freed whatever happens: the values are built in a protected call.
 */
#include "lua/mod_json.h"

#include <string.h>

#include "lua/budget.h"
#include "lua/path.h"

static const char *const null_kind = "json.null";

/* ---- reading ---- */

struct reader {
    struct mw_json_doc *doc;
    int depth;
};

static void push_value(lua_State *L, struct reader *r, const struct mw_json *value);

static void push_array(lua_State *L, struct reader *r, const struct mw_json *value)
{
    struct mw_json_iter iter = mw_json_iter(value);
    size_t count = mw_json_count(value);
    lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
    const struct mw_json *item;
    for (lua_Integer i = 1; mw_json_iter_next(&iter, NULL, &item); i++) {
        push_value(L, r, item);
        lua_rawseti(L, -2, i);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.array_meta);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, struct reader *r, const struct mw_json *value)
{
    struct mw_json_iter iter = mw_json_iter(value);
    size_t count = mw_json_count(value);
    lua_createtable(L, 0, count < INT32_MAX ? (int)count : 0);
    struct mw_view key;
    const struct mw_json *item;
    while (mw_json_iter_next(&iter, &key, &item)) {
        mw_lua_push_view(L, key);
        push_value(L, r, item);
        lua_rawset(L, -3);
    }
}

static void push_container(lua_State *L, struct reader *r, const struct mw_json *value)
{
    if (r->depth == MW_BOUND_JSON_DEPTH)
        luaL_error(L, "nested deeper than %d levels", MW_BOUND_JSON_DEPTH);
    luaL_checkstack(L, 6, "json");
    r->depth++;
    if (mw_json_kind(value) == MW_JSON_ARRAY)
        push_array(L, r, value);
    else
        push_object(L, r, value);
    r->depth--;
}

static void push_value(lua_State *L, struct reader *r, const struct mw_json *value)
{
    mw_lua_poll(L);
    switch (mw_json_kind(value)) {
    case MW_JSON_NULL:
        lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.null);
        break;
    case MW_JSON_BOOL:
        lua_pushboolean(L, mw_json_bool(value));
        break;
    case MW_JSON_INTEGER:
        lua_pushinteger(L, mw_json_integer(value));
        break;
    case MW_JSON_NUMBER:
        lua_pushnumber(L, mw_json_number(value));
        break;
    case MW_JSON_STRING:
        mw_lua_push_view(L, mw_json_string(value));
        break;
    case MW_JSON_ARRAY:
    case MW_JSON_OBJECT:
        push_container(L, r, value);
        break;
    }
}

static int build(lua_State *L)
{
    struct reader *r = lua_touserdata(L, 1);
    push_value(L, r, mw_json_root(r->doc));
    return 1;
}

/* Memory of the parser is not the collector's: before it is refused, garbage makes room. */
static struct mw_json_doc *parse(lua_State *L, struct mw_view text, struct mw_json_error *error)
{
    struct mw_mem *mem = &mw_lua_app(L)->mem;
    struct mw_json_doc *doc = mw_json_parse(mem, text, error);
    if (doc || strcmp(error->text, "out of memory") != 0)
        return doc;
    lua_gc(L, LUA_GCCOLLECT, 0);
    doc = mw_json_parse(mem, text, error);
    if (!doc && strcmp(error->text, "out of memory") == 0)
        mw_lua_stop_for_memory(L);
    return doc;
}

bool mw_lua_json_read(lua_State *L, struct mw_view text, struct mw_json_error *error)
{
    luaL_checkstack(L, 4, "json");
    struct reader r = { .doc = parse(L, text, error) };
    if (!r.doc)
        return false;
    lua_pushcfunction(L, build);
    lua_pushlightuserdata(L, &r);
    int status = lua_pcall(L, 1, 1, 0);
    mw_json_doc_free(r.doc);
    mw_lua_poll(L);
    if (status == LUA_ERRMEM)
        lua_error(L);
    if (status != LUA_OK) {
        lua_pop(L, 1);
        *error = (struct mw_json_error){ .text = "nested deeper than 100 levels" };
        return false;
    }
    return true;
}

/* ---- the library ---- */

static int encode(lua_State *L)
{
    struct mw_buf *out = &mw_lua_app(L)->scratch;
    luaL_checkany(L, 1);
    mw_buf_clear(out);
    mw_lua_json_write(L, 1, out, false);
    mw_lua_push_view(L, mw_buf_view(out));
    return 1;
}

/* json.decode(text) -> value */
static int decode(lua_State *L)
{
    struct mw_json_error error = { 0 };
    if (mw_lua_json_read(L, mw_lua_check_text(L, 1), &error))
        return 1;
    return luaL_error(L, "json: %s at byte %d", error.text, (int)error.at + 1);
}

static int mark_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.array_meta);
    if (lua_getmetatable(L, 1)) {
        bool has_it = lua_rawequal(L, -1, -2);
        lua_settop(L, has_it ? 1 : 2);
        if (has_it)
            return 1;
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "this table cannot be marked: its metatable is protected");
    lua_setmetatable(L, 1);
    return 1;
}

static int null_to_text(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

void mw_lua_json_init(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    const luaL_Reg none[] = { { NULL, NULL } };
    const luaL_Reg null_meta[] = { { "__tostring", null_to_text }, { NULL, NULL } };
    mw_lua_push_meta(L, "json.array", none);
    app->array_meta = lua_topointer(L, -1);
    app->refs.array_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    struct mw_lua_object *null = lua_newuserdatauv(L, sizeof(*null), 0);
    null->kind = &null_kind;
    mw_lua_push_meta(L, null_kind, null_meta);
    lua_setmetatable(L, -2);
    app->refs.null = luaL_ref(L, LUA_REGISTRYINDEX);
}

const luaL_Reg mw_lua_json_functions[] = {
    { "encode", encode },
    { "decode", decode },
    { "array", mark_array },
    { NULL, NULL },
};
