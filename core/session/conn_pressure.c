/*
 * Backpressure of one connection. Beside conn_send.c, which asks whether there is room; the driver
 * asks here whether it should read, and tells what a policy has dropped.
 *
 * Only answers hold reading back, never what others publish: a receiver of a busy topic whose queue
 * is always full must still be heard, if only to say that it wants less.
 */
#include "core/session/conn_pressure.h"

/* Enough for the answers to a few reads; two full kernel buffers are between us and the peer. */
#define CHOKE_BYTES 65536

static size_t choke_mark(const struct mw_conn *conn)
{
    size_t half = conn->limits->queue / 2;
    return half < CHOKE_BYTES ? half : CHOKE_BYTES;
}

void mw_conn_note_answer(struct mw_conn *conn, size_t bytes)
{
    size_t answered = conn->answered + bytes;
    if (answered > conn->out.bytes)
        answered = conn->out.bytes;
    conn->answered = answered < UINT32_MAX ? (uint32_t)answered : UINT32_MAX;
    if (conn->answered > choke_mark(conn))
        conn->choked = true;
}

/* Answers stand anywhere among what waits: their share of what has left is that of the queue. */
void mw_conn_ease(struct mw_conn *conn, size_t bytes, size_t waited)
{
    if (conn->answered == 0)
        return;
    double stays = waited > bytes ? 1 - (double)bytes / (double)waited : 0;
    conn->answered = (uint32_t)(conn->answered * stays);
    if (conn->answered <= choke_mark(conn) / 2)
        conn->choked = false;
}

void mw_conn_note_dropped(struct mw_conn *conn)
{
    conn->messages_dropped++;
    if (conn->sideband)
        conn->untold++;
    if (conn->replay) /* its number stands behind those that were sent, also where a cut comes now
                       */
        mw_replay_lost(conn->replay, 1);
}

int mw_conn_tell_gap(struct mw_conn *conn)
{
    char text[MW_SIDEBAND_ANSWER_MAX];
    if (conn->untold == 0)
        return MW_OK;
    size_t len = mw_sideband_hole(conn->sideband, conn->untold, text);
    int err = mw_outq_put(&conn->out, MW_OPCODE_TEXT, mw_view(text, len), 0);
    if (!err)
        conn->untold = 0;
    return err;
}
