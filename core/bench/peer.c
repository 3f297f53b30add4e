/*
 * One connection of a load: knocks, shakes hands, says what it is told to, compares what comes, and
 * answers pings. What it is for is load's affair.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/bench/parts.h"

#define HEAD_MAX 8192

static void fail(struct peer *peer, const char *why)
{
    mw_bench_failed(peer, why);
    mw_bench_peer_hang_up(peer);
}

/* ---- out ---- */

static void write_out(struct peer *peer, const struct mw_view *vectors, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += vectors[i].len;
    long taken = mw_stream_write(peer->stream, vectors, count);
    peer->is_busy = taken >= 0 && (size_t)taken < sum; /* where it is broken an `end` follows */
}

static void write_control(struct peer *peer, size_t len)
{
    const struct mw_view vector = mw_view((const char *)peer->control, len);
    write_out(peer, &vector, 1);
}

static void write_message(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    struct mw_view payload;
    size_t len =
        mw_bench_frame(&bench->text, peer->number, peer->sent++, peer->frame_head, &payload);
    const struct mw_view vectors[] = { mw_view((const char *)peer->frame_head, len), payload };
    peer->owed--;
    bench->result.sent++;
    write_out(peer, vectors, MW_COUNT(vectors));
}

static void write_bye(struct peer *peer)
{
    peer->said_bye = true;
    write_control(peer, mw_bench_control(MW_OPCODE_CLOSE, mw_view("\x03\xe8", 2), peer->control));
}

/* One write at a time: the stream may still hold the last one. */
static void pump(struct peer *peer)
{
    while (peer->state == PEER_OPEN && !peer->is_busy) {
        if (peer->pong_len) {
            size_t len = peer->pong_len;
            peer->pong_len = 0;
            write_control(peer, len);
        } else if (peer->owed) {
            write_message(peer);
        } else if (peer->says_bye && !peer->said_bye) {
            write_bye(peer);
        } else {
            return;
        }
    }
}

/* ---- in ---- */

/* "HTTP/1.1 503 Service Unavailable" */
static void fail_by_answer(struct peer *peer, struct mw_view head)
{
    char why[128];
    size_t line = mw_view_find(head, '\r', 0);
    snprintf(why, sizeof why, "the server answered %.*s", (int)(line < 90 ? line : 90), head.data);
    fail(peer, why);
}

/* The place behind the empty line; 0: it has not come. */
static size_t end_of_head(struct mw_view head)
{
    for (size_t i = 3; i < head.len; i++) {
        if (head.data[i] == '\n' && !memcmp(head.data + i - 3, "\r\n\r\n", 4))
            return i + 1;
    }
    return 0;
}

static bool holds(struct mw_view text, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (!memcmp(text.data + i, part, len))
            return true;
    }
    return false;
}

/* True: it is open, and *rest is what came behind the answer, in `head`. */
static bool take_answer(struct peer *peer, struct mw_view bytes, struct mw_view *rest)
{
    peer->bench->moves++;
    if (mw_buf_put_view(&peer->head, bytes)) {
        fail(peer, "no memory for an answer, or it is too long");
        return false;
    }
    struct mw_view head = mw_buf_view(&peer->head);
    size_t len = end_of_head(head);
    if (len == 0)
        return false;
    *rest = mw_view_from(head, len);
    head.len = len;
    if (!mw_view_starts_with(head, "HTTP/1.1 101 ") || !holds(head, peer->bench->accept)) {
        fail_by_answer(peer, head);
        return false;
    }
    peer->state = PEER_OPEN;
    mw_bench_opened(peer);
    return peer->state == PEER_OPEN;
}

/* Of who publishes nobody knows what it gets: that is the script's affair. */
static bool compares(const struct peer *peer)
{
    const struct mw_bench *bench = peer->bench;
    return bench->setup.mode != MW_BENCH_fanout || peer->number + 1 < bench->peer_count;
}

static uint64_t speaker_of(const struct peer *peer)
{
    const struct mw_bench *bench = peer->bench;
    return bench->setup.mode == MW_BENCH_fanout ? bench->peer_count - 1 : peer->number;
}

static void take_message(struct peer *peer, const struct mw_bench_piece *piece)
{
    const struct mw_bench_text *text = &peer->bench->text;
    struct mw_view expected = mw_bench_message(text, speaker_of(peer), peer->got);
    if (!compares(peer))
        return;
    peer->bench->moves++;
    if (piece->opcode != MW_OPCODE_TEXT || piece->frame_len != expected.len ||
        memcmp(piece->bytes.data, expected.data + piece->at, piece->bytes.len) != 0) {
        fail(peer, "what came is not what was sent");
        return;
    }
    if (!piece->is_last)
        return;
    peer->got++;
    mw_bench_got(peer);
}

static void take_close(struct peer *peer, struct mw_view payload)
{
    char why[64] = "the server closed a connection, without a code";
    unsigned code =
        payload.len < 2 ? 0 : (unsigned)(uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1];
    if (peer->said_bye) {
        mw_bench_left(peer);
        mw_bench_peer_hang_up(peer);
        return;
    }
    if (code)
        snprintf(why, sizeof why, "the server closed a connection with %u", code);
    fail(peer, why);
}

static void take_piece(struct peer *peer, const struct mw_bench_piece *piece)
{
    switch (piece->opcode) {
    case MW_OPCODE_PING:
        peer->pong_len = (uint8_t)mw_bench_control(MW_OPCODE_PONG, piece->bytes, peer->control);
        peer->bench->result.pings++;
        pump(peer);
        break;
    case MW_OPCODE_PONG:
        break;
    case MW_OPCODE_CLOSE:
        take_close(peer, piece->bytes);
        break;
    default: /* every other opcode is of a message, or refused */
        take_message(peer, piece);
        break;
    }
}

static void take_frames(struct peer *peer, struct mw_view bytes)
{
    struct mw_bench_piece piece;
    int step = 1;
    while (peer->state == PEER_OPEN && (step = mw_bench_read(&peer->reader, &bytes, &piece)) > 0)
        take_piece(peer, &piece);
    if (step < 0)
        fail(peer, "what came is no frame that was asked for");
}

/* ---- events ---- */

static void on_read(void *owner, char *bytes, size_t len)
{
    struct peer *peer = owner;
    struct mw_view view = mw_view(bytes, len);
    if (peer->state == PEER_SHAKING) {
        if (take_answer(peer, view, &view))
            take_frames(peer, view);
        if (peer->state != PEER_SHAKING)
            mw_buf_free(&peer->head);
    } else {
        take_frames(peer, view);
    }
}

static void on_end(void *owner, enum mw_stream_end how)
{
    struct peer *peer = owner;
    switch (how) {
    case MW_STREAM_FIN:
        fail(peer, "the server ended a connection without a Close frame");
        break;
    case MW_STREAM_RESET:
        fail(peer, "a connection was reset");
        break;
    case MW_STREAM_TLS_ERROR:
        fail(peer, mw_stream_fault(peer->stream));
        break;
    }
}

static void on_written(void *owner)
{
    struct peer *peer = owner;
    peer->is_busy = false;
    pump(peer);
}

static void go(struct peer *peer)
{
    peer->state = PEER_AWAY;
    peer->stream = 0;
    mw_buf_free(&peer->head);
    mw_bench_gone(peer);
}

static void on_closed(void *owner)
{
    go(owner);
}

static const struct mw_stream_events events = {
    .read = on_read, .end = on_end, .written = on_written, .closed = on_closed
};

/* ---- the way in ---- */

static struct mw_stream *secured(const struct peer *peer, struct mw_stream *stream)
{
    const struct mw_bench *bench = peer->bench;
    if (!bench->setup.tls)
        return stream;
    return mw_tls_connect(bench->tls_loop, bench->setup.tls, stream, bench->setup.host);
}

static void on_knocked(void *owner, struct mw_stream *stream, int error)
{
    struct peer *peer = owner;
    peer->knock = 0;
    peer->stream = stream ? secured(peer, stream) : 0;
    if (!peer->stream) {
        mw_bench_failed(peer, stream ? "no memory" : strerror(error));
        go(peer);
        return;
    }
    const struct mw_view request = mw_buf_view(&peer->bench->request);
    peer->state = PEER_SHAKING;
    mw_stream_attach(peer->stream, &events, peer);
    mw_stream_set_reading(peer->stream, true);
    write_out(peer, &request, 1);
}

/* 127.0.0.1, .2, ... in turn. */
static struct mw_ip source_of(const struct peer *peer)
{
    unsigned sources = peer->bench->setup.sources;
    if (sources == 0)
        return (struct mw_ip){ 0 };
    unsigned at = peer->number % sources + 1;
    return mw_ip_of((const uint8_t[]){ 127, 0, (uint8_t)(at >> 8), (uint8_t)at }, 4);
}

void mw_bench_peer_open(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    const struct mw_knock_setup setup = {
        .to = bench->setup.to,
        .port = bench->setup.port,
        .from = source_of(peer),
        .done = on_knocked,
        .owner = peer,
    };
    uint32_t number = peer->number;
    *peer = (struct peer){ .bench = bench, .number = number, .state = PEER_KNOCKING };
    mw_buf_init(&peer->head, bench->mem, HEAD_MAX);
    int error = mw_knock_start(bench->setup.loop, &setup, &peer->knock);
    if (error) {
        mw_bench_failed(peer, strerror(error));
        go(peer);
    }
}

void mw_bench_peer_say(struct peer *peer)
{
    peer->owed++;
    pump(peer);
}

void mw_bench_peer_bye(struct peer *peer)
{
    peer->says_bye = true;
    pump(peer);
}

void mw_bench_peer_hang_up(struct peer *peer)
{
    switch ((enum peer_state)peer->state) {
    case PEER_AWAY:
    case PEER_CLOSING:
        break;
    case PEER_KNOCKING:
        mw_knock_cancel(peer->knock);
        go(peer);
        break;
    case PEER_SHAKING:
    case PEER_OPEN:
        peer->state = PEER_CLOSING;
        mw_stream_close(peer->stream, true);
        break;
    }
}
