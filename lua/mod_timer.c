/*
 * Timers of scripts. A timer is a userdata that the registry keeps alive while it runs; the handle
 * that the script got is that same object, so a handle never points to nothing.
 *
 * Each timer is on the list of one version. A candidate's timers are only written down until its
 * commit, so a version that is refused never rings.
 */
#include "lua/mod_timer.h"

#include <math.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "moonwire/bounds.h"

/* Ten years: what is longer is a mistake in units. */
#define MAX_SECONDS (10.0 * 365 * 86400)

#define MIN_PERIOD_S 0.001

static const char *const timer_kind = "timer";

enum { VALUE_TARGET = 1, VALUE_NAME = 2, VALUE_COUNT = 2 };

/* User values: 1 the function or the name of a handler, 2 the timer's name or nil. */
struct timer {
    struct mw_lua_object object;
    struct mw_link link; /* of version->timers, while it is alive */
    struct mw_lua_alarm alarm;
    struct mw_lua_version *version;
    struct mw_lua_call *call; /* its last call still waits */
    mw_ms period_ms;          /* 0: rings once */
    mw_ms delay_ms;           /* until it first rings, counted from its start */
    struct mw_view name;      /* of user value 2; empty: none */
    bool calls_handler;       /* by name */
    int anchor;               /* registry place that keeps it alive */
};

mw_ms mw_lua_check_seconds(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        luaL_typeerror(L, arg, "number of seconds");
    double seconds = lua_tonumber(L, arg);
    luaL_argcheck(L, seconds >= 0 && seconds <= MAX_SECONDS, arg,
                  "seconds must be from 0 to ten years");
    return (mw_ms)ceil(seconds * 1000.0);
}

/* ---- life ---- */

/* Takes it off everything; the object itself lives on in the handle. */
static void end_timer(struct mw_app *app, struct timer *timer)
{
    if (timer->anchor == LUA_NOREF)
        return;
    mw_lua_alarm_stop(app, &timer->alarm);
    mw_lua_call_disown(&timer->call);
    mw_list_remove(&timer->link);
    lua_rawgeti(app->L, LUA_REGISTRYINDEX, timer->anchor);
    lua_pushnil(app->L);
    lua_setiuservalue(app->L, -2, VALUE_TARGET); /* a handle keeps no version alive */
    lua_pop(app->L, 1);
    luaL_unref(app->L, LUA_REGISTRYINDEX, timer->anchor);
    timer->anchor = LUA_NOREF;
    timer->version = NULL;
    app->timer_count--;
}

static void start_timer(struct mw_app *app, struct timer *timer)
{
    mw_ms now_ms = app->host->monotonic_ms(app->host_app);
    mw_lua_alarm_set(app, &timer->alarm, mw_ms_add(now_ms, timer->delay_ms));
}

/*
 * In step with the timer that it replaces: a script saved every second still rings its timers of
 * two.
 */
static void start_in_step(struct mw_app *app, struct timer *timer, const struct timer *before)
{
    if (before && before->period_ms == timer->period_ms)
        mw_lua_alarm_set(app, &timer->alarm, before->alarm.timer.at_ms);
    else
        start_timer(app, timer);
}

static struct timer *find_named(struct mw_lua_version *version, struct mw_view name)
{
    struct mw_link *list = &version->timers;
    for (struct mw_link *link = list->next; link != list; link = link->next) {
        struct timer *timer = MW_OWNER(link, struct timer, link);
        if (timer->name.len > 0 && mw_view_equal(timer->name, name))
            return timer;
    }
    return NULL;
}

/* ---- ringing ---- */

/* Pushes the function that the timer calls now. */
static void push_target(lua_State *L, struct timer *timer, int object)
{
    lua_getiuservalue(L, object, VALUE_TARGET);
    if (!timer->calls_handler)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, timer->version->module);
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -2) != LUA_TFUNCTION)
        luaL_error(L, "timer '%s' calls '%s', but this version returns no such function",
                   timer->name.data, lua_tostring(L, -3));
}

struct ringing {
    struct timer *timer;
    bool has_begun;
};

static int push_timer_call(lua_State *L, struct mw_lua_call *call, void *input)
{
    struct ringing *ringing = input;
    struct timer *timer = ringing->timer;
    ringing->has_begun = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, timer->anchor);
    if (timer->period_ms > 0)
        mw_lua_call_own(call, &timer->call);
    push_target(L, timer, 1);
    if (timer->period_ms == 0) /* the function is all that is left of it */
        end_timer(mw_lua_app(L), timer);
    return 0;
}

static const struct mw_lua_call_kind timer_call = {
    .name = "timer",
    .may_wait = true,
    .push = push_timer_call,
};

/* From its last moment, so that it does not drift; what a slow server missed is left out. */
static void set_next(struct mw_app *app, struct timer *timer)
{
    mw_ms now_ms = app->host->monotonic_ms(app->host_app);
    mw_ms next_ms = mw_ms_add(timer->alarm.timer.at_ms, timer->period_ms);
    if (next_ms <= now_ms)
        next_ms = mw_ms_add(now_ms, timer->period_ms);
    mw_lua_alarm_set(app, &timer->alarm, next_ms);
}

static void ring(struct mw_app *app, struct mw_lua_alarm *alarm)
{
    struct timer *timer = MW_OWNER(alarm, struct timer, alarm);
    struct ringing ringing = { .timer = timer };
    bool is_once = timer->period_ms == 0;
    if (!is_once)
        set_next(app, timer);
    if (timer->call) /* its last call still waits: calls of one timer never overlap */
        return;
    mw_lua_call(app, &timer_call, timer->version, 0, &ringing);
    if (is_once && !ringing.has_begun) /* there was no memory to call it */
        end_timer(app, timer);
}

/* ---- making ---- */

static struct timer *new_timer(lua_State *L, int target)
{
    struct mw_app *app = mw_lua_app(L);
    if (app->timer_count >= MW_BOUND_TIMERS)
        luaL_error(L,
                   "timer: this script has %d timers, and may have no more: cancel what nobody "
                   "needs, or let one timer look after many things",
                   MW_BOUND_TIMERS);
    struct timer *timer = lua_newuserdatauv(L, sizeof(*timer), VALUE_COUNT);
    *timer = (struct timer){ .object = { &timer_kind }, .anchor = LUA_NOREF };
    mw_list_init(&timer->link);
    mw_timer_init(&timer->alarm.timer);
    timer->alarm.ring = ring;
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->refs.timer_meta);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, target);
    lua_setiuservalue(L, -2, VALUE_TARGET);
    return timer;
}

/* The timer on top, which is complete, begins to count. */
static void launch(lua_State *L, struct timer *timer)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_version *version = app->running->version;
    lua_pushvalue(L, -1);
    timer->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    timer->version = version;
    mw_list_push(&version->timers, &timer->link);
    app->timer_count++;
    if (version != app->candidate)
        start_timer(app, timer);
}

/* Calls of a version that was replaced go on, but nothing new of it begins. */
static void check_not_replaced(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_lua_version *version = app->running->version;
    if (version != app->live && version != app->candidate)
        luaL_error(L,
                   "timer: version %d was replaced while this call waited; its timers would "
                   "never ring",
                   (int)version->number);
}

/* timer.after(s, fn) -> handle */
static int after(lua_State *L)
{
    mw_ms delay_ms = mw_lua_check_seconds(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_not_replaced(L);
    struct timer *timer = new_timer(L, 2);
    timer->delay_ms = delay_ms;
    launch(L, timer);
    return 1;
}

/* timer.every(name, s, fn or "handler name") -> handle */
static int every(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct mw_view name = mw_lua_check_text(L, 1);
    mw_ms period_ms = mw_lua_check_seconds(L, 2);
    int type = lua_type(L, 3);
    luaL_argcheck(L, name.len > 0, 1, "a timer needs a name");
    luaL_argcheck(L, lua_tonumber(L, 2) >= MIN_PERIOD_S, 2, "at least 0.001 s");
    luaL_argexpected(L, type == LUA_TFUNCTION || type == LUA_TSTRING, 3,
                     "function or name of a handler");
    check_not_replaced(L);
    struct timer *timer = new_timer(L, 3);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, VALUE_NAME);
    timer->name = name;
    timer->period_ms = timer->delay_ms = period_ms;
    timer->calls_handler = type == LUA_TSTRING;
    struct timer *before = find_named(app->running->version, name);
    launch(L, timer);
    if (before)
        end_timer(app, before);
    return 1;
}

/* timer.cancel(name or handle) -> was it running? */
static int cancel(lua_State *L)
{
    struct mw_app *app = mw_lua_app(L);
    struct timer *timer = mw_lua_object_at(L, 1, &timer_kind);
    if (!timer && lua_type(L, 1) != LUA_TSTRING)
        return luaL_typeerror(L, 1, "name or timer");
    if (!timer)
        timer = find_named(app->running->version, mw_lua_view(L, 1));
    bool is_running = timer && timer->anchor != LUA_NOREF;
    if (is_running)
        end_timer(app, timer);
    lua_pushboolean(L, is_running);
    return 1;
}

static int timer_to_text(lua_State *L)
{
    struct timer *timer = lua_touserdata(L, 1);
    const char *running = timer->anchor != LUA_NOREF ? "" : " (over)";
    lua_pushfstring(L, "timer %s%s", timer->name.data ? timer->name.data : "after", running);
    return 1;
}

void mw_lua_timer_init(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__tostring", timer_to_text }, { NULL, NULL } };
    mw_lua_push_meta(L, timer_kind, meta);
    mw_lua_app(L)->refs.timer_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

const luaL_Reg mw_lua_timer_functions[] = {
    { "after", after },
    { "every", every },
    { "cancel", cancel },
    { NULL, NULL },
};

/* ---- reload ---- */

void mw_lua_timers_end(struct mw_app *app, struct mw_lua_version *version)
{
    while (!mw_list_is_empty(&version->timers))
        end_timer(app, MW_OWNER(version->timers.next, struct timer, link));
}

/*
 * The handler of that name in the new version, without memory: the key exists as a string already.
 */
static bool has_handler(struct mw_app *app, struct mw_lua_version *version, struct timer *timer)
{
    lua_State *L = app->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, version->module);
    lua_rawgeti(L, LUA_REGISTRYINDEX, timer->anchor);
    lua_getiuservalue(L, -1, VALUE_TARGET);
    bool has = lua_rawget(L, -3) == LUA_TFUNCTION;
    lua_pop(L, 3);
    return has;
}

static void warn_of_end(struct mw_app *app, struct mw_lua_version *version, struct timer *timer)
{
    char text[256];
    int len =
        snprintf(text, sizeof(text), "timer '%.*s' ended: this version has no handler of its name",
                 (int)(timer->name.len < 64 ? timer->name.len : 64), timer->name.data);
    app->host->log(app->host_app, MW_LOG_WARN, version->number, 0, mw_view(text, (size_t)len), NULL,
                   0);
}

static void hand_over(struct mw_app *app, struct timer *timer, struct mw_lua_version *version)
{
    if (!timer->calls_handler || find_named(version, timer->name))
        return; /* it ends with its version */
    if (!has_handler(app, version, timer)) {
        warn_of_end(app, version, timer);
        return;
    }
    mw_list_remove(&timer->link);
    mw_list_push(&version->timers, &timer->link);
    timer->version = version;
}

void mw_lua_timers_commit(struct mw_app *app, struct mw_lua_version *old,
                          struct mw_lua_version *version)
{
    struct mw_link *list = &version->timers, *next;
    for (struct mw_link *link = list->next; link != list; link = link->next) {
        struct timer *timer = MW_OWNER(link, struct timer, link);
        start_in_step(app, timer, old && timer->name.len > 0 ? find_named(old, timer->name) : NULL);
    }
    if (!old)
        return;
    for (struct mw_link *link = old->timers.next; link != &old->timers; link = next) {
        next = link->next;
        hand_over(app, MW_OWNER(link, struct timer, link), version);
    }
    mw_lua_timers_end(app, old);
}
