/*
 * `moonwire dev` and `moonwire serve`: finds the project, reads its settings, and hands over to the
 * server. With sim the only place that joins the core and the Lua engine.
 */
#include <stdio.h>

#include "core/cli/commands.h"
#include "core/server/places.h"
#include "core/server/project.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"

struct settings_walk {
    struct mw_config *config;
    char why[256];
    int err;
};

static bool take_setting(void *ctx, const struct mw_setting *setting)
{
    struct settings_walk *walk = ctx;
    walk->err = mw_config_set_scalar(walk->config, setting, walk->why);
    return walk->err == MW_OK;
}

static int fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "moonwire: %s%s%s\n", what, *what ? ": " : "", why);
    return code;
}

static int settings_fault(const struct mw_places *places, const struct mw_fault *fault)
{
    fprintf(stderr, "moonwire: %s:%d: %s\n", places->settings, fault->line, fault->message);
    if (*fault->frame)
        fprintf(stderr, "%s\n", fault->frame);
    if (*fault->hint)
        fprintf(stderr, "  hint: %s\n", fault->hint);
    return MW_EXIT_CONFIG;
}

/* DIR/moonwire.lua, where it exists. */
static int read_settings(struct mw_config *config, const struct mw_engine *engine,
                         const struct mw_places *places)
{
    struct mw_mem mem;
    char *text = 0;
    size_t len = 0;
    mw_mem_init(&mem, 0, 0);
    int err = mw_read_file(&mem, places->settings, &text, &len);
    if (err == MW_ERR_NOT_FOUND)
        return MW_EXIT_OK;
    if (err)
        return fail(MW_EXIT_CONFIG, places->settings, "cannot be read");
    struct mw_fault fault = { 0 };
    struct settings_walk walk = { .config = config };
    const struct mw_source source = { mw_view_text("moonwire.lua"), mw_view(text, len) };
    err = engine->settings(&source, take_setting, &walk, &fault);
    mw_free(&mem, text, len + 1);
    if (walk.err)
        return fail(MW_EXIT_CONFIG, places->settings, walk.why);
    return err ? settings_fault(places, &fault) : MW_EXIT_OK;
}

/* What flags break is a matter of usage; what was broken before them, of settings. */
static int apply_flags(const struct mw_args *args, struct mw_config *config)
{
    char why[256], before[256];
    bool was_sound = mw_config_check(config, before) == MW_OK;
    if (mw_args_apply(args, config, why))
        return fail(MW_EXIT_USAGE, "", why);
    if (mw_config_check(config, why))
        return fail(was_sound ? MW_EXIT_USAGE : MW_EXIT_CONFIG, "", why);
    return MW_EXIT_OK;
}

static int run(const struct mw_args *args, bool dev)
{
    const struct mw_engine *engine = mw_engine_lua();
    struct mw_config config;
    struct mw_places places;
    char why[512];
    mw_config_default(&config);
    config.dev = dev;
    config.dir = mw_view_text(args->dir ? args->dir : ".");
    if (mw_places_find(&places, config.dir, mw_view_text(engine->suffix), why))
        return fail(MW_EXIT_CONFIG, "", why);
    int code = read_settings(&config, engine, &places);
    if (code)
        return code;
    if (mw_config_from_environment(&config, why))
        return fail(MW_EXIT_CONFIG, "environment", why);
    code = apply_flags(args, &config);
    return code ? code : mw_server_run(&config, engine, &places);
}

int mw_cmd_dev(const struct mw_args *args)
{
    return run(args, true);
}

int mw_cmd_serve(const struct mw_args *args)
{
    return run(args, false);
}
