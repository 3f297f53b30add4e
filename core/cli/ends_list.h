/*
 * The last ends as a list for people: a line each, and one for many that are alike and came
 * together, since what ended two hundred at once ends two thousand. Pure.
 */
#ifndef MW_CLI_ENDS_LIST_H
#define MW_CLI_ENDS_LIST_H

#include "core/base/json.h"

/*
 * `conns` is the server's answer, the last end first; `is_all`: there are no older ones. At most
 * `max_rows` ends get a line of their own. MW_ERR_NOMEM.
 */
int mw_ends_list(struct mw_buf *out, const struct mw_json *conns, bool is_all, size_t max_rows);

#endif
