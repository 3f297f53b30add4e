/* What the running server of a project, or its scripts as they lie there, add to explanations. */
#ifndef MW_CLI_HERE_H
#define MW_CLI_HERE_H

#include "core/cli/control.h"
#include "core/explain/here.h"
#include "core/server/places.h"

struct mw_json_doc;
struct mw_subject;

#define MW_CLI_HERE_ENDS  256
#define MW_CLI_HERE_CODES 256

/* Its views are into the answer, until mw_cli_here_free. */
struct mw_cli_here {
    struct mw_here here;
    struct mw_control control;
    struct mw_json_doc *answer;
    struct mw_here_end ends[MW_CLI_HERE_ENDS];
    struct mw_here_code codes[MW_CLI_HERE_CODES];
    struct mw_buf rows;        /* of scripts that were read from files */
    char folder[MW_PLACE_MAX]; /* where these are */
};

/*
 * Asks it. NULL where no server answers, else what it said, which lives as `here` does. Free it in
 * both cases.
 */
const struct mw_here *mw_cli_here_ask(struct mw_cli_here *here, const struct mw_args *args);

/*
 * Behind mw_cli_here_ask, where no server answered: what the scripts of the project say about codes
 * of the subject. NULL where there is no project or the subject is no code that scripts may name;
 * a project that was named and is none, and scripts that do not load, are told of.
 */
const struct mw_here *mw_cli_here_read_files(struct mw_cli_here *here, const struct mw_args *args,
                                             const struct mw_subject *subject);
void mw_cli_here_free(struct mw_cli_here *here);

/* What an answer says, without asking; for ask and its test. */
void mw_cli_here_read(struct mw_cli_here *here, const struct mw_json_doc *answer);

#endif
