/*
 * Sessions: connections whose clients can come back (docs/running.md, "Sessions that come back").
 * The session is the client object itself. When the network ends its connection, the stream goes,
 * and id, place in its route, subscriptions, backlog, and the app's object stay: phase AWAY, until
 * the client is back (comeback.h) or the time is over; then the end is told that it would have had.
 *
 * While it is away its machine (client->conn) is one that nothing goes into or comes out of: OPEN
 * until somebody ends the session.
 */
#ifndef MW_SERVER_AWAY_H
#define MW_SERVER_AWAY_H

#include "core/server/client.h"
#include "core/server/rare.h"
#include "core/session/replay.h"
#include "core/session/resume_token.h"

struct mw_broadcast;

/* Of a client that can come back. */
struct mw_session {
    struct mw_client *client;
    struct mw_replay replay;
    struct mw_resume_tokens tokens;
    struct mw_link link; /* in worker->away.sessions while it is away and need not go */
    mw_ms cut_ms;
    uint8_t cut;  /* enum mw_cause: what has ended its connection */
    bool must_go; /* it has to make room, though its time is not over */
    bool asked;   /* on_resume waits, or has just decided */
    bool resumed; /* it has been back, or is about to be */
    uint8_t reason_len;
    char reason[32];            /* of that end */
    struct mw_decided *decided; /* by on_resume, which had yielded; else NULL */
    mw_id comer;                /* the client whose stream is to become this one's; 0: none */
    mw_id asked_by;             /* ... for which on_resume was called */
};

/* Of a worker. */
struct mw_away {
    struct mw_link sessions; /* that are away, the longest first */
    size_t count;
    struct mw_rare full; /* what is told of resume.sessions */
};

void mw_away_init(struct mw_away *away);

/* ---- for upgrade: before its machine begins ---- */

/* Its client wants a session: it gets one where its route has them and there is memory. */
void mw_away_open(struct mw_client *client, const struct mw_route *route);
void mw_away_free(struct mw_client *client);

/* ---- for ws_driver ---- */

/*
 * Its machine has ended. True: by the network, or by a browser whose page does not know of it, and
 * the client may come back: it is away, and its stream is gone.
 */
bool mw_away_begin(struct mw_client *client);
void mw_away_settle(struct mw_client *client);
void mw_away_alarm(struct mw_client *client);

/* ---- for comeback ---- */

/* Its client comes back while its old connection has not been missed yet: away from here on. */
void mw_away_take_over(struct mw_client *client);
/* It is not away any more: it is back, or ends. */
void mw_away_leave(struct mw_client *client);

/* ---- for the host: what is sent to who is away is kept ---- */

int mw_away_send(struct mw_client *client, enum mw_opcode kind, struct mw_view data);
int mw_away_send_shared(struct mw_client *client, struct mw_broadcast *broadcast);
size_t mw_away_kept_bytes(const struct mw_client *client);

/* ---- for account, drain, route ---- */

/*
 * Lets go of what is kept for sessions of this account, those that are away or the others, until it
 * holds `most` bytes or nothing is left. Their clients are told of the hole when they are back.
 */
void mw_away_relieve(struct mw_account *account, size_t most, bool is_away);
/* Nobody comes back from here on: all sessions that are away end. */
void mw_away_end_all(struct mw_worker *worker);
/* Its route has other limits. */
void mw_away_told(struct mw_client *client);

#endif
