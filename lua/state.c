/*
 * Making lua_States whose memory is accounted, and the few helpers by which C talks to them. Knows
 * nothing of connections or versions.
 *
 * The cap lives in the mw_mem. When it says no, Lua runs a full collection by itself and asks once
 * more; what is refused then ends the running call (budget.h).
 */
#include "lua/state.h"

#include <string.h>

#include "core/base/check.h"
#include "lua/budget.h"
#include "lua/crowd.h"

/* Coroutines that are closed inside of each other; Lua 5.4.6 and later have their own number. */
#define MAX_CLOSING 100

/* What Lua puts around the bytes of a string; test_budget.c shows it. */
#define STRING_FRAME 25

/* Lua asks for the places of a table without a kind, and never makes them larger or smaller. */
static void *watch_tables(struct mw_app *app, void *got, const void *block, size_t old_bytes,
                          size_t new_bytes)
{
    if (block && mw_lua_crowd_may_be_table(old_bytes) && (got || new_bytes == 0))
        mw_lua_crowd_forget(app, block);
    bool may_be_table = !block && old_bytes == 0 && mw_lua_crowd_may_be_table(new_bytes);
    if (!got || !may_be_table || mw_lua_crowd_admit(app, got, new_bytes))
        return got;
    mw_free(&app->mem, got, new_bytes);
    return NULL;
}

/* What is not to be had of the spare blocks, and what may have to be refused. */
static __attribute__((noinline)) void *allocate_anew(struct mw_app *app, void *block,
                                                     size_t old_bytes, size_t new_bytes)
{
    /* Without a block `old_bytes` is the kind of object to come. */
    size_t had_bytes = block ? mw_lua_spare_size(old_bytes) : 0;
    size_t want_bytes = mw_lua_spare_size(new_bytes);
    if (!block && old_bytes == LUA_TSTRING && new_bytes > STRING_FRAME)
        mw_lua_budget_string(app, new_bytes - STRING_FRAME);
    void *got = mw_lua_spare_realloc(&app->spare, &app->mem, block, had_bytes, want_bytes);
    if (want_bytes > had_bytes)
        got = mw_lua_budget_grown(app, got, block, had_bytes, want_bytes);
    return watch_tables(app, got, block, old_bytes, new_bytes);
}

/* Small blocks are neither strings that may be too long nor the places of large tables. */
static void *allocate(void *ud, void *block, size_t old_bytes, size_t new_bytes)
{
    struct mw_app *app = MW_OWNER(ud, struct mw_app, mem);
    const struct mw_lua_budget *budget = &app->budget;
    void *got = NULL;
    if (block && new_bytes == 0 && mw_lua_spare_keep_one(&app->spare, &app->mem, block, old_bytes))
        return NULL;
    bool may_be_long = budget->string_bytes && new_bytes > budget->string_bytes;
    if (!block && !budget->was_refused && !may_be_long)
        got = mw_lua_spare_take_one(&app->spare, &app->mem, new_bytes);
    return got ? got : allocate_anew(app, block, old_bytes, new_bytes);
}

/* What a state begins with is of interest to chain.c. */
static void *allocate_first(void *ud, void *block, size_t old_bytes, size_t new_bytes)
{
    struct mw_app *app = MW_OWNER(ud, struct mw_app, mem);
    void *got = allocate(ud, block, old_bytes, new_bytes);
    if (!app->chain.first_block) {
        app->chain.first_block = got;
        app->chain.first_bytes = new_bytes;
    }
    return got;
}

lua_State *mw_lua_state_new(struct mw_app *app)
{
    for (int i = 0; i < MW_LUA_LANE_KINDS; i++)
        app->lanes[i] = (struct mw_lua_lane){ app, (enum mw_lua_lane_kind)i };
    lua_State *L = lua_newstate(allocate_first, &app->mem);
    if (!L) {
        mw_lua_spare_free(&app->spare);
        return NULL;
    }
    lua_setallocf(L, allocate, &app->mem);
    mw_lua_set_lane(L, app, MW_LUA_LANE_SCRIPT);
    return L;
}

void mw_lua_state_close(struct mw_app *app)
{
    lua_close(app->L);
    app->L = NULL;
    mw_lua_spare_free(&app->spare);
}

int mw_lua_error_of(int status)
{
    if (status == LUA_OK)
        return MW_OK;
    return status == LUA_ERRMEM ? MW_ERR_NOMEM : MW_ERR_SCRIPT;
}

int mw_lua_thread_close(lua_State *from, lua_State *co)
{
#if LUA_VERSION_RELEASE_NUM >= 50406
    return lua_closethread(co, from);
#else /* which does not count C calls: __close that closes the next one would use up the stack */
    struct mw_app *app = mw_lua_app(from);
    if (app->closing == MAX_CLOSING) {
        lua_pushliteral(co, "C stack overflow");
        return LUA_ERRRUN;
    }
    app->closing++;
    int status = lua_resetthread(co);
    app->closing--;
    return status;
#endif
}

int mw_lua_try(lua_State *L, lua_CFunction body, void *ctx)
{
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, ctx);
    int status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK)
        lua_pop(L, 1);
    return mw_lua_error_of(status);
}

void mw_lua_lift_cap(struct mw_app *app, struct mw_lua_lift *lift)
{
    *lift = (struct mw_lua_lift){ .cap = app->mem.max_bytes, .before = app->mem.bytes };
    app->mem.max_bytes = 0;
}

void mw_lua_lift_end(struct mw_app *app, const struct mw_lua_lift *lift, size_t *lifted)
{
    size_t more = app->mem.bytes > lift->before ? app->mem.bytes - lift->before : 0;
    app->mem.max_bytes = lift->cap;
    if (lift->cap == 0)
        return;
    app->mem.max_bytes += more;
    *lifted += more;
}

void mw_lua_lower_cap(struct mw_app *app, size_t *lifted)
{
    bool was_lifted = *lifted > 0;
    app->mem.max_bytes -= *lifted;
    *lifted = 0;
    if (was_lifted && app->mem.bytes > app->mem.max_bytes) /* by what is garbage now */
        lua_gc(app->L, LUA_GCCOLLECT, 0);
}

int mw_lua_try_hard(struct mw_app *app, lua_CFunction body, void *ctx)
{
    struct mw_lua_lift lift;
    size_t lifted = 0;
    mw_lua_lift_cap(app, &lift);
    int err = mw_lua_try(app->L, body, ctx);
    if (err == MW_ERR_NOMEM) {
        lua_gc(app->L, LUA_GCCOLLECT, 0);
        err = mw_lua_try(app->L, body, ctx);
    }
    mw_lua_lift_end(app, &lift, &lifted);
    mw_lua_lower_cap(app, &lifted);
    return err;
}

void mw_lua_random(lua_State *L, void *out, size_t len)
{
    struct mw_app *app = mw_lua_app(L);
    memset(out, 0, len);
    if (app->host)
        (void)app->host->random(app->host_app, out, len);
}

struct mw_view mw_lua_check_text(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        luaL_typeerror(L, arg, "string");
    return mw_lua_view(L, arg);
}

void mw_lua_set_text(lua_State *L, const char *key, struct mw_view value)
{
    lua_pushstring(L, key);
    mw_lua_push_view(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_number(lua_State *L, const char *key, double value)
{
    lua_pushstring(L, key);
    lua_pushnumber(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushstring(L, key);
    lua_pushinteger(L, value);
    lua_rawset(L, -3);
}

void mw_lua_set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushstring(L, key);
    lua_pushboolean(L, value);
    lua_rawset(L, -3);
}

void *mw_lua_object_at(lua_State *L, int index, const char *const *kind)
{
    /* Only of a full userdata is there an address and a length. */
    struct mw_lua_object *object = lua_touserdata(L, index);
    if (!object || lua_rawlen(L, index) < sizeof(*object))
        return NULL;
    return object->kind == kind ? object : NULL;
}

void mw_lua_push_meta(lua_State *L, const char *name, const luaL_Reg *methods)
{
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    mw_lua_set_text(L, "__name", mw_view_text(name));
    mw_lua_set_bool(L, "__metatable", false);
}
