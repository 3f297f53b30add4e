/*
 * Log lines that strangers can cause at will: a few a second, and the next one says how many were
 * left out. Zero it to start.
 */
#ifndef MW_SERVER_RARE_H
#define MW_SERVER_RARE_H

#include "core/base/rate.h"
#include "core/server/log.h"

struct mw_rare {
    struct mw_rate rate;
    uint64_t left_out;
};

/* As mw_log_begin; what is put into a line that is left out goes nowhere. */
void mw_rare_begin(struct mw_rare *rare, mw_ms now_ms, struct mw_log_line *line, struct mw_log *log,
                   enum mw_log_level level, const char *message);

#endif
