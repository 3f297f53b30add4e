/*
 * What the parts of the machine do for a session that can be resumed (replay.h): a server's only.
 * All of it does nothing on a connection without one.
 */
#ifndef MW_SESSION_CONN_REPLAY_H
#define MW_SESSION_CONN_REPLAY_H

#include "core/session/conn.h"

/* Gives the message framed, to be queued and kept; NULL: no session, or no memory. */
struct mw_msg *mw_conn_frame_kept(const struct mw_conn *conn, enum mw_opcode opcode,
                                  struct mw_view payload);
/*
 * A message was queued (err 0), or not. `plain` is what is kept of it (keeps a reference); NULL: it
 * cannot be. Pings where a quarter of the bound is not acknowledged. Answers err.
 */
int mw_conn_keep(struct mw_conn *conn, int err, struct mw_msg *plain, mw_ms now_ms);

/* A ping in order among the messages, with this stamp. MW_ERR_NOMEM. */
int mw_conn_put_ping(struct mw_conn *conn, uint32_t stamp, mw_ms now_ms);
/*
 * Takes the count off a pong's payload: what is left is the stamp, or nothing. Acknowledges what
 * the count says, where one of our pings has said it.
 */
struct mw_view mw_conn_take_ack(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms);

/* A message of the client goes to the application. */
static inline void mw_conn_count_received(struct mw_conn *conn)
{
    if (conn->replay)
        conn->replay->received++;
}
/* The client does not know yet how many of its messages have come. */
static inline bool mw_conn_owes_count(const struct mw_conn *conn)
{
    return conn->replay && conn->replay->told != conn->replay->received;
}

#endif
