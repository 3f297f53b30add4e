/*
 * The end of a client: what is told of it, once, and how it leaves. Decides nothing about whether
 * it ends; ws_way and ws_talk do.
 */
#include "core/base/clock.h"
#include "core/outbound/ws_answer.h"
#include "core/outbound/ws_parts.h"
#include "core/session/advice.h"

/* A server ends the stream when it has our Close; who does not is left after so long. */
#define LINGER_MS 1000

/* ---- leaving ---- */

void mw_ws_close_stream(struct mw_ws_client *client, bool reset)
{
    mw_alarm_stop(client->outbound->loop, &client->alarm);
    if (!client->stream || client->is_closing)
        return;
    client->is_closing = true;
    mw_stream_close(client->stream, reset);
}

static void free_parts(struct mw_ws_client *client)
{
    struct mw_mem *mem = client->mem;
    if (client->has_conn)
        mw_conn_free(&client->conn);
    mw_http_reader_free(client->reader);
    mw_buf_free(&client->request);
    mw_buf_free(&client->body);
    mw_ws_url_free(mem, &client->url);
    mw_free(mem, client->protocols, client->protocols_size);
    mw_tls_ctx_release(client->tls_ctx);
}

void mw_ws_reap(struct mw_ws_client *client)
{
    if (!client->is_let_go || client->stream)
        return;
    mw_alarm_stop(client->outbound->loop, &client->alarm);
    mw_turn_task_remove(&client->later);
    free_parts(client);
    mw_free(client->mem, client, sizeof *client);
}

void mw_ws_linger(struct mw_ws_client *client)
{
    if (!client->stream || client->is_closing || client->in_flight)
        return;
    if (client->is_stream_over) {
        mw_ws_close_stream(client, false);
        return;
    }
    mw_stream_finish(client->stream);
    mw_stream_set_reading(client->stream, true); /* and dropped, until the server's end */
}

static void leave(struct mw_ws_client *client, bool at_once)
{
    if (at_once) {
        mw_ws_close_stream(client, client->wants_abort);
        return;
    }
    mw_alarm_set(client->outbound->loop, &client->alarm, mw_ws_now(client) + LINGER_MS);
    mw_ws_later(client);
}

/* ---- telling ---- */

static void tell(struct mw_ws_client *client, struct mw_ws_ended *ended, bool at_once)
{
    client->is_ended = true;
    ended->ours = client->is_ours;
    ended->opened = client->is_open;
    ended->silent_ms = client->last_read_ms ? mw_ws_now(client) - client->last_read_ms : 0;
    client->is_open = false;
    leave(client, at_once);
    if (!client->is_let_go)
        client->events->ended(client->owner, ended);
}

/* What has come so far of something that is no answer. */
static struct mw_view first_bytes(const struct mw_ws_client *client)
{
    return mw_view(client->first, client->path.answer ? 0 : client->first_len);
}

void mw_ws_fail(struct mw_ws_client *client, enum mw_ws_fault fault, const char *text)
{
    if (client->is_ended)
        return;
    if (client->dial)
        mw_dial_cancel(client->dial);
    client->dial = NULL;
    client->path.took_us[client->path.step] = mw_clock_monotonic_us() - client->step_began_us;
    if (client->is_refused) {
        client->answer.body = mw_buf_view(&client->body);
        client->answer.advice =
            mw_ws_answer_advice(client->mem, &client->answer, mw_clock_unix_ms());
    }
    struct mw_ws_ended ended = {
        .fault = fault,
        .text = text && *text ? text : mw_ws_fault_text(fault),
        .code = fault == MW_WS_FAULT_tls ? 1015 : MW_CLOSE_ABNORMAL,
        .cause = fault == MW_WS_FAULT_tls ? MW_CAUSE_tls_error : MW_CAUSE_peer_fin,
        .who = client->is_ours                   ? MW_WHO_CLIENT
               : fault == MW_WS_FAULT_refused    ? MW_WHO_SERVER
               : fault == MW_WS_FAULT_bad_answer ? MW_WHO_SERVER
                                                 : MW_WHO_NETWORK,
        .advice = client->answer.advice,
        .reason = mw_view("", 0),
        .said = mw_view("", 0),
        .bytes = mw_view("", 0),
        .first_bytes = first_bytes(client),
    };
    tell(client, &ended, true);
}

/* The table of causes is written for a server: there the client is the peer, here we are. */
static enum mw_who who_of(enum mw_cause cause)
{
    switch (mw_cause_row(cause)->who) {
    case MW_WHO_CLIENT:
        return MW_WHO_SERVER;
    case MW_WHO_SERVER:
        return MW_WHO_CLIENT;
    case MW_WHO_NETWORK:
        break;
    }
    return MW_WHO_NETWORK;
}

void mw_ws_finish(struct mw_ws_client *client)
{
    const struct mw_conn_end *end = mw_conn_ending(&client->conn);
    struct mw_ws_ended ended = {
        .text = "",
        .code = end->code,
        .cause = end->cause,
        .who = client->is_ours ? MW_WHO_CLIENT : who_of(end->cause),
        .clean = end->clean,
        .reason = mw_view(end->reason, end->reason_len),
        .rule = end->rule,
        .bytes = mw_view((const char *)end->bytes, end->bytes_len),
        .first_bytes = mw_view("", 0),
        .uptime_ms = mw_ws_now(client) - client->opened_ms,
        .messages_sent = client->conn.messages_sent,
        .messages_received = client->conn.messages_received,
        .pings_unanswered = client->conn.pings_unanswered,
    };
    ended.said = mw_view(end->reason, mw_advice_read(ended.reason, &ended.advice));
    client->path.took_us[MW_WS_OPEN] = mw_clock_monotonic_us() - client->opened_us;
    tell(client, &ended, client->wants_abort);
}
