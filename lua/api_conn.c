/*
 * The methods of `conn`. Each checks all its arguments, then asks the host once. A connection that
 * is over is an answer, nil and "closed", and no error: it may end at any time.
 */
#include "core/base/err.h"
#include "lua/advice.h"
#include "lua/conn.h"
#include "lua/payload.h"
#include "lua/remote.h"
#include "lua/subscribe.h"

static int answer(lua_State *L, const char *reason)
{
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

/* What most methods return for an answer of the host. */
static int answer_host(lua_State *L, const char *who, int err)
{
    if (err == MW_ERR_DROPPED)
        return answer(L, "dropped");
    if (err == MW_ERR_CLOSED || err == MW_ERR_GONE)
        return answer(L, "closed");
    mw_lua_raise_host_error(L, who, err);
    if (err < 0)
        return luaL_error(L, "%s: %s", who, mw_err_text(err));
    lua_pushboolean(L, true);
    return 1;
}

/* conn:send(data[, opts]) -> true | nil, "closed" | nil, "dropped" */
static int conn_send(lua_State *L)
{
    mw_id id = mw_lua_target_check(L, "send");
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_payload payload;
    mw_lua_payload_check(L, 2, "conn:send", &payload);
    mw_lua_check_acting(L, "conn:send");
    if (!id)
        return answer(L, "closed");
    mw_lua_payload_admit(L, "conn:send", payload.data.len);
    int err = app->host->send(app->host_app, id, payload.kind, payload.data,
                              mw_lua_payload_how(&payload));
    mw_lua_payload_sent(L, 1);
    if (err == MW_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    return err == MW_ERR_QUOTA ? answer(L, "dropped") : answer_host(L, "conn:send", err);
}

/* conn:close([code[, reason[, advice]]]) -> true | nil, "closed" */
static int conn_close(lua_State *L)
{
    mw_id id = mw_lua_target_check(L, "close");
    struct mw_app *app = mw_lua_app(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    struct mw_view reason = { 0 };
    if (!lua_isnoneornil(L, 3))
        reason = mw_lua_check_text(L, 3);
    bool is_number = code >= 0 && code <= 65535;
    const char *refusal =
        is_number ? app->host->code_refusal((unsigned)code) : "close codes have four digits";
    if (refusal)
        return luaL_error(L, "conn:close: %I: %s", (LUAI_UACINT)code, refusal);
    struct mw_advice advice;
    const char *wrong = mw_lua_advice_read(L, 4, &advice);
    if (wrong)
        return luaL_error(L, "conn:close: %s", wrong);
    mw_lua_check_acting(L, "conn:close");
    if (!id)
        return answer(L, "closed");
    int err = app->host->close(app->host_app, id, (unsigned)code, reason,
                               advice.kind == MW_ADVICE_NONE ? NULL : &advice);
    if (err == MW_ERR_BAD_UTF8)
        return luaL_error(L, "conn:close: the reason must be UTF-8");
    return answer_host(L, "conn:close", err);
}

/* conn:ping() -> true | nil, "closed" */
static int conn_ping(lua_State *L)
{
    struct mw_lua_conn *conn = mw_lua_conn_check(L, "ping");
    struct mw_app *app = mw_lua_app(L);
    mw_lua_check_acting(L, "conn:ping");
    if (conn->is_over)
        return answer(L, "closed");
    mw_lua_payload_admit(L, "conn:ping", 0);
    mw_lua_payload_sent(L, 1);
    return answer_host(L, "conn:ping", app->host->ping(app->host_app, conn->id));
}

/* conn:subscribe(topic[, opts]) -> was it new?[, info] */
static int conn_subscribe(lua_State *L)
{
    struct mw_lua_conn *conn = mw_lua_conn_check(L, "subscribe");
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 2);
    struct mw_subscribe_how how;
    struct mw_subscribed told = { 0 };
    bool has_options = mw_lua_subscribe_options(L, 3, &how);
    mw_lua_check_acting(L, "conn:subscribe");
    if (conn->is_over)
        return answer(L, "closed");
    if (has_options)
        mw_lua_payload_admit(L, "conn:subscribe", 0);
    int changed =
        app->host->subscribe(app->host_app, conn->id, topic, has_options ? &how : NULL, &told);
    if (changed < 0)
        return answer_host(L, "conn:subscribe", changed);
    lua_pushboolean(L, changed);
    if (!has_options)
        return 1;
    mw_lua_payload_sent(L, told.replayed);
    mw_lua_subscribe_push(L, &told);
    return 2;
}

/* conn:unsubscribe(topic) -> was it there? */
static int conn_unsubscribe(lua_State *L)
{
    struct mw_lua_conn *conn = mw_lua_conn_check(L, "unsubscribe");
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 2);
    mw_lua_check_acting(L, "conn:unsubscribe");
    if (conn->is_over)
        return answer(L, "closed");
    int changed = app->host->unsubscribe(app->host_app, conn->id, topic);
    if (changed < 0)
        return answer_host(L, "conn:unsubscribe", changed);
    lua_pushboolean(L, changed);
    return 1;
}

/* conn:topics() -> list */
static int conn_topics(lua_State *L)
{
    struct mw_lua_conn *conn = mw_lua_conn_check(L, "topics");
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic;
    if (conn->is_over)
        return answer(L, "closed");
    lua_newtable(L);
    for (size_t n = 0; app->host->topic_at(app->host_app, conn->id, n, &topic); n++) {
        mw_lua_push_view(L, topic);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    return 1;
}

/* conn:publish(topic, data[, opts]) -> receivers but this one[, offset] */
static int conn_publish(lua_State *L)
{
    struct mw_lua_conn *conn = mw_lua_conn_check(L, "publish");
    struct mw_app *app = mw_lua_app(L);
    struct mw_view topic = mw_lua_check_text(L, 2);
    struct mw_lua_payload payload;
    mw_lua_payload_check(L, 3, "conn:publish", &payload);
    mw_lua_check_acting(L, "conn:publish");
    if (conn->is_over)
        return answer(L, "closed");
    mw_lua_payload_admit(L, "conn:publish", payload.data.len);
    uint64_t offset = 0;
    long receivers = app->host->publish(app->host_app, topic, payload.kind, payload.data, conn->id,
                                        mw_lua_payload_how(&payload), &offset);
    mw_lua_payload_sent(L, receivers);
    if (receivers < 0)
        return answer_host(L, "conn:publish", (int)receivers);
    return mw_lua_payload_answer(L, receivers, offset);
}

const luaL_Reg mw_lua_conn_methods[] = {
#define MW_CONN_FIELD(name)
#define MW_CONN_METHOD(name) { #name, conn_##name },
#include "lua/conn.def"
#undef MW_CONN_FIELD
#undef MW_CONN_METHOD
    { NULL, NULL },
};
