/*
 * What a script wants to say, as bytes. Used by api_conn.c and api_topic.c; touches no connection.
 */
#include "lua/payload.h"

#include <string.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "lua/mod_json.h"
#include "lua/text.h"
#include "moonwire/bounds.h"

/* ---- options ---- */

static bool is_word(lua_State *L, int arg, const char *word)
{
    return lua_type(L, arg) == LUA_TSTRING && strcmp(lua_tostring(L, arg), word) == 0;
}

static void read_binary(lua_State *L, const char *who, struct mw_lua_payload *out)
{
    if (!lua_isboolean(L, -1))
        luaL_error(L, "%s: the option binary is true or false, not a %s", who,
                   luaL_typename(L, -1));
    out->kind = lua_toboolean(L, -1) ? MW_OPCODE_BINARY : MW_OPCODE_TEXT;
}

static void read_policy(lua_State *L, const char *who, struct mw_lua_payload *out)
{
    static const char *const names[] = {
        [MW_POLICY_CLOSE] = "close", [MW_POLICY_DROP] = "drop", [MW_POLICY_LATEST] = "latest"
    };
    for (size_t i = 0; i < MW_COUNT(names); i++) {
        if (is_word(L, -1, names[i])) {
            out->how.policy = (enum mw_policy)i;
            out->has_policy = true;
            return;
        }
    }
    luaL_error(L, "%s: policy is \"close\", \"drop\" or \"latest\", not %s", who,
               mw_lua_push_plain(L, -1));
}

static void read_key(lua_State *L, const char *who, struct mw_lua_payload *out)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: the option key is a string, not a %s", who, luaL_typename(L, -1));
    out->how.key = mw_lua_view(L, -1); /* the table keeps it */
    if (out->how.key.len == 0 || out->how.key.len > MW_BOUND_KEY_BYTES)
        luaL_error(L, "%s: a key has 1 to %d bytes", who, MW_BOUND_KEY_BYTES);
}

static const struct {
    const char *name;
    void (*read)(lua_State *L, const char *who, struct mw_lua_payload *out);
} options[] = { { "binary", read_binary }, { "policy", read_policy }, { "key", read_key } };

static void read_option(lua_State *L, const char *who, struct mw_lua_payload *out)
{
    for (size_t i = 0; i < MW_COUNT(options); i++) {
        if (is_word(L, -2, options[i].name)) {
            options[i].read(L, who, out);
            return;
        }
    }
    luaL_error(L, "%s: there is no option '%s'; there are binary, policy and key", who,
               mw_lua_push_plain(L, -2));
}

static void check_key(lua_State *L, const char *who, const struct mw_lua_payload *out)
{
    bool is_latest = out->has_policy && out->how.policy == MW_POLICY_LATEST;
    if (is_latest && out->how.key.len == 0)
        luaL_error(L,
                   "%s: policy = \"latest\" needs a key, which says what replaces what: "
                   "{ policy = \"latest\", key = \"pos\" }",
                   who);
    if (!is_latest && out->how.key.len > 0)
        luaL_error(L, "%s: a key goes with policy = \"latest\" only", who);
}

/* The kinds of on_message, so that an echo is one line. */
static bool read_kind(struct mw_view word, struct mw_lua_payload *out)
{
    if (mw_view_equal(word, mw_view_text("text")))
        return true;
    if (!mw_view_equal(word, mw_view_text("binary")))
        return false;
    out->kind = MW_OPCODE_BINARY;
    return true;
}

static void read_options(lua_State *L, int arg, const char *who, struct mw_lua_payload *out)
{
    *out = (struct mw_lua_payload){ .kind = MW_OPCODE_TEXT };
    if (lua_topointer(L, arg) == mw_lua_app(L)->text_word) /* an echo's, mostly */
        return;
    int type = lua_type(L, arg);
    if (type == LUA_TNONE || type == LUA_TNIL)
        return;
    if (type == LUA_TSTRING && read_kind(mw_lua_view(L, arg), out))
        return;
    if (type != LUA_TTABLE)
        luaL_error(L, "%s: options are \"text\", \"binary\" or a table, { binary = true }", who);
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        read_option(L, who, out);
        lua_pop(L, 1);
    }
    check_key(L, who, out);
}

const struct mw_send_how *mw_lua_payload_how(const struct mw_lua_payload *payload)
{
    return payload->has_policy ? &payload->how : NULL;
}

/* ---- data ---- */

static struct mw_view encode_table(lua_State *L, int arg)
{
    struct mw_buf *out = &mw_lua_app(L)->scratch;
    mw_buf_clear(out);
    mw_lua_json_write(L, arg, out, false);
    return mw_buf_view(out);
}

void mw_lua_payload_check(lua_State *L, int arg, const char *who, struct mw_lua_payload *out)
{
    read_options(L, arg + 1, who, out);
    if (lua_type(L, arg) == LUA_TSTRING) {
        out->data = mw_lua_view(L, arg);
        return;
    }
    if (!lua_istable(L, arg))
        luaL_error(L, "%s takes a string or a table, not a %s", who, luaL_typename(L, arg));
    if (out->kind == MW_OPCODE_BINARY)
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

int mw_lua_payload_answer(lua_State *L, long receivers, uint64_t offset)
{
    lua_pushinteger(L, receivers);
    if (offset)
        lua_pushinteger(L, (lua_Integer)offset);
    return offset ? 2 : 1;
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
