/*
 * An open client: bytes of the stream into the connection machine, its events to the owner, its
 * output back. The machine decides; this carries.
 */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/outbound/ws_parts.h"

/* So much at once that control frames still get their turn on a slow line. */
#define WRITE_BYTES 262144

void mw_ws_talk_begin(struct mw_ws_client *client)
{
    struct mw_outbound *outbound = client->outbound;
    client->home = (struct mw_conn_home){
        .mem = client->mem,
        .pool = &outbound->pool,
        .deflate = &outbound->deflate,
        .rng = &outbound->rng,
        .limits = client->limits,
    };
    const struct mw_conn_setup setup = {
        .role = MW_ROLE_CLIENT,
        .home = &client->home,
        .terms = client->terms,
    };
    client->opened_ms = mw_ws_now(client);
    client->opened_us = mw_clock_monotonic_us();
    if (mw_conn_init(&client->conn, &setup, client->opened_ms))
        (void)mw_conn_close(&client->conn, MW_CAUSE_out_of_memory, 0, mw_view(0, 0),
                            client->opened_ms);
    client->has_conn = true;
    mw_alarm_stop(outbound->loop, &client->alarm);
    mw_ws_later(client);
}

static bool is_gone(const struct mw_ws_client *client)
{
    return client->is_let_go || client->is_ended;
}

/* ---- in ---- */

static uint64_t time_of_ping(struct mw_ws_client *client, struct mw_view payload)
{
    for (size_t i = 0; i < MW_WS_PINGS; i++) {
        struct mw_ws_sent_ping *ping = &client->pings[i];
        if (!ping->at_us || ping->len != payload.len ||
            (payload.len && memcmp(ping->payload, payload.data, payload.len) != 0))
            continue;
        uint64_t took_us = mw_clock_monotonic_us() - ping->at_us;
        ping->at_us = 0;
        return took_us;
    }
    return MW_NEVER;
}

static void tell_frame(struct mw_ws_client *client, const struct mw_ws_frame *frame,
                       struct mw_view payload)
{
    const struct mw_ws_client_events *events = client->events;
    if (events->frame)
        events->frame(client->owner, frame, payload);
    if (is_gone(client) || frame->len > MW_CONTROL_MAX)
        return;
    if (frame->opcode == MW_OPCODE_PING && events->ping)
        events->ping(client->owner, payload);
    else if (frame->opcode == MW_OPCODE_PONG) {
        uint64_t rtt_us = time_of_ping(client, payload);
        if (events->pong)
            events->pong(client->owner, payload, rtt_us);
    }
}

static void tap(struct mw_ws_client *client, struct mw_view bytes)
{
    struct mw_ws_frame frame;
    struct mw_view payload;
    while (!is_gone(client) && mw_frame_tap_next(&client->tap, &bytes, &frame, &payload))
        tell_frame(client, &frame, payload);
}

static void pump(struct mw_ws_client *client)
{
    const struct mw_ws_client_events *events = client->events;
    while (!is_gone(client)) {
        struct mw_event event;
        mw_conn_next(&client->conn, &event, mw_ws_now(client));
        switch (event.kind) {
        case MW_EVENT_MORE:
            return;
        case MW_EVENT_MESSAGE:
            if (events->message)
                events->message(client->owner, event.opcode, event.data);
            break;
        case MW_EVENT_DRAIN:
            if (events->drained)
                events->drained(client->owner);
            break;
        case MW_EVENT_ASIDE:  /* there is none: this client sends no mark */
        case MW_EVENT_PONG:   /* told as it came */
        case MW_EVENT_DECIDE: /* nobody has asked for it */
            break;
        case MW_EVENT_CLOSED:
            mw_ws_finish(client);
            return;
        }
    }
}

void mw_ws_talk_read(struct mw_ws_client *client, char *bytes, size_t len)
{
    if (len == 0)
        return;
    tap(client, mw_view(bytes, len));
    if (is_gone(client))
        return;
    mw_conn_feed(&client->conn, bytes, len, mw_ws_now(client));
    pump(client);
    mw_conn_detach(&client->conn); /* what nobody wants any more */
    mw_ws_later(client);
}

static enum mw_cause cause_of(enum mw_stream_end how)
{
    switch (how) {
    case MW_STREAM_FIN:
        return MW_CAUSE_peer_fin;
    case MW_STREAM_RESET:
        return MW_CAUSE_peer_reset;
    case MW_STREAM_TLS_ERROR:
        return MW_CAUSE_tls_error;
    }
    return MW_CAUSE_peer_reset;
}

void mw_ws_talk_end(struct mw_ws_client *client, enum mw_stream_end how)
{
    mw_conn_eof(&client->conn, cause_of(how));
    pump(client);
}

/* ---- out ---- */

static size_t cut_vectors(struct mw_view *vectors, size_t count)
{
    size_t room = WRITE_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (vectors[i].len >= room) {
            vectors[i].len = room;
            return i + 1;
        }
        room -= vectors[i].len;
    }
    return count;
}

void mw_ws_talk_flush(struct mw_ws_client *client)
{
    while (client->stream && !client->is_closing && !client->in_flight &&
           mw_conn_has_output(&client->conn)) {
        struct mw_view vectors[MW_STREAM_MAX_VECTORS];
        size_t count = mw_conn_iov(&client->conn, vectors, MW_STREAM_MAX_VECTORS), bytes = 0;
        count = cut_vectors(vectors, count);
        for (size_t i = 0; i < count; i++)
            bytes += vectors[i].len;
        long taken = mw_stream_write(client->stream, vectors, count);
        if (taken < 0)
            return; /* the stream's end follows */
        client->in_flight = bytes - (size_t)taken;
        mw_conn_written(&client->conn, (size_t)taken, mw_ws_now(client));
    }
}

void mw_ws_talk_alarm(struct mw_ws_client *client)
{
    size_t untaken = mw_ws_client_untaken(client);
    if (untaken < client->untaken)
        mw_conn_advance(&client->conn, mw_ws_now(client));
    client->untaken = untaken;
    mw_conn_tick(&client->conn, mw_ws_now(client));
    mw_ws_later(client);
}

void mw_ws_talk_settle(struct mw_ws_client *client)
{
    mw_ws_talk_flush(client);
    pump(client);
    if (!is_gone(client))
        mw_alarm_set(client->outbound->loop, &client->alarm, mw_conn_deadline(&client->conn));
}
