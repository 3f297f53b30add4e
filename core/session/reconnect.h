/*
 * When a client comes back, and whether: what follows from how its connection, or its attempt at
 * one, has ended. The row of close_catalog for the code is the base, advice of the server goes
 * before it, who was asked to leave by its own owner stays. Pure; the client in JavaScript keeps to
 * the same cases (tests/client/policy.json).
 *
 * The n-th return in a row (from 0) is drawn between the row's least and most * growth^n, at most
 * its cap: full jitter over a floor, so that no crowd ever returns as one, however long it has
 * failed. Advice is drawn from as it stands; after failures between the later bounds of the advice
 * and of the row of 1006.
 */
#ifndef MW_SESSION_RECONNECT_H
#define MW_SESSION_RECONNECT_H

#include "core/base/rng.h"
#include "core/proto/close_catalog.h"
#include "moonwire/advice.h"

/* What was open for so long counts as a success: the next failure is the first one again. */
#define MW_RECONNECT_UPTIME_MS 5000

/* How a connection or an attempt has ended. */
struct mw_reconnect_end {
    unsigned code;   /* as a client sees it: 1005, 1006 (never opened, too) and 1015 as well */
    unsigned status; /* HTTP's, of an answer that was not 101; 0: there was none */
    struct mw_advice advice; /* of the reason (mw_advice_read), or of the refusal */
    mw_ms uptime_ms;         /* since it was opened */
    bool opened;
    bool ours; /* this side's owner has ended it: no failure of anybody's */
};

enum mw_reconnect_why {
    MW_RECONNECT_RETURNS,
    MW_RECONNECT_OURS,    /* stays: we have closed it ourselves */
    MW_RECONNECT_TOLD,    /* stays: the server said so */
    MW_RECONNECT_CODE,    /* stays: the code means that it would only happen again */
    MW_RECONNECT_REFUSED, /* stays: so does the status of HTTP */
    MW_RECONNECT_TRIES,   /* stays: has failed as often in a row as the code's row bears */
};

struct mw_reconnect_step {
    enum mw_reconnect_why why; /* anything but RETURNS: all below is 0 */
    mw_ms after_ms;            /* drawn between the two */
    mw_ms least_ms, most_ms;
    unsigned attempt; /* the first return after a success is 1 */
    bool resume;      /* it may ask for its session */
};

/* One client's memory between its ends. All zero: nothing has happened yet. */
struct mw_reconnect {
    unsigned failures; /* returns in a row of which none stood */
    bool resumable;    /* as the end of the last connection that was open, and all since, left it */
};

/* What to do now. */
struct mw_reconnect_step mw_reconnect_next(struct mw_reconnect *client,
                                           const struct mw_reconnect_end *end, struct mw_rng *rng);

/* ms, `failures` times grown by the policy, at most its cap. */
mw_ms mw_reconnect_grown(const struct mw_close_policy *policy, mw_ms ms, unsigned failures);

/*
 * The row that stands for a refusal with this status: that of 1013 for 429 and 503, of 1014 for 502
 * and 504, of 1011 for other 5xx and 408, of 3000 for 401, of 3003 for 403, of 1002 for a 101 that
 * was none, of 1003 for all others, for they will answer the same again. Static.
 */
const struct mw_close_row *mw_reconnect_row_of_status(unsigned status);

/* "returns", "ours", "told", "code", "refused", "tries". Static. */
const char *mw_reconnect_why_name(enum mw_reconnect_why why);
/* "the server said not to come back". Static. */
const char *mw_reconnect_why_text(enum mw_reconnect_why why);

#endif
