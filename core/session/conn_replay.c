/*
 * A session that can be resumed, over one of its connections: keeps what goes out, lets go of what
 * pongs acknowledge, and begins a later connection with the rest. Beside conn.c and conn_send.c,
 * which call it; who may come back, and when, is the driver's.
 */
#include "core/session/conn_replay.h"

#include "core/base/check.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"
#include "core/session/conn_pressure.h"

/* Behind the stamp, if there is one: the browser gives back what it got, so any order of bytes. */
#define COUNT_BYTES sizeof(uint64_t)

struct mw_msg *mw_conn_frame_kept(const struct mw_conn *conn, enum mw_opcode opcode,
                                  struct mw_view payload)
{
    return conn->replay ? mw_replay_frame(conn->replay->mem, opcode, payload) : 0;
}

static int put_ping(struct mw_conn *conn, struct mw_view stamp, mw_ms now_ms)
{
    char payload[sizeof(uint32_t) + COUNT_BYTES];
    const uint64_t count = conn->replay->sent;
    mw_assert(!conn->is_client && stamp.len <= sizeof(uint32_t));
    if (mw_conn_tell_gap(conn, now_ms)) /* the count has it */
        return MW_ERR_NOMEM;
    if (stamp.len)
        memcpy(payload, stamp.data, stamp.len);
    memcpy(payload + stamp.len, &count, COUNT_BYTES);
    const struct mw_view whole = mw_view(payload, stamp.len + COUNT_BYTES);
    if (mw_conn_begin_output(conn, now_ms) ||
        mw_outq_put(&conn->sending->out, MW_OPCODE_PING, whole, 0))
        return MW_ERR_NOMEM;
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, whole.len, 0, now_ms);
    conn->replay->pinged = count;
    return MW_OK;
}

int mw_conn_put_ping(struct mw_conn *conn, uint32_t stamp, mw_ms now_ms)
{
    return put_ping(conn, mw_view((const char *)&stamp, sizeof stamp), now_ms);
}

/*
 * One at a time, and without a stamp: it asks what was taken, not whether somebody is there, so no
 * answer is waited for. It may stand in the queue while the script still decides on the handshake.
 */
static void ping_early(struct mw_conn *conn, mw_ms now_ms)
{
    const struct mw_replay *replay = conn->replay;
    bool is_open = conn->phase == MW_CONN_OPEN && mw_conn_queued(conn) <= conn->home->limits->queue;
    bool is_asked = replay->pinged > replay->acked || replay->pinged == replay->sent;
    if (is_open && !is_asked && replay->bytes >= replay->max_bytes / 4)
        (void)put_ping(conn, mw_view(0, 0), now_ms); /* without memory: the next one */
}

int mw_conn_keep(struct mw_conn *conn, int err, struct mw_msg *plain, mw_ms now_ms)
{
    if (err || !conn->replay)
        return err;
    if (plain)
        mw_replay_sent(conn->replay, plain);
    else
        mw_replay_lost(conn->replay, 1);
    ping_early(conn, now_ms);
    return MW_OK;
}

struct mw_view mw_conn_take_ack(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    uint64_t count;
    if (!conn->replay)
        return payload;
    if (payload.len < COUNT_BYTES)
        return mw_view(0, 0);
    const struct mw_view stamp = mw_view(payload.data, payload.len - COUNT_BYTES);
    memcpy(&count, payload.data + stamp.len, COUNT_BYTES);
    /* What no ping of this connection has said is invented, or of one before. */
    if (count > conn->replay->pinged || !mw_replay_acked(conn->replay, count))
        return mw_view(0, 0);
    conn->replay->heard = true;
    ping_early(conn, now_ms);
    return stamp;
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
        err = put_ping(conn, mw_view(0, 0), now_ms);
    if (err && conn->sending)
        mw_outq_drop(&conn->sending->out);
    else if (!err)
        mw_conn_note_level(conn, now_ms);
    return err;
}
