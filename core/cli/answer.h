/* What a server has answered over its control channel, for people or as it came. */
#ifndef MW_CLI_ANSWER_H
#define MW_CLI_ANSWER_H

#include "core/base/mem.h"

/*
 * Prints one line of an answer. An exit code: OK, or FAILED for a refusal and for what is no
 * answer. *is_event (may be NULL): another line follows.
 */
int mw_answer_take(struct mw_mem *mem, struct mw_view line, bool as_json, bool *is_event);

#endif
