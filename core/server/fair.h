/*
 * Fairness between the scripts of a worker, and between scripts and sockets: who may be called
 * now, and what happens to who may not (share.h says by which rule).
 */
#ifndef MW_SERVER_FAIR_H
#define MW_SERVER_FAIR_H

#include "core/io/loop.h"
#include "core/server/share.h"

struct mw_client;
struct mw_route;
struct mw_worker;

/* Of a worker. */
struct mw_fair {
    struct mw_share share;
    struct mw_turn_task task; /* those who wait are looked after at the end of each turn */
};

/* Of a route. */
struct mw_fair_place {
    struct mw_share_place place;
    struct mw_link clients; /* that wait for their script */
    bool tick_waits;        /* so does the moment that the app has asked for */
};

void mw_fair_init(struct mw_fair *fair);
void mw_fair_place_init(struct mw_fair_place *place);

/* The script may be called at once: not paused, and it is its turn. */
bool mw_fair_may_call(struct mw_route *route);

/* Around each call of the app: `end` with what `begin` gave. */
unsigned mw_fair_begin(struct mw_route *route);
void mw_fair_end(struct mw_route *route, unsigned begun);

/* The client is settled when it is its script's turn; once, however often it asks. */
void mw_fair_wait(struct mw_client *client);
/* So is the tick of the app. */
void mw_fair_wait_tick(struct mw_route *route);
/* Nothing of the route waits any more. */
void mw_fair_leave(struct mw_route *route);

#endif
