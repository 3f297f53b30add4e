/* The globals of scripts: what allow.def says, built of the functions of these arrays. */
#ifndef MW_LUA_API_H
#define MW_LUA_API_H

#include "lua/state.h"

/* Builds all that versions of a script share and fills app->refs. Raises. */
void mw_lua_api_open(lua_State *L);

/*
 * For moonwire.lua: what of it is the language alone. Gives the registry place of the metatable of
 * its environment. Raises.
 */
int mw_lua_open_language(lua_State *L);

/* One array per subject; the files of these names hold them. */
extern const luaL_Reg mw_lua_base_functions[];      /* base.c */
extern const luaL_Reg mw_lua_topic_functions[];     /* api_topic.c */
extern const luaL_Reg mw_lua_math_functions[];      /* mod_math.c */
extern const luaL_Reg mw_lua_time_functions[];      /* mod_time.c: sleep, now, monotonic */
extern const luaL_Reg mw_lua_os_functions[];        /* mod_time.c: os.* */
extern const luaL_Reg mw_lua_log_functions[];       /* mod_log.c */
extern const luaL_Reg mw_lua_codes_functions[];     /* mod_codes.c */
extern const luaL_Reg mw_lua_coroutine_functions[]; /* mod_coroutine.c */
extern const luaL_Reg mw_lua_match_functions[];     /* str_match.c: of the string library */

int mw_lua_print(lua_State *L); /* mod_log.c */

/* mod_codes.c: adds the rows of the catalogue to the table on top. */
void mw_lua_codes_rows(lua_State *L);

/* mod_math.c: seeds Lua's generator, which must be open. math.random differs between runs, and
 * follows the seed in a simulation. */
void mw_lua_math_init(lua_State *L);

#endif
