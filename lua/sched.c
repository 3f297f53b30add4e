/*
 * Pooled coroutines and what they wait for. The only file that enters code of a script: mw_lua_call
 * starts a handler, an alarm goes on with one that waited. Knows nothing of what the handlers are
 * for.
 *
 * A coroutine that ended well is used again; one that failed is reset first. Wait = yield with
 * app->wait_asked set, which coroutine.resume (mod_coroutine.c) passes on outwards.
 */
#include "lua/sched.h"

#include "core/base/clock.h"
#include "lua/budget.h"
#include "lua/fault.h"
#include "lua/slow.h"
#include "lua/version.h"
#include "moonwire/bounds.h"

/* Coroutines kept for the next call: about 1 KB each, and a burst of waits is seldom wider. */
#define MAX_IDLE 32

/* A larger buffer than this is not kept after a call. */
#define MAX_SCRATCH_KEPT (64 * 1024)

void mw_lua_sched_init(struct mw_app *app, mw_ms now_ms)
{
    mw_list_init(&app->idle);
    mw_list_init(&app->waiting);
    mw_wheel_init(&app->wheel, now_ms);
    app->wake_ms = MW_NEVER;
}

static void free_calls(struct mw_app *app, struct mw_link *list)
{
    struct mw_link *link;
    while ((link = mw_list_pop(list)))
        mw_free(&app->mem, MW_OWNER(link, struct mw_lua_call, link), sizeof(struct mw_lua_call));
}

void mw_lua_sched_free(struct mw_app *app)
{
    free_calls(app, &app->idle);
    free_calls(app, &app->waiting);
}

/* ---- the pool ---- */

static int make_thread(lua_State *L)
{
    struct mw_lua_call *call = lua_touserdata(L, 1);
    lua_State *thread = lua_newthread(L);
    call->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    call->thread = thread;
    mw_lua_set_lane(thread, mw_lua_app(L), MW_LUA_LANE_HANDLER);
    return 0;
}

static void resume_after_wait(struct mw_app *app, struct mw_lua_alarm *alarm);

static struct mw_lua_call *make_call(struct mw_app *app)
{
    struct mw_lua_call *call = mw_alloc_zero(&app->mem, sizeof(*call));
    if (!call)
        return NULL;
    if (mw_lua_try(app->L, make_thread, call) != MW_OK) {
        mw_free(&app->mem, call, sizeof(*call));
        return NULL;
    }
    mw_list_init(&call->link);
    mw_timer_init(&call->alarm.timer);
    call->alarm.ring = resume_after_wait;
    return call;
}

static struct mw_lua_call *take_call(struct mw_app *app)
{
    struct mw_link *link = mw_list_pop(&app->idle);
    if (!link)
        return make_call(app);
    app->idle_count--;
    return MW_OWNER(link, struct mw_lua_call, link);
}

static bool is_stopped_for_memory(const struct mw_app *app)
{
    return app->budget.stop == MW_LUA_STOP_MEMORY || app->budget.stop == MW_LUA_STOP_STRING;
}

/* A stack grows without Lua's emergency collection, so the next call would not find its room. */
static void make_room(struct mw_app *app)
{
    if (is_stopped_for_memory(app) && app->mem.bytes > app->mem.max_bytes / 2)
        lua_gc(app->L, LUA_GCCOLLECT, 0);
}

static void give_call_back(struct mw_app *app, struct mw_lua_call *call)
{
    bool is_killed = mw_lua_lane(call->thread)->kind == MW_LUA_LANE_KILLED;
    mw_lua_alarm_stop(app, &call->alarm); /* it may have been stopped just as it began to wait */
    mw_lua_version_release(app, call->version);
    call->version = NULL;
    if (!is_killed && app->idle_count < MAX_IDLE) {
        mw_list_push(&app->idle, &call->link);
        app->idle_count++;
        return;
    }
    luaL_unref(app->L, LUA_REGISTRYINDEX, call->thread_ref);
    mw_free(&app->mem, call, sizeof(*call));
    if (is_killed)
        make_room(app);
}

/* ---- owners ---- */

void mw_lua_call_own(struct mw_lua_call *call, struct mw_lua_call **owner)
{
    call->owner = owner;
    *owner = call;
}

void mw_lua_call_disown(struct mw_lua_call **owner)
{
    if (*owner)
        (*owner)->owner = NULL;
    *owner = NULL;
}

/* ---- running ---- */

static int after_handler(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    struct mw_lua_call *call = mw_lua_app(L)->running;
    if (call->kind->read)
        call->kind->read(L, call);
    return 0;
}

static void begin_call(struct mw_app *app, struct mw_lua_call *call)
{
    app->sent_messages = app->sent_bytes = 0;
    app->call_count++;
    app->wait_asked = false;
    app->cannot_wait = !call->kind->may_wait;
    mw_lua_budget_begin(app, call->thread);
}

static void end_call(struct mw_app *app, struct mw_lua_call *call)
{
    mw_lua_budget_end(app);
    mw_lua_slow_note(app, call);
}

static void trim_scratch(struct mw_app *app)
{
    mw_buf_clear(&app->scratch);
    if (app->scratch.cap > MAX_SCRATCH_KEPT)
        mw_buf_free(&app->scratch);
}

static bool is_stopped(const struct mw_app *app)
{
    return app->budget.stop != MW_LUA_STOP_NONE;
}

/*
 * The next call of the same kind, in the coroutine that is here already: to leave it and come back
 * was 630 of 4 090 instructions of an echo of 64 bytes. All else is as between any two calls: each
 * has its own budget, and who has failed, waits or was stopped never comes here.
 */
static bool goes_on(struct mw_app *app, struct mw_lua_call *call, void *input)
{
    mw_lua_budget_rest(app); /* from here on nothing stops it, so what is asked for is handled */
    if (is_stopped(app) || !call->kind->follows(app, call, input))
        return false;
    trim_scratch(app);
    end_call(app, call);
    begin_call(app, call);
    return true;
}

/* What each coroutine begins with: everything that may raise happens in here. */
static int enter(lua_State *L)
{
    void *input = lua_touserdata(L, 1);
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_call *call = app->running;
    lua_settop(L, 0);
    do {
        int args = call->kind->push(L, call, input);
        if (args < 0)
            return 0;
        lua_callk(L, args, call->kind->results, 0, after_handler);
        (void)after_handler(L, LUA_OK, 0);
    } while (call->kind->follows && goes_on(app, call, input));
    return 0;
}

static void report(struct mw_app *app, struct mw_lua_call *call, int status)
{
    struct mw_fault own;
    struct mw_fault *fault = app->fault_to ? app->fault_to : &own;
    mw_lua_fault_of_call(app, call, status, fault);
    app->failure = status;
    if (!app->fault_to)
        app->host->fault(app->host_app, fault);
}

/*
 * A stop ends the call whatever came of it. Its coroutine is left to the collector as it is: to
 * close it would run more of the script.
 */
static void kill(struct mw_app *app, struct mw_lua_call *call, int status)
{
    report(app, call, status == LUA_YIELD ? LUA_OK : status);
    app->failure = is_stopped_for_memory(app) ? LUA_ERRMEM : LUA_ERRRUN;
    mw_lua_set_lane(call->thread, app, MW_LUA_LANE_KILLED);
}

/* Its pending __close run in what is left of the budget. */
static void fail(struct mw_app *app, struct mw_lua_call *call, int status)
{
    report(app, call, status);
    (void)mw_lua_thread_close(app->L, call->thread);
    lua_settop(call->thread, 0);
    if (is_stopped(app))
        kill(app, call, LUA_OK);
}

static int run(struct mw_app *app, struct mw_lua_call *call, int args)
{
    int results = 0;
    app->running = call;
    begin_call(app, call);
    int status = lua_resume(call->thread, app->L, args, &results);
    trim_scratch(app);
    if (is_stopped(app))
        kill(app, call, status);
    else if (status != LUA_OK && status != LUA_YIELD)
        fail(app, call, status);
    end_call(app, call);
    app->running = NULL;
    return is_stopped(app) ? LUA_ERRRUN : status;
}

static enum mw_app_result go(struct mw_app *app, struct mw_lua_call *call, int args)
{
    int status = run(app, call, args);
    if (status == LUA_YIELD && app->wait_asked) {
        mw_list_push(&app->waiting, &call->link);
        app->waiting_count++;
        return MW_APP_WAITING;
    }
    mw_assert(status != LUA_YIELD); /* coroutine.yield refuses in a handler's own coroutine */
    if (!is_stopped(app))           /* it would run the __close of a call that was stopped */
        lua_settop(call->thread, 0);
    return status == LUA_OK ? MW_APP_DONE : MW_APP_FAILED;
}

static enum mw_app_result refuse_for_memory(struct mw_app *app, const struct mw_lua_call_kind *kind,
                                            struct mw_lua_version *version, mw_id conn)
{
    struct mw_lua_call call = { .kind = kind, .version = version, .conn = conn };
    report(app, &call, LUA_ERRMEM);
    return MW_APP_FAILED;
}

enum mw_app_result mw_lua_call(struct mw_app *app, const struct mw_lua_call_kind *kind,
                               struct mw_lua_version *version, mw_id conn, void *input)
{
    mw_assert(!app->running);
    struct mw_lua_call *call = take_call(app);
    if (!call)
        return refuse_for_memory(app, kind, version, conn);
    call->kind = kind;
    call->version = mw_lua_version_keep(version);
    call->conn = conn;
    call->owner = NULL;
    lua_pushcfunction(call->thread, enter);
    lua_pushlightuserdata(call->thread, input);
    enum mw_app_result result = go(app, call, 1);
    if (result != MW_APP_WAITING) {
        if (call->owner)
            mw_lua_call_disown(call->owner);
        give_call_back(app, call);
    }
    return result;
}

static void resume_after_wait(struct mw_app *app, struct mw_lua_alarm *alarm)
{
    struct mw_lua_call *call = MW_OWNER(alarm, struct mw_lua_call, alarm);
    mw_list_remove(&call->link);
    app->waiting_count--;
    enum mw_app_result result = go(app, call, 0);
    if (result == MW_APP_WAITING)
        return;
    if (call->owner) {
        mw_lua_call_disown(call->owner);
        if (call->kind->ended)
            call->kind->ended(app, call, result == MW_APP_FAILED);
    }
    give_call_back(app, call);
}

/* ---- what scripts ask for ---- */

static int after_wait(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

int mw_lua_wait(lua_State *L, mw_ms span_ms, const char *who)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_call *call = app->running;
    if (call->kind->is_load)
        return luaL_error(L, "%s cannot wait %s", who, call->kind->during);
    if (!call->kind->may_wait)
        return luaL_error(L, "%s cannot wait in %s", who, call->kind->name);
    if (app->cannot_wait || !lua_isyieldable(L))
        return luaL_error(L,
                          "%s cannot wait here: a function like table.sort, string.gsub or "
                          "require is in between",
                          who);
    if (app->waiting_count >= MW_BOUND_WAITING_CALLS)
        return luaL_error(L,
                          "%s: %d calls of this script wait already, and no more may: let one "
                          "timer do for all what each of them waits for",
                          who, MW_BOUND_WAITING_CALLS);
    mw_ms now_ms = app->host->monotonic_ms(app->host_app);
    mw_lua_alarm_set(app, &call->alarm, mw_ms_add(now_ms, span_ms));
    app->wait_asked = true;
    return lua_yieldk(L, 0, 0, after_wait);
}

void mw_lua_check_acting(lua_State *L, const char *what)
{
    const struct mw_lua_call_kind *kind = mw_lua_app(L)->running->kind;
    if (kind->is_load)
        luaL_error(L, "%s cannot be called %s: this version may yet be refused", what,
                   kind->during);
}

unsigned mw_lua_version_running(const struct mw_app *app)
{
    const struct mw_lua_version *version = app->running ? app->running->version : app->live;
    return version ? version->number : 0;
}

/* ---- time ---- */

void mw_lua_alarm_set(struct mw_app *app, struct mw_lua_alarm *alarm, mw_ms at_ms)
{
    mw_wheel_start(&app->wheel, &alarm->timer, at_ms);
}

void mw_lua_alarm_stop(struct mw_app *app, struct mw_lua_alarm *alarm)
{
    mw_wheel_stop(&app->wheel, &alarm->timer);
}

/* What is left is due still: settle asks for the next tick at once. */
void mw_lua_sched_tick(struct mw_app *app, mw_ms now_ms, bool may_go_on)
{
    struct mw_timer *timer;
    app->wake_ms = MW_NEVER; /* the wish was granted */
    mw_wheel_advance(&app->wheel, now_ms);
    while (may_go_on && (timer = mw_wheel_pop(&app->wheel))) {
        struct mw_lua_alarm *alarm = MW_OWNER(timer, struct mw_lua_alarm, timer);
        alarm->ring(app, alarm);
        may_go_on = app->host->may_call(app->host_app);
    }
}

void mw_lua_sched_wake(struct mw_app *app)
{
    app->wake_ms = MW_NEVER;
    mw_lua_sched_settle(app);
}

void mw_lua_sched_settle(struct mw_app *app)
{
    mw_ms next_ms = app->owed_count > 0 ? app->wheel.now_ms : mw_wheel_next(&app->wheel);
    if (next_ms == app->wake_ms || app->paused)
        return;
    app->wake_ms = next_ms;
    app->host->wake_at(app->host_app, next_ms);
}
