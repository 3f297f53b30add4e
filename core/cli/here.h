/* What the running server of a project adds to an explanation, where there is one. */
#ifndef MW_CLI_HERE_H
#define MW_CLI_HERE_H

#include "core/cli/control.h"
#include "core/explain/here.h"

struct mw_json_doc;

#define MW_CLI_HERE_ENDS  256
#define MW_CLI_HERE_CODES 256

/* Its views are into the answer, until mw_cli_here_free. */
struct mw_cli_here {
    struct mw_here here;
    struct mw_control control;
    struct mw_json_doc *answer;
    struct mw_here_end ends[MW_CLI_HERE_ENDS];
    struct mw_here_code codes[MW_CLI_HERE_CODES];
};

/*
 * Asks it. NULL where no server answers, else what it said, which lives as `here` does. Free it in
 * both cases.
 */
const struct mw_here *mw_cli_here_ask(struct mw_cli_here *here, const struct mw_args *args);
void mw_cli_here_free(struct mw_cli_here *here);

/* What an answer says, without asking; for ask and its test. */
void mw_cli_here_read(struct mw_cli_here *here, const struct mw_json_doc *answer);

#endif
