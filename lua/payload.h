/* The arguments (data, opts) that send and publish share. */
#ifndef MW_LUA_PAYLOAD_H
#define MW_LUA_PAYLOAD_H

#include "lua/state.h"

struct mw_lua_payload {
    struct mw_view data; /* until the function returns */
    enum mw_opcode kind;
    bool has_policy; /* else the route's */
    struct mw_send_how how;
};

/*
 * Reads data at `arg` (a string, or a table that becomes JSON text) and options at arg + 1 (nil,
 * "binary", { binary = true, policy = "latest", key = "pos" }). Raises anything else in the name of
 * `who`.
 */
void mw_lua_payload_check(lua_State *L, int arg, const char *who, struct mw_lua_payload *out);

/* For the host: NULL where no policy is named. As long as the payload. */
const struct mw_send_how *mw_lua_payload_how(const struct mw_lua_payload *payload);

/*
 * Raises where the running call has sent its share already (MW_BOUND_CALL_MESSAGES, _BYTES): a call
 * that stays within its CPU time can still leave very much to do behind it. Else counts the bytes.
 */
void mw_lua_payload_admit(lua_State *L, const char *who, size_t bytes);

/* ... and this many were reached by it. */
static inline void mw_lua_payload_sent(lua_State *L, long receivers)
{
    mw_lua_app(L)->sent_messages += receivers > 0 ? (size_t)receivers : 1;
}

/* What publish returns: how many were reached, and the offset where there is one. */
int mw_lua_payload_answer(lua_State *L, long receivers, uint64_t offset);

/*
 * Raises for the errors of the host that are mistakes of the script; returns for those that are
 * answers.
 */
void mw_lua_raise_host_error(lua_State *L, const char *who, int err);

#endif
