/* publish, connection and connections: what a script can reach beyond the connection at hand. */
#include "lua/api.h"

#include "core/base/err.h"
#include "lua/conn.h"
#include "lua/payload.h"

/* publish(topic, data[, opts]) -> number of local receivers */
static int publish(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 1);
    struct mw_lua_payload payload;
    mw_lua_payload_check(L, 2, "publish", &payload);
    mw_lua_check_acting(L, "publish");
    mw_lua_payload_admit(L, "publish", payload.data.len);
    long receivers = app->host->publish(app->host_app, topic, payload.kind, payload.data, 0,
                                        mw_lua_payload_how(&payload));
    mw_lua_payload_sent(L, receivers);
    if (receivers < 0) {
        mw_lua_raise_host_error(L, "publish", (int)receivers);
        return luaL_error(L, "publish: %s", mw_err_text((int)receivers));
    }
    lua_pushinteger(L, receivers);
    return 1;
}

/* connection(id) -> conn or nil */
static int connection(lua_State *L)
{
    mw_lua_check_acting(L, "connection");
    mw_id id = mw_lua_id_parse(mw_lua_check_text(L, 1));
    if (!id || !mw_lua_conn_push(L, id))
        lua_pushnil(L);
    return 1;
}

/*
 * The iterator of connections(). Its control value is the connection before; upvalue 1 is that
 * one's id, since ids have more bits than a float and the connection may be gone by now.
 */
static int next_connection(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    mw_id id = (mw_id)lua_tointeger(L, lua_upvalueindex(1));
    do {
        id = app->host->next_conn(app->host_app, id);
    } while (id && !mw_lua_conn_push(L, id));
    lua_pushinteger(L, (lua_Integer)id);
    lua_replace(L, lua_upvalueindex(1));
    if (!id)
        lua_pushnil(L);
    return 1;
}

/* for conn in connections() do ... end */
static int connections(lua_State *L)
{
    mw_lua_check_acting(L, "connections");
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_connection, 1);
    return 1;
}

const luaL_Reg mw_lua_topic_functions[] = {
    { "publish", publish },
    { "connection", connection },
    { "connections", connections },
    { NULL, NULL },
};
