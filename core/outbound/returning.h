/*
 * A ws_client that comes back: after each end the policy of session/reconnect decides, and a timer
 * brings the next attempt. Events are the ws_client's, attempt for attempt, and one more.
 */
#ifndef MW_OUTBOUND_RETURNING_H
#define MW_OUTBOUND_RETURNING_H

#include "core/outbound/ws_client.h"
#include "core/session/reconnect.h"

struct mw_returning;

struct mw_returning_events {
    struct mw_ws_client_events client; /* of each attempt */
    /*
     * After each `ended`: what happens now. Where it stays away this is the last event. A command
     * given in here (stop, now) goes before it.
     */
    void (*next)(void *owner, const struct mw_reconnect_step *step);
};

/*
 * Gives one and makes the first attempt. setup.events is not looked at. `setup` must stay with all
 * that it points to; it is read again for each attempt, so URL and headers may change between two.
 * Errors as mw_ws_client_start.
 */
int mw_returning_start(const struct mw_ws_client_setup *setup,
                       const struct mw_returning_events *events, struct mw_returning **out,
                       char why[256]);
void mw_returning_free(struct mw_returning *returning);

/* The client of the attempt that is being made or open; NULL while it waits. */
struct mw_ws_client *mw_returning_client(const struct mw_returning *returning);
/* Attempts so far, the first included. */
uint64_t mw_returning_attempts(const struct mw_returning *returning);
/* Does not wait any longer. False: it was not waiting. */
bool mw_returning_now(struct mw_returning *returning);
/* Closes what is open (code as mw_ws_client_close), forgets what waits: `next` with OURS follows.
 */
void mw_returning_stop(struct mw_returning *returning, unsigned code, struct mw_view reason);

#endif
