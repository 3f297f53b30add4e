/*
 * The walk through `state` and conn.data that follows a reload. Depth first, with its own stack of
 * tables and keys, so that it can stop anywhere and go on later, while scripts run in between.
 *
 * Runs no code of the script. Called by version.c; goes on by an alarm of the app.
 */
#include "lua/sweep.h"

#include "core/base/clock.h"
#include "lua/conn.h"
#include "lua/path.h"
#include "lua/plain.h"
#include "lua/seen.h"
#include "lua/version.h"

/* Fields in one slice: about a millisecond of a slow machine. */
#define SLICE_STEPS 4000

/* Between slices: the server has other things to do. */
#define PAUSE_MS 5

/* More would flood the log; the rest is taken out all the same. */
#define MAX_WARNINGS 10

/* Times that the key where a slice stopped may be gone when the next one begins. */
#define MAX_RESTARTS 100

struct mw_lua_sweep {
    struct mw_lua_alarm alarm;
    bool is_under_way;
    bool is_in_conns;        /* done with `state` */
    int stack;               /* registry: table, key, table, key ... from the root down */
    struct mw_lua_seen seen; /* one of a new table at an old place does no harm */
    lua_Integer depth;
    mw_id conn; /* whose data is walked */
    int steps;  /* left in this slice */
    unsigned warnings, restarts;
    size_t found;    /* connections whose data holds code */
    char where[128]; /* the first such place */
    size_t lifted;   /* bytes by which the app's cap stands higher meanwhile */
};

enum { STACK = 1, TABLE, KEY, VALUE }; /* places on the stack of Lua in a slice */

/* ---- words ---- */

static void log_warning(struct mw_app *app, struct mw_view text)
{
    app->host->log(app->host_app, MW_LOG_WARN, app->live->number, 0, text, NULL, 0);
}

/* Pushes "state.rooms.lobby.cb" for the field at KEY. */
static void push_place(lua_State *L, const struct mw_lua_sweep *sweep, const char *root)
{
    struct mw_lua_path path = { .depth = 0 };
    luaL_checkstack(L, MW_BOUND_JSON_DEPTH + 8, "state");
    for (lua_Integer i = 1; i < sweep->depth && path.depth < MW_BOUND_JSON_DEPTH - 1; i++) {
        lua_rawgeti(L, STACK, 2 * i);
        path.key_at[path.depth++] = lua_gettop(L);
    }
    path.key_at[path.depth++] = KEY;
    mw_lua_path_push(&path, L, root);
}

static void warn(lua_State *L, struct mw_lua_sweep *sweep, const char *what)
{
    if (sweep->warnings++ >= MAX_WARNINGS)
        return;
    push_place(L, sweep, "state");
    lua_pushfstring(L, "%s was made plain: %s", lua_tostring(L, -1), what);
    log_warning(mw_lua_app(L), mw_lua_view(L, -1));
    lua_settop(L, VALUE);
}

/* ---- the stack of tables ---- */

/* Is it the first time that this table is met? Then it counts as met. */
static bool is_new(lua_State *L, struct mw_lua_sweep *sweep, int table)
{
    int is_added = mw_lua_seen_add(&sweep->seen, &mw_lua_app(L)->mem, lua_topointer(L, table));
    if (is_added < 0)
        luaL_error(L, "not enough memory");
    return is_added > 0;
}

/* The table on top is the next to be walked; pops it. */
static void enter(lua_State *L, struct mw_lua_sweep *sweep)
{
    lua_rawseti(L, STACK, 2 * sweep->depth + 1);
    lua_pushnil(L);
    lua_rawseti(L, STACK, 2 * sweep->depth + 2);
    sweep->depth++;
}

/* ---- one field, at KEY and VALUE ---- */

enum visit { GO_ON, GO_IN, GO_AWAY };

static void take_out(lua_State *L)
{
    lua_pushvalue(L, KEY);
    lua_pushnil(L);
    lua_rawset(L, TABLE); /* clearing a field is allowed while walking */
}

/* Of a script's own table with a metatable the data is worth keeping. */
static enum visit visit_state(lua_State *L, struct mw_lua_sweep *sweep)
{
    const char *of_key = mw_lua_plain_key_objection(L, KEY);
    const char *of_value = mw_lua_plain_objection(L, VALUE);
    if (of_key || of_value)
        warn(L, sweep, of_key ? of_key : of_value);
    bool is_ours = lua_istable(L, VALUE) && mw_lua_is_protected(L, VALUE);
    if (of_key || (of_value && (!lua_istable(L, VALUE) || is_ours))) {
        take_out(L);
        return GO_ON;
    }
    if (of_value) {
        lua_pushnil(L);
        lua_setmetatable(L, VALUE);
    }
    return lua_istable(L, VALUE) && is_new(L, sweep, VALUE) ? GO_IN : GO_ON;
}

static bool is_code(lua_State *L, int index)
{
    if (lua_isthread(L, index))
        return true;
    if (!lua_isfunction(L, index))
        return false;
    if (!lua_iscfunction(L, index))
        return true;
    bool has_upvalue = lua_getupvalue(L, index, 1) != NULL; /* of ours: coroutine.wrap and such */
    if (has_upvalue)
        lua_pop(L, 1);
    return has_upvalue;
}

/* A table of methods: the metatable on top, or what is in it. */
static bool has_methods(lua_State *L, bool is_deep)
{
    int table = lua_gettop(L);
    bool has = false;
    lua_pushnil(L);
    while (!has && lua_next(L, table)) {
        has = is_code(L, -1) || (is_deep && lua_istable(L, -1) && has_methods(L, false));
        lua_settop(L, table + 1);
    }
    lua_settop(L, table);
    return has;
}

static bool keeps_code(lua_State *L, int index)
{
    if (is_code(L, index))
        return true;
    if (!lua_istable(L, index) || mw_lua_is_protected(L, index) || !lua_getmetatable(L, index))
        return false;
    bool has = has_methods(L, true);
    lua_pop(L, 1);
    return has;
}

/* One place in each connection is enough to know. */
static enum visit visit_data(lua_State *L, struct mw_lua_sweep *sweep)
{
    if (!keeps_code(L, KEY) && !keeps_code(L, VALUE)) {
        bool is_script_table = lua_istable(L, VALUE) && !mw_lua_is_protected(L, VALUE);
        return is_script_table && is_new(L, sweep, VALUE) ? GO_IN : GO_ON;
    }
    if (sweep->found++ > 0)
        return GO_AWAY;
    push_place(L, sweep, "conn.data");
    snprintf(sweep->where, sizeof(sweep->where), "%s", lua_tostring(L, -1));
    return GO_AWAY;
}

/* ---- walking ---- */

/* Goes on in the table that is deepest, to its end, into another one, or until the slice is over.
 */
static void walk_deepest(lua_State *L, struct mw_lua_sweep *sweep)
{
    lua_Integer at = 2 * sweep->depth;
    enum visit visit = GO_ON;
    luaL_checkstack(L, 16, "state");
    lua_rawgeti(L, STACK, at - 1);
    lua_rawgeti(L, STACK, at);
    while (visit == GO_ON && sweep->steps-- > 0) {
        if (!lua_next(L, TABLE)) {
            sweep->depth--;
            return;
        }
        visit = sweep->is_in_conns ? visit_data(L, sweep) : visit_state(L, sweep);
        lua_settop(L, visit == GO_IN ? VALUE : KEY);
    }
    lua_pushvalue(L, KEY);
    lua_rawseti(L, STACK, at);
    if (visit == GO_IN)
        enter(L, sweep);
    if (visit == GO_AWAY)
        sweep->depth = 0;
}

/*
 * The data of the next connection; false: there is none. It does not count as met: with 100 000
 * connections the set would grow by as many, and growing is its slowest step.
 */
static bool enter_next_conn(lua_State *L, struct mw_lua_sweep *sweep)
{
    struct mw_app *app = mw_lua_app(L);
    sweep->is_in_conns = true;
    sweep->conn = app->host->next_conn(app->host_app, sweep->conn);
    sweep->steps--;
    if (sweep->conn && mw_lua_conn_push_data(L, sweep->conn))
        enter(L, sweep);
    return sweep->conn != 0;
}

static int slice(lua_State *L)
{
    struct mw_lua_sweep *sweep = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, sweep->stack);
    sweep->steps = SLICE_STEPS;
    while (sweep->is_under_way && sweep->steps > 0) {
        if (sweep->depth > 0)
            walk_deepest(L, sweep);
        else
            sweep->is_under_way = enter_next_conn(L, sweep);
        lua_settop(L, STACK);
    }
    return 0;
}

/* ---- life ---- */

static void unref(struct mw_app *app, int *place)
{
    luaL_unref(app->L, LUA_REGISTRYINDEX, *place);
    *place = LUA_NOREF;
}

static void end(struct mw_app *app, struct mw_lua_sweep *sweep)
{
    sweep->is_under_way = false;
    mw_lua_alarm_stop(app, &sweep->alarm);
    unref(app, &sweep->stack);
    mw_lua_seen_free(&sweep->seen, &app->mem);
    mw_lua_lower_cap(app, &sweep->lifted);
}

static void report(struct mw_app *app, const struct mw_lua_sweep *sweep)
{
    char text[320];
    if (sweep->found == 0)
        return;
    int len = snprintf(text, sizeof(text),
                       "%s (%zu connection%s) holds a function or an object with methods: it keeps "
                       "the version that made it in memory, and runs its code",
                       sweep->where, sweep->found, sweep->found == 1 ? "" : "s");
    log_warning(app, mw_view(text, (size_t)len));
}

/* The script has removed the key at which the last slice ended: this table begins anew. */
static bool restart_deepest(struct mw_app *app, struct mw_lua_sweep *sweep)
{
    if (sweep->depth == 0 || sweep->restarts++ == MAX_RESTARTS)
        return false;
    lua_rawgeti(app->L, LUA_REGISTRYINDEX, sweep->stack);
    lua_pushnil(app->L);
    lua_rawseti(app->L, -2, 2 * sweep->depth); /* the field exists: this takes no memory */
    lua_pop(app->L, 1);
    return true;
}

static void run_slice(struct mw_app *app, struct mw_lua_sweep *sweep)
{
    struct mw_lua_lift lift;
    mw_lua_lift_cap(app, &lift);
    int err = mw_lua_try(app->L, slice, sweep);
    mw_lua_lift_end(app, &lift, &sweep->lifted);
    if (err != MW_OK && (err == MW_ERR_NOMEM || !restart_deepest(app, sweep))) {
        log_warning(app, mw_view_text("`state` was not looked through for what cannot survive a "
                                      "reload: out of memory or ever changing"));
        end(app, sweep);
    } else if (sweep->is_under_way) {
        mw_ms now_ms = app->host->monotonic_ms(app->host_app);
        mw_lua_alarm_set(app, &sweep->alarm, mw_ms_add(now_ms, PAUSE_MS));
    } else {
        end(app, sweep);
        report(app, sweep);
    }
}

static void ring(struct mw_app *app, struct mw_lua_alarm *alarm)
{
    run_slice(app, MW_OWNER(alarm, struct mw_lua_sweep, alarm));
}

static int begin(lua_State *L)
{
    struct mw_lua_sweep *sweep = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.state);
    enter(L, sweep);
    sweep->stack = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

void mw_lua_sweep_start(struct mw_app *app)
{
    struct mw_lua_sweep *sweep = app->sweep;
    end(app, sweep);
    sweep->is_under_way = true;
    sweep->is_in_conns = false;
    sweep->depth = 0;
    sweep->conn = 0;
    sweep->warnings = sweep->restarts = 0;
    sweep->found = 0;
    if (mw_lua_try(app->L, begin, sweep) != MW_OK) {
        end(app, sweep);
        log_warning(app, mw_view_text("no memory to look through `state`"));
        return;
    }
    run_slice(app, sweep);
}

struct mw_lua_sweep *mw_lua_sweep_new(struct mw_app *app)
{
    struct mw_lua_sweep *sweep = mw_alloc_zero(&app->mem, sizeof(*sweep));
    if (!sweep)
        return NULL;
    mw_timer_init(&sweep->alarm.timer);
    sweep->alarm.ring = ring;
    sweep->stack = LUA_NOREF;
    return sweep;
}

void mw_lua_sweep_free(struct mw_app *app, struct mw_lua_sweep *sweep)
{
    if (sweep)
        mw_lua_seen_free(&sweep->seen, &app->mem);
    mw_free(&app->mem, sweep, sizeof(*sweep));
}
