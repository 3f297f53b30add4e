/* Events of the core as calls of handlers: the part of app.h between `start` and `close`. */
#ifndef MW_LUA_EVENTS_H
#define MW_LUA_EVENTS_H

#include "lua/state.h"

enum mw_app_result mw_lua_event_start(struct mw_app *app);
void mw_lua_event_stop(struct mw_app *app);
enum mw_app_result mw_lua_event_open(struct mw_app *app, const struct mw_request *request,
                                     struct mw_verdict *verdict);
enum mw_app_result mw_lua_event_resume(struct mw_app *app, const struct mw_request *request,
                                       struct mw_verdict *verdict);
enum mw_app_result mw_lua_event_message(struct mw_app *app, mw_id conn, enum mw_opcode kind,
                                        struct mw_view data);
void mw_lua_event_drain(struct mw_app *app, mw_id conn);
/*
 * Calls on_close for those ends that were put off, as far as the host lets it. True: others may be
 * called behind it.
 */
bool mw_lua_event_owed(struct mw_app *app);
/* A line of the log for ends that could not be kept, if there are any. */
void mw_lua_event_tell_lost(struct mw_app *app);
void mw_lua_event_close(struct mw_app *app, mw_id conn, const struct mw_end *end);

/* For handlers that get `info`: pushes that table. Raises. */
void mw_lua_push_end_info(lua_State *L, const struct mw_end *end);
/* Keeps the text of a decision beyond its call, until the next one of the engine. Raises. */
struct mw_view mw_lua_keep_reason(lua_State *L, struct mw_view text);

#endif
