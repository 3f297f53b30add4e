/* Loading a script as `serve` would, where nobody hears it: for what only shows while it loads. */
#ifndef MW_SERVER_REHEARSE_H
#define MW_SERVER_REHEARSE_H

#include "moonwire/app.h"

struct mw_config;

/* The app is thrown away behind it, and with it the spec. */
struct mw_rehearsal {
    const struct mw_engine *engine;
    const struct mw_config *config; /* its script.* are the limits */
    void *ctx;
    void (*loaded)(void *ctx, const struct mw_route_spec *spec);
};

/* MW_OK; MW_ERR_NOMEM: it was not tried; MW_ERR_BAD_ARG: it does not load, as `fault` says. */
int mw_rehearse(const struct mw_rehearsal *rehearsal, const struct mw_sources *sources,
                struct mw_fault *fault);

#endif
