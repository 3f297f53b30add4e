/*
 * A session that can be resumed, over one of its connections: keeps what goes out, lets go of what
 * the client acknowledges, and begins a later connection with the rest. Beside conn.c and
 * conn_send.c, which call it; who may come back, and when, is the driver's.
 */
#include "core/session/conn_replay.h"

#include "core/base/check.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"
#include "core/session/conn_pressure.h"

struct mw_msg *mw_conn_frame_kept(const struct mw_conn *conn, enum mw_opcode opcode,
                                  struct mw_view payload)
{
    return conn->replay ? mw_replay_frame(conn->replay->mem, opcode, payload) : 0;
}

static int put_question(struct mw_conn *conn, mw_ms now_ms)
{
    char text[MW_SIDEBAND_ANSWER_MAX];
    if (!MW_ALWAYS(conn->sideband))
        return MW_OK;
    const struct mw_view question = mw_view(text, mw_sideband_question(conn->sideband, text));
    if (mw_conn_tell_gap(conn, now_ms)) /* the count has it */
        return MW_ERR_NOMEM;
    if (mw_conn_begin_output(conn, now_ms) ||
        mw_outq_put(&conn->sending->out, MW_OPCODE_TEXT, question, 0))
        return MW_ERR_NOMEM;
    conn->replay->asked = conn->replay->sent;
    return MW_OK;
}

int mw_conn_ask_count(struct mw_conn *conn, mw_ms now_ms)
{
    const struct mw_replay *replay = conn->replay;
    bool is_known = !replay || (replay->heard && replay->acked == replay->sent);
    return is_known ? MW_OK : put_question(conn, now_ms);
}

/* One at a time. It may stand in the queue while the script still decides on the handshake. */
static void ask_early(struct mw_conn *conn, mw_ms now_ms)
{
    const struct mw_replay *replay = conn->replay;
    bool is_open = conn->phase == MW_CONN_OPEN && mw_conn_queued(conn) <= conn->home->limits->queue;
    bool is_asked = replay->asked > replay->acked || replay->asked == replay->sent;
    if (is_open && !is_asked && replay->bytes >= replay->max_bytes / 4)
        (void)put_question(conn, now_ms); /* without memory: the next one */
}

int mw_conn_keep(struct mw_conn *conn, int err, struct mw_msg *plain, mw_ms now_ms)
{
    if (err || !conn->replay)
        return err;
    if (plain)
        mw_replay_sent(conn->replay, plain);
    else
        mw_replay_lost(conn->replay, 1);
    ask_early(conn, now_ms);
    return MW_OK;
}

void mw_conn_take_count(struct mw_conn *conn, uint64_t count, mw_ms now_ms)
{
    if (!mw_replay_acked(conn->replay, count)) /* it is invented */
        return;
    conn->replay->heard = true;
    ask_early(conn, now_ms);
}

/* ---- the return ---- */

static int put_hole(struct mw_conn *conn, uint64_t lost)
{
    char text[MW_SIDEBAND_ANSWER_MAX];
    if (!MW_ALWAYS(conn->sideband))
        return MW_OK;
    size_t len = mw_sideband_hole(conn->sideband, lost, text);
    return mw_outq_put(&conn->sending->out, MW_OPCODE_TEXT, mw_view(text, len), 0);
}

static int put_entry(struct mw_conn *conn, const struct mw_replay_entry *entry, mw_ms now_ms)
{
    if (!entry->msg)
        return put_hole(conn, entry->lost);
    int err = mw_outq_put_msg(&conn->sending->out, entry->msg);
    if (!err)
        mw_conn_note_sent(conn, (uint8_t)*mw_msg_wire(entry->msg).data,
                          mw_msg_payload_len(entry->msg), now_ms);
    return err;
}

int mw_conn_put_rest(struct mw_conn *conn, mw_ms now_ms)
{
    mw_assert(conn->replay && conn->phase == MW_CONN_OPEN && !mw_conn_has_output(conn));
    int err = mw_conn_begin_output(conn, now_ms);
    for (size_t i = 0; !err && i < conn->replay->count; i++)
        err = put_entry(conn, mw_replay_at(conn->replay, i), now_ms);
    /* The answer shows that the hello was heard, too. */
    if (!err)
        err = put_question(conn, now_ms);
    if (err && conn->sending)
        mw_outq_drop(&conn->sending->out);
    else if (!err)
        mw_conn_note_level(conn, now_ms);
    return err;
}
