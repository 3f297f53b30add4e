/*
 * A server for tests of clients, on the same loop: it says what a case wants it to say, or speaks
 * WebSocket by the connection machine. And a client's owner that writes down what happens.
 */
#ifndef MW_TESTS_UNIT_OUTBOUND_FAR_H
#define MW_TESTS_UNIT_OUTBOUND_FAR_H

#include <signal.h>
#include <stdio.h>

#include "core/base/str.h"
#include "core/io/listener.h"
#include "core/outbound/ws_client.h"
#include "core/proto/handshake.h"
#include "tests/unit/io/io.h"
#include "tests/unit/io/tls_certs.h"

enum far_then { FAR_WAITS, FAR_FINISHES, FAR_RESETS, FAR_SPEAKS };

/* What the server does with whoever comes. */
struct far_play {
    const char *answer; /* to a whole request; "%" is the right accept key; NULL: silence */
    size_t answer_len;  /* where it has NULs; 0: its strlen */
    enum far_then then;
    bool at_once;           /* not after a request, but as soon as it comes */
    const struct cert *tls; /* NULL: plain */
    unsigned close_code;    /* SPEAKS: closes with it after the handshake */
    const char *close_reason;
};

struct stage {
    struct world world;
    struct mw_listener *listener;
    struct mw_outbound outbound;
    struct mw_tls_loop *tls;
    struct mw_tls_ctx *ctx;
    struct mw_rng rng;
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_deflate_pool deflate;
    struct mw_limits_ms limits;
    struct far_play play;
    char url[128];
    unsigned arrivals, streams;
};

/* One connection of the server. */
struct far {
    struct stage *stage;
    struct mw_stream *stream;
    char request[8192];
    size_t len;
    char answer[4096];
    struct mw_http_reader *reader;
    struct mw_conn conn;
    size_t in_flight;
    bool speaks, is_closed, has_acted;
};

/* The last one's request, for tests to look at. */
static char far_request[8192];

static inline void far_flush(struct far *far)
{
    while (!far->in_flight && !far->is_closed && mw_conn_has_output(&far->conn)) {
        struct mw_view vectors[MW_STREAM_MAX_VECTORS];
        size_t count = mw_conn_iov(&far->conn, vectors, MW_STREAM_MAX_VECTORS), bytes = 0;
        for (size_t i = 0; i < count; i++)
            bytes += vectors[i].len;
        long taken = mw_stream_write(far->stream, vectors, count);
        if (taken < 0)
            return;
        far->in_flight = bytes - (size_t)taken;
        mw_conn_written(&far->conn, (size_t)taken, mw_loop_now(far->stage->world.loop));
    }
}

static inline void far_close(struct far *far, bool reset)
{
    if (far->is_closed)
        return;
    far->is_closed = true;
    mw_stream_close(far->stream, reset);
}

/* Says everything again that it hears. */
static inline void far_pump(struct far *far)
{
    mw_ms now_ms = mw_loop_now(far->stage->world.loop);
    struct mw_event event;
    for (;;) {
        mw_conn_next(&far->conn, &event, now_ms);
        if (event.kind == MW_EVENT_MESSAGE)
            (void)mw_conn_send(&far->conn, event.opcode, event.data, now_ms);
        if (event.kind == MW_EVENT_MORE)
            break;
        if (event.kind == MW_EVENT_CLOSED) {
            far_flush(far);
            mw_stream_finish(far->stream);
            return;
        }
    }
    far_flush(far);
}

static inline void far_speak(struct far *far, const struct mw_http_head *head)
{
    static const struct mw_view protocols[] = { MW_VIEW("moon"), MW_VIEW("chat") };
    struct stage *stage = far->stage;
    struct mw_ext_deflate terms = { 0 };
    struct mw_buf out;
    int picked = mw_ws_pick_protocol(head, protocols, MW_COUNT(protocols));
    mw_ext_pick(head, true, &terms);
    mw_buf_init(&out, &stage->world.mem, 0);
    if (mw_ws_answer(&out, head, picked < 0 ? mw_view("", 0) : protocols[picked], &terms)) {
        far_close(far, true);
        return;
    }
    struct mw_view view = mw_buf_view(&out);
    (void)mw_stream_write(far->stream, &view, 1); /* of a client that has gone already: nothing */
    mw_buf_free(&out);
    stage->home = (struct mw_conn_home){
        .mem = &stage->world.mem,
        .pool = &stage->pool,
        .deflate = &stage->deflate,
        .rng = &stage->rng,
        .limits = &stage->limits,
    };
    const struct mw_conn_setup setup = {
        .role = MW_ROLE_SERVER,
        .home = &stage->home,
        .terms = terms,
    };
    (void)mw_conn_init(&far->conn, &setup, mw_loop_now(stage->world.loop));
    far->speaks = true;
    if (stage->play.close_code)
        (void)mw_conn_close(&far->conn, MW_CAUSE_script_close, stage->play.close_code,
                            mw_view_text(stage->play.close_reason), mw_loop_now(stage->world.loop));
    far_pump(far);
}

static inline void far_answer(struct far *far, const struct mw_http_head *head)
{
    const struct far_play *play = &far->stage->play;
    char key[MW_WS_ACCEPT_LEN + 1] = "";
    size_t len = 0, left = play->answer_len ? play->answer_len : strlen(play->answer);
    if (head)
        (void)mw_ws_accept(mw_http_header(head, "sec-websocket-key", NULL), key);
    for (const char *c = play->answer; left > 0; c++, left--) {
        if (*c == '%')
            len += (size_t)snprintf(far->answer + len, sizeof far->answer - len, "%s", key);
        else
            far->answer[len++] = *c;
    }
    struct mw_view view = mw_view(far->answer, len);
    (void)mw_stream_write(far->stream, &view, 1);
}

static inline void far_act(struct far *far, const struct mw_http_head *head)
{
    far->has_acted = true;
    if (far->stage->play.answer)
        far_answer(far, head);
    switch (far->stage->play.then) {
    case FAR_WAITS:
        break;
    case FAR_FINISHES:
        mw_stream_finish(far->stream);
        break;
    case FAR_RESETS:
        far_close(far, true);
        break;
    case FAR_SPEAKS:
        far_speak(far, head);
        break;
    }
}

static inline void far_on_read(void *owner, char *bytes, size_t len)
{
    struct far *far = owner;
    struct mw_http_refusal refusal;
    size_t used = 0;
    if (far->speaks) {
        mw_conn_feed(&far->conn, bytes, len, mw_loop_now(far->stage->world.loop));
        far_pump(far);
        return;
    }
    if (far->has_acted)
        return;
    memcpy(far_request + far->len, bytes, len);
    far->len += len;
    far_request[far->len] = '\0';
    int err = mw_http_reader_feed(far->reader, mw_view(bytes, len), &used, &refusal);
    if (err == MW_OK)
        far_act(far, mw_http_reader_head(far->reader));
    else if (err != MW_ERR_AGAIN)
        far_close(far, true);
}

static inline void far_on_end(void *owner, enum mw_stream_end how)
{
    (void)how;
    far_close(owner, false);
}

static inline void far_on_written(void *owner)
{
    struct far *far = owner;
    if (!far->speaks)
        return;
    mw_conn_written(&far->conn, far->in_flight, mw_loop_now(far->stage->world.loop));
    far->in_flight = 0;
    far_pump(far);
}

static inline void far_on_closed(void *owner)
{
    struct far *far = owner;
    far->stage->streams--;
    if (far->speaks)
        mw_conn_free(&far->conn);
    mw_http_reader_free(far->reader);
    free(far);
}

static const struct mw_stream_events far_events = {
    .read = far_on_read,
    .end = far_on_end,
    .written = far_on_written,
    .closed = far_on_closed,
};

static inline void far_arrive(void *ctx, struct mw_stream *stream)
{
    struct stage *stage = ctx;
    struct far *far = calloc(1, sizeof *far);
    stage->arrivals++;
    stage->streams++;
    far->stage = stage;
    far->stream =
        stage->play.tls ? mw_tls_accept(stage->tls, stage->ctx, stream, mw_view(NULL, 0)) : stream;
    if (!far->stream) { /* no memory: the one below was closed */
        stage->streams--;
        free(far);
        return;
    }
    far->reader = mw_http_reader_new(&stage->world.mem, MW_HTTP_REQUEST);
    mw_stream_attach(far->stream, &far_events, far);
    mw_stream_set_reading(far->stream, true);
    if (!far->reader)
        far_close(far, true);
    else if (stage->play.at_once)
        far_act(far, NULL);
}

/* ---- the stage ---- */

static inline void open_tls(struct stage *stage, const struct cert *cert)
{
    const struct mw_tls_pair pair = cert_pair(cert);
    struct mw_tls_tickets *tickets = mw_tls_tickets_new(3600);
    const struct mw_tls_setup setup = { .pairs = &pair, .pair_count = 1, .tickets = tickets };
    char why[256];
    assert_int_equal(mw_tls_ctx_new(&stage->world.mem, &setup, &stage->ctx, why), MW_OK);
    mw_tls_tickets_release(tickets);
    stage->tls = mw_tls_loop_new(stage->world.loop);
}

/* trust: whom the client believes; NULL: nobody is needed. */
static inline void open_stage(struct stage *stage, const struct far_play *play,
                              const struct cert *trust)
{
    char why[128];
    struct mw_limits limits;
    memset(stage, 0, sizeof *stage);
    open_world(&stage->world);
    stage->play = *play;
    mw_rng_seed(&stage->rng, 7);
    mw_conn_pool_init(&stage->pool, &stage->world.mem);
    mw_deflate_pool_init(&stage->deflate, &stage->world.mem, 1 << 24);
    mw_limits_default(&limits);
    mw_limits_from(&stage->limits, &limits);
    assert_int_equal(mw_outbound_init(&stage->outbound, stage->world.loop,
                                      trust ? mw_view_text(trust->chain) : mw_view("", 0)),
                     MW_OK);
    assert_int_equal(mw_listener_open(stage->world.loop, mw_view_text("127.0.0.1:0"), far_arrive,
                                      stage, &stage->listener, why),
                     MW_OK);
    if (play->tls)
        open_tls(stage, play->tls);
    snprintf(stage->url, sizeof stage->url, "ws%s://%s/path?q=1", trust ? "s" : "",
             mw_listener_address(stage->listener));
}

/* Nothing stays: no handle, no byte. */
static inline void close_stage(struct stage *stage)
{
    mw_listener_close(stage->listener);
    mw_loop_finish(stage->world.loop);
    assert_int_equal(stage->streams, 0);
    mw_outbound_free(&stage->outbound);
    mw_tls_loop_free(stage->tls);
    mw_tls_ctx_release(stage->ctx);
    mw_conn_pool_free(&stage->pool);
    mw_deflate_pool_free(&stage->deflate);
    close_world(&stage->world);
}

/* ---- the client's owner ---- */

struct seen {
    struct mw_ws_client *client;
    unsigned passed, opened, messages, frames, pings, pongs, ends;
    bool step[MW_WS_STEPS];
    char message[256], protocol[32], pong[128], body[512], server[64], reason[128], said[128];
    char first[64], rule_bytes[16];
    size_t first_len, message_len;
    uint64_t rtt_us;
    unsigned status, header_count;
    struct mw_ws_frame frame;
    struct mw_ws_ended ended;
    struct mw_tls_peer peer;
    struct mw_tls_facts facts;
    bool has_peer, deflate;
    struct mw_dial_address address;
    size_t address_count;
    enum mw_ws_step ended_at;
    int frees_at; /* the step after which it lets go; -1: never. MW_WS_STEPS: at the first message
                   */
    bool aborts;
};

static inline void keep_text(char *out, size_t max, struct mw_view text)
{
    size_t len = text.len < max - 1 ? text.len : max - 1;
    if (len)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static inline void let_go(struct seen *seen)
{
    if (seen->aborts) {
        mw_ws_client_abort(seen->client);
        return;
    }
    mw_ws_client_free(seen->client);
    seen->client = NULL;
    seen->ends++;
}

static inline void seen_passed(void *owner, enum mw_ws_step step)
{
    struct seen *seen = owner;
    seen->passed++;
    seen->step[step] = true;
    if (seen->frees_at == (int)step)
        let_go(seen);
}

static inline void seen_opened(void *owner, const struct mw_ws_answer *answer)
{
    struct seen *seen = owner;
    seen->opened++;
    seen->deflate = answer->deflate.on;
    keep_text(seen->protocol, sizeof seen->protocol, answer->protocol);
    if (seen->frees_at == MW_WS_OPEN)
        let_go(seen);
}

static inline void seen_message(void *owner, enum mw_opcode opcode, struct mw_view data)
{
    struct seen *seen = owner;
    (void)opcode;
    seen->messages++;
    seen->message_len = data.len;
    keep_text(seen->message, sizeof seen->message, data);
    if (seen->frees_at == MW_WS_STEPS)
        let_go(seen);
}

static inline void seen_frame(void *owner, const struct mw_ws_frame *frame, struct mw_view payload)
{
    struct seen *seen = owner;
    (void)payload;
    seen->frames++;
    seen->frame = *frame;
}

static inline void seen_ping(void *owner, struct mw_view payload)
{
    (void)payload;
    ((struct seen *)owner)->pings++;
}

static inline void seen_pong(void *owner, struct mw_view payload, uint64_t rtt_us)
{
    struct seen *seen = owner;
    seen->pongs++;
    seen->rtt_us = rtt_us;
    keep_text(seen->pong, sizeof seen->pong, payload);
}

static inline void seen_ended(void *owner, const struct mw_ws_ended *ended)
{
    struct seen *seen = owner;
    const struct mw_ws_path *path = mw_ws_client_path(seen->client);
    seen->ended = *ended;
    seen->ended_at = path->step;
    keep_text(seen->reason, sizeof seen->reason, ended->reason);
    keep_text(seen->said, sizeof seen->said, ended->said);
    seen->first_len = ended->first_bytes.len;
    keep_text(seen->first, sizeof seen->first, ended->first_bytes);
    if (path->answer) {
        seen->status = path->answer->status;
        seen->header_count = (unsigned)path->answer->header_count;
        keep_text(seen->body, sizeof seen->body, path->answer->body);
        keep_text(seen->server, sizeof seen->server, path->answer->server);
    }
    seen->has_peer = path->peer;
    if (path->peer)
        seen->peer = *path->peer;
    seen->facts = path->tls;
    seen->address_count = path->address_count;
    if (path->address)
        seen->address = *path->address;
    mw_ws_client_free(seen->client);
    seen->client = NULL;
    seen->ends++;
}

static const struct mw_ws_client_events seen_events = {
    .passed = seen_passed,
    .opened = seen_opened,
    .message = seen_message,
    .frame = seen_frame,
    .ping = seen_ping,
    .pong = seen_pong,
    .ended = seen_ended,
};

static inline struct mw_ws_client_setup setup_of(struct stage *stage, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->frees_at = -1;
    return (struct mw_ws_client_setup){
        .outbound = &stage->outbound,
        .url = mw_view_text(stage->url),
        .events = &seen_events,
        .owner = seen,
    };
}

static inline void start(const struct mw_ws_client_setup *setup, struct seen *seen)
{
    char why[256];
    int err = mw_ws_client_start(setup, &seen->client, why);
    assert_string_equal(why, "");
    assert_int_equal(err, MW_OK);
}

static inline void wait_for_open(struct stage *stage, struct seen *seen)
{
    wait_for_count(&stage->world, &seen->opened, 1);
}

static inline void wait_for_end(struct stage *stage, struct seen *seen)
{
    wait_for_count(&stage->world, &seen->ends, 1);
}

#endif
