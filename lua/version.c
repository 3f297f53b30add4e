/*
 * Reload by transaction: a candidate is compiled, run and checked beside the live version, then
 * takes its place by one pointer, or is thrown away. What a candidate does to `state` and to timers
 * takes effect with the commit.
 *
 * Called by engine.c. Never touches connections: they belong to the app.
 */
#include "lua/version.h"

#include "lua/fault.h"
#include "lua/mod_state.h"
#include "lua/mod_timer.h"
#include "lua/require.h"
#include "lua/sched.h"
#include "lua/shape.h"
#include "lua/sweep.h"

/* ---- making and freeing ---- */

static struct mw_lua_version *version_new(struct mw_app *app, const struct mw_sources *sources,
                                          unsigned number)
{
    struct mw_lua_version *version = mw_alloc_zero(&app->mem, sizeof(*version));
    if (!version)
        return NULL;
    if (mw_lua_sources_copy(&version->sources, &app->mem, sources) != MW_OK) {
        mw_free(&app->mem, version, sizeof(*version));
        return NULL;
    }
    for (int i = 0; i < MW_LUA_HANDLER_COUNT; i++)
        version->handlers[i] = LUA_NOREF;
    version->env = version->loaded = version->module = version->kept = LUA_NOREF;
    version->writes = version->draft = LUA_NOREF;
    mw_lua_journal_init(&version->journal);
    version->number = number;
    mw_list_init(&version->link);
    mw_list_init(&version->timers);
    return version;
}

static void free_memory(struct mw_app *app, struct mw_lua_version *version)
{
    mw_lua_sources_free(&version->sources, &app->mem);
    mw_free(&app->mem, version, sizeof(*version));
}

static void version_free(struct mw_app *app, struct mw_lua_version *version)
{
    int *refs[] = { &version->env, &version->loaded, &version->module, &version->kept };
    mw_lua_timers_end(app, version);
    mw_lua_state_discard(app, version);
    for (size_t i = 0; i < MW_COUNT(refs); i++)
        luaL_unref(app->L, LUA_REGISTRYINDEX, *refs[i]);
    for (int i = 0; i < MW_LUA_HANDLER_COUNT; i++)
        luaL_unref(app->L, LUA_REGISTRYINDEX, version->handlers[i]);
    mw_list_remove(&version->link);
    free_memory(app, version);
}

struct mw_lua_version *mw_lua_version_keep(struct mw_lua_version *version)
{
    version->calls++;
    return version;
}

static bool is_retired(const struct mw_app *app, const struct mw_lua_version *version)
{
    return version != app->live && version != app->candidate;
}

void mw_lua_version_release(struct mw_app *app, struct mw_lua_version *version)
{
    version->calls--;
    if (version->calls > 0 || !is_retired(app, version))
        return;
    version_free(app, version);
    app->retired_count--;
    mw_lua_sweep_start(app); /* its calls may have left something behind */
}

static void retire(struct mw_app *app, struct mw_lua_version *version)
{
    if (version->calls == 0) {
        version_free(app, version);
        return;
    }
    mw_list_push(&app->retired, &version->link);
    app->retired_count++;
}

void mw_lua_version_free_all(struct mw_app *app)
{
    struct mw_link *link;
    while ((link = mw_list_pop(&app->retired)))
        free_memory(app, MW_OWNER(link, struct mw_lua_version, link));
    if (app->live)
        free_memory(app, app->live);
    if (app->candidate)
        free_memory(app, app->candidate);
    app->live = app->candidate = NULL;
}

/* ---- loading ---- */

static int push_load(lua_State *L, struct mw_lua_call *call, void *input)
{
    (void)input;
    struct mw_lua_version *version = call->version;
    struct mw_app *app = mw_lua_app(L);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.env_meta);
    lua_setmetatable(L, -2);
    version->env = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    version->loaded = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    version->writes = luaL_ref(L, LUA_REGISTRYINDEX);
    mw_lua_load_source(L, version, &version->sources.files[0]);
    return 0;
}

static void read_load(lua_State *L, struct mw_lua_call *call)
{
    mw_lua_shape_read(L, call->version);
}

static const struct mw_lua_call_kind load_kind = {
    .name = "load",
    .results = 1,
    .is_load = true,
    .during = "while the file loads",
    .push = push_load,
    .read = read_load,
};

/* 0: this is the first one. */
static unsigned version_before(const struct mw_app *app)
{
    return app->live ? app->live->number : app->carried_from;
}

/* on_reload(state, { from = 7, to = 8 }) */
static int push_reload(lua_State *L, struct mw_lua_call *call, void *input)
{
    (void)input;
    struct mw_app *app = mw_lua_app(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->version->handlers[MW_LUA_ON_RELOAD]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.state_view);
    lua_createtable(L, 0, 2);
    mw_lua_set_integer(L, "from", version_before(app));
    mw_lua_set_integer(L, "to", call->version->number);
    return 2;
}

static const struct mw_lua_call_kind reload_kind = {
    .name = "on_reload",
    .is_load = true,
    .during = "in on_reload",
    .push = push_reload,
};

static int no_memory(struct mw_app *app, struct mw_fault *fault, unsigned number)
{
    mw_lua_fault_no_memory(app, fault);
    fault->version = number;
    snprintf(fault->handler, sizeof(fault->handler), "%s", load_kind.name);
    return MW_ERR_NOMEM;
}

/* The file, then its on_reload where there is something to take over. */
static enum mw_app_result run_candidate(struct mw_app *app)
{
    struct mw_lua_version *version = app->candidate;
    enum mw_app_result result = mw_lua_call(app, &load_kind, version, 0, NULL);
    if (result == MW_APP_DONE && version_before(app) &&
        mw_lua_version_has(version, MW_LUA_ON_RELOAD))
        result = mw_lua_call(app, &reload_kind, version, 0, NULL);
    return result;
}

/* Of the cap, on top of it: a load must be able to clear a `state` that has used up everything. */
#define ROOM_TO_LOAD 4

int mw_lua_version_prepare(struct mw_app *app, const struct mw_sources *sources, unsigned number,
                           const struct mw_route_spec **spec, struct mw_fault *fault)
{
    mw_assert(!app->candidate);
    struct mw_lua_version *version = version_new(app, sources, number);
    if (!version)
        return no_memory(app, fault, number);
    size_t room = app->mem.max_bytes / ROOM_TO_LOAD;
    app->candidate = version;
    app->fault_to = fault;
    app->mem.max_bytes += room;
    mw_lua_state_begin_load(app);
    enum mw_app_result result = run_candidate(app);
    int err = mw_lua_state_end_load(app, version, result == MW_APP_DONE);
    app->fault_to = NULL;
    mw_lua_lower_cap(app, &room);
    if (result != MW_APP_DONE)
        err = mw_lua_error_of(app->failure);
    else if (err != MW_OK)
        (void)no_memory(app, fault, number);
    if (err != MW_OK) {
        mw_lua_version_discard(app);
        return err;
    }
    *spec = &version->spec;
    return MW_OK;
}

void mw_lua_version_commit(struct mw_app *app)
{
    struct mw_lua_version *old = app->live;
    struct mw_lua_version *version = app->candidate;
    mw_assert(version);
    app->live = version;
    app->candidate = NULL;
    mw_lua_state_commit(app, version);
    mw_lua_timers_commit(app, old, version);
    if (old)
        retire(app, old);
    if (app->mem.max_bytes && app->mem.bytes > app->mem.max_bytes)
        mw_lua_app_collect(app); /* what it has cleared, or what it replaces */
    mw_lua_sweep_start(app);
}

void mw_lua_version_discard(struct mw_app *app)
{
    struct mw_lua_version *version = app->candidate;
    mw_assert(version && version->calls == 0);
    app->candidate = NULL;
    version_free(app, version);
}

bool mw_lua_version_uses(const struct mw_app *app, struct mw_view lib_path)
{
    if (!app->live)
        return false;
    const struct mw_lua_source *file = mw_lua_sources_find(&app->live->sources, lib_path);
    return file && file->is_used;
}
