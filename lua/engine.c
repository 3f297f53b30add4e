/*
 * The engine table and the life of an app. Each function of the table is one line of work and one
 * of settling: what the script did to its timers is told to the host when nothing of it runs any
 * more.
 */
#include "lua/engine.h"

#include "core/base/check.h"
#include "lua/api.h"
#include "lua/carry.h"
#include "lua/check.h"
#include "lua/decide.h"
#include "lua/events.h"
#include "lua/mod_json.h"
#include "lua/owed.h"
#include "lua/sched.h"
#include "lua/settings.h"
#include "lua/sweep.h"
#include "lua/version.h"
#include "moonwire/engine_lua.h"

/* ---- life of an app ---- */

static int open_state(lua_State *L)
{
    mw_lua_api_open(L);
    return 0;
}

static bool open_lua(struct mw_app *app)
{
    app->L = mw_lua_state_new(app);
    return app->L && mw_lua_try(app->L, open_state, NULL) == MW_OK;
}

/* The app stands in its own account: freed last, through a copy of the account. */
static void destroy(struct mw_app *app)
{
    if (!app)
        return;
    mw_assert(!app->running);
    if (app->L)
        mw_lua_state_close(app);
    mw_lua_owed_free_all(app);
    mw_lua_version_free_all(app);
    mw_lua_sweep_free(app, app->sweep);
    mw_lua_sched_free(app);
    mw_buf_free(&app->scratch);
    mw_buf_free(&app->verdict_text);
    mw_free(&app->mem, app->name, app->name_len + 1);
    struct mw_mem mem = app->mem;
    mw_free(&mem, app, sizeof(*app));
    mw_assert(mw_mem_is_empty(&mem));
}

struct mw_app *mw_lua_app_new(const struct mw_app_setup *setup, struct mw_mem *parent)
{
    struct mw_mem mem;
    mw_mem_init(&mem, parent, setup->memory_bytes);
    struct mw_app *app = mw_alloc_zero(&mem, sizeof(*app));
    if (!app)
        return NULL;
    app->mem = mem;
    app->host = setup->host;
    app->host_app = setup->host_app;
    app->budget.stop_ms = setup->cpu_stop_ms;
    app->budget.warn_ms = setup->cpu_warn_ms;
    app->budget.string_bytes = setup->string_bytes;
    mw_list_init(&app->retired);
    mw_list_init(&app->owed);
    mw_buf_init(&app->scratch, &app->mem, MW_BOUND_JSON_BYTES);
    mw_buf_init(&app->verdict_text, &app->mem, 0);
    mw_lua_sched_init(app, app->host->monotonic_ms(app->host_app));
    app->name = mw_mem_copy(&app->mem, setup->name);
    app->name_len = app->name ? setup->name.len : 0;
    app->sweep = mw_lua_sweep_new(app);
    if (!app->name || !app->sweep || !open_lua(app)) {
        destroy(app);
        return NULL;
    }
    return app;
}

static struct mw_app *create(const struct mw_app_setup *setup)
{
    return mw_lua_app_new(setup, NULL);
}

void mw_lua_app_collect(struct mw_app *app)
{
    lua_gc(app->L, LUA_GCCOLLECT, 0);
}

/* ---- the table ---- */

static void commit(struct mw_app *app)
{
    mw_lua_version_commit(app);
    mw_lua_sched_settle(app);
}

static enum mw_app_result start(struct mw_app *app)
{
    enum mw_app_result result = mw_lua_event_start(app);
    mw_lua_sched_settle(app);
    return result;
}

static void stop(struct mw_app *app)
{
    mw_lua_event_stop(app);
    mw_lua_sched_settle(app);
}

static enum mw_app_result open(struct mw_app *app, const struct mw_request *request,
                               struct mw_verdict *verdict)
{
    enum mw_app_result result = mw_lua_event_open(app, request, verdict);
    mw_lua_sched_settle(app);
    return result;
}

static enum mw_app_result resume(struct mw_app *app, const struct mw_request *request,
                                 struct mw_verdict *verdict)
{
    enum mw_app_result result = mw_lua_event_resume(app, request, verdict);
    mw_lua_sched_settle(app);
    return result;
}

static enum mw_app_result message(struct mw_app *app, mw_id conn, enum mw_opcode kind,
                                  struct mw_view data)
{
    enum mw_app_result result = mw_lua_event_message(app, conn, kind, data);
    mw_lua_sched_settle(app);
    return result;
}

static void drain(struct mw_app *app, mw_id conn)
{
    mw_lua_event_drain(app, conn);
    mw_lua_sched_settle(app);
}

static bool decide(struct mw_app *app, mw_id conn, const struct mw_end *end,
                   struct mw_farewell *said)
{
    bool has_decided = mw_lua_event_decide(app, conn, end, said);
    mw_lua_sched_settle(app);
    return has_decided;
}

static struct mw_advice advise(struct mw_app *app, mw_id conn, const struct mw_end *end)
{
    struct mw_advice advice = mw_lua_event_advise(app, conn, end);
    mw_lua_sched_settle(app);
    return advice;
}

static void close(struct mw_app *app, mw_id conn, const struct mw_end *end)
{
    mw_lua_event_close(app, conn, end);
    mw_lua_sched_settle(app);
}

/* First who has gone, then what is due: the order in which it would have been without waiting. */
static void tick(struct mw_app *app, mw_ms now_ms)
{
    bool may_go_on = mw_lua_event_owed(app);
    mw_lua_sched_tick(app, now_ms, may_go_on);
    mw_lua_sched_settle(app);
}

static void pause(struct mw_app *app, bool paused)
{
    app->paused = paused;
    if (paused)
        return;
    mw_lua_event_tell_lost(app);
    mw_lua_sched_wake(app);
}

static void stats(const struct mw_app *app, struct mw_app_stats *out)
{
    *out = (struct mw_app_stats){
        .memory_bytes = app->mem.bytes,
        .memory_peak_bytes = app->mem.peak,
        .spare_bytes = app->spare.mem.bytes,
        .conn_objects = app->conn_count,
        .timers = app->timer_count,
        .waiting = app->waiting_count,
        .owed_closes = app->owed_count,
        .lost_closes = app->lost_closes,
        .calls = app->call_count,
        .slow_calls = app->slow_count,
        .version = app->live ? app->live->number : 0,
        .old_versions = app->retired_count,
    };
}

const struct mw_engine *mw_engine_lua(void)
{
    static const struct mw_engine engine = {
        .name = "lua",
        .suffix = ".lua",
        .settings = mw_lua_settings_read,
        .check = mw_lua_check,
        .create = create,
        .destroy = destroy,
        .carry = mw_lua_carry,
        .prepare = mw_lua_version_prepare,
        .commit = commit,
        .discard = mw_lua_version_discard,
        .uses = mw_lua_version_uses,
        .start = start,
        .stop = stop,
        .open = open,
        .resume = resume,
        .message = message,
        .drain = drain,
        .decide = decide,
        .advise = advise,
        .close = close,
        .tick = tick,
        .pause = pause,
        .stats = stats,
    };
    return &engine;
}
