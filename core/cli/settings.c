/*
 * From a command line to the settings of a project: where it is, what its moonwire.lua, the
 * environment and the flags say. Called by every verb that works on a project.
 */
#include "core/cli/settings.h"

#include <stdio.h>
#include <sys/stat.h>

#include "core/base/str.h"
#include "core/cli/say.h"
#include "core/server/project.h"
#include "core/server/server.h"

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

int mw_cli_fail(int code, const char *what, const char *why)
{
    fputs("moonwire: ", stderr);
    mw_cli_say(stderr, mw_view_text(what));
    fputs(*what ? ": " : "", stderr);
    mw_cli_say(stderr, mw_view_text(why));
    fputc('\n', stderr);
    return code;
}

/* "what: why", or why alone; gives `code`. */
static int refuse(char *out, int code, const char *what, const char *why)
{
    snprintf(out, MW_CLI_WHY_MAX, "%s%s%s", what, *what ? ": " : "", why);
    return code;
}

static int settings_fault(char *out, const struct mw_places *places, const struct mw_fault *fault)
{
    snprintf(out, MW_CLI_WHY_MAX, "%s:%d: %s%s%s%s%s", places->settings, fault->line,
             fault->message, *fault->frame ? "\n" : "", fault->frame,
             *fault->hint ? "\n  hint: " : "", fault->hint);
    return MW_EXIT_CONFIG;
}

/* DIR/moonwire.lua, where it exists. */
static int read_settings(struct mw_config *config, const struct mw_engine *engine,
                         const struct mw_places *places, char *out)
{
    struct mw_mem mem;
    char *text = 0;
    size_t len = 0;
    mw_mem_init(&mem, 0, 0);
    int err = mw_read_file(&mem, places->settings, &text, &len);
    if (err == MW_ERR_NOT_FOUND)
        return MW_EXIT_OK;
    if (err)
        return refuse(out, MW_EXIT_CONFIG, places->settings, "cannot be read");
    struct mw_fault fault = { 0 };
    struct settings_walk walk = { .config = config };
    const struct mw_source source = { mw_view_text("moonwire.lua"), mw_view(text, len) };
    err = engine->settings(&source, take_setting, &walk, &fault);
    mw_free(&mem, text, len + 1);
    if (walk.err)
        return refuse(out, MW_EXIT_CONFIG, places->settings, walk.why);
    return err ? settings_fault(out, places, &fault) : MW_EXIT_OK;
}

/* What flags break is a matter of usage; what was broken before them, of settings. */
static int apply_flags(const struct mw_args *args, struct mw_config *config, char *out)
{
    char why[256], before[256];
    bool was_sound = mw_config_check(config, before) == MW_OK;
    if (mw_args_apply(args, config, why))
        return refuse(out, MW_EXIT_USAGE, "", why);
    if (mw_config_check(config, why))
        return refuse(out, was_sound ? MW_EXIT_USAGE : MW_EXIT_CONFIG, "", why);
    return MW_EXIT_OK;
}

int mw_cli_settings_try(const struct mw_args *args, const struct mw_engine *engine, bool dev,
                        struct mw_config *config, struct mw_places *places,
                        char out[MW_CLI_WHY_MAX])
{
    char why[512];
    if (dev)
        mw_config_default_dev(config);
    else
        mw_config_default(config);
    config->dir = mw_view_text(args->dir ? args->dir : ".");
    if (mw_places_find(places, config->dir, mw_view_text(engine->suffix), why))
        return refuse(out, MW_EXIT_CONFIG, "", why);
    int code = read_settings(config, engine, places, out);
    if (code)
        return code;
    if (mw_config_from_environment(config, why))
        return refuse(out, MW_EXIT_CONFIG, "environment", why);
    return apply_flags(args, config, out);
}

int mw_cli_settings(const struct mw_args *args, const struct mw_engine *engine, bool dev,
                    struct mw_config *config, struct mw_places *places)
{
    char why[MW_CLI_WHY_MAX];
    int code = mw_cli_settings_try(args, engine, dev, config, places, why);
    return code ? mw_cli_fail(code, "", why) : MW_EXIT_OK;
}

bool mw_cli_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
