/*
 * Stops. See budget.h for the way it works.
 *
 * Where it can, a stop yields: the scheduler never resumes that coroutine, so nothing is caught,
 * closed or unwound, whatever the script has piled up (70 000 nested pcalls take Lua seconds to
 * unwind). Below a C function that cannot be left it raises, and yields as soon as that is behind.
 *
 * The tick may come at any instruction of the thread, so it only writes what is volatile in
 * struct mw_lua_budget, and calls lua_sethook, which Lua made for signal handlers, and what chain.h
 * has for it. It comes again every few milliseconds while the call lasts, so a hook that
 * got lost in a race is armed again.
 */
#include "lua/budget.h"

#include <stdatomic.h>
#include <string.h>

#include "core/base/cpu_tick.h"
#include "lua/chain.h"
#include "lua/fault.h"

/* Whose call runs on this thread. */
static _Thread_local struct mw_app *volatile running_app;
static _Thread_local bool has_ticks;

static char stopped; /* its address is the error value of a stop: making it takes no memory */

/* Of the cap; a script that keeps more than the rest after a full collection is out of memory: it
 * would collect again and again for less and less. */
#define RESERVE_OF 16

/*
 * What may still be taken beyond the cap while a call is being stopped, of the cap and of it at
 * once: the script gets none of it.
 */
#define LAST_OF    20
#define LAST_BYTES 65536

/* ---- the hook: runs in the script's coroutine, in the ordinary flow ---- */

static void take_sample(lua_State *L, struct mw_lua_budget *budget)
{
    char place[sizeof budget->samples[0].place];
    budget->wants_sample = false;
    if (!mw_lua_fault_place(L, place, sizeof(place)))
        return;
    for (size_t i = 0; i < budget->sample_count; i++) {
        if (!strcmp(budget->samples[i].place, place)) {
            budget->samples[i].count++;
            return;
        }
    }
    if (budget->sample_count == MW_LUA_MAX_SAMPLES)
        return;
    struct mw_lua_sample *sample = &budget->samples[budget->sample_count++];
    memcpy(sample->place, place, sizeof(place));
    sample->count = 1;
}

static void raise_stop(lua_State *L)
{
    lua_pushlightuserdata(L, &stopped);
    lua_error(L);
}

static void on_hook(lua_State *L, lua_Debug *ar);

/* Once: lua_sethook goes through all calls of the coroutine, and there may be 100 000. */
static void arm(lua_State *L)
{
    if (lua_gethook(L) != on_hook)
        lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
}

static void note_place(lua_State *L)
{
    struct mw_lua_budget *budget = &mw_lua_app(L)->budget;
    if (!budget->trace[0])
        mw_lua_fault_trace(L, "the handler", budget->trace, sizeof(budget->trace));
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
    struct mw_lua_budget *budget = &mw_lua_app(L)->budget;
    (void)ar;
    if (budget->wants_sample)
        take_sample(L, budget);
    if (budget->stop == MW_LUA_STOP_NONE)
        lua_sethook(L, NULL, 0, 0);
    if (budget->stop == MW_LUA_STOP_NONE) /* asked again: the tick may have come just before */
        return;
    note_place(L);
    if (lua_isyieldable(L))
        lua_yield(L, 0); /* takes effect when the hook returns */
    else
        raise_stop(L);
}

void mw_lua_stop_raise(lua_State *L)
{
    note_place(L);
    if (L == mw_lua_app(L)->budget.running)
        arm(L); /* who catches this does not get far */
    for (;;) {  /* neither returns, but their types do not say so */
        if (lua_isyieldable(L))
            lua_yield(L, 0);
        raise_stop(L);
    }
}

/* ---- the tick: runs in the signal handler ---- */

static void on_tick(void)
{
    struct mw_app *app = running_app;
    if (!app)
        return;
    struct mw_lua_budget *budget = &app->budget;
    uint64_t now_us = mw_cpu_time_us();
    if (budget->since_us == 0) {
        budget->since_us = now_us;
        return;
    }
    uint64_t spent_us = budget->spent_us = now_us - budget->since_us;
    bool was_stopped = budget->stop != MW_LUA_STOP_NONE; /* and no hook was reached since */
    if (budget->stop_ms && spent_us >= budget->stop_ms * UINT64_C(1000) &&
        budget->stop == MW_LUA_STOP_NONE)
        budget->stop = MW_LUA_STOP_CPU;
    if (budget->warn_ms && spent_us >= budget->warn_ms * UINT64_C(1000))
        budget->wants_sample = true;
    if (budget->stop != MW_LUA_STOP_NONE)
        mw_lua_chain_cut_calls(app);
    if (was_stopped)
        mw_lua_chain_cut_fields(app);
    if (budget->stop != MW_LUA_STOP_NONE || budget->wants_sample)
        lua_sethook(budget->running, on_hook, LUA_MASKCOUNT, 1);
}

/* ---- calls ---- */

static bool start_ticks(void)
{
    if (mw_cpu_tick_start() != MW_OK)
        return false;
    mw_cpu_tick_listen(on_tick);
    has_ticks = true;
    return true;
}

void mw_lua_budget_begin(struct mw_app *app, lua_State *thread)
{
    struct mw_lua_budget *budget = &app->budget;
    bool wants_ticks = budget->stop_ms || budget->warn_ms;
    bool is_blind = wants_ticks && !has_ticks && !start_ticks();
    budget->stop = MW_LUA_STOP_NONE;
    budget->since_us = budget->spent_us = 0;
    budget->wants_sample = false;
    budget->was_refused = false;
    budget->sample_count = 0;
    budget->wanted_bytes = 0;
    budget->trace[0] = '\0';
    budget->running = thread;
    atomic_signal_fence(memory_order_seq_cst);
    running_app = app;
    if (is_blind) { /* who cannot be measured does not run; the next call tries again */
        budget->stop = MW_LUA_STOP_CPU;
        arm(thread);
    }
}

void mw_lua_budget_rest(struct mw_app *app)
{
    (void)app;
    running_app = NULL;
    atomic_signal_fence(memory_order_seq_cst);
}

void mw_lua_budget_end(struct mw_app *app)
{
    lua_State *thread = app->budget.running;
    mw_lua_budget_rest(app);
    mw_lua_chain_mend(app);
    app->budget.running = NULL;
    if (lua_gethook(thread))
        lua_sethook(thread, NULL, 0, 0);
}

void mw_lua_budget_switch(struct mw_app *app, lua_State *thread)
{
    struct mw_lua_budget *budget = &app->budget;
    budget->running = thread;
    atomic_signal_fence(memory_order_seq_cst);
    if (budget->stop != MW_LUA_STOP_NONE || budget->wants_sample)
        arm(thread);
}

/* ---- memory ---- */

static void stop_for_memory(struct mw_lua_budget *budget)
{
    if (!budget->running || budget->stop != MW_LUA_STOP_NONE)
        return;
    budget->stop = MW_LUA_STOP_MEMORY;
    arm(budget->running);
}

/* The cap does not count for the little that ending a call takes. */
static void *take_beyond_cap(struct mw_app *app, void *block, size_t old_bytes, size_t new_bytes)
{
    size_t cap = app->mem.max_bytes;
    app->mem.max_bytes = cap + cap / LAST_OF;
    void *got = mw_realloc(&app->mem, block, old_bytes, new_bytes);
    app->mem.max_bytes = cap;
    return got;
}

/* Buffers of Lua's library ask once only; what can never be had ends the call at once. */
static bool is_hopeless(const struct mw_mem *mem, size_t more_bytes)
{
    return mem->max_bytes && more_bytes > mem->max_bytes;
}

static bool is_too_full(const struct mw_mem *mem)
{
    return mem->max_bytes && mem->bytes > mem->max_bytes - mem->max_bytes / RESERVE_OF;
}

void *mw_lua_budget_grown(struct mw_app *app, void *got, void *block, size_t old_bytes,
                          size_t new_bytes)
{
    struct mw_lua_budget *budget = &app->budget;
    if (!got && budget->stop != MW_LUA_STOP_NONE && new_bytes - old_bytes <= LAST_BYTES)
        return take_beyond_cap(app, block, old_bytes, new_bytes);
    /* A stack asks once only: what comes next is another request then. */
    bool is_second_try = budget->was_refused && budget->asked_bytes == new_bytes - old_bytes;
    budget->was_refused = !got && !is_second_try;
    budget->asked_bytes = new_bytes - old_bytes;
    if (is_second_try ? !got || is_too_full(&app->mem)
                      : !got && is_hopeless(&app->mem, budget->asked_bytes))
        stop_for_memory(budget);
    return got;
}

/* The place is noted here: the next instruction, where the call ends, may be on another line. */
static void stop_here(struct mw_lua_budget *budget, enum mw_lua_stop why)
{
    budget->stop = why;
    note_place(budget->running);
    arm(budget->running);
}

void mw_lua_budget_string(struct mw_app *app, size_t len)
{
    struct mw_lua_budget *budget = &app->budget;
    bool fits = budget->string_bytes == 0 || len <= budget->string_bytes;
    if (fits || !budget->running || budget->stop != MW_LUA_STOP_NONE)
        return;
    budget->wanted_bytes = len;
    stop_here(budget, MW_LUA_STOP_STRING);
}

void mw_lua_budget_crowd(struct mw_app *app, unsigned keys, unsigned most)
{
    struct mw_lua_budget *budget = &app->budget;
    if (!budget->running || budget->stop != MW_LUA_STOP_NONE)
        return;
    budget->crowd_keys = keys;
    budget->crowd_most = most;
    stop_here(budget, MW_LUA_STOP_CROWD);
}

void mw_lua_stop_for_memory(lua_State *L)
{
    struct mw_lua_budget *budget = &mw_lua_app(L)->budget;
    stop_for_memory(budget);
    for (;;) {
        mw_lua_poll(L);
        luaL_error(L, "not enough memory"); /* nothing of the script runs */
    }
}

/* ---- xpcall ---- */

/* Upvalue 1: the script's message handler. */
static int guard_handler(lua_State *L)
{
    if (mw_lua_must_stop(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* The function is at 1, the guarded handler at 2, then true and the results, or the error. */
static int finish_xpcall(lua_State *L, int status, lua_KContext unused)
{
    (void)unused;
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushboolean(L, false);
        lua_insert(L, -2);
        return 2;
    }
    return lua_gettop(L) - 2;
}

int mw_lua_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int args = lua_gettop(L) - 2;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guard_handler, 1);
    lua_replace(L, 2); /* function, guard, arguments */
    lua_pushboolean(L, true);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); /* function, guard, true, function, arguments */
    int status = lua_pcallk(L, args, LUA_MULTRET, 2, 2, finish_xpcall);
    return finish_xpcall(L, status, 2);
}
