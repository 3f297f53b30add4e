/*
 * The connection machine. Between the driver, which owns the socket, and proto/message, which
 * understands the bytes; it decides what answers what, and how a connection ends. Never calls back:
 * the driver pulls.
 */
#include "core/session/conn.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/session/advice.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_sideband.h"

/*
 * What the payload of our pings holds: a number, so that the right pong is told from an unasked
 * one.
 */
#define PING_BYTES 4

/* Stands in where there is no memory left to remember an end. */
static const struct mw_conn_end forgotten_end = { .cause = MW_CAUSE_out_of_memory, .code = 1006 };

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
        .rng = setup->rng,
        .mem = setup->mem,
    };
    mw_reader_init(&conn->reader, setup->mem, setup->role);
    mw_outq_init(&conn->out, setup->pool, setup->out_mem ? setup->out_mem : setup->mem);
    init_deflate(conn, setup);
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
    if (conn->end && conn->end != &forgotten_end)
        mw_free(conn->mem, conn->end, sizeof *conn->end);
    conn->end = 0;
}

/* ---- the end ---- */

/*
 * Nobody listens any more, or nothing that is said would be understood: the end does not wait for
 * an answer.
 */
static bool ends_at_once(enum mw_cause cause)
{
    switch (cause) {
    case MW_CAUSE_ping_timeout:
    case MW_CAUSE_write_timeout:
    case MW_CAUSE_protocol_error:
    case MW_CAUSE_http_on_websocket:
    case MW_CAUSE_bad_utf8:
    case MW_CAUSE_bad_compression:
    case MW_CAUSE_message_too_big:
    case MW_CAUSE_inflated_too_big:
    case MW_CAUSE_too_many_fragments:
    case MW_CAUSE_out_of_memory:
    case MW_CAUSE_peer_close:
    case MW_CAUSE_peer_fin:
    case MW_CAUSE_peer_reset:
    case MW_CAUSE_tls_error:
        return true;
    case MW_CAUSE_idle_timeout:
    case MW_CAUSE_max_age:
    case MW_CAUSE_bad_json:
    case MW_CAUSE_rate_limited:
    case MW_CAUSE_connection_limit:
    case MW_CAUSE_slow_consumer:
    case MW_CAUSE_script_close:
    case MW_CAUSE_script_error:
    case MW_CAUSE_script_budget:
    case MW_CAUSE_script_memory:
    case MW_CAUSE_script_paused:
    case MW_CAUSE_script_busy:
    case MW_CAUSE_script_removed:
    case MW_CAUSE_drain:
    case MW_CAUSE_admin_close:
    case MW_CAUSE_COUNT:
        return false;
    }
    return true;
}

/* The peer does not take what is queued, so the Close frame must not stand behind it. */
static bool drops_queue(enum mw_cause cause)
{
    return cause == MW_CAUSE_slow_consumer || cause == MW_CAUSE_ping_timeout ||
           cause == MW_CAUSE_write_timeout;
}

static void put_reason(struct mw_conn_end *end, struct mw_view reason)
{
    reason = mw_utf8_cut(reason, MW_CLOSE_REASON_MAX);
    end->reason_len = (uint8_t)reason.len;
    if (reason.len)
        memcpy(end->reason, reason.data, reason.len);
}

static void remember_end(struct mw_conn *conn, enum mw_cause cause, unsigned code,
                         struct mw_view reason)
{
    mw_assert(!conn->end);
    struct mw_conn_end *end = mw_alloc_zero(conn->mem, sizeof *end);
    if (!end) {
        conn->end = (struct mw_conn_end *)&forgotten_end; /* never written to */
        return;
    }
    end->cause = cause;
    end->code = code;
    put_reason(end, reason);
    conn->end = end;
}

static void become_closed(struct mw_conn *conn, bool clean)
{
    conn->phase = MW_CONN_CLOSED;
    conn->close_due_ms = MW_NEVER;
    if (conn->end && conn->end != &forgotten_end)
        conn->end->clean = clean;
}

/* A masking key where this side is a client (RFC 6455 5.3), else NULL. */
static const uint8_t *mask_key(struct mw_conn *conn, uint8_t room[4])
{
    if (conn->reader.role == MW_ROLE_SERVER)
        return 0;
    uint64_t key = mw_rng_next(conn->rng);
    memcpy(room, &key, 4);
    return room;
}

/* The time to take what is queued begins with the first of it. */
static void note_first_output(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->out.bytes == 0)
        conn->last_write_ms = now_ms;
}

static int queue_close(struct mw_conn *conn, unsigned code, struct mw_view reason, mw_ms now_ms)
{
    uint8_t body[MW_CONTROL_MAX], key[4];
    size_t len = mw_close_encode(body, code, reason);
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_CLOSE, len, len ? code : 0, now_ms);
    return mw_outq_put(&conn->out, MW_OPCODE_CLOSE, mw_view((char *)body, len),
                       mask_key(conn, key));
}

static void say_close(struct mw_conn *conn, enum mw_cause cause, unsigned code,
                      struct mw_view reason, mw_ms now_ms)
{
    note_first_output(conn, now_ms);
    int err = queue_close(conn, code, reason, now_ms);
    conn->phase = MW_CONN_CLOSE_SENT;
    conn->close_due_ms =
        mw_ms_add(now_ms, drops_queue(cause) ? MW_CONN_CLOSE_WAIT_MS : MW_CONN_CLOSE_FLUSH_MS);
    if (err || ends_at_once(cause))
        become_closed(conn, false);
}

/* An end of this side's own making; without memory for it there is nothing to decide on. */
static bool is_decided_on(const struct mw_conn *conn, const struct mw_cause_row *row)
{
    return conn->asks && row->who == MW_WHO_SERVER && conn->end != &forgotten_end;
}

int mw_conn_close(struct mw_conn *conn, enum mw_cause cause, unsigned code, struct mw_view reason,
                  mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    const struct mw_cause_row *row = mw_cause_row(cause);
    unsigned wire = code ? code : row->wire_code;
    remember_end(conn, cause, row->who == MW_WHO_NETWORK ? row->code : wire, reason);
    if (drops_queue(cause))
        mw_outq_drop(&conn->out);
    mw_reader_go_deaf(&conn->reader); /* what is on its way is for nobody, and need not cost much */
    if (is_decided_on(conn, row))
        conn->phase = MW_CONN_DECIDING;
    else
        say_close(conn, cause, wire, reason, now_ms);
    return MW_OK;
}

void mw_conn_advise(struct mw_conn *conn, const struct mw_advice *advice)
{
    if (conn->phase == MW_CONN_DECIDING)
        conn->end->advice = *advice;
}

void mw_conn_decide(struct mw_conn *conn, unsigned code, struct mw_view text,
                    const struct mw_advice *advice, mw_ms now_ms)
{
    char reason[MW_CLOSE_REASON_MAX];
    mw_assert(conn->phase == MW_CONN_DECIDING);
    const struct mw_advice suffix = mw_advice_to_put(text, advice, code);
    size_t len = mw_advice_put(reason, text, &suffix);
    conn->end->code = code;
    put_reason(conn->end, mw_view(reason, len));
    say_close(conn, conn->end->cause, code, mw_view(reason, len), now_ms);
}

static enum mw_cause cause_of(enum mw_rule rule)
{
    if (rule == MW_RULE_DEFLATE_DATA)
        return MW_CAUSE_bad_compression;
    if (rule == MW_RULE_INFLATED_TOO_BIG)
        return MW_CAUSE_inflated_too_big;
    if (rule == MW_RULE_HTTP_TEXT)
        return MW_CAUSE_http_on_websocket;
    switch (mw_rule_code(rule)) {
    case MW_CLOSE_INVALID_DATA:
        return MW_CAUSE_bad_utf8;
    case MW_CLOSE_TOO_BIG:
        return MW_CAUSE_message_too_big;
    case MW_CLOSE_POLICY:
        return MW_CAUSE_too_many_fragments;
    default:
        return MW_CAUSE_protocol_error;
    }
}

static void on_breach(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN) {
        become_closed(conn, false);
        return;
    }
    struct mw_view reason = mw_view_text(mw_rule_text(item->rule));
    mw_conn_close(conn, cause_of(item->rule), mw_rule_code(item->rule), reason, now_ms);
    if (conn->end == &forgotten_end)
        return;
    conn->end->rule = item->rule;
    conn->end->bytes_len = (uint8_t)item->data.len;
    if (item->data.len)
        memcpy(conn->end->bytes, item->data.data, item->data.len);
}

static void on_peer_close(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    unsigned code = item->close.code == MW_CLOSE_NO_STATUS ? 0 : item->close.code;
    mw_conn_note_control(conn, MW_FLIGHT_IN, MW_OPCODE_CLOSE, item->data.len, code, now_ms);
    if (conn->phase == MW_CONN_CLOSE_SENT) {
        become_closed(conn, true);
        return;
    }
    remember_end(conn, MW_CAUSE_peer_close, item->close.code, item->close.reason);
    /*
     * RFC 6455 5.5.1: the answer echoes the code. It stands behind what was sent before, which the
     * peer still takes: else it would hang on how the bytes were cut whether an answer arrives.
     * Without memory the peer finds the stream's end instead.
     */
    (void)queue_close(conn, item->close.code, mw_view(0, 0), now_ms);
    become_closed(conn, true);
}

void mw_conn_judge(struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_item item;
    mw_reader_judge(&conn->reader, &item);
    if (item.kind == MW_ITEM_BREACH)
        on_breach(conn, &item, now_ms);
}

void mw_conn_eof(struct mw_conn *conn, enum mw_cause how)
{
    if (conn->phase != MW_CONN_CLOSED)
        mw_conn_judge(conn, conn->last_read_ms); /* what was wrong came before the end */
    if (conn->phase == MW_CONN_CLOSED)
        return;
    if (conn->phase == MW_CONN_OPEN)
        remember_end(conn, how, MW_CLOSE_ABNORMAL, mw_view(0, 0));
    become_closed(conn, false);
}

const struct mw_conn_end *mw_conn_ending(const struct mw_conn *conn)
{
    return conn->end;
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
    note_first_output(conn, now_ms);
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PONG, payload.len, 0, now_ms);
    (void)mw_outq_put_control(&conn->out, MW_OPCODE_PONG, payload, mask_key(conn, key));
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
    if (payload.len != PING_BYTES || conn->phase != MW_CONN_OPEN)
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
        on_peer_close(conn, item, now_ms);
        break;
    case MW_ITEM_BREACH:
        on_breach(conn, item, now_ms);
        break;
    case MW_ITEM_NOMEM:
        if (mw_conn_close(conn, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"), now_ms))
            become_closed(conn, false);
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

/* Before a message is put: may it be? */
static int may_send(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (conn->out.bytes > conn->limits->queue) {
        mw_conn_note_state(conn, MW_FLIGHT_REFUSED, now_ms);
        return MW_ERR_DROPPED;
    }
    note_first_output(conn, now_ms);
    return MW_OK;
}

/* `first`: the first byte of its header. */
static int sent(struct mw_conn *conn, int err, uint8_t first, size_t len, mw_ms now_ms)
{
    if (err)
        return err;
    conn->messages_sent++;
    mw_conn_note_sent(conn, first, len, now_ms);
    if (!conn->was_full && conn->out.bytes > conn->limits->queue / 2) {
        conn->was_full = true;
        mw_conn_note_state(conn, MW_FLIGHT_QUEUE_HIGH, now_ms);
    }
    return MW_OK;
}

enum mw_conn_packing mw_conn_packing(const struct mw_conn *conn, size_t len)
{
    if (!conn->deflater.pool)
        return MW_CONN_PLAIN;
    if (conn->deflater.takeover)
        return len < MW_CONN_COMPRESS_IN_CONTEXT ? MW_CONN_PLAIN : MW_CONN_IN_CONTEXT;
    return len < MW_CONN_COMPRESS_ALONE ? MW_CONN_PLAIN : MW_CONN_ALONE;
}

static int put_plain(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload)
{
    uint8_t key[4];
    return mw_outq_put(&conn->out, opcode, payload, mask_key(conn, key));
}

/* Without memory for it the message goes plain: every receiver takes that at any time. */
static int put_compressed(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload,
                          bool *is_compressed)
{
    uint8_t key[4];
    struct mw_buf packed;
    mw_buf_init(&packed, conn->mem, 0);
    int err = mw_deflater_run(&conn->deflater, payload, &packed);
    bool helps = !err && (conn->deflater.takeover || packed.len < payload.len);
    if (helps) {
        err = mw_outq_put_compressed(&conn->out, opcode, mw_buf_view(&packed), mask_key(conn, key));
        if (err)
            mw_deflater_forget(&conn->deflater);
    }
    mw_buf_free(&packed);
    *is_compressed = helps;
    return helps ? err : put_plain(conn, opcode, payload);
}

int mw_conn_send(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload, mw_ms now_ms)
{
    int err = may_send(conn, now_ms);
    if (err)
        return err;
    bool is_compressed = false;
    err = mw_conn_packing(conn, payload.len) == MW_CONN_PLAIN
              ? put_plain(conn, opcode, payload)
              : put_compressed(conn, opcode, payload, &is_compressed);
    return sent(conn, err, mw_frame_first_byte(opcode, true, is_compressed), payload.len, now_ms);
}

int mw_conn_send_msg(struct mw_conn *conn, struct mw_msg *msg, mw_ms now_ms)
{
    int err = may_send(conn, now_ms);
    if (err)
        return err;
    err = mw_outq_put_msg(&conn->out, msg);
    return sent(conn, err, (uint8_t)*mw_msg_wire(msg).data, mw_msg_payload_len(msg), now_ms);
}

int mw_conn_ping(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN)
        return MW_ERR_CLOSED;
    if (conn->out.bytes > conn->limits->queue)
        return MW_ERR_DROPPED;
    uint8_t key[4];
    uint32_t stamp = (uint32_t)now_ms;
    note_first_output(conn, now_ms);
    int err = mw_outq_put_control(&conn->out, MW_OPCODE_PING,
                                  mw_view((const char *)&stamp, PING_BYTES), mask_key(conn, key));
    if (err)
        return err;
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_PING, PING_BYTES, 0, now_ms);
    if (conn->ping_sent_ms == MW_NEVER)
        conn->ping_sent_ms = now_ms;
    conn->pings_unanswered++;
    return MW_OK;
}

void mw_conn_written(struct mw_conn *conn, size_t bytes, mw_ms now_ms)
{
    mw_outq_written(&conn->out, bytes);
    if (bytes)
        conn->last_write_ms = now_ms;
    pay_pong(conn, now_ms);
    /* The peer's time to answer begins when the Close frame has left. */
    if (conn->phase == MW_CONN_CLOSE_SENT && conn->out.bytes == 0)
        conn->close_due_ms = mw_ms_min(conn->close_due_ms, now_ms + MW_CONN_CLOSE_WAIT_MS);
    if (conn->was_full && conn->out.bytes < conn->limits->queue / 2) {
        conn->was_full = false;
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
