/* `moonwire doctor URL`: the walk to a server, from a command line to the report. */
#ifndef MW_CLI_DOCTOR_PATH_H
#define MW_CLI_DOCTOR_PATH_H

#include "core/cli/args.h"
#include "core/doctor/report.h"

/*
 * Fills the report; an interrupt ends the walk, and what was found until then is in it. 0, or the
 * exit code, and then what is wrong has been said.
 */
int mw_doctor_path(const struct mw_args *args, struct mw_doctor_report *report);

#endif
