/*
 * One WebSocket client, as the files that make it share it. Nobody else includes this.
 *
 *   ws_client.c  its life, its commands, what is known
 *   ws_way.c     from the name to the server's answer
 *   ws_talk.c    open: frames both ways
 *   ws_end.c     how it ended, and that everything arrives before it is gone
 *
 * Its owner may let go of it inside every event. So after each event `is_let_go` is looked at, and
 * memory is given back where nothing of ours is on the stack: when the stream has closed, or at the
 * end of the turn.
 */
#ifndef MW_OUTBOUND_WS_PARTS_H
#define MW_OUTBOUND_WS_PARTS_H

#include "core/outbound/frame_tap.h"
#include "core/outbound/ws_client.h"
#include "core/proto/handshake.h"

#define MW_WS_PINGS       8  /* of which the time is kept until they are answered */
#define MW_WS_FIRST_BYTES 64 /* that are shown of what is no answer */

struct mw_ws_sent_ping {
    uint64_t at_us; /* 0: none */
    uint8_t len;
    char payload[MW_CONTROL_MAX];
};

struct mw_ws_client {
    struct mw_outbound *outbound;
    const struct mw_ws_client_events *events;
    void *owner;
    const struct mw_limits_ms *limits;
    struct mw_mem *mem;
    mw_ms handshake_wait_ms;
    bool insecure;
    struct mw_ws_url url;
    struct mw_tls_ctx *tls_ctx; /* holds a reference; NULL: ws:// */

    struct mw_dial *dial;     /* while it dials */
    struct mw_stream *stream; /* from connected until it has closed */
    size_t in_flight;         /* bytes that the stream holds; 0: a write may be made */
    size_t untaken;           /* as the stream said last */
    struct mw_alarm alarm;
    struct mw_turn_task later;
    bool is_let_go, is_ended, is_open, is_ours, wants_abort;
    bool is_closing; /* the stream was told to */
    bool is_stream_over;
    bool is_refused; /* the body of a refusal is being read */
    bool is_read_off;
    bool is_asking; /* what is in flight is the request */

    uint64_t step_began_us;
    struct mw_ws_path path;
    struct mw_dial_address addresses[MW_DIAL_ADDRESSES];

    struct mw_buf request, body;
    char key[MW_WS_KEY_LEN + 1];
    struct mw_view *protocols; /* one block with their texts */
    size_t protocol_count, protocols_size;
    struct mw_ext_deflate terms; /* the offer, then what was agreed on */
    struct mw_http_reader *reader;
    struct mw_ws_answer answer;
    char first[MW_WS_FIRST_BYTES];
    size_t first_len;

    struct mw_conn_home home;
    struct mw_conn conn; /* where is_open has been true */
    bool has_conn;
    uint64_t opened_us;
    mw_ms opened_ms, last_read_ms;
    struct mw_frame_tap tap;
    struct mw_ws_sent_ping pings[MW_WS_PINGS];
};

static inline mw_ms mw_ws_now(const struct mw_ws_client *client)
{
    return mw_loop_now(client->outbound->loop);
}

/* ---- ws_client.c ---- */

/* Output, what was pulled, the alarm: looked after at the end of this turn. */
void mw_ws_later(struct mw_ws_client *client);

/* ---- ws_way.c ---- */

extern const struct mw_dial_events mw_ws_dial_events;
extern const struct mw_stream_events mw_ws_stream_events;
/* Its time is over. */
void mw_ws_way_alarm(struct mw_ws_client *client);

/* ---- ws_talk.c ---- */

void mw_ws_talk_begin(struct mw_ws_client *client);
void mw_ws_talk_read(struct mw_ws_client *client, char *bytes, size_t len);
void mw_ws_talk_flush(struct mw_ws_client *client);
void mw_ws_talk_end(struct mw_ws_client *client, enum mw_stream_end how);
void mw_ws_talk_alarm(struct mw_ws_client *client);
/* Pulls what there is, writes, sets the alarm. */
void mw_ws_talk_settle(struct mw_ws_client *client);

/* ---- ws_end.c ---- */

/* It never was open. text: static; NULL: the fault's own. */
void mw_ws_fail(struct mw_ws_client *client, enum mw_ws_fault fault, const char *text);
/* It was; mw_conn_ending tells how. */
void mw_ws_finish(struct mw_ws_client *client);
/* After the end: what still waits leaves, and then the stream. */
void mw_ws_linger(struct mw_ws_client *client);
void mw_ws_close_stream(struct mw_ws_client *client, bool reset);
/* Gives it back where nothing holds it any more. */
void mw_ws_reap(struct mw_ws_client *client);

#endif
