/* The table `req` of on_open and on_resume. */
#ifndef MW_LUA_REQ_H
#define MW_LUA_REQ_H

#include "lua/state.h"

/* Pushes it. Raises for memory. */
void mw_lua_req_push(lua_State *L, const struct mw_request *request,
                     const struct mw_conn_info *info);

#endif
