/* Which limit ended a connection, and what it was set to. */
#ifndef MW_SERVER_ENDING_LIMIT_H
#define MW_SERVER_ENDING_LIMIT_H

#include "core/server/end_record.h"

struct mw_config;
struct mw_limits_ms;

/* Sets option, unit and limit by facts->cause; leaves them where it is no single limit's. */
void mw_ending_limit(struct mw_end_record *facts, const struct mw_limits_ms *limits,
                     const struct mw_config *config);

#endif
