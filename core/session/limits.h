/*
 * The limits of one route in the units of the machine; made once per version from the script's
 * numbers.
 */
#ifndef MW_SESSION_LIMITS_H
#define MW_SESSION_LIMITS_H

#include "moonwire/app.h"

struct mw_limits_ms {
    size_t message, fragments, queue;        /* bytes, pieces, bytes */
    size_t inflated;                         /* bytes of a message that came compressed */
    mw_ms idle_ms, ping_ms, pong_ms, age_ms; /* MW_NEVER: off */
    double rate_per_s, burst;                /* 0: off */
    enum mw_policy policy;                   /* of what has no room in the queue */
};

/* Seconds to milliseconds, 0 to "off" where 0 means that. */
void mw_limits_from(struct mw_limits_ms *out, const struct mw_limits *limits);

/* The defaults, as docs/scripting.md has them. */
void mw_limits_default(struct mw_limits *out);

#endif
