/*
 * Calls into the script. Each runs in a coroutine of a pool, so each may wait; nothing else enters
 * code of a script, which makes this the place for budgets.
 */
#ifndef MW_LUA_SCHED_H
#define MW_LUA_SCHED_H

#include "lua/state.h"

/* A wheel entry that knows what to do: timers of scripts and waits of calls. */
struct mw_lua_alarm {
    struct mw_timer timer;
    void (*ring)(struct mw_app *app, struct mw_lua_alarm *alarm);
};

struct mw_lua_call_kind {
    const char *name; /* as faults name it, "on_message" */
    int results;      /* how many the function's caller wants, or LUA_MULTRET */
    bool may_wait;
    bool is_load;       /* of a version that is not live yet: it may not act on connections */
    const char *during; /* for errors, of loads: "while the file loads" */

    /*
     * Pushes the function and its arguments, and gives their number, or -1: there is nothing to
     * call after all. Runs inside the coroutine; may raise.
     */
    int (*push)(lua_State *L, struct mw_lua_call *call, void *input);

    /* Reads the results, from index 1 on; may raise. NULL: not wanted. */
    void (*read)(lua_State *L, struct mw_lua_call *call);

    /*
     * The call is over, did not wait, and left nothing but what `push` had put below the function:
     * whether there is another one that may follow in its place. It is in `input` then, and `push`
     * is asked for it. NULL: there never is.
     */
    bool (*follows)(struct mw_app *app, struct mw_lua_call *call, void *input);

    /* A call that had waited is over, and its owner still is there. NULL: nobody asks. */
    void (*ended)(struct mw_app *app, struct mw_lua_call *call, bool failed);
};

/* One call; from mw_lua_call to its end, which may be many turns later. */
struct mw_lua_call {
    struct mw_link link; /* of app->idle or app->waiting */
    struct mw_lua_alarm alarm;
    lua_State *thread;
    int thread_ref; /* keeps it alive */
    const struct mw_lua_call_kind *kind;
    struct mw_lua_version *version;
    mw_id conn; /* 0: none is concerned */

    /*
     * The slot in the connection or timer that points back to this call; NULL when there is none or
     * it has gone. `push` sets it.
     */
    struct mw_lua_call **owner;
};

void mw_lua_sched_init(struct mw_app *app, mw_ms now_ms);
/* Gives the calls' memory back; their coroutines are the state's. */
void mw_lua_sched_free(struct mw_app *app);

/* Runs a handler until it ends or waits. A failure was reported when this returns. */
enum mw_app_result mw_lua_call(struct mw_app *app, const struct mw_lua_call_kind *kind,
                               struct mw_lua_version *version, mw_id conn, void *input);

/* The owner of a waiting call goes: the call goes on, but nobody is told of its end. */
void mw_lua_call_disown(struct mw_lua_call **owner);

/* For `push`. */
void mw_lua_call_own(struct mw_lua_call *call, struct mw_lua_call **owner);

/*
 * Ends the C function of the script's API that calls it: `return mw_lua_wait(L, ...)`. Raises where
 * waiting is impossible.
 */
int mw_lua_wait(lua_State *L, mw_ms span_ms, const char *who);

/*
 * Raises unless the running call belongs to a version that is live or was: what loads may not act
 * yet.
 */
void mw_lua_check_acting(lua_State *L, const char *what);

/* The number of the version that runs, or of the live one. */
unsigned mw_lua_version_running(const struct mw_app *app);

/* ---- time ---- */

void mw_lua_alarm_set(struct mw_app *app, struct mw_lua_alarm *alarm, mw_ms at_ms);
void mw_lua_alarm_stop(struct mw_app *app, struct mw_lua_alarm *alarm);

/* Rings what is due, as far as the host lets it; `may_go_on`: it has just been asked. */
void mw_lua_sched_tick(struct mw_app *app, mw_ms now_ms, bool may_go_on);

/* Tells the host when to call next, whatever it was told before: it has forgotten. */
void mw_lua_sched_wake(struct mw_app *app);

/* Tells the host when to call next; the last thing that each function of the engine does. */
void mw_lua_sched_settle(struct mw_app *app);

#endif
