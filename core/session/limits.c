/*
 * From the script's numbers (seconds, counts) to the machine's. Ranges were checked where the
 * script was read.
 */
#include "core/session/limits.h"

/* Never nothing: what is due at once would be due for ever. */
static mw_ms span_ms(double seconds)
{
    if (!(seconds > 0))
        return MW_NEVER;
    mw_ms span = (mw_ms)(seconds * 1000.0);
    return span ? span : 1;
}

void mw_limits_from(struct mw_limits_ms *out, const struct mw_limits *limits)
{
    *out = (struct mw_limits_ms){
        .message = (size_t)limits->message,
        .inflated = (size_t)(limits->inflated > 0 ? limits->inflated : limits->message),
        .fragments = (size_t)limits->fragments,
        .queue = (size_t)limits->queue,
        .idle_ms = span_ms(limits->idle),
        .ping_ms = span_ms(limits->ping),
        .pong_ms = span_ms(limits->pong),
        .age_ms = span_ms(limits->age),
        .rate_per_s = limits->rate,
        .burst = limits->burst > 0 ? limits->burst : limits->rate,
        .policy = limits->policy,
    };
    /* A bucket that holds less than one token never gives any. */
    if (out->rate_per_s > 0 && out->burst < 1)
        out->burst = 1;
}

void mw_limits_default(struct mw_limits *out)
{
    *out = (struct mw_limits){
#define DEFAULT(name, normal, least, most) .name = (normal),
        MW_LIMIT_LIST(DEFAULT)
#undef DEFAULT
    };
}
