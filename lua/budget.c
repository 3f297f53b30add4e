/*
 * Stops. See budget.h for the way it works.
 */
#include "lua/budget.h"

static char stopped; /* its address is the error value of a stop: making it takes no memory */

void mw_lua_stop_raise(lua_State *L)
{
    lua_pushlightuserdata(L, &stopped);
    for (;;) /* it does not return, but its header does not say so */
        lua_error(L);
}
