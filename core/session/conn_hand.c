/*
 * Single frames into a connection's queue, beside conn.c, which makes whole messages. Masks them as
 * the role asks, and knows no more of what they mean.
 */
#include "core/session/conn_hand.h"

#include "core/base/check.h"
#include "core/session/conn_flight.h"

static const uint8_t *mask_key(struct mw_conn *conn, uint8_t room[4])
{
    uint64_t key = mw_rng_next(conn->rng);
    memcpy(room, &key, 4);
    return conn->reader.role == MW_ROLE_SERVER ? NULL : room;
}

static int may_put(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (conn->out.bytes > conn->limits->queue)
        return MW_ERR_DROPPED;
    if (conn->out.bytes == 0)
        conn->last_write_ms = now_ms;
    return MW_OK;
}

int mw_conn_send_frame(struct mw_conn *conn, enum mw_opcode opcode, bool fin,
                       struct mw_view payload, mw_ms now_ms)
{
    uint8_t key[4];
    int err = may_put(conn, now_ms);
    if (!err)
        err = mw_outq_put_piece(&conn->out, opcode, fin, payload, mask_key(conn, key));
    if (err)
        return err;
    conn->messages_sent += fin;
    mw_conn_note_sent(conn, mw_frame_first_byte(opcode, fin, false), payload.len, now_ms);
    return MW_OK;
}

int mw_conn_ping_with(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    uint8_t key[4];
    mw_assert(payload.len <= MW_CONTROL_MAX);
    int err = may_put(conn, now_ms);
    if (!err)
        err = mw_outq_put_control(&conn->out, MW_OPCODE_PING, payload, mask_key(conn, key));
    if (!err)
        mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, payload.len, 0, now_ms);
    return err;
}
