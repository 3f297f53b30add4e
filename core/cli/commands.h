/* The verbs of the program. Each gets the parsed command line and returns the exit code. */
#ifndef MW_CLI_COMMANDS_H
#define MW_CLI_COMMANDS_H

#include "core/cli/args.h"

int mw_cmd_dev(const struct mw_args *args);
int mw_cmd_serve(const struct mw_args *args);
int mw_cmd_status(const struct mw_args *args);
int mw_cmd_drain(const struct mw_args *args);
int mw_cmd_reload(const struct mw_args *args);
int mw_cmd_rollback(const struct mw_args *args);
int mw_cmd_metrics(const struct mw_args *args);
int mw_cmd_why(const struct mw_args *args);
int mw_cmd_close(const struct mw_args *args);
int mw_cmd_bench(const struct mw_args *args);
int mw_cmd_check(const struct mw_args *args);
int mw_cmd_connect(const struct mw_args *args);
int mw_cmd_doctor(const struct mw_args *args);
int mw_cmd_explain(const struct mw_args *args);
int mw_cmd_simulate(const struct mw_args *args);
int mw_cmd_version(const struct mw_args *args);
int mw_cmd_help(const struct mw_args *args);

struct mw_command {
    const char *name;
    int (*run)(const struct mw_args *args);
    const char *usage, *text;
};

/* Ends with a row without a name. */
extern const struct mw_command mw_commands[];

/* The whole program; returns the exit code. */
int mw_cli_main(int argc, char **argv);

#endif
