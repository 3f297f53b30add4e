/*
 * The names that exist for scripts, as lists: what "did you mean" compares with. Made from the
 * tables by which they are built (allow.def, conn.def, module.def and their like); constant, shared
 * by all threads, needs no Lua.
 */
#ifndef MW_LUA_NAMES_H
#define MW_LUA_NAMES_H

/*
 * The names in a library of allow.def ("_G": the globals), or of one of these: "conn" (fields and
 * methods), "req", "M" (the table that a script returns), "limits" (M.limits). NULL-terminated;
 * NULL where there is no such list.
 */
const char *const *mw_lua_names(const char *library);

/* The members of `conn` that are methods: called with a colon. NULL-terminated. */
extern const char *const mw_lua_conn_method_names[];

/* M's keys that are handlers. NULL-terminated. */
extern const char *const mw_lua_handler_names[];

#endif
