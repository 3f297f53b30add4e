/*
 * Why a connection ended, in plain words, from what the server knows of it (the object of
 * core/server/end_record.h). Pure.
 */
#ifndef MW_CLI_VERDICT_H
#define MW_CLI_VERDICT_H

#include "core/base/json.h"

/* Lines for people. `now_unix_ms` tells how long ago. MW_ERR_NOMEM. */
int mw_verdict(struct mw_buf *out, const struct mw_json *conn, mw_ms now_unix_ms);

/* One line of a list. MW_ERR_NOMEM. */
int mw_verdict_line(struct mw_buf *out, const struct mw_json *conn);

/* "12 ms", "5.2 s", "12 min", "3 h": as exact as one wants to know it. MW_ERR_NOMEM. */
int mw_verdict_span(struct mw_buf *out, double seconds);

#endif
