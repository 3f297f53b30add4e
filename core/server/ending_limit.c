/*
 * From a cause to the option behind it and the value in force, so that nobody is told a default.
 * A cause that two limits share is not among them: its reason names which it was. Called by ending.
 */
#include "core/server/ending_limit.h"

#include "core/base/check.h"
#include "core/server/config.h"
#include "core/session/limits.h"

void mw_ending_limit(struct mw_end_record *facts, const struct mw_limits_ms *limits,
                     const struct mw_config *config)
{
    const struct {
        enum mw_cause cause;
        const char *option, *unit;
        double value;
    } rows[] = {
        { MW_CAUSE_message_too_big, "limits.message", "bytes", (double)limits->message },
        { MW_CAUSE_inflated_too_big, "limits.inflated", "bytes", (double)limits->inflated },
        { MW_CAUSE_too_many_fragments, "limits.fragments", "pieces", (double)limits->fragments },
        { MW_CAUSE_slow_consumer, "limits.queue", "bytes", (double)limits->queue },
        { MW_CAUSE_rate_limited, "limits.rate", "messages/s", limits->rate_per_s },
        { MW_CAUSE_ping_timeout, "limits.pong", "s", (double)limits->pong_ms / 1000 },
        { MW_CAUSE_max_age, "limits.age", "s", (double)limits->age_ms / 1000 },
        { MW_CAUSE_script_budget, "script.cpu", "ms", config->script_cpu },
        { MW_CAUSE_script_memory, "script.memory", "bytes", config->script_memory },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        if (rows[i].cause != facts->cause)
            continue;
        facts->option = rows[i].option;
        facts->unit = rows[i].unit;
        facts->limit = rows[i].value;
    }
}
