/*
 * Single frames into a connection's queue, beside conn.c, which makes whole messages. Masks them as
 * the role asks, and knows no more of what they mean.
 */
#include "core/session/conn_hand.h"

#include "core/base/check.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"

static int may_put(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (mw_conn_queued(conn) > conn->home->limits->queue)
        return MW_ERR_DROPPED;
    return mw_conn_begin_output(conn, now_ms);
}

int mw_conn_send_frame(struct mw_conn *conn, enum mw_opcode opcode, bool fin,
                       struct mw_view payload, mw_ms now_ms)
{
    uint8_t key[4];
    int err = may_put(conn, now_ms);
    if (!err)
        err = mw_outq_put_piece(&conn->sending->out, opcode, fin, payload,
                                mw_conn_mask_key(conn, key));
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
        err = mw_outq_put_control(&conn->sending->out, MW_OPCODE_PING, payload,
                                  mw_conn_mask_key(conn, key));
    if (!err)
        mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, payload.len, 0, now_ms);
    return err;
}
