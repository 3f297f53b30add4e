/*
 * A script in an app of its own, under the limits that it would have, until it has loaded. Never
 * calls a handler. mw_cpu_tick_start has been called. Called by check_load and project_codes.
 */
#include "core/server/rehearse.h"

#include "core/server/config.h"
#include "core/server/host_none.h"

int mw_rehearse(const struct mw_rehearsal *rehearsal, const struct mw_sources *sources,
                struct mw_fault *fault)
{
    const struct mw_engine *engine = rehearsal->engine;
    const struct mw_config *config = rehearsal->config;
    const struct mw_app_setup setup = {
        .host = mw_host_none(),
        .name = sources->script.path,
        .memory_bytes = (size_t)config->script_memory,
        .string_bytes = (size_t)config->script_string,
        .cpu_stop_ms = (unsigned)config->script_cpu,
    };
    const struct mw_route_spec *spec;
    struct mw_app *app = engine->create(&setup);
    if (!app)
        return MW_ERR_NOMEM;
    bool has_loaded = engine->prepare(app, sources, 1, &spec, fault) == MW_OK;
    if (has_loaded) {
        rehearsal->loaded(rehearsal->ctx, spec);
        engine->discard(app);
    }
    engine->destroy(app);
    return has_loaded ? MW_OK : MW_ERR_BAD_ARG;
}
