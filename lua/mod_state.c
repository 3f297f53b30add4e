/*
 * `state` holds plain data: booleans, numbers, strings, json.null, and tables of those without
 * metatables (but the mark of json.array). A function, coroutine or object would keep its version
 * alive behind a reload, so each assignment state.x = v is checked down to the last table; what
 * gets into deeper tables later is found and taken out, with a warning, when the next version takes
 * over.
 *
 * Scripts see a view (sandbox.h): reads go straight to the table, writes come here.
 */
#include "lua/mod_state.h"

#include "lua/path.h"
#include "lua/sandbox.h"
#include "lua/sched.h"

/* More would flood the log; the rest is taken out all the same. */
#define MAX_WARNINGS 10

/* Stands for `state.x = nil` among the writes of a candidate. */
static char deleted;

/* ---- plain data ---- */

struct walker {
    lua_State *L;
    struct mw_lua_path path;
    int seen;        /* stack index of the set of tables already walked */
    bool is_pruning; /* takes out and warns instead of raising */
    int warnings;
    unsigned version;
};

static bool is_array_mark(lua_State *L, int meta)
{
    return lua_topointer(L, meta) == mw_lua_app(L)->array_meta;
}

/* Why this value cannot stay in `state`, or NULL. The content of tables is not looked at. */
static const char *objection(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TFUNCTION:
        return "functions cannot survive a reload";
    case LUA_TTHREAD:
        return "coroutines cannot survive a reload";
    case LUA_TTABLE:
        if (!lua_getmetatable(L, index))
            return NULL;
        bool is_mark = is_array_mark(L, -1);
        lua_pop(L, 1);
        return is_mark ? NULL : "tables with a metatable cannot survive a reload";
    case LUA_TUSERDATA:
        lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.null);
        bool is_null = lua_rawequal(L, -1, index);
        lua_pop(L, 1);
        return is_null ? NULL : "objects such as connections cannot be kept in state";
    default:
        return NULL;
    }
}

static const char *key_objection(lua_State *L, int index)
{
    int type = lua_type(L, index);
    bool is_plain = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    return is_plain ? NULL : "only strings, numbers and booleans can be keys";
}

static void warn(struct walker *w, const char *what)
{
    struct mw_app *app = mw_lua_app(w->L);
    if (w->warnings++ >= MAX_WARNINGS)
        return;
    mw_lua_path_push(&w->path, w->L, "state");
    lua_pushfstring(w->L, "%s was made plain: %s", lua_tostring(w->L, -1), what);
    app->host->log(app->host_app, MW_LOG_WARN, w->version, 0, mw_lua_view(w->L, -1), NULL, 0);
    lua_pop(w->L, 2);
}

static void object_to(struct walker *w, const char *what)
{
    if (w->is_pruning) {
        warn(w, what);
        return;
    }
    mw_lua_path_push(&w->path, w->L, "state");
    luaL_error(w->L, "%s: %s", lua_tostring(w->L, -1), what);
}

static bool walk_first_time(struct walker *w, int table)
{
    lua_pushvalue(w->L, table);
    if (lua_rawget(w->L, w->seen) != LUA_TNIL) {
        lua_pop(w->L, 1);
        return false;
    }
    lua_pop(w->L, 1);
    lua_pushvalue(w->L, table);
    lua_pushboolean(w->L, true);
    lua_rawset(w->L, w->seen);
    return true;
}

static void walk_table(struct walker *w, int table);

/* The metatable is not the script's to take away: a library, _G, or `state` itself. */
static bool is_protected(lua_State *L, int table)
{
    if (luaL_getmetafield(L, table, "__metatable") == LUA_TNIL)
        return false;
    lua_pop(L, 1);
    return true;
}

/* True when the value may stay. Of a script's own table with a metatable the data is worth keeping.
 */
static bool walk_value(struct walker *w, int index)
{
    const char *what = objection(w->L, index);
    if (what)
        object_to(w, what);
    if (what && lua_istable(w->L, index) && !is_protected(w->L, index)) {
        lua_pushnil(w->L);
        lua_setmetatable(w->L, index);
    } else if (what) {
        return false;
    }
    if (lua_istable(w->L, index))
        walk_table(w, index);
    return true;
}

static void walk_table(struct walker *w, int table)
{
    lua_State *L = w->L;
    luaL_checkstack(L, 10, "state");
    if (!walk_first_time(w, table))
        return;
    if (!mw_lua_path_enter(&w->path, L, table)) {
        object_to(w, "nested deeper than 100 levels");
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, table)) {
        int key = lua_absindex(L, -2);
        w->path.key_at[w->path.depth - 1] = key;
        const char *what = key_objection(L, key);
        if (what)
            object_to(w, what);
        bool stays = walk_value(w, key + 1) && !what;
        lua_settop(L, key);
        if (!stays) { /* clearing a field is allowed while walking */
            lua_pushvalue(L, key);
            lua_pushnil(L);
            lua_rawset(L, table);
        }
    }
    mw_lua_path_leave(&w->path);
}

/* ---- state.key = value ---- */

/* Checks the value at 3 as the field whose key is at 2. */
static void check_assignment(lua_State *L)
{
    struct walker w = { .L = L, .path = { .depth = 1, .key_at = { 2 } } };
    const char *what = key_objection(L, 2);
    lua_newtable(L);
    w.seen = lua_gettop(L);
    if (what)
        object_to(&w, what);
    walk_value(&w, 3);
    lua_settop(L, 3);
}

static int assign(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_settop(L, 3);
    check_assignment(L);
    bool is_load = app->running->kind->is_load;
    if (is_load && lua_isnil(L, 3)) {
        lua_pushlightuserdata(L, &deleted);
        lua_replace(L, 3);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, is_load ? app->running->version->writes : app->refs.state);
    lua_insert(L, 2);
    lua_rawset(L, 2);
    return 0;
}

/* ---- while a version loads ---- */

/* state.key: what the candidate assigned, else what is there. */
static int read_through(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_settop(L, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->running->version->writes);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    } else if (lua_touserdata(L, -1) == &deleted) {
        lua_pushnil(L);
    }
    return 1;
}

/* Applies the table at `from` to the one at `to`. */
static void apply(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        if (lua_touserdata(L, -2) == &deleted)
            lua_pushnil(L);
        else
            lua_pushvalue(L, -2);
        lua_rawset(L, to);
        lua_pop(L, 1);
    }
}

/* pairs(state): of a merged copy while a version loads. */
static int iterate(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    if (!app->running->kind->is_load)
        return mw_lua_view_pairs(L);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state);
    apply(L, 3, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->running->version->writes);
    apply(L, 4, 2);
    lua_getglobal(L, "next"); /* of the standard library: the table is nobody else's */
    lua_pushvalue(L, 2);
    return 2;
}

/* Sets a field that exists to a value without memory of its own: cannot fail. */
static void set_index(struct mw_app *app, bool is_load)
{
    lua_State *L = app->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state_meta);
    if (is_load)
        lua_pushcfunction(L, read_through);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void mw_lua_state_begin_load(struct mw_app *app)
{
    set_index(app, true);
}

void mw_lua_state_end_load(struct mw_app *app)
{
    set_index(app, false);
}

/* ---- commit ---- */

static int commit(lua_State *L)
{
    struct mw_lua_version *version = lua_touserdata(L, 1);
    struct walker w = { .L = L, .is_pruning = true, .version = version->number };
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.state);
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->writes);
    apply(L, 2, 1);
    lua_newtable(L);
    w.seen = 3;
    walk_table(&w, 1);
    return 0;
}

void mw_lua_state_commit(struct mw_app *app, struct mw_lua_version *version)
{
    if (mw_lua_try(app->L, commit, version) != MW_OK)
        app->host->log(app->host_app, MW_LOG_ERROR, version->number, 0,
                       mw_view_text("no memory to carry `state` over to this version"), NULL, 0);
    luaL_unref(app->L, LUA_REGISTRYINDEX, version->writes);
    version->writes = LUA_NOREF;
}

/* ---- making it ---- */

static const luaL_Reg state_meta[] = {
    { "__newindex", assign },
    { "__pairs", iterate },
    { "__len", mw_lua_view_len },
    { NULL, NULL },
};

void mw_lua_state_push(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    lua_newtable(L);
    int view = lua_gettop(L);
    lua_newtable(L);
    int data = lua_gettop(L);
    mw_lua_push_meta(L, "state", state_meta);
    lua_pushvalue(L, data);
    lua_setfield(L, -2, "__index");
    mw_lua_set_hidden(L, data);
    lua_pushvalue(L, -1);
    app->refs.state_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_setmetatable(L, view);
    app->refs.state = luaL_ref(L, LUA_REGISTRYINDEX);
}
