/* `moonwire simulate resume`, beside cmd_simulate.c. */
#ifndef MW_CLI_SIMULATE_RESUME_H
#define MW_CLI_SIMULATE_RESUME_H

#include "core/cli/args.h"

/* The exit code: MW_EXIT_FAILED where a schedule did not hold. */
int mw_simulate_resume(const struct mw_args *args);

#endif
