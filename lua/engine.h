/*
 * The app of the Lua engine: one script on one worker, with its lua_State. What belongs to the app
 * outlives its versions: connection objects, `state`, the pool of coroutines. All of it is used by
 * the worker's thread alone.
 *
 * Whoever calls into Lua does so through one of two doors: mw_lua_call (sched.h) for code of the
 * script, mw_lua_try (state.h) for our own. Outside of them only Lua functions that cannot raise
 * are called, so the panic function is unreachable.
 */
#ifndef MW_LUA_ENGINE_H
#define MW_LUA_ENGINE_H

#include "core/base/buf.h"
#include "core/base/list.h"
#include "core/base/speck.h"
#include "core/base/wheel.h"
#include "lua/spare.h"
#include "moonwire/app.h"

struct lua_State;
struct mw_lua_call;
struct mw_lua_sweep;
struct mw_lua_version;

/*
 * Whose coroutine is it? Each Lua thread carries a pointer to one of these in its extra space, so
 * every C function finds the app, and nobody resumes what only the scheduler may.
 */
enum mw_lua_lane_kind {
    MW_LUA_LANE_SCRIPT,  /* made by the script, or the main thread */
    MW_LUA_LANE_HANDLER, /* pooled: runs handlers */
    MW_LUA_LANE_WAITING, /* made by the script, and inside of it something waits for the host */
    MW_LUA_LANE_KILLED,  /* ended by a stop: nothing of it runs again, its __close included */
};

#define MW_LUA_LANE_KINDS 4

struct mw_lua_lane {
    struct mw_app *app;
    enum mw_lua_lane_kind kind;
};

/* Why the running call must end. */
enum mw_lua_stop {
    MW_LUA_STOP_NONE,
    MW_LUA_STOP_CPU,    /* its time is up */
    MW_LUA_STOP_MEMORY, /* the script's memory is used up, and a full collection did not help */
    MW_LUA_STOP_STRING, /* it wanted a string that is longer than any may be */
    MW_LUA_STOP_CROWD,  /* a table would have taken too long to grow */
};

#define MW_LUA_MAX_SAMPLES 8

/* Where a call was seen at a tick. */
struct mw_lua_sample {
    char place[64]; /* "chat.lua:12" */
    unsigned count;
};

/* budget.c. What is volatile is written by a signal handler of the same thread. */
struct mw_lua_budget {
    volatile int stop;                  /* enum mw_lua_stop */
    struct lua_State *volatile running; /* the coroutine that runs; NULL: nothing of the script */
    volatile uint64_t since_us;         /* CPU time at the first tick of the call; 0: none yet */
    volatile uint64_t spent_us;         /* since then, at the last tick */
    volatile bool wants_sample;
    bool was_refused; /* the last request for memory: Lua collects, and asks once more */
    unsigned stop_ms, warn_ms;
    size_t asked_bytes;  /* the last request for more memory */
    size_t string_bytes; /* the longest string that a script may make; 0: any */
    size_t wanted_bytes; /* what the string had that ended the call */
    unsigned crowd_keys; /* of the table that ended the call, */
    unsigned crowd_most; /* and how many of them would have come into one place */

    /* of the running call */
    struct mw_lua_sample samples[MW_LUA_MAX_SAMPLES];
    size_t sample_count;
    char trace[1024]; /* where it was when it was stopped, innermost call first; empty: nowhere yet
                       */
};

/* chain.c: where Lua has the addresses of names of metamethods, and what may stand there. */
struct mw_lua_chain {
    const void *volatile *first_block; /* of the state */
    size_t first_bytes;
    const void *volatile *call;   /* NULL: not looked for yet */
    const void *volatile *index;  /* and behind it that of __newindex */
    const void *volatile *newest; /* the first of all objects */
    const void *call_name, *index_name, *newindex_name, *nothing;
    volatile bool is_deep; /* the names of fields are gone: Lua notes what it does not find */
};

/* crowd.c: blocks of the state that may be the places of large tables. */
struct mw_lua_crowd {
    struct mw_lua_vector *vectors; /* NULL: none */
    size_t count, room;
    size_t refused_bytes; /* the last request, if it was refused */
};

/* Places in the Lua registry; all are filled once, when the app is made. */
struct mw_lua_refs {
    int conns; /* id -> connection object */
    int conn_meta;
    int remote_meta;  /* of connections on other workers */
    int text, binary; /* the kinds of messages, as handlers are told them */
    int timer_meta;
    int env_meta;   /* of the environment table of each version */
    int array_meta; /* marks a list that is a JSON array even when empty */
    int null;       /* json.null */
    int state_meta; /* of the table that scripts know as `state` */
    int state_view; /* that table */
    int state;      /* what is in it */
    int weak_key;   /* the field by which the collector knows weak tables */
};

struct mw_app {
    struct mw_mem mem; /* everything below, and all that the script holds */
    const struct mw_host *host;
    void *host_app;
    char *name;
    size_t name_len;

    struct lua_State *L;
    struct mw_lua_spare spare; /* small blocks that L has given back */
    struct mw_lua_lane lanes[MW_LUA_LANE_KINDS];
    struct mw_lua_refs refs;
    struct mw_speck identities; /* text.c: what stands for addresses */
    const void *array_meta;     /* identity of refs.array_meta */
    const void *text_word;      /* ... and of refs.text: short strings of a state are one object */

    /* sched.c */
    struct mw_lua_call *running; /* NULL: no code of the script is on the stack */
    struct mw_link idle, waiting;
    size_t idle_count, waiting_count;
    bool wait_asked;  /* the yield on its way is for the host, not for a coroutine.resume */
    unsigned closing; /* coroutines that are just being closed, inside of each other */
    bool cannot_wait; /* a C function that cannot be left is on the stack */
    int failure;      /* status of Lua of the last call that failed */
    struct mw_fault *fault_to; /* where the next fault goes instead of host->fault, or NULL */
    struct mw_wheel wheel;
    mw_ms wake_ms; /* what the host was asked for last */

    struct mw_lua_budget budget;
    struct mw_lua_chain chain;
    struct mw_lua_crowd crowd;

    /* version.c */
    struct mw_lua_version *live, *candidate;
    struct mw_link retired; /* replaced, but calls of theirs still wait */
    size_t retired_count;
    unsigned carried_from;      /* the version of the app that this one is to replace; 0: none */
    struct mw_lua_sweep *sweep; /* of what outlives versions */

    /* events.c: ends that on_close has not been told of */
    struct mw_link owed;
    size_t owed_count;
    uint64_t lost_closes; /* there was no memory to keep them; ever */
    uint64_t lost_before; /* of them: told of */
    bool paused;

    uint64_t call_count, slow_count; /* calls into the script, ever; those that were slow */
    size_t conn_count, timer_count;
    size_t sent_messages, sent_bytes; /* by the running call, since it began or went on */
    unsigned slow_calls;              /* not told of yet */
    mw_ms slow_quiet_until;           /* until then slow calls are counted only */
    struct mw_buf scratch;      /* JSON and text on their way out; nobody holds it across a call */
    struct mw_verdict verdict;  /* what the last on_open decided */
    struct mw_buf verdict_text; /* its reason, or decide_close's */
    void *question;             /* of decide.c, while it asks */
};

/* For tests: `parent` (borrowed) counts the app's memory and can be told to fail. */
struct mw_app *mw_lua_app_new(const struct mw_app_setup *setup, struct mw_mem *parent);

/* Runs the collector to its end. */
void mw_lua_app_collect(struct mw_app *app);

#endif
