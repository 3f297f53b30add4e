/*
 * The connection machine. Between the driver, which owns the socket, and proto/message, which
 * understands the bytes; it decides what answers what, and how a connection ends. Never calls back:
 * the driver pulls.
 */
#include "core/session/conn_parts.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_pressure.h"
#include "core/session/conn_replay.h"
#include "core/session/conn_sideband.h"

/*
 * What the payload of our pings holds: a number, so that the right pong is told from an unasked
 * one.
 */
#define PING_BYTES 4

/* Neither side has compressed anything yet, so this costs no memory. */
static void init_deflate(struct mw_conn *conn, const struct mw_conn_setup *setup)
{
    const struct mw_ext_deflate *terms = &setup->terms;
    if (!terms->on || !setup->deflate)
        return;
    bool is_server = setup->role == MW_ROLE_SERVER;
    uint8_t ours = mw_ext_bits(is_server ? terms->server_bits : terms->client_bits);
    uint8_t theirs = mw_ext_bits(is_server ? terms->client_bits : terms->server_bits);
    bool our_takeover = !(is_server ? terms->server_no_takeover : terms->client_no_takeover);
    bool their_takeover = !(is_server ? terms->client_no_takeover : terms->server_no_takeover);
    if (ours > MW_EXT_WINDOW_BITS)
        ours = MW_EXT_WINDOW_BITS;
    /* A server may ask a client for a window that zlib has not; what is plain fits into any. */
    if (ours >= MW_DEFLATE_BITS_MIN)
        mw_deflater_init(&conn->deflater, setup->deflate, ours, our_takeover);
    mw_inflater_init(&conn->inflater, setup->deflate, theirs, their_takeover);
    conn->reader.inflater = &conn->inflater;
}

void mw_conn_init(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms)
{
    *conn = (struct mw_conn){
        .phase = MW_CONN_OPEN,
        .rtt_ms = UINT32_MAX,
        .opened_ms = now_ms,
        .last_read_ms = now_ms,
        .last_message_ms = now_ms,
        .last_write_ms = now_ms,
        .ping_sent_ms = MW_NEVER,
        .close_due_ms = MW_NEVER,
        .asks = setup->asks,
        .sideband = setup->sideband,
        .replay = setup->replay,
        .rng = setup->rng,
        .mem = setup->mem,
    };
    mw_reader_init(&conn->reader, setup->mem, setup->role);
    mw_outq_init(&conn->out, setup->pool, setup->out_mem ? setup->out_mem : setup->mem);
    init_deflate(conn, setup);
    if (conn->replay)
        mw_replay_begin(conn->replay);
    conn->ping_at_ms = conn->frame_ms = MW_NEVER;
    mw_conn_set_limits(conn, setup->limits, now_ms);
}

static void forgive_pong(struct mw_conn *conn)
{
    mw_free(conn->mem, conn->owed, sizeof *conn->owed);
    conn->owed = 0;
}

void mw_conn_free(struct mw_conn *conn)
{
    mw_reader_free(&conn->reader);
    mw_deflater_free(&conn->deflater);
    mw_outq_free(&conn->out);
    forgive_pong(conn);
    mw_free(conn->mem, conn->flight, sizeof *conn->flight);
    conn->flight = 0;
    mw_conn_forget_end(conn);
}

/* ---- in ---- */

void mw_conn_feed(struct mw_conn *conn, char *bytes, size_t len, mw_ms now_ms)
{
    conn->last_read_ms = now_ms;
    conn->ping_sent_ms = MW_NEVER; /* any byte is life */
    conn->pings_unanswered = 0;
    if (conn->phase == MW_CONN_CLOSED)
        return;
    /* The limits may be another version's by now. */
    conn->reader.max_message = conn->limits->message;
    conn->reader.max_fragments = conn->limits->fragments;
    conn->reader.max_inflated = conn->limits->inflated;
    mw_reader_feed(&conn->reader, bytes, len);
}

static void put_pong(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    uint8_t key[4];
    mw_conn_note_first_output(conn, now_ms);
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PONG, payload.len, 0, now_ms);
    (void)mw_outq_put_control(&conn->out, MW_OPCODE_PONG, payload, mw_conn_mask_key(conn, key));
}

/* RFC 6455 5.5.3: of several pings that could not be answered yet, the last one is enough. */
static void owe_pong(struct mw_conn *conn, struct mw_view payload)
{
    if (!conn->owed)
        conn->owed = mw_alloc(conn->mem, sizeof *conn->owed);
    if (!conn->owed)
        return;
    conn->owed->len = (uint8_t)payload.len;
    if (payload.len)
        memcpy(conn->owed->payload, payload.data, payload.len);
}

static void pay_pong(struct mw_conn *conn, mw_ms now_ms)
{
    if (!conn->owed || conn->out.bytes > conn->limits->queue)
        return;
    if (conn->phase != MW_CONN_CLOSED)
        put_pong(conn, mw_view(conn->owed->payload, conn->owed->len), now_ms);
    forgive_pong(conn);
}

/*
 * RFC 6455 5.5.2: answered until the peer's Close has come, so also behind ours. Who does not read
 * its pongs is not sent more of them: pings must not fill our memory.
 */
static void on_ping(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    mw_conn_note_control(conn, MW_FLIGHT_IN, MW_OPCODE_PING, payload.len, 0, now_ms);
    if (conn->out.bytes > conn->limits->queue)
        owe_pong(conn, payload);
    else
        put_pong(conn, payload, now_ms);
}

static void on_pong(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    uint32_t stamp;
    mw_conn_note_control(conn, MW_FLIGHT_IN, MW_OPCODE_PONG, payload.len, 0, now_ms);
    if (conn->phase != MW_CONN_OPEN)
        return;
    payload = mw_conn_take_ack(conn, payload, now_ms);
    if (payload.len != PING_BYTES)
        return;
    memcpy(&stamp, payload.data, sizeof stamp);
    uint32_t rtt_ms = (uint32_t)now_ms - stamp;
    /* An invented stamp lies before the opening. */
    if (rtt_ms > now_ms - conn->opened_ms)
        return;
    conn->rtt_ms = rtt_ms;
    conn->pong_new = true;
}

/* False: it was one too many, and the end has begun. */
static bool is_in_rate(struct mw_conn *conn, mw_ms now_ms)
{
    const struct mw_limits_ms *limits = conn->limits;
    if (limits->rate_per_s <= 0 ||
        mw_rate_take(&conn->rate, limits->rate_per_s, limits->burst, now_ms))
        return true;
    mw_conn_close(conn, MW_CAUSE_rate_limited, 0, mw_view_text("more messages than limits.rate"),
                  now_ms);
    return false;
}

/* False: not for the application. */
static bool on_message(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    mw_conn_note_received(conn, item, now_ms);
    conn->last_message_ms = now_ms;
    conn->messages_received++;
    return is_in_rate(conn, now_ms);
}

/* True when *event is for the driver. */
static bool on_text_or_binary(struct mw_conn *conn, const struct mw_item *item,
                              struct mw_event *event, mw_ms now_ms)
{
    enum mw_aside aside = conn->sideband ? mw_conn_take_aside(conn, item, now_ms) : MW_ASIDE_NONE;
    if (aside == MW_ASIDE_NONE && !on_message(conn, item, now_ms))
        return false;
    if (aside == MW_ASIDE_OTHER && !is_in_rate(conn, now_ms)) /* it may be large */
        return false;
    enum mw_event_kind kind = aside ? MW_EVENT_ASIDE : MW_EVENT_MESSAGE;
    if (!aside)
        mw_conn_count_received(conn);
    *event = (struct mw_event){ kind, item->opcode, item->data };
    return true;
}

/* Handles one item; true when *event is for the driver. */
static bool take_item(struct mw_conn *conn, const struct mw_item *item, struct mw_event *event,
                      mw_ms now_ms)
{
    switch (item->kind) {
    case MW_ITEM_MORE:
        break;
    case MW_ITEM_MESSAGE:
        return conn->phase == MW_CONN_OPEN && on_text_or_binary(conn, item, event, now_ms);
    case MW_ITEM_PING:
        on_ping(conn, item->data, now_ms);
        break;
    case MW_ITEM_PONG:
        on_pong(conn, item->data, now_ms);
        break;
    case MW_ITEM_CLOSE:
        mw_conn_on_peer_close(conn, item, now_ms);
        break;
    case MW_ITEM_BREACH:
        mw_conn_on_breach(conn, item, now_ms);
        break;
    case MW_ITEM_NOMEM:
        if (mw_conn_close(conn, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"), now_ms))
            mw_conn_become_closed(conn, false);
        break;
    }
    return false;
}

/* Events that are a flag, in the order in which they are told. */
static bool take_flag(struct mw_conn *conn, struct mw_event *event)
{
    if (conn->pong_new) {
        conn->pong_new = false;
        event->kind = MW_EVENT_PONG;
        return true;
    }
    if (conn->tell_drain && conn->phase == MW_CONN_OPEN) {
        conn->tell_drain = false;
        event->kind = MW_EVENT_DRAIN;
        return true;
    }
    if (conn->phase == MW_CONN_DECIDING) {
        event->kind = MW_EVENT_DECIDE;
        return true;
    }
    if (conn->phase == MW_CONN_CLOSED && !conn->told_closed) {
        conn->told_closed = true;
        event->kind = MW_EVENT_CLOSED;
        return true;
    }
    return false;
}

/* A frame that is not whole yet has its time; see conn_time.c. */
static void note_frame(struct mw_conn *conn, mw_ms now_ms)
{
    uint64_t bytes = mw_reader_partial(&conn->reader);
    if (bytes == 0) {
        conn->frame_ms = MW_NEVER;
    } else if (conn->frame_ms == MW_NEVER || conn->frame_number != conn->reader.frames) {
        conn->frame_ms = now_ms;
        conn->frame_bytes = bytes;
        conn->frame_number = conn->reader.frames;
    }
}

void mw_conn_next(struct mw_conn *conn, struct mw_event *event, mw_ms now_ms)
{
    *event = (struct mw_event){ .kind = MW_EVENT_MORE };
    for (;;) {
        if (take_flag(conn, event) || conn->phase == MW_CONN_CLOSED)
            return;
        struct mw_item item;
        mw_reader_next(&conn->reader, &item);
        if (item.kind == MW_ITEM_MORE) {
            note_frame(conn, now_ms);
            return;
        }
        if (take_item(conn, &item, event, now_ms))
            return;
    }
}

/* ---- out ---- */

static int put_ping(struct mw_conn *conn, uint32_t stamp, mw_ms now_ms)
{
    uint8_t key[4];
    mw_conn_note_first_output(conn, now_ms);
    int err =
        mw_outq_put_control(&conn->out, MW_OPCODE_PING, mw_view((const char *)&stamp, PING_BYTES),
                            mw_conn_mask_key(conn, key));
    if (!err)
        mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, PING_BYTES, 0, now_ms);
    return err;
}

int mw_conn_ping(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (conn->out.bytes > conn->limits->queue)
        return MW_ERR_DROPPED;
    uint32_t stamp = (uint32_t)now_ms;
    int err = conn->replay ? mw_conn_put_ping(conn, stamp, now_ms) : put_ping(conn, stamp, now_ms);
    if (err)
        return err;
    if (conn->ping_sent_ms == MW_NEVER)
        conn->ping_sent_ms = now_ms;
    conn->pings_unanswered++;
    return MW_OK;
}

void mw_conn_written(struct mw_conn *conn, size_t bytes, mw_ms now_ms)
{
    size_t waited = conn->out.bytes;
    mw_outq_written(&conn->out, bytes);
    mw_conn_ease(conn, bytes, waited);
    if (bytes)
        conn->last_write_ms = now_ms;
    pay_pong(conn, now_ms);
    /* The peer's time to answer begins when the Close frame has left. */
    if (conn->phase == MW_CONN_CLOSE_SENT && conn->out.bytes == 0)
        conn->close_due_ms = mw_ms_min(conn->close_due_ms, now_ms + MW_CONN_CLOSE_WAIT_MS);
    if (conn->was_full && mw_outq_weight(&conn->out) < conn->limits->queue / 2) {
        conn->was_full = false;
        if (conn->phase == MW_CONN_OPEN)
            (void)mw_conn_tell_gap(conn); /* without memory: before the next message */
        conn->tell_drain = true;
        mw_conn_note_state(conn, MW_FLIGHT_QUEUE_LOW, now_ms);
    }
}

void mw_conn_advance(struct mw_conn *conn, mw_ms now_ms)
{
    conn->last_write_ms = now_ms;
}

bool mw_conn_validate(const struct mw_conn *conn)
{
    if (!mw_outq_validate(&conn->out) || !mw_reader_validate(&conn->reader))
        return false;
    bool ending = conn->phase != MW_CONN_OPEN;
    return ending == (conn->end != 0) && (!conn->told_closed || conn->phase == MW_CONN_CLOSED);
}
