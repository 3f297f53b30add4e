/*
 * `state` holds plain data (plain.h). A function, coroutine or object would keep its version alive
 * behind a reload, so each assignment state.x = v is checked down to the last table; what gets into
 * deeper tables later is found by the sweep (sweep.c) that follows a reload.
 *
 * Scripts see a view (sandbox.h): reads go straight to the table, writes come here. While a
 * candidate loads, reads come here too: assignments to `state` itself are put aside, and deeper
 * tables are written down (journal.c) before the candidate gets hold of them.
 */
#include "lua/mod_state.h"

#include "lua/plain.h"
#include "lua/sandbox.h"
#include "lua/sched.h"

/* Stands for `state.x = nil` among the writes of a candidate. */
static char deleted;

static struct mw_lua_version *loading_version(lua_State *L)
{
    struct mw_lua_call *call = mw_lua_app(L)->running;
    return call->kind->is_load ? call->version : NULL;
}

/* ---- reading while a version loads ---- */

/* Pushes what the candidate sees under the key at 2. True: it is what others see there too. */
static bool look_up(lua_State *L, struct mw_lua_version *version)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->writes);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.state);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        return true;
    }
    if (lua_touserdata(L, -1) == &deleted)
        lua_pushnil(L);
    return false;
}

/* state.key */
static int read_through(lua_State *L)
{
    struct mw_lua_version *version = loading_version(L);
    lua_settop(L, 2);
    if (look_up(L, version) && lua_istable(L, -1))
        mw_lua_journal_add(L, &version->journal, -1);
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

/*
 * What pairs, next and the like walk while a version loads: a table of its own, filled when it is
 * first asked for, and all of `state` is within the candidate's reach then.
 */
static int make_draft(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_version *version = app->candidate;
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state);
    mw_lua_journal_add(L, &version->journal, 1);
    lua_newtable(L);
    apply(L, 1, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->writes);
    apply(L, 3, 2);
    lua_pushvalue(L, 2);
    version->draft = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state_meta);
    mw_lua_set_hidden(L, 2);
    lua_settop(L, 2);
    return 1;
}

/* ---- state.key = value ---- */

/* The value at 3 is in `state` under this key already: state.rooms = state.rooms or {}. */
static bool is_there_already(lua_State *L, struct mw_lua_version *loading)
{
    if (loading) {
        (void)look_up(L, loading);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.state);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    bool is_there = lua_istable(L, 3) && lua_rawequal(L, -1, 3);
    lua_settop(L, 3);
    return is_there;
}

/* t[key at 2] = value at 3 for the table in this place of the registry. */
static void store(lua_State *L, int place)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, place);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static int assign(lua_State *L)
{
    struct mw_lua_version *loading = loading_version(L);
    lua_settop(L, 3);
    if (is_there_already(L, loading))
        return 0;
    mw_lua_plain_check(L, 2, 3);
    if (!loading) {
        store(L, mw_lua_app(L)->refs.state);
        return 0;
    }
    if (loading->draft != LUA_NOREF)
        store(L, loading->draft);
    if (lua_isnil(L, 3)) {
        lua_pushlightuserdata(L, &deleted);
        lua_replace(L, 3);
    }
    store(L, loading->writes);
    return 0;
}

/* ---- a load begins and ends ---- */

/* Both set fields that exist to values without memory of their own: cannot fail. */

void mw_lua_state_begin_load(struct mw_app *app)
{
    lua_State *L = app->L;
    lua_pushcfunction(L, make_draft);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state_meta);
    lua_pushcfunction(L, read_through);
    lua_setfield(L, -2, "__index");
    mw_lua_set_hidden(L, lua_gettop(L) - 1);
    lua_pop(L, 2);
}

static void end_views(struct mw_app *app)
{
    lua_State *L = app->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state_meta);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_insert(L, -2);
    mw_lua_set_hidden(L, lua_gettop(L) - 1);
    lua_pop(L, 2);
}

static void log_error(struct mw_app *app, unsigned version, const char *text)
{
    app->host->log(app->host_app, MW_LOG_ERROR, version, 0, mw_view_text(text), NULL, 0);
}

int mw_lua_state_end_load(struct mw_app *app, struct mw_lua_version *version, bool is_kept)
{
    bool is_whole = true;
    end_views(app);
    luaL_unref(app->L, LUA_REGISTRYINDEX, version->draft);
    version->draft = LUA_NOREF;
    int err = mw_lua_journal_take_back(app, &version->journal, is_kept, &is_whole);
    if (!is_whole)
        log_error(app, version->number,
                  "no memory to take back what this version did to `state` while it loaded");
    return err;
}

/* ---- commit ---- */

static int commit_writes(lua_State *L)
{
    struct mw_lua_version *version = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.state);
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->writes);
    apply(L, 2, 1);
    return 0;
}

void mw_lua_state_commit(struct mw_app *app, struct mw_lua_version *version)
{
    int deep = mw_lua_journal_commit(app, &version->journal);
    int flat = mw_lua_try_hard(app, commit_writes, version);
    if (deep != MW_OK || flat != MW_OK)
        log_error(app, version->number, "no memory to carry `state` over to this version");
    mw_lua_state_discard(app, version);
}

void mw_lua_state_discard(struct mw_app *app, struct mw_lua_version *version)
{
    mw_lua_journal_drop(app, &version->journal);
    luaL_unref(app->L, LUA_REGISTRYINDEX, version->writes);
    version->writes = LUA_NOREF;
}

/* ---- making it ---- */

static const luaL_Reg state_meta[] = {
    { "__newindex", assign },
    { "__pairs", mw_lua_view_pairs },
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
    lua_pushvalue(L, view);
    app->refs.state_view = luaL_ref(L, LUA_REGISTRYINDEX);
}
