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
 * cannot be. Asks where a quarter of the bound is not acknowledged. Answers err.
 */
int mw_conn_keep(struct mw_conn *conn, int err, struct mw_msg *plain, mw_ms now_ms);

/*
 * Asks how many messages the client has, in order among them; nothing where that is known. No pong
 * can answer: a browser sends it for a page that has given the connection up and hears no message
 * any more. MW_ERR_NOMEM.
 */
int mw_conn_ask_count(struct mw_conn *conn, mw_ms now_ms);
/* The client of a session says that it has so many, asked or not. What cannot be is passed over. */
void mw_conn_take_count(struct mw_conn *conn, uint64_t count, mw_ms now_ms);

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
