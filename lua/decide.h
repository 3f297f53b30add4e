/* The two questions before a Close frame: decide_close and advise_reconnect (app.h). */
#ifndef MW_LUA_DECIDE_H
#define MW_LUA_DECIDE_H

#include "lua/engine.h"

bool mw_lua_event_decide(struct mw_app *app, mw_id conn, const struct mw_end *end,
                         struct mw_farewell *said);
struct mw_advice mw_lua_event_advise(struct mw_app *app, mw_id conn, const struct mw_end *end);

#endif
