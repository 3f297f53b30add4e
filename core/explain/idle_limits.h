/*
 * Who on a path is known to end connections, and after how long: one table for the log, for `why`
 * and for `doctor`. Pure.
 */
#ifndef MW_EXPLAIN_IDLE_LIMITS_H
#define MW_EXPLAIN_IDLE_LIMITS_H

#include "moonwire/types.h"

/* Always after so much silence, or after so much life. */
enum mw_cut_kind { MW_CUT_SILENCE, MW_CUT_LIFETIME };
#define MW_CUT_KINDS 2

struct mw_idle_limit {
    enum mw_cut_kind kind;
    unsigned after_s;
    bool is_verified;
    const char *says;   /* "Cloudflare: 100 s" */
    const char *change; /* what to type there, in lines */
};

/* The first that is alike; NULL: nobody is known for that. Static. */
const struct mw_idle_limit *mw_idle_limit_of(enum mw_cut_kind kind, mw_ms after_ms);

/* How far from each other two times may be that are alike: 2 %, or 1.5 s. */
mw_ms mw_idle_near_ms(mw_ms value_ms);

/* A ping period, or an age, that keeps a connection from being cut there; one ping may get lost. */
unsigned mw_idle_better_s(enum mw_cut_kind kind, mw_ms after_ms);

#endif
