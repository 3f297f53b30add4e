/*
 * What the parts of the machine share among themselves: conn.c (in), conn_end.c (the end),
 * conn_send.c (messages out), conn_replay.c (sessions). Nobody else includes it.
 */
#ifndef MW_SESSION_CONN_PARTS_H
#define MW_SESSION_CONN_PARTS_H

#include "core/session/conn.h"

/* A masking key where this side is a client (RFC 6455 5.3), else NULL. */
static inline const uint8_t *mw_conn_mask_key(struct mw_conn *conn, uint8_t room[4])
{
    if (!conn->is_client)
        return 0;
    uint64_t key = mw_rng_next(conn->home->rng);
    memcpy(room, &key, 4);
    return room;
}

/*
 * Before anything is put into conn->sending->out: it is there from here on, and the time to take
 * what is queued begins with the first of it. MW_ERR_NOMEM.
 */
static inline int mw_conn_begin_output(struct mw_conn *conn, mw_ms now_ms)
{
    if (!conn->sending) {
        const struct mw_conn_home *home = conn->home;
        conn->sending =
            mw_conn_pool_lend_sending(home->pool, home->out_mem ? home->out_mem : home->mem);
        if (!conn->sending)
            return MW_ERR_NOMEM;
    }
    if (conn->sending->out.bytes == 0)
        conn->sending->last_write_ms = now_ms;
    return MW_OK;
}

/* Once nothing waits any more, unless there is something to remember. */
static inline void mw_conn_end_output(struct mw_conn *conn)
{
    struct mw_conn_sending *sending = conn->sending;
    if (!sending || sending->out.bytes || sending->owed || sending->dropped || sending->replaced)
        return;
    mw_conn_pool_take_sending(conn->home->pool, sending);
    conn->sending = 0;
}

/* ---- conn_send.c ---- */

/* Something was queued, so the queue may stand high now. */
void mw_conn_note_level(struct mw_conn *conn, mw_ms now_ms);

/* ---- conn_end.c ---- */

/* The peer has broken a rule: the end begins, or is over. */
void mw_conn_on_breach(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms);
/* Its Close frame has come, as the first one or as the answer to ours. */
void mw_conn_on_peer_close(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms);
/* `clean`: both Close frames were seen. */
void mw_conn_become_closed(struct mw_conn *conn, bool clean);
/* Something that must be kept cannot be: the end begins, or is over. */
void mw_conn_run_out_of_memory(struct mw_conn *conn, mw_ms now_ms);
/* Frees what is remembered of the end. */
void mw_conn_forget_end(struct mw_conn *conn);

#endif
