/*
 * Functions of Lua's standard library that are ours: those whose work grows with a number or a
 * metamethod that the script gives (a count, a range, __len), so that they could run for hours
 * without one instruction of Lua, where a stop would be seen. They do exactly what Lua 5.4 says,
 * error messages included, and ask mw_lua_poll as they go. tests/unit/lua/twins.h compares them
 * with Lua's own.
 *
 * Lua's own may stay where the work is bounded by one string (app->budget.string_bytes), at 1 to
 * 3 ns a byte, by the slots of one table, or by the stack (a million values, 20 ms):
 *
 *   assert error getmetatable pairs ipairs next      one step, or one walk over a table's slots
 *   rawequal rawget rawlen type pcall xpcall
 *   select table.pack string.byte string.char        values on the stack
 *   utf8.char utf8.codepoint utf8.codes
 *   tonumber tostring string.len string.sub          bytes of the argument
 *   math.*                                           a few hundred ns
 *   os.time os.clock os.difftime                     the same; os.date is in mod_time.c
 *
 * What the interpreter does in one instruction, measured. With strings of 1.25 MiB: the first use
 * as a key 1.8 ms; `==` and `<` 0.1 ms, but `<` 14 to 20 ms where all bytes are zero, since strcoll
 * is asked anew behind each. In 64 MiB: joining 40 ms; a table that grows beyond half a million
 * keys 100 to 190 ms. Keys that Lua's hash puts into one place: a table that would take long to
 * grow for them does not (crowd.h); what it may take just below that limit is 45 ms, and up to 600
 * ms with half a million keys in 14 000 places. What is looked for along 2000 tables by __index or
 * __newindex, or called along them by __call, ends with the table that is looked at (chain.h).
 */
#ifndef MW_LUA_STDLIB_H
#define MW_LUA_STDLIB_H

#include "lua/state.h"

extern const luaL_Reg mw_lua_string_functions[]; /* str_build.c: rep, lower, upper, reverse */
extern const luaL_Reg mw_lua_format_functions[]; /* str_format.c: format */
extern const luaL_Reg mw_lua_pack_functions[];   /* str_pack.c: pack, packsize, unpack */
extern const luaL_Reg mw_lua_table_functions[];  /* lib_table.c: concat insert move remove unpack */
extern const luaL_Reg mw_lua_sort_functions[];   /* table_sort.c: sort */
extern const luaL_Reg mw_lua_utf8_functions[];   /* lib_utf8.c: len, offset */

/* What a function of the table library does with its argument. */
enum mw_lua_table_use {
    MW_LUA_TABLE_READ = 1,
    MW_LUA_TABLE_WRITE = 2,
    MW_LUA_TABLE_LEN = 4,
};

/* Raises unless `arg` is a table or has the metamethods for what is done with it. */
void mw_lua_check_table(lua_State *L, int arg, unsigned uses);

#endif
