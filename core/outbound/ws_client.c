/*
 * The life of a client and what its owner may ask of it. Its way, its talk and its end have files
 * of their own (ws_parts.h).
 */
#include "core/outbound/ws_client.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/outbound/ws_parts.h"
#include "core/outbound/ws_request.h"
#include "core/session/conn_hand.h"

#define CONNECT_WAIT_MS   5000
#define HANDSHAKE_WAIT_MS 10000

#define MESSAGE_BYTES (64u << 20)
#define QUEUE_BYTES   (16u << 20)
#define FRAGMENTS_MAX 1048576
#define PONG_WAIT_MS  20000 /* also twice: what a frame may take that does not become whole */

const struct mw_limits_ms *mw_ws_client_limits(void)
{
    static const struct mw_limits_ms limits = {
        .message = MESSAGE_BYTES,
        .inflated = MESSAGE_BYTES,
        .fragments = FRAGMENTS_MAX,
        .queue = QUEUE_BYTES,
        .idle_ms = MW_NEVER,
        .ping_ms = MW_NEVER,
        .pong_ms = PONG_WAIT_MS,
        .age_ms = MW_NEVER,
    };
    return &limits;
}

/* ---- at the end of a turn, and in time ---- */

void mw_ws_later(struct mw_ws_client *client)
{
    mw_turn_task_add(client->outbound->loop, &client->later);
}

static void on_later(struct mw_turn_task *task)
{
    struct mw_ws_client *client = MW_OWNER(task, struct mw_ws_client, later);
    if (client->is_ended && client->has_conn) {
        mw_ws_talk_flush(client);
        if (!mw_conn_has_output(&client->conn))
            mw_ws_linger(client);
    } else if (client->is_ended) {
        mw_ws_linger(client);
    } else if (client->wants_abort && client->is_open) {
        mw_conn_eof(&client->conn, MW_CAUSE_peer_reset);
        mw_ws_talk_settle(client);
    } else if (client->wants_abort) {
        mw_ws_fail(client, MW_WS_FAULT_cancelled, NULL);
    } else if (client->is_open) {
        mw_ws_talk_settle(client);
    }
    mw_ws_reap(client);
}

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_ws_client *client = MW_OWNER(alarm, struct mw_ws_client, alarm);
    if (client->is_ended)
        mw_ws_close_stream(client, false);
    else if (client->is_open)
        mw_ws_talk_alarm(client);
    else
        mw_ws_way_alarm(client);
}

/* ---- beginning ---- */

static int copy_protocols(struct mw_ws_client *client, const struct mw_ws_client_setup *setup)
{
    size_t count = setup->protocol_count, size = count * sizeof *client->protocols;
    for (size_t i = 0; i < count; i++)
        size += setup->protocols[i].len;
    if (count == 0)
        return MW_OK;
    client->protocols = mw_alloc(client->mem, size);
    if (!client->protocols)
        return MW_ERR_NOMEM;
    client->protocols_size = size;
    client->protocol_count = count;
    char *text = (char *)(client->protocols + count);
    for (size_t i = 0; i < count; i++) {
        struct mw_view protocol = setup->protocols[i];
        if (protocol.len)
            memcpy(text, protocol.data, protocol.len);
        client->protocols[i] = mw_view(text, protocol.len);
        text += protocol.len;
    }
    return MW_OK;
}

static int prepare(struct mw_ws_client *client, const struct mw_ws_client_setup *setup,
                   char why[256])
{
    int err = mw_ws_url_parse(client->mem, setup->url, &client->url, why);
    if (!err)
        err = mw_ws_key_make(client->key);
    if (!err && setup->compression)
        client->terms = (struct mw_ext_deflate){ .on = true, .client_bits = 15 };
    if (!err)
        err = mw_ws_request_put(&client->request, setup, &client->url, client->key, &client->terms,
                                why);
    if (!err)
        err = copy_protocols(client, setup);
    if (!err && client->url.is_secure)
        err = mw_outbound_tls(client->outbound, setup->insecure, &client->tls_ctx, why);
    if (err)
        return err;
    client->reader = mw_http_reader_new(client->mem, MW_HTTP_RESPONSE);
    return client->reader ? MW_OK : MW_ERR_NOMEM;
}

static int dial(struct mw_ws_client *client, const struct mw_ws_client_setup *setup)
{
    const struct mw_dial_setup dial = {
        .host = client->url.host,
        .port = client->url.port,
        .family = setup->family,
        .connect_wait_ms = setup->connect_wait_ms ? setup->connect_wait_ms : CONNECT_WAIT_MS,
        .events = &mw_ws_dial_events,
        .owner = client,
    };
    client->step_began_us = mw_clock_monotonic_us();
    return mw_dial_start(client->outbound->loop, &dial, &client->dial);
}

int mw_ws_client_start(const struct mw_ws_client_setup *setup, struct mw_ws_client **out,
                       char why[256])
{
    struct mw_mem *mem = mw_loop_mem(setup->outbound->loop);
    struct mw_ws_client *client = mw_alloc_zero(mem, sizeof *client);
    why[0] = '\0';
    if (!client)
        return MW_ERR_NOMEM;
    mw_assert(setup->events->ended);
    client->outbound = setup->outbound;
    client->events = setup->events;
    client->owner = setup->owner;
    client->limits = setup->limits ? setup->limits : mw_ws_client_limits();
    client->mem = mem;
    client->handshake_wait_ms =
        setup->handshake_wait_ms ? setup->handshake_wait_ms : HANDSHAKE_WAIT_MS;
    mw_alarm_init(&client->alarm, on_alarm);
    mw_turn_task_init(&client->later, on_later);
    mw_buf_init(&client->request, mem, 0);
    mw_buf_init(&client->body, mem, MW_WS_BODY_MAX);
    int err = prepare(client, setup, why);
    if (!err)
        err = dial(client, setup);
    if (err) {
        client->is_let_go = true;
        mw_ws_reap(client);
        return err;
    }
    *out = client;
    return MW_OK;
}

void mw_ws_client_free(struct mw_ws_client *client)
{
    if (!client)
        return;
    mw_assert(!client->is_let_go);
    client->is_let_go = true;
    if (client->dial)
        mw_dial_cancel(client->dial);
    client->dial = NULL;
    if (!client->is_ended)
        mw_ws_close_stream(client, false);
    mw_ws_later(client); /* never here: it may be on the stack */
}

/* ---- commands ---- */

int mw_ws_client_send(struct mw_ws_client *client, enum mw_opcode opcode, struct mw_view payload)
{
    if (!client->is_open)
        return MW_ERR_CLOSED;
    if (opcode == MW_OPCODE_TEXT && !mw_utf8_valid(payload))
        return MW_ERR_BAD_UTF8;
    int err = mw_conn_send(&client->conn, opcode, payload, mw_ws_now(client));
    mw_ws_later(client);
    return err;
}

int mw_ws_client_send_frame(struct mw_ws_client *client, enum mw_opcode opcode, bool fin,
                            struct mw_view payload)
{
    if (!client->is_open)
        return MW_ERR_CLOSED;
    int err = mw_conn_send_frame(&client->conn, opcode, fin, payload, mw_ws_now(client));
    mw_ws_later(client);
    return err;
}

/* The oldest makes room. */
static void remember_ping(struct mw_ws_client *client, struct mw_view payload)
{
    struct mw_ws_sent_ping *oldest = &client->pings[0];
    for (size_t i = 1; i < MW_WS_PINGS; i++) {
        if (client->pings[i].at_us < oldest->at_us)
            oldest = &client->pings[i];
    }
    oldest->at_us = mw_clock_monotonic_us();
    oldest->len = (uint8_t)payload.len;
    if (payload.len)
        memcpy(oldest->payload, payload.data, payload.len);
}

int mw_ws_client_ping(struct mw_ws_client *client, struct mw_view payload)
{
    if (!client->is_open)
        return MW_ERR_CLOSED;
    if (payload.len > MW_CONTROL_MAX)
        return MW_ERR_BAD_ARG;
    int err = mw_conn_ping_with(&client->conn, payload, mw_ws_now(client));
    if (!err)
        remember_ping(client, payload);
    mw_ws_later(client);
    return err;
}

int mw_ws_client_close(struct mw_ws_client *client, unsigned code, struct mw_view reason)
{
    if (code && !mw_close_code_is_sendable(code))
        return MW_ERR_BAD_CODE;
    if (!mw_utf8_valid(reason))
        return MW_ERR_BAD_UTF8;
    if (client->is_ended)
        return MW_ERR_CLOSED;
    if (!client->is_open) {
        mw_ws_client_abort(client);
        return MW_OK;
    }
    int err = mw_conn_close(&client->conn, MW_CAUSE_script_close, code ? code : MW_CLOSE_NO_STATUS,
                            reason, mw_ws_now(client));
    if (!err)
        client->is_ours = true;
    mw_ws_later(client);
    return err;
}

void mw_ws_client_abort(struct mw_ws_client *client)
{
    if (client->is_ended)
        return;
    client->is_ours = true;
    client->wants_abort = true;
    mw_ws_later(client);
}

void mw_ws_client_read(struct mw_ws_client *client, bool on)
{
    if (!client->is_open || client->is_read_off == !on)
        return;
    client->is_read_off = !on;
    mw_stream_set_reading(client->stream, on);
    mw_conn_pause(&client->conn, !on, mw_ws_now(client));
    mw_ws_later(client);
}

/* ---- what is known ---- */

const struct mw_ws_path *mw_ws_client_path(const struct mw_ws_client *client)
{
    return &client->path;
}

const struct mw_ws_url *mw_ws_client_url(const struct mw_ws_client *client)
{
    return &client->url;
}

bool mw_ws_client_is_open(const struct mw_ws_client *client)
{
    return client->is_open && client->conn.phase == MW_CONN_OPEN;
}

size_t mw_ws_client_queued(const struct mw_ws_client *client)
{
    return client->has_conn ? mw_conn_queued(&client->conn) : 0;
}

size_t mw_ws_client_untaken(const struct mw_ws_client *client)
{
    size_t held = client->stream && !client->is_closing ? mw_stream_untaken(client->stream) : 0;
    size_t counted = client->is_asking ? 0 : client->in_flight; /* by both */
    return mw_ws_client_queued(client) - counted + held;
}

/* ---- names ---- */

const char *mw_ws_step_name(enum mw_ws_step step)
{
    static const char *const names[MW_WS_STEPS] = {
        [MW_WS_RESOLVE] = "dns",  [MW_WS_CONNECT] = "tcp", [MW_WS_SECURE] = "tls",
        [MW_WS_UPGRADE] = "http", [MW_WS_OPEN] = "open",
    };
    return names[step];
}

static const struct {
    const char *name, *text;
} faults[] = {
#define MW_WS_FAULT(name, text) { #name, text },
    MW_WS_FAULT_LIST(MW_WS_FAULT)
#undef MW_WS_FAULT
};

const char *mw_ws_fault_name(enum mw_ws_fault fault)
{
    return faults[fault].name;
}

const char *mw_ws_fault_text(enum mw_ws_fault fault)
{
    return faults[fault].text;
}
