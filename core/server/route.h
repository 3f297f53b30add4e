/*
 * One script on one worker: its app, the pattern and limits of its live version, its connections.
 * Exists as long as the script's file does, and after that until its last connection has ended.
 */
#ifndef MW_SERVER_ROUTE_H
#define MW_SERVER_ROUTE_H

#include "core/base/list.h"
#include "core/io/loop.h"
#include "core/server/fair.h"
#include "core/server/metrics.h"
#include "core/server/quarantine.h"
#include "core/server/route_fault.h"
#include "core/server/router.h"
#include "core/server/script_log.h"
#include "core/server/seats.h"
#include "core/server/trial.h"
#include "core/session/conn.h"
#include "moonwire/app.h"

struct mw_account;
struct mw_cuts;
struct mw_worker;

struct mw_route {
    struct mw_link link; /* in worker->routes, the most specific pattern first */
    struct mw_worker *worker;
    struct mw_app *app;
    struct mw_account *account; /* what waits on its behalf */
    struct mw_view name;        /* "chat.lua"; owned */

    /* the live version; spec NULL: none yet, the route answers 503 */
    const struct mw_route_spec *spec;
    struct mw_pattern pattern;
    struct mw_limits_ms limits; /* home has them, so a new version is the connections' at once */
    struct mw_conn_home home;   /* of its connections */
    mw_ms resume_ms;            /* so long a session may be away; 0: there are none */
    size_t max_connections;     /* 0: no limit */
    size_t max_per_ip;          /* 0: no limit, and who comes is not counted */
    unsigned version;
    bool started;
    struct mw_trial trial; /* its calls and faults */

    /* between prepare and commit or discard */
    const struct mw_route_spec *next_spec;
    struct mw_app *next_app;   /* to replace `app`, which is spent (rebuild.h); NULL: it stays */
    struct mw_carried carried; /* into it */
    struct mw_pattern next_pattern;

    bool failed;  /* the last attempt was refused: any change is a reason to try again */
    bool removed; /* the file is gone */
    size_t client_count;
    size_t asked_count;   /* of them: the app knows of. Who was turned away takes nobody's place */
    struct mw_seat *seat; /* of those in all workers: held */
    struct mw_alarm wake; /* what the app asked for */
    struct mw_script_log lines;

    /* connections that have not been told of new deadlines yet: those behind `told` */
    struct mw_turn_task tell;
    mw_id told;

    struct mw_fair_place fair;
    struct mw_quarantine quarantine;
    struct mw_turn_task pausing; /* its consequences, when nothing of the script runs any more */
    struct mw_route_faults faults;
    struct mw_route_metrics metrics;
    struct mw_cuts *cuts; /* NULL: the network has not ended a connection yet */
};

/* No code of it may run: what comes for it waits. */
static inline bool mw_route_is_held(const struct mw_route *route)
{
    return route->quarantine.paused || route->next_app;
}

/* NULL: no memory. */
struct mw_route *mw_route_new(struct mw_worker *worker, struct mw_view name);
/* Without connections: on_stop, then everything is freed. */
void mw_route_free(struct mw_route *route);

/* A fresh app for it, the caller's; NULL: no memory. */
struct mw_app *mw_route_new_app(struct mw_route *route);

struct mw_route *mw_route_by_name(struct mw_worker *worker, struct mw_view name);

/* The route for a normalised path, with its parameters; NULL: none. */
struct mw_route *mw_route_match(struct mw_worker *worker, struct mw_view path,
                                struct mw_param params[MW_PATTERN_MAX_SEGMENTS], size_t *count);

/*
 * A script that could not be loaded yet keeps the place of its file, where it answers 503: 404
 * would say that there is no such thing. Does nothing where it has a pattern already.
 */
void mw_route_hold_place(struct mw_route *route);

/*
 * Makes the prepared version live: O(1) in connections, but for a rebuild. A script that was paused
 * goes on with it.
 */
void mw_route_commit(struct mw_route *route);
void mw_route_discard(struct mw_route *route);

/*
 * Ends every connection with cause script_removed; the route frees itself when the last one is
 * gone.
 */
void mw_route_remove(struct mw_route *route);
void mw_route_release_if_unused(struct mw_route *route);

/* For fair: the app's moment has come, and it is its turn. */
void mw_route_tick(struct mw_route *route);

#endif
