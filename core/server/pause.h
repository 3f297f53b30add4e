/*
 * A script that is paused: none of its code runs. Open connections stay, with what they say held
 * back; new ones are told to come later; what is due waits. The next version that loads goes on
 * with all of it. quarantine.h says when a script is paused.
 */
#ifndef MW_SERVER_PAUSE_H
#define MW_SERVER_PAUSE_H

#include "core/server/route.h"

#define MW_PAUSE_TEXT "the script is paused"

struct mw_client;

void mw_pause_init(struct mw_route *route);

/* route->quarantine.paused was set, perhaps by the script's own call: the rest follows after it. */
void mw_pause_begin(struct mw_route *route);
/* If it is paused, it goes on. */
void mw_pause_end(struct mw_route *route);
/* The script may be called again: what waited for that is looked after at the end of the turn. */
void mw_pause_wake_clients(struct mw_route *route);
/* on_stop, but for a script that is paused: then the log says what it will never hear. */
void mw_pause_stop(struct mw_route *route);

/* A client in OPENING: upgraded, so that it can read the code, then closed. */
void mw_pause_turn_away(struct mw_client *client);

#endif
