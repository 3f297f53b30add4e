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
    version->writes = LUA_NOREF;
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
    int *refs[] = { &version->env, &version->loaded, &version->module, &version->kept,
                    &version->writes };
    mw_lua_timers_end(app, version);
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
    if (version->calls == 0 && is_retired(app, version))
        version_free(app, version);
}

static void retire(struct mw_app *app, struct mw_lua_version *version)
{
    if (version->calls == 0)
        version_free(app, version);
    else
        mw_list_push(&app->retired, &version->link);
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
    .push = push_load,
    .read = read_load,
};

static int no_memory(struct mw_app *app, struct mw_fault *fault, unsigned number)
{
    mw_lua_fault_no_memory(app, fault);
    fault->version = number;
    snprintf(fault->handler, sizeof(fault->handler), "%s", load_kind.name);
    return MW_ERR_NOMEM;
}

int mw_lua_version_prepare(struct mw_app *app, const struct mw_sources *sources, unsigned number,
                           const struct mw_route_spec **spec, struct mw_fault *fault)
{
    mw_assert(!app->candidate);
    struct mw_lua_version *version = version_new(app, sources, number);
    if (!version)
        return no_memory(app, fault, number);
    app->candidate = version;
    app->fault_to = fault;
    mw_lua_state_begin_load(app);
    enum mw_app_result result = mw_lua_call(app, &load_kind, version, 0, NULL);
    mw_lua_state_end_load(app);
    app->fault_to = NULL;
    if (result != MW_APP_DONE) {
        mw_lua_version_discard(app);
        return mw_lua_error_of(app->failure);
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
