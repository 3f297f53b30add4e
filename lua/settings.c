/*
 * Settings are a table that a Lua file returns: return { listen = "127.0.0.1:8080", log = { format
 * = "json" } }. Nested tables become keys with dots, lists keys with numbers: "log.format",
 * "origins[1]".
 *
 * The file runs in a lua_State of its own that ends with this call. What a key means is the
 * caller's business.
 */
#include "lua/settings.h"

#include "core/base/buf.h"
#include "core/base/str.h"
#include "lua/api.h"
#include "lua/budget.h"
#include "lua/fault.h"

/* Far more than any settings need. */
#define MAX_MEMORY  (16 * 1024 * 1024)
#define MAX_NESTING 8
#define MAX_CPU_MS  2000

struct reading {
    const struct mw_source *file;
    mw_setting_fn *each;
    void *ctx;
    struct mw_buf key;
    int env_meta;
};

static void put_key(lua_State *L, struct reading *r, const char *format, const char *name)
{
    if (mw_buf_putf(&r->key, format, name) != MW_OK)
        luaL_error(L, "not enough memory");
}

/* Adds the key at -2 to the path. */
static void add_key(lua_State *L, struct reading *r)
{
    if (lua_isinteger(L, -2)) {
        lua_pushfstring(L, "[%I]", (LUAI_UACINT)lua_tointeger(L, -2));
        put_key(L, r, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
    } else if (lua_type(L, -2) == LUA_TSTRING) {
        put_key(L, r, r->key.len ? ".%s" : "%s", lua_tostring(L, -2));
    } else {
        luaL_error(L, "a key of the settings is a %s: names and numbers only",
                   luaL_typename(L, -2));
    }
}

static bool report_table(lua_State *L, struct reading *r, int depth);

/* The value on top; false: the caller has had enough. */
static bool report_value(lua_State *L, struct reading *r, int depth)
{
    struct mw_setting setting = { .key = mw_buf_view(&r->key) };
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        setting.kind = MW_SETTING_TEXT;
        setting.text = mw_lua_view(L, -1);
        break;
    case LUA_TNUMBER:
        setting.kind = MW_SETTING_NUMBER;
        setting.number = lua_tonumber(L, -1);
        break;
    case LUA_TBOOLEAN:
        setting.kind = MW_SETTING_BOOL;
        setting.flag = lua_toboolean(L, -1);
        break;
    case LUA_TTABLE:
        return report_table(L, r, depth + 1);
    default:
        luaL_error(L, "setting '%s' is a %s: strings, numbers, booleans and tables only",
                   mw_buf_cstr(&r->key), luaL_typename(L, -1));
    }
    return r->each(r->ctx, &setting);
}

static bool report_field(lua_State *L, struct reading *r, int depth)
{
    size_t len = r->key.len;
    add_key(L, r);
    bool wants_more = report_value(L, r, depth);
    r->key.len = len;
    return wants_more;
}

static bool report_list(lua_State *L, struct reading *r, int depth, lua_Integer count)
{
    bool wants_more = true;
    for (lua_Integer i = 1; i <= count && wants_more; i++) {
        lua_pushinteger(L, i);
        lua_rawgeti(L, -2, i);
        wants_more = report_field(L, r, depth);
        lua_pop(L, 2);
    }
    return wants_more;
}

/* The table on top: its list in order, then its named fields. */
static bool report_table(lua_State *L, struct reading *r, int depth)
{
    if (depth > MAX_NESTING)
        luaL_error(L, "setting '%s' is nested too deeply", mw_buf_cstr(&r->key));
    luaL_checkstack(L, 6, "settings");
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    bool wants_more = report_list(L, r, depth, count);
    lua_pushnil(L);
    while (wants_more && lua_next(L, -2)) {
        bool is_listed =
            lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= count;
        if (!is_listed)
            wants_more = report_field(L, r, depth);
        lua_pop(L, wants_more ? 1 : 2);
    }
    return wants_more;
}

/* ---- running the file ---- */

static int open_settings(lua_State *L)
{
    struct reading *r = lua_touserdata(L, 1);
    lua_settop(L, 0);
    r->env_meta = mw_lua_open_language(L);
    return 0;
}

/* Runs as a coroutine, so that a failure leaves its frames. */
static int run_settings(lua_State *L)
{
    struct reading *r = lua_touserdata(L, 1);
    lua_pushliteral(L, "@");
    mw_lua_push_view(L, r->file->path);
    lua_concat(L, 2);
    if (luaL_loadbufferx(L, r->file->text.data ? r->file->text.data : "", r->file->text.len,
                         lua_tostring(L, -1), "t") != LUA_OK)
        return lua_error(L);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->env_meta);
    lua_setmetatable(L, -2);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1))
        return 0;
    if (!lua_istable(L, -1))
        return luaL_error(L, "the file returned a %s: settings are a table", luaL_typename(L, -1));
    report_table(L, r, 0);
    return 0;
}

static int make_thread(lua_State *L)
{
    lua_State **thread = lua_touserdata(L, 1);
    *thread = lua_newthread(L);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int resume(struct mw_app *app, lua_State *thread, struct reading *r)
{
    int results;
    lua_pushcfunction(thread, run_settings);
    lua_pushlightuserdata(thread, r);
    mw_lua_budget_begin(app, thread);
    int status = lua_resume(thread, app->L, 1, &results);
    mw_lua_budget_end(app);
    return status;
}

static int read_in(struct mw_app *app, struct reading *r, struct mw_fault *fault)
{
    struct mw_sources sources = { .script = *r->file };
    struct mw_lua_sources copies;
    lua_State *L = app->L, *thread = NULL;
    int status = LUA_ERRMEM;
    if (mw_lua_sources_copy(&copies, &app->mem, &sources) != MW_OK)
        return MW_ERR_NOMEM;
    if (mw_lua_try(L, open_settings, r) == MW_OK && mw_lua_try(L, make_thread, &thread) == MW_OK) {
        struct mw_lua_where where = { .L = L, .sources = &copies };
        status = resume(app, thread, r);
        if (status != LUA_OK) {
            mw_lua_fault_of_thread(thread, status, &where, "settings", fault);
            mw_lua_fault_stop(app, &copies, fault);
        }
    }
    mw_lua_sources_free(&copies, &app->mem);
    return mw_lua_error_of(status);
}

int mw_lua_settings_read(const struct mw_source *file, mw_setting_fn *each, void *ctx,
                         struct mw_fault *fault)
{
    struct mw_app app = { .budget.stop_ms = MAX_CPU_MS }; /* no script: just its state and limits */
    struct reading r = { .file = file, .each = each, .ctx = ctx };
    mw_mem_init(&app.mem, NULL, MAX_MEMORY);
    mw_buf_init(&r.key, &app.mem, 0);
    *fault = (struct mw_fault){ .message = "not enough memory" };
    app.L = mw_lua_state_new(&app);
    int err = app.L ? read_in(&app, &r, fault) : MW_ERR_NOMEM;
    if (app.L)
        mw_lua_state_close(&app);
    mw_buf_free(&r.key);
    mw_assert(mw_mem_is_empty(&app.mem));
    return err;
}
