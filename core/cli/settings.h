/* The settings of the project that a command line names. */
#ifndef MW_CLI_SETTINGS_H
#define MW_CLI_SETTINGS_H

#include "core/cli/args.h"
#include "core/server/places.h"

/*
 * Defaults, moonwire.lua, environment, flags; config->dir borrows argv. 0, or the exit code, and
 * then what is wrong has been said.
 */
int mw_cli_settings(const struct mw_args *args, const struct mw_engine *engine, bool dev,
                    struct mw_config *config, struct mw_places *places);

/* A path, a message, the lines around its place and a hint. */
#define MW_CLI_WHY_MAX 8192

/* The same, but what is wrong is put into `why`, perhaps in several lines. */
int mw_cli_settings_try(const struct mw_args *args, const struct mw_engine *engine, bool dev,
                        struct mw_config *config, struct mw_places *places,
                        char why[MW_CLI_WHY_MAX]);

bool mw_cli_is_folder(const char *path);

/* "moonwire: what: why" on standard error; gives `code`. `what` may be "". */
int mw_cli_fail(int code, const char *what, const char *why);

#endif
