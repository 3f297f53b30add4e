/*
 * `conn`: the object, its fields and its life. The methods are in api_conn.c.
 *
 * Fields are rows of a table. Nothing is copied from the host while the connection lives: fields
 * are asked for when they are read, so a connection costs its object and one slot in refs.conns,
 * and before a script has seen it not even that. At its end those that the host will forget are
 * copied once.
 */
#include "lua/conn.h"

#include <inttypes.h>

#include "lua/text.h"

static const char *const conn_kind = "conn";

/* ---- ids ---- */

void mw_lua_id_text(mw_id id, char out[MW_LUA_ID_BYTES])
{
    snprintf(out, MW_LUA_ID_BYTES, "%" PRIx64, id);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

mw_id mw_lua_id_parse(struct mw_view text)
{
    mw_id id = 0;
    if (text.len == 0 || text.len >= MW_LUA_ID_BYTES)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = hex_value(text.data[i]);
        if (value < 0)
            return 0;
        id = id << 4 | (mw_id)value;
    }
    return id;
}

/* ---- fields that the host knows ---- */

static const char *const state_names[] = {
    [MW_CONN_STATE_OPENING] = "opening", [MW_CONN_STATE_OPEN] = "open",
    [MW_CONN_STATE_AWAY] = "away",       [MW_CONN_STATE_CLOSING] = "closing",
    [MW_CONN_STATE_CLOSED] = "closed",
};

typedef void push_fact_fn(lua_State *L, const struct mw_conn_info *info);

static void push_path(lua_State *L, const struct mw_conn_info *info)
{
    mw_lua_push_view(L, info->path);
}

static void push_ip(lua_State *L, const struct mw_conn_info *info)
{
    mw_lua_push_view(L, info->ip);
}

static void push_protocol(lua_State *L, const struct mw_conn_info *info)
{
    if (info->protocol.len > 0)
        mw_lua_push_view(L, info->protocol);
    else
        lua_pushnil(L);
}

static void push_rtt(lua_State *L, const struct mw_conn_info *info)
{
    if (info->rtt_s >= 0)
        lua_pushnumber(L, info->rtt_s);
    else
        lua_pushnil(L);
}

static void push_queued(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushinteger(L, (lua_Integer)info->queued_bytes);
}

static void push_dropped(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushinteger(L, (lua_Integer)info->dropped);
}

static void push_replaced(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushinteger(L, (lua_Integer)info->replaced);
}

static void push_opened_at(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushnumber(L, (double)info->opened_unix_ms / 1000.0);
}

static void push_state(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushstring(L, state_names[info->state]);
}

static void push_resumed(lua_State *L, const struct mw_conn_info *info)
{
    lua_pushboolean(L, info->resumed);
}

void mw_lua_push_params(lua_State *L, const struct mw_conn_info *info)
{
    lua_createtable(L, 0, (int)info->param_count);
    for (size_t i = 0; i < info->param_count; i++) {
        mw_lua_push_view(L, info->params[i].name);
        mw_lua_push_view(L, info->params[i].value);
        lua_rawset(L, -3);
    }
}

struct fact {
    const char *name;
    push_fact_fn *push;
};

/* `queued` and `state` have their own last values: 0 and "closed". */
static const struct fact lasting_facts[] = {
    { "path", push_path },         { "ip", push_ip },
    { "protocol", push_protocol }, { "opened_at", push_opened_at },
    { "rtt", push_rtt },           { "params", mw_lua_push_params },
    { "dropped", push_dropped },   { "replaced", push_replaced },
    { "resumed", push_resumed },
};

static bool ask_host(lua_State *L, const struct mw_lua_conn *conn, struct mw_conn_info *info)
{
    struct mw_app *app = mw_lua_app(L);
    return !conn->is_over && app->host->info(app->host_app, conn->id, info) == MW_OK;
}

/* Object at 1. */
static void push_fact(lua_State *L, const struct mw_lua_conn *conn, const char *name,
                      push_fact_fn *push)
{
    struct mw_conn_info info;
    if (ask_host(L, conn, &info)) {
        push(L, &info);
        return;
    }
    if (lua_getiuservalue(L, 1, MW_LUA_CONN_FACTS) != LUA_TTABLE)
        return;
    lua_pushstring(L, name);
    lua_rawget(L, -2);
}

/* ---- all fields ---- */

typedef void push_field_fn(lua_State *L, struct mw_lua_conn *conn);

static void field_id(lua_State *L, struct mw_lua_conn *conn)
{
    char text[MW_LUA_ID_BYTES];
    mw_lua_id_text(conn->id, text);
    lua_pushstring(L, text);
}

/* Made when it is first asked for: many scripts keep nothing. */
static void field_data(lua_State *L, struct mw_lua_conn *conn)
{
    (void)conn;
    if (lua_getiuservalue(L, 1, MW_LUA_CONN_DATA) == LUA_TTABLE)
        return;
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, MW_LUA_CONN_DATA);
}

static void field_params(lua_State *L, struct mw_lua_conn *conn)
{
    struct mw_conn_info info;
    if (conn->is_over) {
        push_fact(L, conn, "params", NULL);
        return;
    }
    if (lua_getiuservalue(L, 1, MW_LUA_CONN_FACTS) == LUA_TTABLE || !ask_host(L, conn, &info))
        return;
    mw_lua_push_params(L, &info);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, MW_LUA_CONN_FACTS);
}

static void field_version(lua_State *L, struct mw_lua_conn *conn)
{
    (void)conn;
    lua_pushinteger(L, mw_lua_version_running(mw_lua_app(L)));
}

/* Those that are have objects of their own: remote.c. */
static void field_remote(lua_State *L, struct mw_lua_conn *conn)
{
    (void)conn;
    lua_pushboolean(L, false);
}

static void field_queued(lua_State *L, struct mw_lua_conn *conn)
{
    struct mw_conn_info info = { 0 };
    (void)ask_host(L, conn, &info);
    push_queued(L, &info);
}

static void field_state(lua_State *L, struct mw_lua_conn *conn)
{
    struct mw_conn_info info;
    if (!ask_host(L, conn, &info))
        info.state = MW_CONN_STATE_CLOSED;
    push_state(L, &info);
}

#define FACT_FIELD(name) \
    static void field_##name(lua_State *L, struct mw_lua_conn *conn) \
    { \
        push_fact(L, conn, #name, push_##name); \
    }
FACT_FIELD(path)
FACT_FIELD(ip)
FACT_FIELD(protocol)
FACT_FIELD(dropped)
FACT_FIELD(replaced)
FACT_FIELD(opened_at)
FACT_FIELD(rtt)
FACT_FIELD(resumed)
#undef FACT_FIELD

struct field {
    const char *name;
    push_field_fn *push;
};

static const struct field fields[] = {
#define MW_CONN_FIELD(name) { #name, field_##name },
#define MW_CONN_METHOD(name)
#include "lua/conn.def"
#undef MW_CONN_FIELD
#undef MW_CONN_METHOD
};

/* ---- the metatable ---- */

/*
 * Upvalue 1: name -> method, or light userdata of a row of `fields`. Each `conn:send` comes along
 * here. Called by Lua itself alone, with just an object and a name, so the name can be put out by
 * what it stands for: 50 instructions less than with a copy of it.
 */
static int get_field(lua_State *L)
{
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TLIGHTUSERDATA) {
        const struct field *field = lua_touserdata(L, -1);
        field->push(L, lua_touserdata(L, 1));
    }
    return 1;
}

static int set_field(lua_State *L)
{
    const char *name = mw_lua_push_plain(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING || strcmp(name, "data") != 0)
        return luaL_error(L, "conn.%s cannot be set: keep your own values in conn.data", name);
    if (!lua_istable(L, 3))
        return luaL_error(L, "conn.data must be a table, not a %s", luaL_typename(L, 3));
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 1, MW_LUA_CONN_DATA);
    return 0;
}

static int conn_to_text(lua_State *L)
{
    struct mw_lua_conn *conn = lua_touserdata(L, 1);
    char id[MW_LUA_ID_BYTES];
    mw_lua_id_text(conn->id, id);
    lua_pushfstring(L, conn->is_over ? "conn %s (closed)" : "conn %s", id);
    return 1;
}

static void push_members(lua_State *L)
{
    lua_newtable(L);
    luaL_setfuncs(L, mw_lua_conn_methods, 0);
    for (size_t i = 0; i < MW_COUNT(fields); i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)&fields[i]);
        lua_setfield(L, -2, fields[i].name);
    }
}

void mw_lua_conn_init(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__newindex", set_field },
        { "__tostring", conn_to_text },
        { NULL, NULL },
    };
    struct mw_app *app = mw_lua_app(L);
    lua_newtable(L);
    app->refs.conns = luaL_ref(L, LUA_REGISTRYINDEX);
    mw_lua_push_meta(L, conn_kind, meta);
    push_members(L);
    lua_pushcclosure(L, get_field, 1);
    lua_setfield(L, -2, "__index");
    app->refs.conn_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushliteral(L, "text");
    app->text_word = lua_topointer(L, -1);
    app->refs.text = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushliteral(L, "binary");
    app->refs.binary = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ---- life ---- */

struct mw_lua_conn *mw_lua_conn_new(lua_State *L, mw_id id)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_conn *conn = lua_newuserdatauv(L, sizeof(*conn), MW_LUA_CONN_VALUES);
    *conn = (struct mw_lua_conn){ .object = { &conn_kind }, .id = id };
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.conn_meta);
    lua_setmetatable(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.conns);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)id);
    lua_pop(L, 1);
    app->conn_count++;
    return conn;
}

struct mw_lua_conn *mw_lua_conn_at(lua_State *L, int index)
{
    return mw_lua_object_at(L, index, &conn_kind);
}

struct mw_lua_conn *mw_lua_conn_push(lua_State *L, mw_id id)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.conns);
    lua_rawgeti(L, -1, (lua_Integer)id);
    lua_replace(L, -2);
    struct mw_lua_conn *conn = mw_lua_object_at(L, -1, &conn_kind);
    if (!conn)
        lua_pop(L, 1);
    return conn;
}

/* The host's word, where there is no object to ask. */
static bool is_accepted_unseen(struct mw_app *app, mw_id id)
{
    struct mw_conn_info info;
    return app->host->info(app->host_app, id, &info) == MW_OK && info.accepted;
}

/* Out of the way of each message: in line its room for facts costs 9 instructions there. */
static __attribute__((noinline)) struct mw_lua_conn *meet(lua_State *L, mw_id id)
{
    if (!is_accepted_unseen(mw_lua_app(L), id))
        return NULL;
    struct mw_lua_conn *conn = mw_lua_conn_new(L, id);
    conn->is_accepted = true;
    return conn;
}

struct mw_lua_conn *mw_lua_conn_show(lua_State *L, mw_id id)
{
    struct mw_lua_conn *conn = mw_lua_conn_push(L, id);
    return conn ? conn : meet(L, id);
}

bool mw_lua_conn_push_data(lua_State *L, mw_id id)
{
    if (!mw_lua_conn_push(L, id))
        return false;
    bool has_data = lua_getiuservalue(L, -1, MW_LUA_CONN_DATA) == LUA_TTABLE;
    lua_remove(L, -2);
    if (!has_data)
        lua_pop(L, 1);
    return has_data;
}

struct mw_lua_conn *mw_lua_conn_find(struct mw_app *app, mw_id id)
{
    struct mw_lua_conn *conn = mw_lua_conn_push(app->L, id);
    if (conn)
        lua_pop(app->L, 1);
    return conn;
}

static int show(lua_State *L)
{
    const mw_id *id = lua_touserdata(L, 1);
    (void)mw_lua_conn_show(L, *id);
    return 0;
}

struct mw_lua_conn *mw_lua_conn_get(struct mw_app *app, mw_id id)
{
    struct mw_lua_conn *conn = mw_lua_conn_find(app, id);
    if (conn || mw_lua_try(app->L, show, &id) != MW_OK)
        return conn;
    return mw_lua_conn_find(app, id);
}

bool mw_lua_conn_is_accepted(struct mw_app *app, mw_id id)
{
    const struct mw_lua_conn *conn = mw_lua_conn_find(app, id);
    return conn ? conn->is_accepted : is_accepted_unseen(app, id);
}

/* Puts what the host will forget into the table of last facts. */
static int keep_facts(lua_State *L)
{
    struct mw_lua_conn *conn = lua_touserdata(L, 1);
    struct mw_conn_info info;
    if (!ask_host(L, conn, &info))
        return 0;
    mw_lua_conn_push(L, conn->id);
    lua_createtable(L, 0, (int)MW_COUNT(lasting_facts));
    for (size_t i = 0; i < MW_COUNT(lasting_facts); i++) {
        lua_pushstring(L, lasting_facts[i].name);
        lasting_facts[i].push(L, &info);
        lua_rawset(L, -3);
    }
    lua_setiuservalue(L, -2, MW_LUA_CONN_FACTS);
    return 0;
}

void mw_lua_conn_keep(struct mw_app *app, struct mw_lua_conn *conn)
{
    mw_lua_call_disown(&conn->call);
    (void)mw_lua_try(app->L, keep_facts, conn); /* without memory its fields read as nil */
    conn->is_over = true;
}

void mw_lua_conn_end(struct mw_app *app, struct mw_lua_conn *conn)
{
    mw_lua_conn_keep(app, conn);
    lua_rawgeti(app->L, LUA_REGISTRYINDEX, app->refs.conns);
    lua_pushnil(app->L);
    lua_rawseti(app->L, -2, (lua_Integer)conn->id);
    lua_pop(app->L, 1);
    app->conn_count--;
}

struct mw_lua_conn *mw_lua_conn_check(lua_State *L, const char *method)
{
    struct mw_lua_conn *conn = mw_lua_object_at(L, 1, &conn_kind);
    if (!conn)
        luaL_error(L, "conn.%s called without its connection", method);
    return conn;
}
