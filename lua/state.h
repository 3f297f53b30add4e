/*
 * The lua_State of an app or a settings file: its allocator, its way to its app, and the protected
 * door.
 */
#ifndef MW_LUA_STATE_H
#define MW_LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/engine.h"

/*
 * A bare state for an app, or NULL: its memory is app->mem's. A request that is refused once Lua
 * has collected everything stops the running call, and so does a string that is too long
 * (budget.h). Close it with mw_lua_state_close.
 */
lua_State *mw_lua_state_new(struct mw_app *app);

/* Closes app->L, and gives its memory back. */
void mw_lua_state_close(struct mw_app *app);

/* Any thread of the state -> its app. */
static inline struct mw_lua_lane *mw_lua_lane(lua_State *L)
{
    return *(struct mw_lua_lane **)lua_getextraspace(L);
}

static inline struct mw_app *mw_lua_app(lua_State *L)
{
    return mw_lua_lane(L)->app;
}

static inline void mw_lua_set_lane(lua_State *L, struct mw_app *app, enum mw_lua_lane_kind kind)
{
    *(struct mw_lua_lane **)lua_getextraspace(L) = &app->lanes[kind];
}

/*
 * Runs `body` with `ctx` as light userdata at index 1, protected. MW_OK, MW_ERR_NOMEM or
 * MW_ERR_SCRIPT; leaves nothing on the stack. Only for code of ours: script code needs mw_lua_call.
 */
int mw_lua_try(lua_State *L, lua_CFunction body, void *ctx);

/*
 * Runs the pending __close of a coroutine that failed or yielded, and empties it. Gives the status
 * of Lua; where that is an error, its value is on top of `co`. `from` is the coroutine that asks.
 * Raises where too many are being closed inside of each other.
 */
int mw_lua_thread_close(lua_State *from, lua_State *co);

/*
 * What the server itself needs for a reload is not the script's to pay: between these two the
 * app's cap is off. What was taken meanwhile stays on top of the cap and is added to *lifted,
 * until mw_lua_lower_cap takes that off again, once it is garbage.
 */
struct mw_lua_lift {
    size_t cap, before;
};
void mw_lua_lift_cap(struct mw_app *app, struct mw_lua_lift *lift);
void mw_lua_lift_end(struct mw_app *app, const struct mw_lua_lift *lift, size_t *lifted);
void mw_lua_lower_cap(struct mw_app *app, size_t *lifted);

/*
 * mw_lua_try without the cap, and a second time behind a full collection where memory had run out:
 * `body` can be run again. For what must not fail while the system has any memory.
 */
int mw_lua_try_hard(struct mw_app *app, lua_CFunction body, void *ctx);

/* MW_OK, MW_ERR_NOMEM or MW_ERR_SCRIPT for a status of Lua. */
int mw_lua_error_of(int status);

/* Unpredictable bytes of the host; zeros for moonwire.lua, which has none. */
void mw_lua_random(lua_State *L, void *out, size_t len);

/* Pushes the text of a view. May raise. */
static inline void mw_lua_push_view(lua_State *L, struct mw_view text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

/* The string at `index`, which must be one; lives as long as the Lua string. */
static inline struct mw_view mw_lua_view(lua_State *L, int index)
{
    size_t len = 0;
    const char *data = lua_tolstring(L, index, &len);
    return mw_view(data, len);
}

/* The same for an argument of a function: raises unless it is a string (a number is none). */
struct mw_view mw_lua_check_text(lua_State *L, int arg);

/* t[key] = value for the table on top, without metamethods. May raise. */
void mw_lua_set_text(lua_State *L, const char *key, struct mw_view value);
void mw_lua_set_number(lua_State *L, const char *key, double value);
void mw_lua_set_integer(lua_State *L, const char *key, int64_t value);
void mw_lua_set_bool(lua_State *L, const char *key, bool value);

/*
 * Objects given to scripts begin with the address of their kind. Only our code makes userdata, so
 * the first word of one is always such an address.
 */
struct mw_lua_object {
    const char *const *kind;
};

/* The userdata at `index` if it is of this kind, else NULL. Never raises. */
void *mw_lua_object_at(lua_State *L, int index, const char *const *kind);

/* luaL_newmetatable without a name: pushes a fresh metatable that scripts cannot see. */
void mw_lua_push_meta(lua_State *L, const char *name, const luaL_Reg *methods);

#endif
