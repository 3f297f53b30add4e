/*
 * Everything that can be known of a project without serving it. First the files are read by the
 * engine, which runs nothing; then each script is loaded into an app that is thrown away, under the
 * limits that it would have, for what only shows while it loads.
 */
#ifndef MW_SERVER_CHECK_H
#define MW_SERVER_CHECK_H

#include "core/server/findings.h"
#include "core/server/places.h"

/* Adds to `findings` in order; *files is how many were read. MW_OK, or an error with `why`. */
int mw_check_project(struct mw_findings *findings, const struct mw_engine *engine,
                     const struct mw_places *places, size_t *files, char why[512]);

#endif
