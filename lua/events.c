/*
 * Handlers and their arguments. Each event is a struct mw_lua_call_kind: what to push, what to read
 * back, whom to tell when a call that waited is over.
 *
 * on_message is the hot path: registry look-ups, the string, and a coroutine of the pool, which the
 * messages behind it share.
 */
#include "lua/events.h"

#include "core/base/cpu_tick.h"
#include <stdio.h>

#include "core/base/utf8.h"
#include "lua/budget.h"
#include "lua/conn.h"
#include "lua/mod_json.h"
#include "lua/owed.h"
#include "lua/req.h"
#include "lua/sched.h"
#include "lua/text.h"
#include "lua/version.h"
#include "moonwire/bounds.h"

/* CPU time for all on_close that are still owed when a script ends. */
#define MAX_STOP_US UINT64_C(1000000)

static void push_handler(lua_State *L, const struct mw_lua_call *call, enum mw_lua_handler handler)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->version->handlers[handler]);
}

/* ---- on_start, on_stop ---- */

static int push_start(lua_State *L, struct mw_lua_call *call, void *input)
{
    (void)input;
    push_handler(L, call, MW_LUA_ON_START);
    return 0;
}

static int push_stop(lua_State *L, struct mw_lua_call *call, void *input)
{
    (void)input;
    push_handler(L, call, MW_LUA_ON_STOP);
    return 0;
}

static const struct mw_lua_call_kind start_kind = {
    .name = "on_start",
    .may_wait = true,
    .push = push_start,
};

static const struct mw_lua_call_kind stop_kind = {
    .name = "on_stop", /* cannot wait: nothing comes after it */
    .push = push_stop,
};

static void close_owed(struct mw_app *app, struct mw_lua_owed *owed);

enum mw_app_result mw_lua_event_start(struct mw_app *app)
{
    if (!mw_lua_version_has(app->live, MW_LUA_ON_START))
        return MW_APP_DONE;
    return mw_lua_call(app, &start_kind, app->live, 0, NULL);
}

void mw_lua_event_stop(struct mw_app *app)
{
    struct mw_lua_owed *owed;
    uint64_t start_us = mw_cpu_time_us();
    /* Nothing comes after it, so all of them; but others wait meanwhile. What is left is told of.
     */
    while (mw_cpu_time_us() - start_us < MAX_STOP_US && (owed = mw_lua_owed_take(app)))
        close_owed(app, owed);
    if (mw_lua_version_has(app->live, MW_LUA_ON_STOP))
        mw_lua_call(app, &stop_kind, app->live, 0, NULL);
}

/* ---- on_open ---- */

static int push_open(lua_State *L, struct mw_lua_call *call, void *input)
{
    const struct mw_request *request = input;
    struct mw_app *app = mw_lua_app(L);
    struct mw_conn_info info = { 0 };
    (void)app->host->info(app->host_app, request->conn, &info);
    push_handler(L, call, MW_LUA_ON_OPEN);
    struct mw_lua_conn *conn = mw_lua_conn_new(L, request->conn);
    mw_lua_call_own(call, &conn->call);
    mw_lua_req_push(L, request, &info);
    return 2;
}

struct mw_view mw_lua_keep_reason(lua_State *L, struct mw_view text)
{
    struct mw_buf *kept = &mw_lua_app(L)->verdict_text;
    mw_buf_clear(kept);
    if (mw_buf_put_view(kept, text) != MW_OK)
        mw_lua_stop_for_memory(L);
    return mw_buf_view(kept);
}

static unsigned read_code(lua_State *L, const char *handler)
{
    int is_integer = 0;
    lua_Integer code = lua_tointegerx(L, 2, &is_integer);
    if (lua_isnil(L, 2))
        return 403;
    if (lua_type(L, 2) != LUA_TNUMBER || !is_integer)
        luaL_error(L,
                   "%s returned false and a %s: the second value is an HTTP status from 400 to 599 "
                   "or a close code",
                   handler, luaL_typename(L, 2));
    if (code >= 400 && code <= 599)
        return (unsigned)code;
    if (code < 1000 || code > 4999)
        luaL_error(L,
                   "%s returned false, %I: that is neither an HTTP status from 400 to 599 nor a "
                   "close code",
                   handler, (LUAI_UACINT)code);
    const char *refusal = mw_lua_app(L)->host->code_refusal((unsigned)code);
    if (refusal)
        luaL_error(L, "%s returned false, %d: %s", handler, (int)code, refusal);
    return (unsigned)code;
}

static void read_reason(lua_State *L, const char *handler, struct mw_verdict *verdict)
{
    if (lua_isnil(L, 3))
        return;
    if (lua_type(L, 3) != LUA_TSTRING)
        luaL_error(L, "%s returned a %s as third value: it is the text of the refusal", handler,
                   luaL_typename(L, 3));
    struct mw_view text = mw_lua_view(L, 3);
    if (verdict->code >= 1000 && !mw_utf8_valid(text)) /* RFC 6455 5.5.1 */
        luaL_error(L, "%s returned a reason that is not UTF-8", handler);
    verdict->reason = mw_lua_keep_reason(L, mw_utf8_cut(text, MW_BOUND_REFUSAL_BYTES));
}

/* Nothing = accept; false[, code[, reason]] = refuse; anything else is a mistake worth a word. */
static void read_verdict(lua_State *L, struct mw_lua_call *call)
{
    struct mw_app *app = mw_lua_app(L);
    const char *handler = call->kind->name;
    bool is_silent = lua_isnoneornil(L, 1);
    lua_settop(L, 3);
    if (!is_silent && !(lua_isboolean(L, 1) && !lua_toboolean(L, 1)))
        luaL_error(L,
                   "%s returned a %s (%s): return nothing to accept, or false[, code[, reason]] to "
                   "refuse",
                   handler, luaL_typename(L, 1), mw_lua_push_plain(L, 1));
    app->verdict = (struct mw_verdict){ .accept = is_silent };
    mw_buf_clear(&app->verdict_text);
    if (!is_silent) {
        app->verdict.code = read_code(L, handler);
        read_reason(L, handler, &app->verdict);
    }
}

static void read_open(lua_State *L, struct mw_lua_call *call)
{
    struct mw_app *app = mw_lua_app(L);
    read_verdict(L, call);
    struct mw_lua_conn *conn = mw_lua_conn_find(app, call->conn);
    if (conn)
        conn->is_accepted = app->verdict.accept;
}

static void decided(struct mw_app *app, struct mw_lua_call *call, bool has_failed)
{
    app->host->finished(app->host_app, call->conn, true, has_failed ? NULL : &app->verdict);
}

static const struct mw_lua_call_kind open_kind = {
    .name = "on_open",
    .results = LUA_MULTRET,
    .may_wait = true,
    .push = push_open,
    .read = read_open,
    .ended = decided,
};

enum mw_app_result mw_lua_event_open(struct mw_app *app, const struct mw_request *request,
                                     struct mw_verdict *verdict)
{
    mw_assert(app->live);
    *verdict = app->verdict = (struct mw_verdict){ .accept = true };
    if (!mw_lua_version_has(app->live, MW_LUA_ON_OPEN))
        return MW_APP_DONE;
    enum mw_app_result result =
        mw_lua_call(app, &open_kind, app->live, request->conn, (void *)(uintptr_t)request);
    if (result == MW_APP_DONE)
        *verdict = app->verdict;
    return result;
}

/* ---- on_resume ---- */

static int push_resume(lua_State *L, struct mw_lua_call *call, void *input)
{
    const struct mw_request *request = input;
    struct mw_app *app = mw_lua_app(L);
    struct mw_conn_info info = { 0 };
    (void)app->host->info(app->host_app, request->conn, &info);
    push_handler(L, call, MW_LUA_ON_RESUME);
    struct mw_lua_conn *conn = mw_lua_conn_show(L, request->conn);
    if (!conn)
        return -1;
    mw_lua_call_own(call, &conn->call);
    mw_lua_req_push(L, request, &info);
    return 2;
}

static const struct mw_lua_call_kind resume_kind = {
    .name = "on_resume",
    .results = LUA_MULTRET,
    .may_wait = true,
    .push = push_resume,
    .read = read_verdict,
    .ended = decided,
};

enum mw_app_result mw_lua_event_resume(struct mw_app *app, const struct mw_request *request,
                                       struct mw_verdict *verdict)
{
    *verdict = app->verdict = (struct mw_verdict){ .accept = true };
    if (!mw_lua_version_has(app->live, MW_LUA_ON_RESUME))
        return MW_APP_DONE;
    enum mw_app_result result =
        mw_lua_call(app, &resume_kind, app->live, request->conn, (void *)(uintptr_t)request);
    if (result == MW_APP_DONE)
        *verdict = app->verdict;
    return result;
}

/* ---- on_message ---- */

struct message {
    struct mw_view data;
    enum mw_opcode kind;
    bool is_bad_json;
};

/* What stays below the function, for the messages that follow. */
enum { HANDLER_AT = 1, CONN_AT, DATA_AT };

static bool push_lasting(lua_State *L, struct mw_lua_call *call)
{
    push_handler(L, call, MW_LUA_ON_MESSAGE);
    struct mw_lua_conn *conn = mw_lua_conn_show(L, call->conn);
    if (conn)
        mw_lua_call_own(call, &conn->call);
    return conn;
}

/* A string stays where it is as long as it is at DATA_AT, whatever the script does with it. */
static bool push_data(lua_State *L, const struct mw_lua_call *call, struct message *message)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_json_error error;
    bool is_text = message->kind == MW_OPCODE_TEXT;
    if (is_text && call->version->wants_json) {
        message->is_bad_json = !mw_lua_json_read(L, message->data, &error);
        return !message->is_bad_json;
    }
    const char *copy =
        lua_pushlstring(L, message->data.data ? message->data.data : "", message->data.len);
    if (is_text && app->host->heard)
        app->host->heard(app->host_app, mw_view(copy, message->data.len));
    return true;
}

static int push_message(lua_State *L, struct mw_lua_call *call, void *input)
{
    struct message *message = input;
    const struct mw_lua_refs *refs = &mw_lua_app(L)->refs;
    if (lua_gettop(L) == 0 && !push_lasting(L, call))
        return -1;
    lua_settop(L, CONN_AT);
    if (!push_data(L, call, message))
        return -1;
    lua_pushvalue(L, HANDLER_AT);
    lua_pushvalue(L, CONN_AT);
    lua_pushvalue(L, DATA_AT);
    lua_rawgeti(L, LUA_REGISTRYINDEX, message->kind == MW_OPCODE_TEXT ? refs->text : refs->binary);
    return 3;
}

static bool message_follows(struct mw_app *app, struct mw_lua_call *call, void *input)
{
    struct message *message = input;
    const struct mw_host *host = app->host;
    return host->next_message &&
           host->next_message(app->host_app, call->conn, &message->kind, &message->data);
}

static void message_ended(struct mw_app *app, struct mw_lua_call *call, bool has_failed)
{
    (void)has_failed;
    app->host->finished(app->host_app, call->conn, false, NULL);
}

static const struct mw_lua_call_kind message_kind = {
    .name = "on_message",
    .may_wait = true,
    .push = push_message,
    .follows = message_follows,
    .ended = message_ended,
};

enum mw_app_result mw_lua_event_message(struct mw_app *app, mw_id conn, enum mw_opcode kind,
                                        struct mw_view data)
{
    struct message message = { .data = data, .kind = kind };
    if (!mw_lua_version_has(app->live, MW_LUA_ON_MESSAGE))
        return MW_APP_DONE;
    enum mw_app_result result = mw_lua_call(app, &message_kind, app->live, conn, &message);
    return message.is_bad_json ? MW_APP_BAD_JSON : result;
}

/* ---- on_drain ---- */

static int push_drain(lua_State *L, struct mw_lua_call *call, void *input)
{
    (void)input;
    push_handler(L, call, MW_LUA_ON_DRAIN);
    return mw_lua_conn_show(L, call->conn) ? 1 : -1;
}

static const struct mw_lua_call_kind drain_kind = {
    .name = "on_drain",
    .may_wait = true,
    .push = push_drain,
};

void mw_lua_event_drain(struct mw_app *app, mw_id conn)
{
    if (mw_lua_version_has(app->live, MW_LUA_ON_DRAIN))
        mw_lua_call(app, &drain_kind, app->live, conn, NULL);
}

/* ---- on_close ---- */

static void set_text_unless_empty(lua_State *L, const char *key, struct mw_view text)
{
    if (text.len > 0)
        mw_lua_set_text(L, key, text);
}

void mw_lua_push_end_info(lua_State *L, const struct mw_end *end)
{
    lua_createtable(L, 0, 11);
    mw_lua_set_text(L, "who", mw_view_text(end->who));
    mw_lua_set_text(L, "cause", mw_view_text(end->cause));
    set_text_unless_empty(L, "rule", mw_view_text(end->rule));
    set_text_unless_empty(L, "detail", end->detail);
    set_text_unless_empty(L, "bytes", end->bytes);
    mw_lua_set_number(L, "lasted", end->lasted_s);
    mw_lua_set_number(L, "silent", end->silent_s);
    mw_lua_set_integer(L, "sent", (int64_t)end->sent);
    mw_lua_set_integer(L, "received", (int64_t)end->received);
    mw_lua_set_integer(L, "pings_unanswered", end->pings_unanswered);
    mw_lua_set_bool(L, "clean", end->clean);
}

static int push_close(lua_State *L, struct mw_lua_call *call, void *input)
{
    const struct mw_end *end = input;
    push_handler(L, call, MW_LUA_ON_CLOSE);
    if (!mw_lua_conn_show(L, call->conn))
        return -1;
    lua_pushinteger(L, end->code);
    mw_lua_push_view(L, end->reason);
    mw_lua_push_end_info(L, end);
    return 4;
}

static const struct mw_lua_call_kind close_kind = {
    .name = "on_close",
    .may_wait = true,
    .push = push_close,
};

static void call_close(struct mw_app *app, mw_id id, const struct mw_end *end)
{
    if (mw_lua_version_has(app->live, MW_LUA_ON_CLOSE))
        mw_lua_call(app, &close_kind, app->live, id, (void *)(uintptr_t)end);
}

/* While it is paused the next version may have an on_close, where this one has none. */
static bool is_put_off(struct mw_app *app)
{
    if (app->paused)
        return true;
    return mw_lua_version_has(app->live, MW_LUA_ON_CLOSE) &&
           (app->owed_count > 0 || !app->host->may_call(app->host_app));
}

/* Without memory: at once where that is possible, or never. */
static bool put_off(struct mw_app *app, mw_id id, const struct mw_end *end)
{
    struct mw_lua_conn *conn = mw_lua_conn_get(app, id);
    if (conn && mw_lua_owed_put(app, id, end)) {
        mw_lua_conn_keep(app, conn);
        return true;
    }
    app->lost_closes += app->paused;
    return false;
}

static void end_conn(struct mw_app *app, mw_id id)
{
    struct mw_lua_conn *conn = mw_lua_conn_find(app, id);
    if (conn)
        mw_lua_conn_end(app, conn);
}

void mw_lua_event_close(struct mw_app *app, mw_id id, const struct mw_end *end)
{
    struct mw_lua_conn *conn = mw_lua_conn_find(app, id);
    bool is_seen = app->paused || mw_lua_version_has(app->live, MW_LUA_ON_CLOSE);
    if (!conn && !is_seen)
        return;
    if (conn)
        mw_lua_call_disown(&conn->call);
    bool is_accepted = mw_lua_conn_is_accepted(app, id);
    if (is_accepted && is_put_off(app) && put_off(app, id, end))
        return;
    if (is_accepted && !app->paused)
        call_close(app, id, end);
    end_conn(app, id);
}

static void close_owed(struct mw_app *app, struct mw_lua_owed *owed)
{
    call_close(app, owed->conn, &owed->end);
    end_conn(app, owed->conn);
    mw_lua_owed_free(app, owed);
}

bool mw_lua_event_owed(struct mw_app *app)
{
    struct mw_lua_owed *owed;
    while ((owed = mw_lua_owed_take(app))) {
        close_owed(app, owed);
        if (!app->host->may_call(app->host_app))
            return false;
    }
    return true;
}

void mw_lua_event_tell_lost(struct mw_app *app)
{
    char text[128];
    uint64_t lost = app->lost_closes - app->lost_before;
    if (lost == 0)
        return;
    app->lost_before = app->lost_closes;
    int len = snprintf(text, sizeof(text),
                       "%llu on_close will never be called: the script had no memory to keep them",
                       (unsigned long long)lost);
    app->host->log(app->host_app, MW_LOG_WARN, app->live->number, 0, mw_view(text, (size_t)len),
                   NULL, 0);
}
