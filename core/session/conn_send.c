/*
 * Whole messages into a connection's queue: whether there is room, and whether they are compressed.
 * Beside conn.c, whose control frames go by themselves.
 */
#include "core/session/conn_flight.h"
#include "core/session/conn_parts.h"
#include "core/session/conn_pressure.h"
#include "core/session/conn_replay.h"

static uint8_t first_byte(const struct mw_msg *msg)
{
    return (uint8_t)*mw_msg_wire(msg).data;
}

static bool is_compressed(const struct mw_msg *msg)
{
    return first_byte(msg) & MW_FRAME_COMPRESSED;
}

/* Before a message is put: may it be? */
static int may_send(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (mw_conn_is_full(conn)) {
        mw_conn_note_state(conn, MW_FLIGHT_REFUSED, now_ms);
        return MW_ERR_DROPPED;
    }
    int err = mw_conn_begin_output(conn, now_ms);
    return err || !conn->sending->untold ? err : mw_conn_tell_gap(conn, now_ms);
}

void mw_conn_note_level(struct mw_conn *conn, mw_ms now_ms)
{
    if (!conn->was_full && mw_conn_weight(conn) > conn->home->limits->queue / 2) {
        conn->was_full = true;
        mw_conn_note_state(conn, MW_FLIGHT_QUEUE_HIGH, now_ms);
    }
}

/* `first`: the first byte of its header. */
static int sent(struct mw_conn *conn, int err, uint8_t first, size_t len, mw_ms now_ms)
{
    if (err)
        return err;
    conn->messages_sent++;
    mw_conn_note_sent(conn, first, len, now_ms);
    mw_conn_note_level(conn, now_ms);
    return MW_OK;
}

static bool is_packing(const struct mw_conn *conn)
{
    return conn->deflate && conn->deflate->out.pool;
}

enum mw_conn_packing mw_conn_packing(const struct mw_conn *conn, size_t len)
{
    if (!is_packing(conn))
        return MW_CONN_PLAIN;
    if (conn->deflate->out.takeover)
        return len < MW_CONN_COMPRESS_IN_CONTEXT ? MW_CONN_PLAIN : MW_CONN_IN_CONTEXT;
    return len < MW_CONN_COMPRESS_ALONE ? MW_CONN_PLAIN : MW_CONN_ALONE;
}

/* `kept`: the same one, framed for a session that can be resumed; or NULL. */
static int put_plain(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload,
                     struct mw_msg *kept)
{
    uint8_t key[4];
    if (kept)
        return mw_outq_put_msg(&conn->sending->out, kept);
    return mw_outq_put(&conn->sending->out, opcode, payload, mw_conn_mask_key(conn, key));
}

/* Without memory for it the message goes plain: every receiver takes that at any time. */
static int put_compressed(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload,
                          struct mw_msg *kept, bool *is_packed)
{
    uint8_t key[4];
    struct mw_buf packed;
    mw_buf_init(&packed, conn->home->mem, 0);
    int err = mw_deflater_run(&conn->deflate->out, payload, &packed);
    bool helps = !err && (conn->deflate->out.takeover || packed.len < payload.len);
    if (helps) {
        err = mw_outq_put_compressed(&conn->sending->out, opcode, mw_buf_view(&packed),
                                     mw_conn_mask_key(conn, key));
        if (err)
            mw_deflater_forget(&conn->deflate->out);
    }
    mw_buf_free(&packed);
    *is_packed = helps;
    return helps ? err : put_plain(conn, opcode, payload, kept);
}

int mw_conn_send(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload, mw_ms now_ms)
{
    int err = may_send(conn, now_ms);
    if (err)
        return err;
    bool is_packed = false;
    struct mw_msg *kept = mw_conn_frame_kept(conn, opcode, payload);
    err = mw_conn_packing(conn, payload.len) == MW_CONN_PLAIN
              ? put_plain(conn, opcode, payload, kept)
              : put_compressed(conn, opcode, payload, kept, &is_packed);
    err = sent(conn, err, mw_frame_first_byte(opcode, true, is_packed), payload.len, now_ms);
    err = mw_conn_keep(conn, err, kept, now_ms);
    mw_msg_drop(kept);
    return err;
}

/* What is compressed, masked or kept for a session is copied in any case. */
bool mw_conn_may_lend(const struct mw_conn *conn, size_t len)
{
    return len >= MW_OUT_LEND_MIN && !conn->is_client && !conn->replay &&
           mw_conn_packing(conn, len) == MW_CONN_PLAIN;
}

int mw_conn_lend(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload, mw_ms now_ms)
{
    int err = may_send(conn, now_ms);
    if (!err)
        err = mw_outq_lend(&conn->sending->out, opcode, payload);
    return sent(conn, err, mw_frame_first_byte(opcode, true, false), payload.len, now_ms);
}

void mw_conn_more_init(struct mw_conn_more *more, struct mw_msg *msg)
{
    const struct mw_msg *block = mw_msg_block(msg);
    *more = (struct mw_conn_more){
        .block = block == msg ? 0 : block,
        .begin = mw_msg_begin(msg),
        .len = mw_msg_wire(msg).len,
        .entry = mw_conn_sent_entry(first_byte(msg), mw_msg_payload_len(msg)),
    };
}

/* Whether nothing is to be told of, to be asked or to be made before it is queued, nor after it. */
static bool goes_on(const struct mw_conn *conn, const struct mw_conn_more *more)
{
    const struct mw_conn_sending *sending = conn->sending;
    if (!sending || sending->untold || conn->replay || conn->phase != MW_CONN_OPEN)
        return false;
    const struct mw_outq *queue = &sending->out;
    size_t weight = mw_outq_weight(queue), limit = conn->home->limits->queue;
    return mw_outq_ends_at(queue, more->block, more->begin) && weight <= limit &&
           (conn->was_full || weight + more->len <= limit / 2) &&
           mw_conn_packing(conn, more->entry.bytes) == MW_CONN_PLAIN;
}

bool mw_conn_send_more(struct mw_conn *conn, const struct mw_conn_more *more, mw_ms now_ms)
{
    struct mw_flight_entry entry = more->entry;
    entry.at_ms = mw_flight_u32(now_ms - conn->opened_ms);
    if (!more->block || !goes_on(conn, more) || !mw_flight_repeat(conn->flight, &entry))
        return false;
    mw_outq_grow(&conn->sending->out, more->len);
    conn->messages_sent++;
    return true;
}

int mw_conn_send_twin(struct mw_conn *conn, struct mw_msg *msg, struct mw_msg *plain, mw_ms now_ms)
{
    int err = may_send(conn, now_ms);
    if (err)
        return err;
    err = mw_outq_put_msg(&conn->sending->out, msg);
    err = sent(conn, err, first_byte(msg), mw_msg_payload_len(msg), now_ms);
    return conn->replay ? mw_conn_keep(conn, err, plain, now_ms) : err;
}

int mw_conn_send_msg(struct mw_conn *conn, struct mw_msg *msg, mw_ms now_ms)
{
    return mw_conn_send_twin(conn, msg, is_compressed(msg) ? 0 : msg, now_ms);
}

/* ---- messages that replace each other ---- */

/*
 * What stands behind a compressed message that goes alone begins its context anew, so whatever
 * comes into its place harms nobody. What stands behind a plain one may refer to what stands before
 * it: there the peer's window must not move.
 */
enum mw_conn_packing mw_conn_packing_latest(const struct mw_conn *conn, struct mw_view key,
                                            size_t len)
{
    const struct mw_out_seg *old = mw_conn_find(conn, key);
    if (!is_packing(conn) || len < MW_CONN_COMPRESS_ALONE)
        return MW_CONN_PLAIN;
    bool is_plain = old && !is_compressed(mw_outq_waiting(old));
    return is_plain && conn->deflate->out.takeover ? MW_CONN_PLAIN : MW_CONN_ALONE;
}

static bool may_replace(const struct mw_conn *conn, const struct mw_out_seg *old,
                        const struct mw_msg *msg)
{
    size_t less = mw_msg_wire(mw_outq_waiting(old)).len;
    bool fits = mw_conn_weight(conn) - less <= conn->home->limits->queue;
    return fits || mw_msg_wire(msg).len <= less;
}

/* It takes the number, too, under which a session keeps the one before. */
static void replace(struct mw_conn *conn, struct mw_out_seg *old, struct mw_msg *msg,
                    struct mw_msg *plain)
{
    if (conn->replay && plain)
        mw_replay_swap(conn->replay, mw_outq_number(old), plain);
    mw_outq_replace(&conn->sending->out, old, msg);
    conn->sending->replaced++;
}

static int put_keyed(struct mw_conn *conn, struct mw_view key, struct mw_msg *msg)
{
    uint64_t number = conn->replay ? conn->replay->sent + 1 : 0;
    return mw_outq_put_keyed(&conn->sending->out, key, msg, number);
}

int mw_conn_send_latest(struct mw_conn *conn, struct mw_view key, struct mw_msg *msg,
                        struct mw_msg *plain, mw_ms now_ms)
{
    struct mw_out_seg *old = mw_conn_find(conn, key);
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (old && !may_replace(conn, old, msg))
        return MW_ERR_DROPPED;
    if (old) {
        replace(conn, old, msg, plain);
        return MW_OK;
    }
    int err = may_send(conn, now_ms);
    if (!err)
        err = put_keyed(conn, key, msg);
    err = sent(conn, err, first_byte(msg), mw_msg_payload_len(msg), now_ms);
    return mw_conn_keep(conn, err, plain, now_ms);
}
