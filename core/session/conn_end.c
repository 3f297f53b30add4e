/*
 * How a connection ends: what is remembered of it, what the Close frame says, and who has the last
 * word. Beside conn.c, which finds out that it is over.
 */
#include "core/session/conn_parts.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/session/advice.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_pressure.h"
#include "core/session/conn_sideband.h"

/* Stands in where there is no memory left to remember an end. */
static const struct mw_conn_end forgotten_end = { .cause = MW_CAUSE_out_of_memory, .code = 1006 };

void mw_conn_forget_end(struct mw_conn *conn)
{
    if (conn->end && conn->end != &forgotten_end)
        mw_free(conn->home->mem, conn->end, sizeof *conn->end);
    conn->end = 0;
}

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
    struct mw_conn_end *end = mw_alloc_zero(conn->home->mem, sizeof *end);
    if (!end) {
        conn->end = (struct mw_conn_end *)&forgotten_end; /* never written to */
        return;
    }
    end->cause = cause;
    end->code = code;
    put_reason(end, reason);
    conn->end = end;
}

void mw_conn_become_closed(struct mw_conn *conn, bool clean)
{
    conn->phase = MW_CONN_CLOSED;
    conn->close_due_ms = MW_NEVER;
    if (conn->end && conn->end != &forgotten_end)
        conn->end->clean = clean;
}

static int queue_close(struct mw_conn *conn, unsigned code, struct mw_view reason, mw_ms now_ms)
{
    uint8_t body[MW_CONTROL_MAX], key[4];
    size_t len = mw_close_encode(body, code, reason);
    mw_conn_note_control(conn, MW_FLIGHT_OUT, MW_OPCODE_CLOSE, len, len ? code : 0, now_ms);
    int err = mw_conn_begin_output(conn, now_ms);
    if (err)
        return err;
    return mw_outq_put(&conn->sending->out, MW_OPCODE_CLOSE, mw_view((char *)body, len),
                       mw_conn_mask_key(conn, key));
}

static void say_close(struct mw_conn *conn, enum mw_cause cause, unsigned code,
                      struct mw_view reason, mw_ms now_ms)
{
    if (!drops_queue(cause)) {
        (void)mw_conn_tell_gap(conn, now_ms);
        mw_conn_tell_count(conn, now_ms);
    }
    int err = queue_close(conn, code, reason, now_ms);
    conn->phase = MW_CONN_CLOSE_SENT;
    conn->close_due_ms =
        mw_ms_add(now_ms, drops_queue(cause) ? MW_CONN_CLOSE_WAIT_MS : MW_CONN_CLOSE_FLUSH_MS);
    if (err || ends_at_once(cause))
        mw_conn_become_closed(conn, false);
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
    if (drops_queue(cause) && conn->sending)
        mw_outq_drop(&conn->sending->out);
    if (conn->reading) /* what is on its way is for nobody, and need not cost much */
        mw_reader_go_deaf(&conn->reading->reader);
    if (is_decided_on(conn, row))
        conn->phase = MW_CONN_DECIDING;
    else
        say_close(conn, cause, wire, reason, now_ms);
    return MW_OK;
}

void mw_conn_run_out_of_memory(struct mw_conn *conn, mw_ms now_ms)
{
    if (mw_conn_close(conn, MW_CAUSE_out_of_memory, 0, mw_view_text("out of memory"), now_ms))
        mw_conn_become_closed(conn, false);
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

void mw_conn_on_breach(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    if (conn->phase != MW_CONN_OPEN) {
        mw_conn_become_closed(conn, false);
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

void mw_conn_on_peer_close(struct mw_conn *conn, const struct mw_item *item, mw_ms now_ms)
{
    unsigned code = item->close.code == MW_CLOSE_NO_STATUS ? 0 : item->close.code;
    mw_conn_note_control(conn, MW_FLIGHT_IN, MW_OPCODE_CLOSE, item->data.len, code, now_ms);
    if (conn->phase == MW_CONN_CLOSE_SENT) {
        mw_conn_become_closed(conn, true);
        return;
    }
    remember_end(conn, MW_CAUSE_peer_close, item->close.code, item->close.reason);
    /*
     * RFC 6455 5.5.1: the answer echoes the code. It stands behind what was sent before, which the
     * peer still takes: else it would hang on how the bytes were cut whether an answer arrives.
     * Without memory the peer finds the stream's end instead.
     */
    (void)queue_close(conn, item->close.code, mw_view(0, 0), now_ms);
    mw_conn_become_closed(conn, true);
}

void mw_conn_judge(struct mw_conn *conn, mw_ms now_ms)
{
    struct mw_item item;
    if (!conn->reading)
        return;
    mw_reader_judge(&conn->reading->reader, &item);
    if (item.kind == MW_ITEM_BREACH)
        mw_conn_on_breach(conn, &item, now_ms);
}

void mw_conn_eof(struct mw_conn *conn, enum mw_cause how)
{
    if (conn->phase != MW_CONN_CLOSED)
        mw_conn_judge(conn, conn->last_read_ms); /* what was wrong came before the end */
    if (conn->phase == MW_CONN_CLOSED)
        return;
    if (conn->phase == MW_CONN_OPEN)
        remember_end(conn, how, MW_CLOSE_ABNORMAL, mw_view(0, 0));
    mw_conn_become_closed(conn, false);
}

const struct mw_conn_end *mw_conn_ending(const struct mw_conn *conn)
{
    return conn->end;
}
