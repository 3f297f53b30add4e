/*
 * Copies `state`, connections and ends that are owed from one lua_State into another, piece by
 * piece: a key of `state` or the data of a connection is there whole or not at all, but for what in
 * it is no plain data. Called by engine.c for a rebuild, before the new version is loaded, so that
 * its file and its on_reload find everything in its place.
 *
 * `out` is the old state. It is only read, with functions that neither raise nor allocate; whatever
 * may raise happens in the new one, behind mw_lua_try. A table is known by its address in the old
 * state, which nothing can change meanwhile.
 */
#include "lua/carry.h"

#include <limits.h>
#include <stdio.h>

#include "lua/conn.h"
#include "lua/owed.h"
#include "lua/path.h"
#include "lua/plain.h"
#include "lua/version.h"

/* So many lines tell what was left out; then a number does. */
#define MAX_WARNINGS 10

/* A string that Lua does not keep only once; it is one object all the same. */
#define LONG_TEXT 40

struct carry {
    struct mw_app *from, *to;
    lua_State *out;
    struct mw_carried *told;
    int seen; /* registry of `to`: address in the old state -> copy */
    int made; /* registry of `to`: list of those addresses, in order */
    lua_Integer made_count;

    /* the piece on its way */
    char root[40];           /* "state", "conn 1a.data" */
    struct mw_lua_path path; /* keys on the stack of `to` */
    bool is_data;            /* may hold connections */
};

/* ---- what is left out ---- */

static void warn(struct carry *c, const char *path, const char *why)
{
    char text[512];
    struct mw_app *to = c->to;
    c->told->left_out++;
    if (c->told->left_out > MAX_WARNINGS)
        return;
    int len = snprintf(text, sizeof(text), "%.300s is not carried over: %s", path, why);
    to->host->log(to->host_app, MW_LOG_WARN, c->from->live->number, 0, mw_view(text, (size_t)len),
                  NULL, 0);
}

/* Always false. May raise. */
static bool leave_out(struct carry *c, lua_State *L, const char *why)
{
    mw_lua_path_push(&c->path, L, c->root);
    warn(c, lua_tostring(L, -1), why);
    lua_pop(L, 1);
    return false;
}

/* ---- what was copied already ---- */

/* Pushes the copy of the object on top of `out`, or nothing. */
static bool push_seen(struct carry *c, lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->seen);
    bool is_there = lua_rawgetp(L, -1, lua_topointer(c->out, -1)) != LUA_TNIL;
    lua_remove(L, -2);
    if (!is_there)
        lua_pop(L, 1);
    return is_there;
}

/* The object on top is the copy. First into the list: it is what a failure is undone by. */
static void note_seen(struct carry *c, lua_State *L)
{
    const void *address = lua_topointer(c->out, -1);
    int copy = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->made);
    lua_pushlightuserdata(L, (void *)(uintptr_t)address);
    lua_rawseti(L, -2, c->made_count + 1);
    c->made_count++;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->seen);
    lua_pushvalue(L, copy);
    lua_rawsetp(L, -2, address);
    lua_settop(L, copy);
}

/* A piece has failed: its half-made tables are nobody's. Sets fields to nil only: cannot fail. */
static void forget_made(struct carry *c, lua_Integer before)
{
    lua_State *L = c->to->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->seen);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->made);
    for (; c->made_count > before; c->made_count--) {
        lua_rawgeti(L, -1, c->made_count);
        lua_pushnil(L);
        lua_rawsetp(L, -4, lua_touserdata(L, -2));
        lua_pop(L, 1);
        lua_pushnil(L);
        lua_rawseti(L, -2, c->made_count);
    }
    lua_pop(L, 2);
}

/* ---- one value: from the top of `out` to the top of L; false: nothing was pushed ---- */

static bool copy_value(struct carry *c, lua_State *L);

static void copy_text(struct carry *c, lua_State *L)
{
    struct mw_view text = mw_lua_view(c->out, -1);
    if (text.len > LONG_TEXT && push_seen(c, L))
        return;
    mw_lua_push_view(L, text);
    if (text.len > LONG_TEXT)
        note_seen(c, L);
}

/* The field at the top of `out`, into the table on top. */
static void copy_field(struct carry *c, lua_State *L)
{
    int table = lua_gettop(L), *key_at = &c->path.key_at[c->path.depth - 1];
    const char *objection = mw_lua_plain_key_objection(c->out, lua_gettop(c->out) - 1);
    *key_at = 0;
    if (objection) {
        (void)leave_out(c, L, objection);
        return;
    }
    lua_pushvalue(c->out, -2);
    (void)copy_value(c, L); /* of a key: always there */
    lua_pop(c->out, 1);
    *key_at = table + 1;
    if (copy_value(c, L))
        lua_rawset(L, table);
}

static void copy_fields(struct carry *c, lua_State *L)
{
    int table = lua_gettop(L);
    lua_pushnil(c->out);
    while (lua_next(c->out, -2)) {
        copy_field(c, L);
        lua_settop(L, table);
        lua_pop(c->out, 1);
    }
}

static void mark_array(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.array_meta);
    lua_setmetatable(L, -2);
}

static bool copy_table(struct carry *c, lua_State *L)
{
    if (push_seen(c, L))
        return true;
    lua_Unsigned length = lua_rawlen(c->out, -1);
    lua_createtable(L, length < INT_MAX ? (int)length : 0, 0);
    if (!mw_lua_path_enter(&c->path, L, lua_gettop(L))) {
        lua_pop(L, 1);
        return leave_out(c, L, "nested deeper than 100 levels");
    }
    note_seen(c, L);
    if (mw_lua_is_marked_array(c->out, -1))
        mark_array(L);
    copy_fields(c, L);
    mw_lua_path_leave(&c->path);
    return true;
}

/* json.null, and in the data of a connection another one. */
static bool copy_object(struct carry *c, lua_State *L)
{
    const struct mw_lua_conn *conn = mw_lua_conn_at(c->out, -1);
    if (!conn)
        lua_rawgeti(L, LUA_REGISTRYINDEX, c->to->refs.null);
    return !conn || mw_lua_conn_push(L, conn->id) || leave_out(c, L, "that connection has ended");
}

static const char *objection_to(const struct carry *c)
{
    int top = lua_gettop(c->out);
    return c->is_data && mw_lua_conn_at(c->out, top) ? NULL : mw_lua_plain_objection(c->out, top);
}

static bool copy_value(struct carry *c, lua_State *L)
{
    const char *objection = objection_to(c);
    luaL_checkstack(L, 12, NULL);
    if (objection)
        return leave_out(c, L, objection);
    switch (lua_type(c->out, -1)) {
    case LUA_TBOOLEAN:
        lua_pushboolean(L, lua_toboolean(c->out, -1));
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(c->out, -1))
            lua_pushinteger(L, lua_tointeger(c->out, -1));
        else
            lua_pushnumber(L, lua_tonumber(c->out, -1));
        return true;
    case LUA_TSTRING:
        copy_text(c, L);
        return true;
    case LUA_TTABLE:
        return copy_table(c, L);
    case LUA_TUSERDATA:
        return copy_object(c, L);
    default:
        return leave_out(c, L, "it is no plain data");
    }
}

/* ---- pieces ---- */

/* Runs `body` for what stands on top of `out`, which is as it was afterwards. */
static bool carry_piece(struct carry *c, lua_CFunction body)
{
    int top = lua_gettop(c->out);
    lua_Integer before = c->made_count;
    int err = mw_lua_try(c->to->L, body, c);
    lua_settop(c->out, top);
    if (err == MW_OK)
        return true;
    forget_made(c, before);
    lua_gc(c->to->L, LUA_GCCOLLECT, 0);
    return false;
}

/* `out`: key, value. */
static int carry_key(lua_State *L)
{
    struct carry *c = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->to->refs.state);
    c->path.depth = 0;
    lua_pushvalue(c->out, -2);
    (void)copy_value(c, L);
    lua_pop(c->out, 1);
    c->path.depth = 1;
    c->path.key_at[0] = lua_gettop(L);
    if (copy_value(c, L)) {
        lua_rawset(L, 2);
        c->told->keys++;
    }
    return 0;
}

/* Names a key that does not fit as far as that takes no memory. */
static void name_key(const struct carry *c, char *out, size_t size)
{
    struct mw_view text = mw_view(NULL, 0);
    if (lua_type(c->out, -2) == LUA_TSTRING)
        text = mw_lua_view(c->out, -2);
    if (mw_lua_is_identifier(text))
        snprintf(out, size, "state.%.*s", text.len < 200 ? (int)text.len : 200, text.data);
    else
        snprintf(out, size, "a key of state");
}

static void carry_state(struct carry *c)
{
    char name[256];
    snprintf(c->root, sizeof(c->root), "state");
    lua_rawgeti(c->out, LUA_REGISTRYINDEX, c->from->refs.state);
    lua_pushnil(c->out);
    while (lua_next(c->out, -2)) {
        c->told->all_keys++;
        if (!carry_piece(c, carry_key)) {
            name_key(c, name, sizeof(name));
            warn(c, name, "there is no memory for it beside the rest");
        }
        lua_pop(c->out, 1);
    }
    lua_pop(c->out, 1);
}

/* `out`: the connection. */
static int carry_value(lua_State *L, enum mw_lua_conn_value which)
{
    struct carry *c = lua_touserdata(L, 1);
    const struct mw_lua_conn *conn = mw_lua_conn_at(c->out, -1);
    c->path.depth = 0;
    if (lua_getiuservalue(c->out, -1, which) != LUA_TTABLE || !mw_lua_conn_push(L, conn->id))
        return 0;
    if (copy_value(c, L))
        lua_setiuservalue(L, 2, which);
    return 0;
}

static int carry_data(lua_State *L)
{
    return carry_value(L, MW_LUA_CONN_DATA);
}

static int carry_facts(lua_State *L)
{
    return carry_value(L, MW_LUA_CONN_FACTS);
}

static void carry_conn_values(struct carry *c)
{
    char id[MW_LUA_ID_BYTES];
    lua_rawgeti(c->out, LUA_REGISTRYINDEX, c->from->refs.conns);
    lua_pushnil(c->out);
    while (lua_next(c->out, -2)) {
        const struct mw_lua_conn *conn = mw_lua_conn_at(c->out, -1);
        mw_lua_id_text(conn->id, id);
        snprintf(c->root, sizeof(c->root), "conn %s.data", id);
        c->is_data = true;
        if (!carry_piece(c, carry_data))
            warn(c, c->root, "there is no memory for it beside the rest");
        if (conn->is_over) /* of others the host is asked */
            (void)carry_piece(c, carry_facts);
        lua_pop(c->out, 1);
    }
    lua_pop(c->out, 1);
}

/* ---- what must not be missing ---- */

static int carry_conns(lua_State *L)
{
    struct carry *c = lua_touserdata(L, 1);
    lua_rawgeti(c->out, LUA_REGISTRYINDEX, c->from->refs.conns);
    lua_pushnil(c->out);
    while (lua_next(c->out, -2)) {
        const struct mw_lua_conn *old = mw_lua_conn_at(c->out, -1);
        struct mw_lua_conn *conn = mw_lua_conn_new(L, old->id);
        conn->is_accepted = old->is_accepted;
        conn->is_over = old->is_over;
        c->told->conns += !old->is_over;
        lua_settop(L, 1);
        lua_pop(c->out, 1);
    }
    return 0;
}

/* Those that no script has seen have nothing to carry, and stay as well. */
static void count_unseen(struct carry *c)
{
    const struct mw_app *from = c->from;
    mw_id id = 0;
    while ((id = from->host->next_conn(from->host_app, id)))
        c->told->conns += !mw_lua_conn_find(c->from, id);
}

static int open_tables(lua_State *L)
{
    struct carry *c = lua_touserdata(L, 1);
    lua_newtable(L);
    c->seen = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    c->made = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void carry_owed(struct carry *c)
{
    const struct mw_link *owed = &c->from->owed;
    for (const struct mw_link *link = owed->next; link != owed; link = link->next) {
        const struct mw_lua_owed *end = MW_OWNER(link, struct mw_lua_owed, link);
        if (mw_lua_owed_put(c->to, end->conn, &end->end))
            continue;
        c->to->lost_closes++;
        mw_lua_conn_end(c->to, mw_lua_conn_find(c->to, end->conn));
    }
}

static void carry_counts(const struct mw_app *from, struct mw_app *to)
{
    to->carried_from = from->live->number;
    to->lost_closes = from->lost_closes;
    to->lost_before = from->lost_before;
    to->call_count = from->call_count;
    to->slow_count = from->slow_count;
    to->slow_calls = from->slow_calls;
    to->slow_quiet_until = from->slow_quiet_until;
}

/* ---- all of it ---- */

/* A table, its key and a value for each level, and some; not from the old app's cap: it is full. */
static bool make_room(struct mw_app *from)
{
    size_t cap = from->mem.max_bytes;
    from->mem.max_bytes = 0;
    bool has_room = lua_checkstack(from->L, 2 * MW_BOUND_JSON_DEPTH + 20);
    from->mem.max_bytes = cap;
    return has_room;
}

int mw_lua_carry(struct mw_app *from, struct mw_app *to, struct mw_carried *told)
{
    struct carry c = { .from = from, .to = to, .out = from->L, .told = told };
    size_t cap = to->mem.max_bytes;
    int top = lua_gettop(c.out);
    *told = (struct mw_carried){ 0 };
    c.seen = c.made = LUA_NOREF;
    if (!make_room(from) || mw_lua_try(to->L, open_tables, &c) != MW_OK)
        return MW_ERR_NOMEM;
    int err = mw_lua_try(to->L, carry_conns, &c);
    lua_settop(c.out, top);
    if (err != MW_OK)
        return MW_ERR_NOMEM;
    count_unseen(&c);
    carry_counts(from, to);
    carry_owed(&c);
    to->mem.max_bytes = cap / 4 * 3;
    carry_state(&c);
    carry_conn_values(&c);
    to->mem.max_bytes = cap;
    luaL_unref(to->L, LUA_REGISTRYINDEX, c.made);
    luaL_unref(to->L, LUA_REGISTRYINDEX, c.seen);
    return MW_OK;
}
