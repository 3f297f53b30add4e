/*
 * Slow calls: longer than the warning, shorter than the budget. One line of the log at most every
 * ten seconds, with how many there were; a stopped call is a fault and not told of here.
 */
#include "lua/slow.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "lua/fault.h"
#include "lua/version.h"

#define QUIET_MS 10000

static void tell(struct mw_app *app, const struct mw_lua_call *call)
{
    char samples[256], text[512], more[64] = "";
    mw_lua_fault_samples(&app->budget, samples, sizeof(samples));
    if (app->slow_calls > 1)
        snprintf(more, sizeof(more), ", the last of %u such calls", app->slow_calls);
    snprintf(text, sizeof(text), "%s took %u ms of CPU time%s%s%s%s", call->kind->name,
             (unsigned)(app->budget.spent_us / 1000), more, *samples ? " (" : "", samples,
             *samples ? ")" : "");
    app->host->log(app->host_app, MW_LOG_WARN, call->version->number, call->conn,
                   mw_view_text(text), NULL, 0);
}

void mw_lua_slow_note(struct mw_app *app, const struct mw_lua_call *call)
{
    const struct mw_lua_budget *budget = &app->budget;
    bool is_slow = budget->warn_ms && budget->spent_us >= budget->warn_ms * UINT64_C(1000);
    if (!is_slow || budget->stop != MW_LUA_STOP_NONE)
        return;
    app->slow_calls++;
    app->slow_count++;
    mw_ms now_ms = app->host->monotonic_ms(app->host_app);
    if (now_ms < app->slow_quiet_until)
        return;
    tell(app, call);
    app->slow_quiet_until = mw_ms_add(now_ms, QUIET_MS);
    app->slow_calls = 0;
}
