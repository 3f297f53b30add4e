/* Handles of connections on other workers. They hold an id and nothing else. */
#include "lua/remote.h"

#include "lua/text.h"

static const char *const remote_kind = "remote conn";

struct remote {
    struct mw_lua_object object;
    mw_id id;
};

/* These go by mail; whatever else is asked of a connection has to be asked where it is. */
static const char *const by_mail[] = { "send", "close" };

static int far_away(lua_State *L)
{
    return luaL_error(L,
                      "conn:%s: this connection is on another worker, where send and close reach "
                      "it: publish to a topic, or set M.affinity, to do more",
                      lua_tostring(L, lua_upvalueindex(1)));
}

/* Upvalue 1: name -> method. */
static int get_field(lua_State *L)
{
    const struct remote *remote = lua_touserdata(L, 1);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "id") == 0) {
        char text[MW_LUA_ID_BYTES];
        mw_lua_id_text(remote->id, text);
        lua_pushstring(L, text);
    } else if (strcmp(name, "remote") == 0) {
        lua_pushboolean(L, true);
    } else {
        lua_settop(L, 2);
        lua_rawget(L, lua_upvalueindex(1));
    }
    return 1;
}

static int set_field(lua_State *L)
{
    return luaL_error(L, "conn.%s cannot be set: this connection is on another worker",
                      mw_lua_push_plain(L, 2));
}

static int to_text(lua_State *L)
{
    const struct remote *remote = lua_touserdata(L, 1);
    char id[MW_LUA_ID_BYTES];
    mw_lua_id_text(remote->id, id);
    lua_pushfstring(L, "conn %s (remote)", id);
    return 1;
}

static int is_equal(lua_State *L)
{
    const struct remote *a = mw_lua_object_at(L, 1, &remote_kind);
    const struct remote *b = mw_lua_object_at(L, 2, &remote_kind);
    lua_pushboolean(L, a && b && a->id == b->id);
    return 1;
}

static bool goes_by_mail(const char *method)
{
    for (size_t i = 0; i < MW_COUNT(by_mail); i++) {
        if (strcmp(by_mail[i], method) == 0)
            return true;
    }
    return false;
}

static void push_methods(lua_State *L)
{
    lua_newtable(L);
    for (const luaL_Reg *method = mw_lua_conn_methods; method->name; method++) {
        lua_pushstring(L, method->name);
        lua_pushvalue(L, -1);
        lua_pushcclosure(L, goes_by_mail(method->name) ? method->func : far_away, 1);
        lua_rawset(L, -3);
    }
}

void mw_lua_remote_init(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__newindex", set_field },
        { "__tostring", to_text },
        { "__eq", is_equal },
        { NULL, NULL },
    };
    mw_lua_push_meta(L, remote_kind, meta);
    push_methods(L);
    lua_pushcclosure(L, get_field, 1);
    lua_setfield(L, -2, "__index");
    mw_lua_app(L)->refs.remote_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

void mw_lua_remote_push(lua_State *L, mw_id id)
{
    struct remote *remote = lua_newuserdatauv(L, sizeof(*remote), 0);
    *remote = (struct remote){ { &remote_kind }, id };
    lua_rawgeti(L, LUA_REGISTRYINDEX, mw_lua_app(L)->refs.remote_meta);
    lua_setmetatable(L, -2);
}

mw_id mw_lua_target_check(lua_State *L, const char *method)
{
    const struct mw_lua_conn *conn = mw_lua_conn_at(L, 1);
    if (conn)
        return conn->is_over ? 0 : conn->id;
    const struct remote *remote = mw_lua_object_at(L, 1, &remote_kind);
    return remote ? remote->id : mw_lua_conn_check(L, method)->id; /* which raises */
}
