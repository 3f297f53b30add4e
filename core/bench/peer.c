/*
 * One connection of a load: knocks, shakes hands, says what it is told to, has what comes compared,
 * and answers pings. What it is for is load's affair.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/bench/parts.h"

#define HEAD_MAX 16384

static void fail(struct peer *peer, const char *why)
{
    mw_bench_failed(peer, why);
    mw_bench_peer_hang_up(peer);
}

/* ---- out ---- */

static void write_out(struct peer *peer, const struct mw_view *vectors, size_t count, size_t bytes)
{
    long taken = mw_stream_write(peer->stream, vectors, count);
    peer->is_busy = taken >= 0 && (size_t)taken < bytes; /* where it is broken an `end` follows */
}

static void write_control(struct peer *peer, size_t len)
{
    const struct mw_view vector = mw_view((const char *)peer->control, len);
    write_out(peer, &vector, 1, len);
}

static void write_messages(struct peer *peer)
{
    struct mw_bench_batch batch;
    uint64_t first = peer->sent;
    mw_bench_tape_send(&peer->bench->tape, peer->check.start + first, peer->owed, &batch);
    peer->owed -= batch.messages;
    peer->sent += batch.messages;
    mw_bench_said(peer, first);
    write_out(peer, batch.vectors, batch.vector_count, batch.bytes);
}

static void write_bye(struct peer *peer)
{
    peer->said_bye = true;
    write_control(peer, mw_bench_control(MW_OPCODE_CLOSE, mw_view("\x03\xe8", 2), peer->control));
}

/* One write at a time: the stream may still hold the last one. */
void mw_bench_peer_pump(struct peer *peer)
{
    while (peer->state == PEER_OPEN && !peer->is_busy) {
        if (peer->pong_len) {
            size_t len = peer->pong_len;
            peer->pong_len = 0;
            write_control(peer, len);
        } else if (peer->owed) {
            write_messages(peer);
        } else if (peer->says_bye && !peer->said_bye) {
            write_bye(peer);
        } else {
            return;
        }
    }
}

/* ---- in ---- */

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

static void take_control(struct peer *peer, const struct mw_bench_piece *piece)
{
    if (piece->opcode == MW_OPCODE_CLOSE) {
        take_close(peer, piece->bytes);
    } else if (piece->opcode == MW_OPCODE_PING) {
        peer->pong_len = (uint8_t)mw_bench_control(MW_OPCODE_PONG, piece->bytes, peer->control);
        peer->bench->result.pings++;
    }
}

static void take_unheard(struct peer *peer, struct mw_view bytes)
{
    struct mw_bench_piece piece;
    int step = 1;
    if (peer->bench->setup.bare)
        return;
    while (peer->state == PEER_OPEN &&
           (step = mw_bench_read(&peer->check.reader, &bytes, &piece)) > 0) {
        if (mw_opcode_is_control(piece.opcode))
            take_control(peer, &piece);
    }
    if (step < 0)
        fail(peer, mw_bench_reader_fault(&peer->check.reader));
}

static void take_frames(struct peer *peer, struct mw_view bytes)
{
    struct mw_bench_piece piece;
    char why[MW_BENCH_WHY_MAX];
    int step = 1;
    while (step > 0 && peer->state == PEER_OPEN) {
        uint64_t first = peer->check.got;
        step = mw_bench_check_take(&peer->check, peer->speaker->sent, &bytes, &piece, why);
        if (peer->check.got > first)
            mw_bench_got(peer, first);
        if (step > 0)
            take_control(peer, &piece);
    }
    if (step < 0)
        fail(peer, step == MW_ERR_NOMEM ? "no memory" : why);
}

static void take_bytes(struct peer *peer, struct mw_view bytes)
{
    if (peer->is_deaf)
        take_unheard(peer, bytes);
    else
        take_frames(peer, bytes);
    mw_bench_peer_pump(peer);
}

/* ---- events ---- */

static void be_open(struct peer *peer)
{
    peer->state = PEER_OPEN;
    peer->check.start = mw_bench_tape_start(&peer->bench->tape, peer->speaker->number);
    mw_bench_opened(peer);
}

static void on_read(void *owner, char *bytes, size_t len)
{
    struct peer *peer = owner;
    struct mw_view view = mw_view(bytes, len);
    peer->bench->now_ns = mw_clock_monotonic_ns();
    if (peer->state == PEER_OPEN) {
        take_bytes(peer, view);
        return;
    }
    int step = mw_bench_take_answer(peer, view, &view);
    if (step > 0) {
        be_open(peer);
        if (peer->state == PEER_OPEN)
            take_bytes(peer, view);
    } else if (step < 0) {
        mw_bench_peer_hang_up(peer);
    }
    if (peer->state != PEER_SHAKING)
        mw_buf_free(&peer->head);
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
    peer->bench->now_ns = mw_clock_monotonic_ns();
    mw_bench_peer_pump(peer);
}

static void go(struct peer *peer)
{
    peer->state = PEER_AWAY;
    peer->stream = NULL;
    mw_buf_free(&peer->head);
    mw_bench_check_free(&peer->check);
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

void mw_bench_knocked(struct peer *peer, struct mw_stream *stream, int error)
{
    struct mw_bench *bench = peer->bench;
    peer->stream = stream;
    bench->now_ns = mw_clock_monotonic_ns();
    if (!stream) {
        mw_bench_failed(peer, error ? strerror(error) : "no memory");
        go(peer);
        return;
    }
    mw_stream_attach(stream, &events, peer);
    mw_stream_set_reading(stream, true);
    if (bench->setup.bare) {
        be_open(peer);
        mw_bench_peer_pump(peer);
        return;
    }
    const struct mw_view request = mw_buf_view(&bench->request);
    peer->state = PEER_SHAKING;
    write_out(peer, &request, 1, request.len);
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
    const struct mw_ip from = source_of(peer);
    peer->state = PEER_KNOCKING;
    peer->is_busy = peer->says_bye = peer->said_bye = false;
    peer->pong_len = 0;
    peer->owed = peer->sent = 0;
    mw_buf_init(&peer->head, bench->mem, HEAD_MAX);
    mw_bench_check_init(&peer->check, &bench->tape, bench->mem, 0);
    int error = mw_bench_drive_knock(peer, &from);
    if (error) {
        mw_bench_failed(peer, strerror(error));
        go(peer);
    }
}

void mw_bench_peer_bye(struct peer *peer)
{
    peer->says_bye = true;
}

void mw_bench_peer_hang_up(struct peer *peer)
{
    switch ((enum peer_state)peer->state) {
    case PEER_AWAY:
    case PEER_CLOSING:
        break;
    case PEER_KNOCKING:
        if (peer->knock)
            mw_knock_cancel(peer->knock);
        else
            mw_stream_close(peer->stream, true);
        peer->knock = NULL;
        go(peer);
        break;
    case PEER_SHAKING:
    case PEER_OPEN:
        if (peer->state == PEER_OPEN)
            peer->bench->in--;
        peer->state = PEER_CLOSING;
        mw_stream_close(peer->stream, true);
        break;
    }
}
