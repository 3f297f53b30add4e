/* `moonwire doctor URL`: the walk to a server, from a command line to the report. */
#ifndef MW_CLI_DOCTOR_PATH_H
#define MW_CLI_DOCTOR_PATH_H

#include "core/cli/args.h"
#include "core/doctor/report.h"

/*
 * Fills the report and gives what `tell` makes of it, an exit code; or another one, and then what
 * is wrong has been said. An interrupt ends the walk, and what was found until then is told. It is
 * told before everything is taken down, for a resolver that hangs keeps that from ending.
 */
int mw_doctor_path(const struct mw_args *args, struct mw_doctor_report *report,
                   int (*tell)(const struct mw_doctor_report *report, bool json));

#endif
