/*
 * Backpressure of one connection. Beside conn_send.c, which asks whether there is room; the driver
 * asks here whether it should read, and tells what a policy has dropped.
 *
 * Only answers hold reading back, never what others publish: a receiver of a busy topic whose queue
 * is always full must still be heard, if only to say that it wants less.
 */
#include "core/session/conn_pressure.h"

#include "core/session/conn_parts.h"

/* Enough for the answers to a few reads; two full kernel buffers are between us and the peer. */
#define CHOKE_BYTES 65536

static size_t choke_mark(const struct mw_conn *conn)
{
    size_t half = conn->home->limits->queue / 2;
    return half < CHOKE_BYTES ? half : CHOKE_BYTES;
}

void mw_conn_note_answer(struct mw_conn *conn, size_t bytes)
{
    struct mw_conn_sending *sending = conn->sending;
    if (!sending)
        return;
    size_t answered = sending->answered + bytes;
    if (answered > sending->out.bytes)
        answered = sending->out.bytes;
    sending->answered = answered < UINT32_MAX ? (uint32_t)answered : UINT32_MAX;
    if (sending->answered > choke_mark(conn))
        sending->choked = true;
}

/* Answers stand anywhere among what waits: their share of what has left is that of the queue. */
void mw_conn_ease(struct mw_conn *conn, size_t bytes, size_t waited)
{
    struct mw_conn_sending *sending = conn->sending;
    if (sending->answered == 0)
        return;
    double stays = waited > bytes ? 1 - (double)bytes / (double)waited : 0;
    sending->answered = (uint32_t)(sending->answered * stays);
    if (sending->answered <= choke_mark(conn) / 2)
        sending->choked = false;
}

void mw_conn_note_dropped(struct mw_conn *conn, mw_ms now_ms)
{
    if (mw_conn_begin_output(conn, now_ms)) { /* a hole that nobody could be told of */
        if (conn->phase == MW_CONN_OPEN)      /* else its end is under way, and stays what it is */
            mw_conn_run_out_of_memory(conn, now_ms);
        return;
    }
    conn->sending->dropped++;
    conn->sending->untold += conn->sideband != 0;
    if (conn->replay) /* its number stands behind those that were sent, also where a cut comes now
                       */
        mw_replay_lost(conn->replay, 1);
}

int mw_conn_tell_gap(struct mw_conn *conn, mw_ms now_ms)
{
    char text[MW_SIDEBAND_ANSWER_MAX];
    struct mw_conn_sending *sending = conn->sending;
    if (!sending || sending->untold == 0)
        return MW_OK;
    (void)mw_conn_begin_output(conn, now_ms); /* it is there */
    size_t len = mw_sideband_hole(conn->sideband, sending->untold, text);
    int err = mw_outq_put(&sending->out, MW_OPCODE_TEXT, mw_view(text, len), 0);
    if (!err)
        sending->untold = 0;
    return err;
}
