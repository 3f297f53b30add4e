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

/* Neither side has compressed anything yet, so this costs no window. */
static int init_deflate(struct mw_conn *conn, const struct mw_conn_setup *setup)
{
    const struct mw_ext_deflate *terms = &setup->terms;
    struct mw_deflate_pool *pool = conn->home->deflate;
    if (!terms->on || !pool)
        return MW_OK;
    conn->deflate = mw_alloc_zero(conn->home->mem, sizeof *conn->deflate);
    if (!conn->deflate)
        return MW_ERR_NOMEM;
    bool is_server = setup->role == MW_ROLE_SERVER;
    uint8_t ours = mw_ext_bits(is_server ? terms->server_bits : terms->client_bits);
    uint8_t theirs = mw_ext_bits(is_server ? terms->client_bits : terms->server_bits);
    bool our_takeover = !(is_server ? terms->server_no_takeover : terms->client_no_takeover);
    bool their_takeover = !(is_server ? terms->client_no_takeover : terms->server_no_takeover);
    if (ours > MW_EXT_WINDOW_BITS)
        ours = MW_EXT_WINDOW_BITS;
    /* A server may ask a client for a window that zlib has not; what is plain fits into any. */
    if (ours >= MW_DEFLATE_BITS_MIN)
        mw_deflater_init(&conn->deflate->out, pool, ours, our_takeover);
    mw_inflater_init(&conn->deflate->in, pool, theirs, their_takeover);
    return MW_OK;
}

int mw_conn_init(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms)
{
    *conn = (struct mw_conn){
        .phase = MW_CONN_OPEN,
        .rtt_ms = UINT32_MAX,
        .opened_ms = now_ms,
        .last_read_ms = now_ms,
        .last_message_ms = now_ms,
        .ping_sent_ms = MW_NEVER,
        .ping_at_ms = MW_NEVER,
        .is_client = setup->role == MW_ROLE_CLIENT,
        .asks = setup->asks,
        .home = setup->home,
        .sideband = setup->sideband,
        .replay = setup->replay,
    };
    if (conn->replay)
        mw_replay_begin(conn->replay);
    mw_conn_new_limits(conn, now_ms);
    return init_deflate(conn, setup);
}

static void free_deflate(struct mw_conn *conn)
{
    if (!conn->deflate)
        return;
    mw_deflater_free(&conn->deflate->out);
    mw_inflater_free(&conn->deflate->in);
    mw_free(conn->home->mem, conn->deflate, sizeof *conn->deflate);
    conn->deflate = 0;
}

void mw_conn_free(struct mw_conn *conn)
{
    if (conn->reading)
        mw_conn_pool_take_reading(conn->home->pool, conn->reading);
    if (conn->sending)
        mw_conn_pool_take_sending(conn->home->pool, conn->sending);
    conn->reading = 0;
    conn->sending = 0;
    free_deflate(conn);
    mw_flight_free(conn->flight, conn->home->mem);
    conn->flight = 0;
    mw_conn_forget_end(conn);
}

/* ---- in ---- */

/* Behind our own Close frame nothing is kept of what still comes. */
static struct mw_conn_reading *begin_reading(struct mw_conn *conn)
{
    const struct mw_conn_home *home = conn->home;
    struct mw_conn_reading *reading = mw_conn_pool_lend_reading(home->pool);
    if (!reading)
        return 0;
    mw_reader_serve(&reading->reader, home->mem, conn->is_client ? MW_ROLE_CLIENT : MW_ROLE_SERVER,
                    conn->deflate ? &conn->deflate->in : 0);
    if (conn->phase != MW_CONN_OPEN)
        mw_reader_go_deaf(&reading->reader);
    return reading;
}

void mw_conn_feed(struct mw_conn *conn, char *bytes, size_t len, mw_ms now_ms)
{
    conn->last_read_ms = now_ms;
    conn->ping_sent_ms = MW_NEVER; /* any byte is life */
    conn->pings_unanswered = 0;
    if (conn->phase == MW_CONN_CLOSED)
        return;
    if (!conn->reading)
        conn->reading = begin_reading(conn);
    if (!conn->reading) {
        mw_conn_run_out_of_memory(conn, now_ms);
        return;
    }
    /* The limits may be another version's by now. */
    const struct mw_limits_ms *limits = conn->home->limits;
    struct mw_reader *reader = &conn->reading->reader;
    reader->max_message = limits->message;
    reader->max_fragments = limits->fragments;
    reader->max_inflated = limits->inflated;
    mw_reader_feed(reader, bytes, len);
}

static void put_pong(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    uint8_t key[4];
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PONG, payload.len, 0, now_ms);
    if (!mw_conn_begin_output(conn, now_ms))
        (void)mw_outq_put_control(&conn->sending->out, MW_OPCODE_PONG, payload,
                                  mw_conn_mask_key(conn, key));
}

/* RFC 6455 5.5.3: of several pings that could not be answered yet, the last one is enough. */
static void owe_pong(struct mw_conn *conn, struct mw_view payload)
{
    struct mw_conn_sending *sending = conn->sending;
    if (!sending->owed)
        sending->owed = mw_alloc(conn->home->pool->mem, sizeof *sending->owed);
    if (!sending->owed)
        return;
    sending->owed->len = (uint8_t)payload.len;
    if (payload.len)
        memcpy(sending->owed->payload, payload.data, payload.len);
}

static void pay_pong(struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_owed_pong *owed = conn->sending->owed;
    if (!owed || conn->sending->out.bytes > conn->home->limits->queue)
        return;
    if (conn->phase != MW_CONN_CLOSED)
        put_pong(conn, mw_view(owed->payload, owed->len), now_ms);
    mw_free(conn->home->pool->mem, owed, sizeof *owed);
    conn->sending->owed = 0;
}

/*
 * RFC 6455 5.5.2: answered until the peer's Close has come, so also behind ours. Who does not read
 * its pongs is not sent more of them: pings must not fill our memory.
 */
static void on_ping(struct mw_conn *conn, struct mw_view payload, mw_ms now_ms)
{
    mw_conn_note_control(conn, MW_FLIGHT_IN, MW_OPCODE_PING, payload.len, 0, now_ms);
    if (mw_conn_queued(conn) > conn->home->limits->queue)
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
    const struct mw_limits_ms *limits = conn->home->limits;
    if (limits->rate_per_s <= 0 ||
        mw_bucket_take(&conn->bucket, limits->rate_per_s, limits->burst, now_ms))
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
        mw_conn_run_out_of_memory(conn, now_ms);
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
static void note_frame(struct mw_conn_reading *reading, mw_ms now_ms)
{
    uint64_t bytes = mw_reader_partial(&reading->reader);
    if (bytes == 0) {
        reading->frame_ms = MW_NEVER;
    } else if (reading->frame_ms == MW_NEVER || reading->frame_number != reading->reader.frames) {
        reading->frame_ms = now_ms;
        reading->frame_bytes = bytes;
        reading->frame_number = reading->reader.frames;
    }
}

/* All that was fed is used up: between messages nothing is kept. */
static void rest_reading(struct mw_conn *conn, mw_ms now_ms)
{
    note_frame(conn->reading, now_ms);
    if (!mw_reader_is_idle(&conn->reading->reader))
        return;
    mw_conn_pool_take_reading(conn->home->pool, conn->reading);
    conn->reading = 0;
}

void mw_conn_next(struct mw_conn *conn, struct mw_event *event, mw_ms now_ms)
{
    *event = (struct mw_event){ .kind = MW_EVENT_MORE };
    for (;;) {
        if (take_flag(conn, event) || conn->phase == MW_CONN_CLOSED || !conn->reading)
            return;
        struct mw_item item;
        mw_reader_next(&conn->reading->reader, &item);
        if (item.kind == MW_ITEM_MORE) {
            rest_reading(conn, now_ms);
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
    int err = mw_conn_begin_output(conn, now_ms);
    if (!err)
        err = mw_outq_put_control(&conn->sending->out, MW_OPCODE_PING,
                                  mw_view((const char *)&stamp, PING_BYTES),
                                  mw_conn_mask_key(conn, key));
    if (!err)
        mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, PING_BYTES, 0, now_ms);
    return err;
}

int mw_conn_ping(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (mw_conn_queued(conn) > conn->home->limits->queue)
        return MW_ERR_DROPPED;
    uint32_t stamp = (uint32_t)now_ms;
    int err = mw_conn_ask_count(conn, now_ms);
    if (!err)
        err = put_ping(conn, stamp, now_ms);
    if (err)
        return err;
    if (conn->ping_sent_ms == MW_NEVER)
        conn->ping_sent_ms = now_ms;
    conn->pings_unanswered++;
    return MW_OK;
}

void mw_conn_written(struct mw_conn *conn, size_t bytes, mw_ms now_ms)
{
    struct mw_conn_sending *sending = conn->sending;
    if (sending) {
        size_t waited = sending->out.bytes;
        mw_outq_written(&sending->out, bytes);
        mw_conn_ease(conn, bytes, waited);
        if (bytes)
            sending->last_write_ms = now_ms;
        pay_pong(conn, now_ms);
    }
    /* The peer's time to answer begins when the Close frame has left. */
    if (conn->phase == MW_CONN_CLOSE_SENT && !mw_conn_has_output(conn))
        conn->close_due_ms = mw_ms_min(conn->close_due_ms, now_ms + MW_CONN_CLOSE_WAIT_MS);
    if (conn->was_full && mw_conn_weight(conn) < conn->home->limits->queue / 2) {
        conn->was_full = false;
        if (conn->phase == MW_CONN_OPEN)
            (void)mw_conn_tell_gap(conn, now_ms); /* without memory: before the next message */
        conn->tell_drain = true;
        mw_conn_note_state(conn, MW_FLIGHT_QUEUE_LOW, now_ms);
    }
    mw_conn_end_output(conn);
}

int mw_conn_put_raw(struct mw_conn *conn, struct mw_view bytes, mw_ms now_ms)
{
    int err = mw_conn_begin_output(conn, now_ms);
    return err ? err : mw_outq_put_raw(&conn->sending->out, bytes);
}

void mw_conn_advance(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->sending)
        conn->sending->last_write_ms = now_ms;
}

bool mw_conn_validate(const struct mw_conn *conn)
{
    if (conn->sending && !mw_outq_validate(&conn->sending->out))
        return false;
    if (conn->reading && !mw_reader_validate(&conn->reading->reader))
        return false;
    if (conn->deflate && !mw_inflater_validate(&conn->deflate->in))
        return false;
    bool ending = conn->phase != MW_CONN_OPEN;
    return ending == (conn->end != 0) && (!conn->told_closed || conn->phase == MW_CONN_CLOSED);
}
