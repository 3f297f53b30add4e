/*
 * Sees from the deaths of connections (1006, by the network) that something between client and
 * server ends them at a time of its own: always after so many seconds of silence, or so many
 * seconds of life. One for each route; pure, the time is told.
 *
 * One moment counts once: a deploy or a switch that fails ends a thousand connections at once,
 * which may well have been silent for equally long.
 */
#ifndef MW_SERVER_CUTS_H
#define MW_SERVER_CUTS_H

#include "core/explain/idle_limits.h"

#define MW_CUTS_MOMENTS   64      /* that are looked at, of the last hour */
#define MW_CUTS_MOMENT_MS 30000   /* of deaths that are so close only the first one is looked at */
#define MW_CUTS_SPAN_MS   3600000 /* and as long until the same is told again */

struct mw_cut_death {
    mw_ms at_ms, silent_ms, lasted_ms;
    bool by_timeout; /* we gave up: how long it was silent says more about us than about the path */
};

/* Zero it to start. */
struct mw_cuts {
    struct mw_cut_death deaths[MW_CUTS_MOMENTS]; /* a ring */
    unsigned noted;
    bool has_told[MW_CUT_KINDS];
    mw_ms told_ms[MW_CUT_KINDS];
};

struct mw_cut_finding {
    enum mw_cut_kind kind;
    unsigned moments;  /* at which connections died so */
    mw_ms after_ms;    /* of silence, of life */
    const char *known; /* who is known for such a limit; "" */
    unsigned better_s; /* what limits.ping, limits.age would prevent it */
};

/* One more has died. True: that shows a limit on the path, which was not told within the hour. */
bool mw_cuts_note(struct mw_cuts *cuts, const struct mw_cut_death *death,
                  struct mw_cut_finding *finding);

/* Who is known to end connections after so much silence, or life; "" where nobody is. Static. */
const char *mw_cut_known(enum mw_cut_kind kind, mw_ms after_ms);

#endif
