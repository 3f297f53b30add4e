/*
 * The lines of a drain. Called by stopping, with the numbers of all workers, and by admin_drain.
 */
#include "core/server/drain_say.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/proto/close.h"

void mw_drain_say_begun(struct mw_log *log, const struct mw_drain_facts *facts)
{
    double grace_s = (double)facts->grace_ms / 1000, timeout_s = (double)facts->timeout_ms / 1000;
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_INFO, mw_view_text("draining"));
    mw_log_integer(&line, "connections", (int64_t)facts->connections);
    mw_log_integer(&line, "code", facts->restart ? MW_CLOSE_RESTART : MW_CLOSE_GOING_AWAY);
    mw_log_integer(&line, "rate", (int64_t)facts->rate_per_s);
    mw_log_number(&line, "grace", grace_s);
    mw_log_number(&line, "timeout", timeout_s);
    mw_log_say(&line,
               "stopping: %zu connections are told when to come back, %llu a second; new ones are "
               "taken for %g s more\n    gone in %g s at the latest; a second signal ends at once",
               facts->connections, (unsigned long long)facts->rate_per_s, grace_s, timeout_s);
    mw_log_end(&line);
}

void mw_drain_say_progress(struct mw_log *log, size_t left, const struct mw_drain_tally *tally)
{
    struct mw_log_line line;
    mw_log_begin(&line, log, MW_LOG_INFO, mw_view_text("drain goes on"));
    mw_log_integer(&line, "left", (int64_t)left);
    mw_log_integer(&line, "told", (int64_t)tally->told);
    mw_log_integer(&line, "clean", (int64_t)tally->clean);
    mw_log_end(&line);
}

size_t mw_drain_count_cut(const struct mw_drain_tally *tally)
{
    size_t count = 0;
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++)
        count += tally->cut[i];
    return count;
}

void mw_drain_cut_text(const struct mw_drain_tally *tally, char out[MW_DRAIN_TEXT_MAX])
{
    static const char *const texts[] = {
#define MW_DRAIN_CUT(name, text) text,
        MW_DRAIN_CUT_LIST(MW_DRAIN_CUT)
#undef MW_DRAIN_CUT
    };
    size_t cut = mw_drain_count_cut(tally), at = 0;
    const char *before = ": ";
    out[0] = '\0';
    if (cut)
        at = (size_t)snprintf(out, MW_DRAIN_TEXT_MAX, "%zu cut", cut);
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++) {
        if (tally->cut[i] == 0)
            continue;
        at += (size_t)snprintf(out + at, MW_DRAIN_TEXT_MAX - at, "%s%zu %s", before, tally->cut[i],
                               texts[i]);
        before = ", ";
    }
}

void mw_drain_say_over(struct mw_log *log, const struct mw_drain_tally *tally)
{
    static const char *const names[] = {
#define MW_DRAIN_CUT(name, text) "cut_" #name,
        MW_DRAIN_CUT_LIST(MW_DRAIN_CUT)
#undef MW_DRAIN_CUT
    };
    char cut[MW_DRAIN_TEXT_MAX];
    struct mw_log_line line;
    bool is_whole = mw_drain_count_cut(tally) == 0 && tally->owed == 0;
    mw_drain_cut_text(tally, cut);
    mw_log_begin(&line, log, is_whole ? MW_LOG_INFO : MW_LOG_WARN, mw_view_text("drained"));
    mw_log_integer(&line, "told", (int64_t)tally->told);
    mw_log_integer(&line, "clean", (int64_t)tally->clean);
    mw_log_integer(&line, "unanswered", (int64_t)tally->unanswered);
    mw_log_integer(&line, "cut", (int64_t)mw_drain_count_cut(tally));
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++) {
        if (tally->cut[i])
            mw_log_integer(&line, names[i], (int64_t)tally->cut[i]);
    }
    mw_log_integer(&line, "owed", (int64_t)tally->owed);
    mw_log_number(&line, "took", (double)tally->took_ms / 1000);
    mw_log_say(&line, "drained in %.1f s: %zu told, %zu closed cleanly, %zu did not answer%s%s",
               (double)tally->took_ms / 1000, tally->told, tally->clean, tally->unanswered,
               *cut ? "\n    " : "", cut);
    mw_log_end(&line);
}
