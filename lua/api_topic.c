/* publish, members, connection and connections: what a script can reach beyond the connection at
 * hand. */
#include "lua/api.h"

#include "core/base/err.h"
#include "lua/conn.h"
#include "lua/mod_json.h"
#include "lua/payload.h"
#include "lua/remote.h"

/* publish(topic, data[, opts]) -> number of local receivers[, offset] */
static int publish(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 1);
    struct mw_lua_payload payload;
    mw_lua_payload_check(L, 2, "publish", &payload);
    mw_lua_check_acting(L, "publish");
    mw_lua_payload_admit(L, "publish", payload.data.len);
    uint64_t offset = 0;
    long receivers = app->host->publish(app->host_app, topic, payload.kind, payload.data, 0,
                                        mw_lua_payload_how(&payload), &offset);
    mw_lua_payload_sent(L, receivers);
    if (receivers < 0) {
        mw_lua_raise_host_error(L, "publish", (int)receivers);
        return luaL_error(L, "publish: %s", mw_err_text((int)receivers));
    }
    return mw_lua_payload_answer(L, receivers, offset);
}

/* ---- members ---- */

/* Before each presence in the buffer. */
struct record {
    mw_id id;
    size_t presence_len;
};

static int put_member(void *ctx, mw_id id, struct mw_view presence)
{
    struct record record = { id, presence.len };
    int err = mw_buf_put(ctx, &record, sizeof(record));
    return err ? err : mw_buf_put_view(ctx, presence);
}

/* Takes one off the front of *left; gives { id =, presence = }. */
static void push_member(lua_State *L, struct mw_view *left)
{
    struct record record;
    struct mw_json_error ignored;
    char id[MW_LUA_ID_BYTES];
    memcpy(&record, left->data, sizeof(record));
    struct mw_view presence = mw_view(left->data + sizeof(record), record.presence_len);
    size_t taken = sizeof(record) + record.presence_len;
    *left = mw_view(left->data + taken, left->len - taken);
    lua_createtable(L, 0, 2);
    mw_lua_id_text(record.id, id);
    mw_lua_set_text(L, "id", mw_view_text(id));
    if (presence.len == 0 || !mw_lua_json_read(L, presence, &ignored))
        return;
    lua_setfield(L, -2, "presence");
}

/* members(topic) -> list of { id =, presence = }, number of all */
static int members(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 1);
    struct mw_buf *buf = &app->scratch;
    size_t total = 0;
    mw_lua_check_acting(L, "members");
    mw_buf_clear(buf);
    int err = app->host->members(app->host_app, topic, put_member, buf, &total);
    if (err) {
        mw_lua_raise_host_error(L, "members", err);
        return luaL_error(L, "members: %s", mw_err_text(err));
    }
    struct mw_view left = mw_buf_view(buf);
    lua_newtable(L);
    for (lua_Integer n = 1; left.len > 0; n++) {
        push_member(L, &left);
        lua_rawseti(L, -2, n);
    }
    lua_pushinteger(L, (lua_Integer)total);
    return 2;
}

/* ---- connections ---- */

/* connection(id) -> conn or nil */
static int connection(lua_State *L)
{
    mw_lua_check_acting(L, "connection");
    struct mw_app *app = mw_lua_app(L);
    mw_id id = mw_lua_id_parse(mw_lua_check_text(L, 1));
    if (id && mw_lua_conn_show(L, id))
        return 1;
    if (id && app->host->is_elsewhere(app->host_app, id))
        mw_lua_remote_push(L, id);
    else
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
    } while (id && !mw_lua_conn_show(L, id));
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
    { "publish", publish },         { "members", members }, { "connection", connection },
    { "connections", connections }, { NULL, NULL },
};
