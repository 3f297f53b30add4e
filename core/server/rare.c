/* Counts what is left out. Called by door and the drivers. */
#include "core/server/rare.h"

/* Enough to see what is going on; a flood of them fills no disk. */
#define LINES_PER_S 3
#define BURST       6

void mw_rare_begin(struct mw_rare *rare, mw_ms now_ms, struct mw_log_line *line, struct mw_log *log,
                   enum mw_log_level level, const char *message)
{
    *line = (struct mw_log_line){ 0 };
    if (!mw_rate_take(&rare->rate, LINES_PER_S, BURST, now_ms)) {
        rare->left_out++;
        return;
    }
    mw_log_begin(line, log, level, mw_view_text(message));
    if (rare->left_out)
        mw_log_integer(line, "left_out", (int64_t)rare->left_out);
    rare->left_out = 0;
}
