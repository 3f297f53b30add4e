/*
 * The log lines of one script: so many a second whoever causes them, and none longer than a line.
 * What is left out is counted, and one line says how many. Faults do not come this way.
 */
#ifndef MW_SERVER_SCRIPT_LOG_H
#define MW_SERVER_SCRIPT_LOG_H

#include "core/base/rate.h"
#include "core/io/loop.h"
#include "core/server/log.h"

struct mw_script_log {
    struct mw_log *log;      /* borrowed */
    struct mw_loop *loop;    /* borrowed */
    struct mw_view script;   /* its name; borrowed */
    struct mw_rate rate;     /* MW_BOUND_LOG_LINES_PER_S */
    uint64_t dropped;        /* and not told of yet */
    struct mw_alarm telling; /* rings where nothing else comes to tell of them */
};

void mw_script_log_init(struct mw_script_log *lines, struct mw_log *log, struct mw_loop *loop,
                        struct mw_view script);
/* Tells of what was left out, and ends. Zeroed it is nothing. */
void mw_script_log_end(struct mw_script_log *lines);

/* As host->log. A message is cut, and fields are left out from where the line would be too long. */
void mw_script_log_write(struct mw_script_log *lines, enum mw_log_level level, unsigned version,
                         mw_id conn, struct mw_view message, const struct mw_log_field *fields,
                         size_t count);

#endif
