/* M.codes of the scripts of a project as they lie on disk, for who does not serve it. */
#ifndef MW_SERVER_PROJECT_CODES_H
#define MW_SERVER_PROJECT_CODES_H

#include "core/base/buf.h"
#include "core/server/script_codes.h"
#include "moonwire/app.h"

struct mw_config;

struct mw_project_codes {
    const struct mw_engine *engine;
    const struct mw_config *config; /* its script.* are the limits */
    const char *folder;             /* of the scripts */
    unsigned code, other;           /* whose rows are wanted; 0: none */
    void *ctx;
    /* A script that cannot be read or does not load; the fault may lie in a library. */
    void (*fault)(void *ctx, struct mw_view script, const struct mw_fault *fault);
};

/*
 * Appends struct mw_script_code to `rows`, at most MW_SCRIPT_CODES_MAX. Each script is loaded and
 * thrown away (rehearse.h); nothing is served. MW_OK, or an error with a sentence in `why`.
 */
int mw_project_codes_read(const struct mw_project_codes *wish, struct mw_buf *rows, char why[512]);

#endif
