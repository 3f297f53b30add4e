/*
 * What a script wants to say, as bytes. Used by api_conn.c and api_topic.c; touches no connection.
 */
#include "lua/payload.h"

#include <string.h>

#include "core/base/err.h"
#include "lua/mod_json.h"
#include "lua/text.h"
#include "moonwire/bounds.h"

static bool read_option(lua_State *L, const char *who)
{
    if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "binary") != 0)
        luaL_error(L, "%s: there is no option '%s'; there is { binary = true }", who,
                   mw_lua_push_plain(L, -2));
    if (!lua_isboolean(L, -1))
        luaL_error(L, "%s: the option binary is true or false, not a %s", who,
                   luaL_typename(L, -1));
    return lua_toboolean(L, -1);
}

static bool is_word(lua_State *L, int arg, const char *word)
{
    return lua_type(L, arg) == LUA_TSTRING && strcmp(lua_tostring(L, arg), word) == 0;
}

static bool wants_binary(lua_State *L, int arg, const char *who)
{
    bool is_binary = false;
    if (lua_isnoneornil(L, arg))
        return false;
    if (is_word(L, arg, "text")) /* the kinds of on_message, so that an echo is one line */
        return false;
    if (is_word(L, arg, "binary"))
        return true;
    if (!lua_istable(L, arg))
        luaL_error(L, "%s: options are \"text\", \"binary\" or { binary = true }", who);
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        is_binary = read_option(L, who);
        lua_pop(L, 1);
    }
    return is_binary;
}

static struct mw_view encode_table(lua_State *L, int arg)
{
    struct mw_buf *out = &mw_lua_app(L)->scratch;
    mw_buf_clear(out);
    mw_lua_json_write(L, arg, out, false);
    return mw_buf_view(out);
}

void mw_lua_payload_check(lua_State *L, int arg, const char *who, struct mw_lua_payload *out)
{
    bool is_binary = wants_binary(L, arg + 1, who);
    out->kind = is_binary ? MW_OPCODE_BINARY : MW_OPCODE_TEXT;
    if (lua_type(L, arg) == LUA_TSTRING) {
        out->data = mw_lua_view(L, arg);
        return;
    }
    if (!lua_istable(L, arg))
        luaL_error(L, "%s takes a string or a table, not a %s", who, luaL_typename(L, arg));
    if (is_binary)
        luaL_error(L, "%s: a table goes out as JSON text; encode it yourself to send it as binary",
                   who);
    out->data = encode_table(L, arg);
}

void mw_lua_payload_admit(lua_State *L, const char *who, size_t bytes)
{
    struct mw_app *app = mw_lua_app(L);
    if (app->sent_messages >= MW_BOUND_CALL_MESSAGES)
        luaL_error(L,
                   "%s: this call has sent %d messages, and may send no more until it ends or "
                   "waits: sleep(0) lets it go on in the next turn",
                   who, MW_BOUND_CALL_MESSAGES);
    if (app->sent_bytes >= MW_BOUND_CALL_BYTES)
        luaL_error(L,
                   "%s: this call has sent %d bytes, and may send no more until it ends or waits: "
                   "sleep(0) lets it go on in the next turn",
                   who, MW_BOUND_CALL_BYTES);
    app->sent_bytes += bytes;
}

void mw_lua_raise_host_error(lua_State *L, const char *who, int err)
{
    switch (err) {
    case MW_ERR_BAD_UTF8:
        luaL_error(L, "%s: text must be UTF-8; bytes go out with \"binary\" as last argument", who);
        break;
    case MW_ERR_BAD_ARG:
        luaL_error(L, "%s: a topic has 1 to %d bytes", who, MW_BOUND_TOPIC_BYTES);
        break;
    case MW_ERR_FULL:
        luaL_error(L,
                   "%s: this connection is in %d topics, and can be in no more: leave one first, "
                   "or publish more kinds of messages to one topic",
                   who, MW_BOUND_SUBSCRIPTIONS);
        break;
    case MW_ERR_QUOTA:
        luaL_error(L,
                   "%s: this script has its %d topics, or what waits for its clients fills "
                   "script.queued: make fewer topics, or send less to clients that read slowly",
                   who, MW_BOUND_TOPICS);
        break;
    case MW_ERR_NOMEM:
        luaL_error(L, "%s: %s", who, mw_err_text(err));
        break;
    default:
        break;
    }
}
