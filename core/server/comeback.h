/*
 * The return to a session (away.h): from an upgrade request that names one to the client object
 * that is it. The client that the request came by, "the comer", is in OPENING meanwhile; on_resume
 * is asked about the session; then the comer's stream becomes the session's, and the comer goes.
 *
 * Refusals that are not the script's are answers over HTTP, so that the session can still be
 * returned to: a Close frame would end it.
 */
#ifndef MW_SERVER_COMEBACK_H
#define MW_SERVER_COMEBACK_H

#include "core/server/client.h"
#include "core/session/resume_token.h"
#include "core/session/sideband.h"

/* Of a client that comes back to a session. */
struct mw_comeback {
    mw_id session;
    uint64_t count; /* messages that it has */
    enum mw_resume_match match;
};

/*
 * Whose request it is: the worker of the session that a target names. False: it names none, and
 * anybody may take it. Says nothing of whether there is such a session.
 */
bool mw_comeback_worker(struct mw_view target, uint8_t *worker);

/* ---- for upgrade ---- */

/*
 * The session that a request for `path` of this route returns to; NULL: it is not known here (any
 * more), and the request is one like any other. The token is compared in constant time.
 */
struct mw_client *mw_comeback_find(struct mw_route *route, struct mw_view path,
                                   const struct mw_sideband_ask *ask, enum mw_resume_match *match);
/* `client` is in OPENING, and belongs to the route. */
void mw_comeback_begin(struct mw_client *client, struct mw_client *session,
                       const struct mw_sideband_ask *ask, enum mw_resume_match match);
/* The time for a decision is over. */
void mw_comeback_expire(struct mw_client *client);

/* ---- for ws_driver, pause and client: about a comer ---- */

/* The end of the turn: asks on_resume when it may. */
void mw_comeback_settle(struct mw_client *client);
/* The script was paused before it had decided. */
void mw_comeback_put_off(struct mw_client *client);
void mw_comeback_free(struct mw_client *client);

/* ---- for away: about a session ---- */

/* Who waits to become it; or NULL. */
struct mw_client *mw_comeback_comer(const struct mw_client *session);
/* on_resume, which had waited, has ended. */
void mw_comeback_decided(struct mw_client *session);
/* It was cut off by a rebuild, and is asked once more. */
void mw_comeback_ask_again(struct mw_client *session);
/* The session has ended: `comer` gets the same answer. */
void mw_comeback_lost(struct mw_client *comer, const struct mw_conn_end *end);

#endif
