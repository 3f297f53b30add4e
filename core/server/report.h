/* What became of a change of the scripts, as lines of a log. */
#ifndef MW_SERVER_REPORT_H
#define MW_SERVER_REPORT_H

#include "core/server/batch.h"
#include "core/server/log.h"

/* A line for each load that came to something. */
void mw_report_batch(struct mw_log *log, const struct mw_batch *batch);

/* Whether something that was to be loaded was not. */
bool mw_report_is_refusal(const struct mw_load *load);

/*
 * A version fails far more often than the one before it; what to type against that. `why` says it
 * in figures.
 */
void mw_report_worse(struct mw_log *log, struct mw_view script, unsigned version, const char *why);

#endif
