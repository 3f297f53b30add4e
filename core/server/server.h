/* The running program: opens the parts, loads the scripts, reloads them, stops in order. */
#ifndef MW_SERVER_SERVER_H
#define MW_SERVER_SERVER_H

#include "core/server/config.h"
#include "core/server/places.h"

/* Exit codes (sysexits where there is one). */
enum mw_exit {
    MW_EXIT_OK = 0,
    MW_EXIT_FAILED = 1,
    MW_EXIT_USAGE = 2,
    MW_EXIT_UNAVAILABLE = 69, /* the address cannot be had; no server is there */
    MW_EXIT_CONFIG = 78,      /* settings or scripts are wrong */
};

/*
 * Runs until a signal; returns the exit code. What went wrong has been logged. Everything is
 * borrowed.
 */
int mw_server_run(const struct mw_config *config, const struct mw_engine *engine,
                  const struct mw_places *places);

#endif
