/* The arguments (data, opts) that send and publish share. */
#ifndef MW_LUA_PAYLOAD_H
#define MW_LUA_PAYLOAD_H

#include "lua/state.h"

struct mw_lua_payload {
    struct mw_view data; /* until the function returns */
    enum mw_opcode kind;
};

/*
 * Reads data at `arg` (a string, or a table that becomes JSON text) and options at arg + 1 (nil,
 * "binary", { binary = true
 * }). Raises anything else in the name of `who`.
 */
void mw_lua_payload_check(lua_State *L, int arg, const char *who, struct mw_lua_payload *out);

/*
 * Raises for the errors of the host that are mistakes of the script; returns for those that are
 * answers.
 */
void mw_lua_raise_host_error(lua_State *L, const char *who, int err);

#endif
