/*
 * decide_close and advise_reconnect as calls. What they return is checked here; a mistake is the
 * script's fault, told with the place of the handler, and the server does what it would have done
 * without it.
 */
#include "lua/decide.h"

#include "core/base/utf8.h"
#include "lua/advice.h"
#include "lua/conn.h"
#include "lua/events.h"
#include "lua/sched.h"
#include "lua/text.h"
#include "lua/version.h"
#include "moonwire/bounds.h"

/* What goes in and comes out of a call. */
struct question {
    const struct mw_end *end;
    bool is_answered;
    struct mw_farewell said;
};

/* The handler has returned, so no frame of it says where it stands. Raises. */
static int complain(lua_State *L, const struct mw_lua_call *call, enum mw_lua_handler handler,
                    const char *what)
{
    lua_Debug ar;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->version->handlers[handler]);
    lua_getinfo(L, ">S", &ar);
    if (ar.linedefined > 0)
        return luaL_error(L, "%s:%d: %s %s", ar.short_src, ar.linedefined, call->kind->name, what);
    return luaL_error(L, "%s %s", call->kind->name, what);
}

static struct question *question(lua_State *L)
{
    return mw_lua_app(L)->question;
}

/* ---- decide_close ---- */

static int push_decide(lua_State *L, struct mw_lua_call *call, void *input)
{
    struct question *asked = input;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->version->handlers[MW_LUA_DECIDE_CLOSE]);
    if (!mw_lua_conn_show(L, call->conn))
        return -1;
    mw_lua_push_view(L, mw_view_text(asked->end->cause));
    mw_lua_push_end_info(L, asked->end);
    return 3;
}

static unsigned read_code(lua_State *L, const struct mw_lua_call *call)
{
    int is_integer = 0;
    lua_Integer code = lua_tointegerx(L, 1, &is_integer);
    if (lua_type(L, 1) != LUA_TNUMBER || !is_integer)
        complain(L, call, MW_LUA_DECIDE_CLOSE,
                 lua_pushfstring(L,
                                 "returned a %s (%s): return code[, reason[, advice]], or nothing "
                                 "for the default",
                                 luaL_typename(L, 1), mw_lua_push_plain(L, 1)));
    bool is_short = code >= 0 && code <= 65535;
    const char *refusal = is_short ? mw_lua_app(L)->host->code_refusal((unsigned)code)
                                   : "close codes have four digits";
    if (refusal)
        complain(L, call, MW_LUA_DECIDE_CLOSE,
                 lua_pushfstring(L, "returned %I: %s", (LUAI_UACINT)code, refusal));
    return (unsigned)code;
}

/* Without one the text of the default stays: it says what has happened. */
static struct mw_view read_reason(lua_State *L, const struct mw_lua_call *call)
{
    if (lua_isnil(L, 2))
        return question(L)->end->reason;
    if (lua_type(L, 2) != LUA_TSTRING)
        complain(L, call, MW_LUA_DECIDE_CLOSE,
                 lua_pushfstring(L, "returned a %s as its reason: a string, or nil for the default",
                                 luaL_typename(L, 2)));
    struct mw_view text = mw_lua_view(L, 2);
    if (!mw_utf8_valid(text)) /* RFC 6455 5.5.1 */
        complain(L, call, MW_LUA_DECIDE_CLOSE, "returned a reason that is not UTF-8");
    return text;
}

static void read_decide(lua_State *L, struct mw_lua_call *call)
{
    struct question *asked = question(L);
    lua_settop(L, 3);
    if (lua_isnil(L, 1) && lua_isnil(L, 2) && lua_isnil(L, 3))
        return;
    struct mw_farewell said = { .code = read_code(L, call), .reason = read_reason(L, call) };
    const char *wrong = mw_lua_advice_read(L, 3, &said.advice);
    if (wrong)
        complain(L, call, MW_LUA_DECIDE_CLOSE, wrong);
    said.reason = mw_lua_keep_reason(L, mw_utf8_cut(said.reason, MW_BOUND_REFUSAL_BYTES));
    asked->said = said;
    asked->is_answered = true;
}

static const struct mw_lua_call_kind decide_kind = {
    .name = "decide_close", /* cannot wait: the peer does */
    .results = LUA_MULTRET,
    .push = push_decide,
    .read = read_decide,
};

/* ---- advise_reconnect ---- */

static int push_advise(lua_State *L, struct mw_lua_call *call, void *input)
{
    struct question *asked = input;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->version->handlers[MW_LUA_ADVISE_RECONNECT]);
    if (!mw_lua_conn_show(L, call->conn))
        return -1;
    lua_pushinteger(L, asked->end->code);
    mw_lua_push_end_info(L, asked->end);
    return 3;
}

static void read_advise(lua_State *L, struct mw_lua_call *call)
{
    struct question *asked = question(L);
    struct mw_advice advice;
    lua_settop(L, 1);
    const char *wrong = mw_lua_advice_read(L, 1, &advice);
    if (wrong)
        complain(L, call, MW_LUA_ADVISE_RECONNECT, lua_pushfstring(L, "returned: %s", wrong));
    asked->said.advice = advice;
    asked->is_answered = true;
}

static const struct mw_lua_call_kind advise_kind = {
    .name = "advise_reconnect",
    .results = LUA_MULTRET,
    .push = push_advise,
    .read = read_advise,
};

/* ---- both ---- */

static bool ask(struct mw_app *app, const struct mw_lua_call_kind *kind, mw_id conn,
                struct question *question)
{
    app->question = question;
    enum mw_app_result result = mw_lua_call(app, kind, app->live, conn, question);
    app->question = NULL;
    return result == MW_APP_DONE && question->is_answered;
}

bool mw_lua_event_decide(struct mw_app *app, mw_id conn, const struct mw_end *end,
                         struct mw_farewell *said)
{
    struct question question = { .end = end };
    if (!mw_lua_version_has(app->live, MW_LUA_DECIDE_CLOSE) ||
        !ask(app, &decide_kind, conn, &question))
        return false;
    *said = question.said;
    return true;
}

struct mw_advice mw_lua_event_advise(struct mw_app *app, mw_id conn, const struct mw_end *end)
{
    static const struct mw_advice silence = { 0 };
    struct question question = { .end = end };
    if (!mw_lua_version_has(app->live, MW_LUA_ADVISE_RECONNECT) ||
        !ask(app, &advise_kind, conn, &question))
        return silence;
    return question.said.advice;
}
