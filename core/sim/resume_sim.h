/*
 * One session that is cut off and comes back, again and again: the server's machine with what it
 * keeps on one side, a model of the client for pages on the other, between them lines that cut,
 * delay and swallow at any byte. A schedule is what one seed makes of it; the same seed gives the
 * same run, except for the tokens, which nothing depends on.
 *
 * What must hold, whatever happens: the application of either side gets each message of a session
 * once and in order, or is told exactly how many are missing; nothing is missing that was kept;
 * who comes back in time is known; what is kept stays within its bound.
 */
#ifndef MW_SIM_RESUME_SIM_H
#define MW_SIM_RESUME_SIM_H

#include "core/base/mem.h"

/* What has happened, summed over the schedules that this is given to. */
#define MW_RESUME_TALLY_LIST(X) \
    X(cuts, "lines cut") \
    X(swallowed, "lines that swallow all without a word") \
    X(attempts, "attempts to connect") \
    X(sessions, "new sessions") \
    X(returns, "returns") \
    X(takeovers, "... while the server still held the old line") \
    X(lost_hellos, "... with the token before, as a hello was lost") \
    X(resent, "messages sent again by the server") \
    X(resent_up, "messages sent again by the client") \
    X(replaced, "messages replaced by newer ones of their key") \
    X(held_back, "messages that a policy has dropped") \
    X(missed, "messages missed, and told") \
    X(dropped, "messages of a session that was lost, and told") \
    X(expired, "sessions whose time was over") \
    X(nonsense, "counts and tokens that cannot be") \
    X(down, "messages to the client") \
    X(up, "messages to the server")

struct mw_resume_tally {
#define MW_RESUME_TALLY(name, text) uint64_t name;
    MW_RESUME_TALLY_LIST(MW_RESUME_TALLY)
#undef MW_RESUME_TALLY
};

/* Adds to *tally. NULL: all of it held; else what did not, a static text. Gives all memory back. */
const char *mw_resume_simulate(struct mw_mem *mem, uint64_t seed, struct mw_resume_tally *tally);

#endif
