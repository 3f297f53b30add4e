/*
 * Library functions of ours beside Lua's own in one bare state: `own` and `lua` are tables of both,
 * by library. A script says how arguments are made; each call is made with both, and results, error
 * messages, the tables that were given and the metamethods that were asked must be the same.
 *
 *   same("table", "insert", 1000, function(R) return R.list(), R.index(), 7 end)
 *
 * makes 250 calls of each (MOONWIRE_TWINS=50 in the environment: 50 000). R is chance: the same
 * one for both.
 */
#ifndef MW_TESTS_UNIT_LUA_TWINS_H
#define MW_TESTS_UNIT_LUA_TWINS_H

#include "lua/budget.h"
#include "tests/unit/unit.h"

struct twins {
    struct mw_app app; /* nothing of it is real but its budget */
    lua_State *L;
};

/* `ours` are the functions of `library` that take the place of Lua's in `own`. */
void twins_open(struct twins *twins);
void twins_add(struct twins *twins, const char *library, const luaL_Reg *ours);
void twins_close(struct twins *twins);

/* Runs the script; what it raises fails the test. */
void twins_run(struct twins *twins, const char *script);

/*
 * Runs each script, in which `stop()` says that the call's time is up and `stops` is a metamethod
 * that says so when it is asked for the tenth time. Each must end by a stop and not otherwise.
 */
void twins_expect_stops(struct twins *twins, const char *const *scripts, size_t count);

#endif
