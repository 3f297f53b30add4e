/*
 * Connection objects: what a script holds as `conn`. One for each connection that a script has
 * seen, found by its id; it belongs to the app and lives through reloads. After the end of the
 * connection it still answers its fields.
 *
 * It is made when a handler or a function of the script is first given it, and stays until the
 * connection ends, held by the script or not: a weak table of the script's own loses an entry with
 * the connection and no sooner. So a connection of a script without on_open that has said nothing
 * costs the script nothing; 176 bytes each were resident at 10 000 (a userdata and its slot).
 */
#ifndef MW_LUA_CONN_H
#define MW_LUA_CONN_H

#include "lua/sched.h"

/* Its user values; each is a table, or nil where nobody has asked for it yet. */
enum mw_lua_conn_value {
    MW_LUA_CONN_DATA = 1,
    MW_LUA_CONN_FACTS, /* `params`, or after the end the table of last facts */
};

#define MW_LUA_CONN_VALUES 2

/* A full userdata. */
struct mw_lua_conn {
    struct mw_lua_object object;
    mw_id id;
    struct mw_lua_call *call; /* on_open or on_message that waits, or NULL */
    bool is_accepted;         /* by on_open */
    bool is_over;             /* the host no longer knows it */
};

/* Fills refs.conns, refs.conn_meta and the kinds of messages. Raises. */
void mw_lua_conn_init(lua_State *L);

/* Makes the object of a connection that has none and pushes it. Raises. */
struct mw_lua_conn *mw_lua_conn_new(lua_State *L, mw_id id);

/*
 * Pushes the object, made now if this is the first time that the script sees the connection; or
 * nothing and gives NULL: there is no such one that was accepted. Raises.
 */
struct mw_lua_conn *mw_lua_conn_show(lua_State *L, mw_id id);

/* The object at `index`, or NULL: it is none. Never raises. */
struct mw_lua_conn *mw_lua_conn_at(lua_State *L, int index);

/*
 * Pushes the object if there is one by now, else nothing and gives NULL. Needs two stack places;
 * never raises.
 */
struct mw_lua_conn *mw_lua_conn_push(lua_State *L, mw_id id);

/* Pushes its `data`, or nothing and gives false: it has none yet. Never raises. */
bool mw_lua_conn_push_data(lua_State *L, mw_id id);

/* The same without pushing it; valid until the connection ends. Never raises. */
struct mw_lua_conn *mw_lua_conn_find(struct mw_app *app, mw_id id);

/* ... made if need be, as by mw_lua_conn_show; NULL also without memory. Never raises. */
struct mw_lua_conn *mw_lua_conn_get(struct mw_app *app, mw_id id);

/* The script was asked and has said yes, or has no on_open. Until `close` has returned. */
bool mw_lua_conn_is_accepted(struct mw_app *app, mw_id id);

/*
 * The host is about to forget the connection: keeps its last facts as far as there is memory. It is
 * still found by its id.
 */
void mw_lua_conn_keep(struct mw_app *app, struct mw_lua_conn *conn);

/* The connection is over: the same, and lets go of it. */
void mw_lua_conn_end(struct mw_app *app, struct mw_lua_conn *conn);

/* Argument 1 of a method; raises "conn.send called without its connection" for anything else. */
struct mw_lua_conn *mw_lua_conn_check(lua_State *L, const char *method);

/* The id as scripts and logs see it: hexadecimal. */
#define MW_LUA_ID_BYTES 17
void mw_lua_id_text(mw_id id, char out[MW_LUA_ID_BYTES]);
/* 0 for a text that is no id. */
mw_id mw_lua_id_parse(struct mw_view text);

/* Pushes a fresh table of the route's parameters. Raises. */
void mw_lua_push_params(lua_State *L, const struct mw_conn_info *info);

/* api_conn.c: the methods. */
extern const luaL_Reg mw_lua_conn_methods[];

#endif
