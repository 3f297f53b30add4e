/*
 * What time does to a connection: pings, the deadlines of a silent, slow or old peer, and the one
 * moment at which the owner has to ask again. Bytes are conn.c's.
 */
#include "core/session/conn.h"

#include "core/base/clock.h"
#include "core/session/conn_flight.h"
#include "core/session/conn_replay.h"
#include "core/session/conn_sideband.h"

/*
 * A peer that takes nothing for this long while we have something to send is gone, whatever it
 * sends itself.
 */
#define WRITE_STALL_MS 30000

/*
 * Who sends "GE" where a frame begins has this long for the rest of the word; it is in one packet
 * where it comes at all.
 */
#define DOUBT_MS 1000

/*
 * A frame's sender has all of it, or it would have sent a shorter one. So whoever is slower than
 * 100 bytes a second (a tenth of the slowest line there is), for twice limits.pong, keeps its frame
 * unfinished on purpose: each byte counts as life, and would hold the connection for ever.
 */
#define FRAME_MS_PER_BYTE 10

static mw_ms first_ping(const struct mw_conn *conn, mw_ms now_ms)
{
    mw_ms period = conn->home->limits->ping_ms;
    if (period == MW_NEVER)
        return MW_NEVER;
    /* A random phase: a thousand clients that came at once are not pinged at once. */
    mw_ms phase = period / 2;
    return now_ms + phase + (phase ? mw_rng_below(conn->home->rng, phase) : 0);
}

void mw_conn_new_limits(struct mw_conn *conn, mw_ms now_ms)
{
    const struct mw_limits_ms *limits = conn->home->limits;
    if (conn->phase != MW_CONN_OPEN)
        return;
    if (limits->ping_ms == MW_NEVER || conn->ping_at_ms > mw_ms_add(now_ms, limits->ping_ms))
        conn->ping_at_ms = first_ping(conn, now_ms);
}

/* One that is not whole yet, and watched. */
static bool is_in_frame(const struct mw_conn *conn)
{
    return conn->reading && conn->reading->frame_ms != MW_NEVER;
}

void mw_conn_pause(struct mw_conn *conn, bool paused, mw_ms now_ms)
{
    if (conn->paused != paused)
        mw_conn_note_state(conn, paused ? MW_FLIGHT_READS_STOP : MW_FLIGHT_READS_GO, now_ms);
    if (conn->paused && !paused) {
        conn->last_message_ms = now_ms;
        if (conn->ping_sent_ms != MW_NEVER)
            conn->ping_sent_ms = now_ms;
        if (is_in_frame(conn))
            conn->reading->frame_ms = now_ms;
    }
    conn->paused = paused;
}

static mw_ms pong_due(const struct mw_conn *conn)
{
    if (conn->paused || conn->ping_sent_ms == MW_NEVER)
        return MW_NEVER;
    /* The ping stands behind what is still on its way: the peer cannot have seen it before. */
    mw_ms since_ms = conn->ping_sent_ms;
    if (mw_conn_has_output(conn) && conn->sending->last_write_ms > since_ms)
        since_ms = conn->sending->last_write_ms;
    return mw_ms_add(since_ms, conn->home->limits->pong_ms);
}

static mw_ms write_due(const struct mw_conn *conn)
{
    return mw_conn_has_output(conn) ? mw_ms_add(conn->sending->last_write_ms, WRITE_STALL_MS)
                                    : MW_NEVER;
}

static mw_ms doubt_due(const struct mw_conn *conn)
{
    bool waits = !conn->paused && conn->reading && mw_reader_is_in_doubt(&conn->reading->reader);
    return waits ? mw_ms_add(conn->last_read_ms, DOUBT_MS) : MW_NEVER;
}

static mw_ms frame_window(const struct mw_conn *conn)
{
    return mw_ms_add(conn->home->limits->pong_ms, conn->home->limits->pong_ms);
}

static mw_ms frame_due(const struct mw_conn *conn)
{
    if (conn->paused || !is_in_frame(conn))
        return MW_NEVER;
    return mw_ms_add(conn->reading->frame_ms, frame_window(conn));
}

/*
 * A session that can be resumed is not lost because the network went away in the middle of a frame:
 * whoever has sent nothing at all is not slow but gone.
 */
static bool is_silent(const struct mw_conn *conn, mw_ms now_ms)
{
    return conn->replay && now_ms >= mw_ms_add(conn->last_read_ms, conn->home->limits->pong_ms);
}

/* The time is over: another one where enough has come in it. */
static void judge_frame(struct mw_conn *conn, mw_ms now_ms)
{
    uint64_t bytes = mw_reader_partial(&conn->reading->reader);
    if (bytes - conn->reading->frame_bytes < frame_window(conn) / FRAME_MS_PER_BYTE) {
        mw_conn_close(conn, is_silent(conn, now_ms) ? MW_CAUSE_ping_timeout : MW_CAUSE_idle_timeout,
                      0, mw_view_text("a frame came too slowly"), now_ms);
        return;
    }
    conn->reading->frame_ms = now_ms;
    conn->reading->frame_bytes = bytes;
}

static mw_ms idle_due(const struct mw_conn *conn)
{
    return conn->paused ? MW_NEVER : mw_ms_add(conn->last_message_ms, conn->home->limits->idle_ms);
}

mw_ms mw_conn_deadline(const struct mw_conn *conn)
{
    switch ((enum mw_conn_phase)conn->phase) {
    case MW_CONN_OPEN: {
        mw_ms due = mw_ms_min(conn->ping_at_ms, pong_due(conn));
        due = mw_ms_min(due, mw_ms_min(write_due(conn), idle_due(conn)));
        due = mw_ms_min(due, mw_ms_min(doubt_due(conn), frame_due(conn)));
        return mw_ms_min(due, mw_ms_add(conn->opened_ms, conn->home->limits->age_ms));
    }
    case MW_CONN_CLOSE_SENT:
        return mw_ms_min(conn->close_due_ms, write_due(conn));
    case MW_CONN_DECIDING:
    case MW_CONN_CLOSED:
        return MW_NEVER;
    }
    return MW_NEVER;
}

static void tick_open(struct mw_conn *conn, mw_ms now_ms)
{
    if (now_ms >= doubt_due(conn)) {
        mw_conn_judge(conn, now_ms);
    } else if (now_ms >= pong_due(conn)) {
        mw_conn_close(conn, MW_CAUSE_ping_timeout, 0, mw_view_text("no answer to ping"), now_ms);
    } else if (now_ms >= write_due(conn)) {
        mw_conn_close(conn, MW_CAUSE_write_timeout, 0, mw_view_text("nothing was taken"), now_ms);
    } else if (now_ms >= idle_due(conn)) {
        mw_conn_close(conn, MW_CAUSE_idle_timeout, 0, mw_view_text("idle"), now_ms);
    } else if (now_ms >= frame_due(conn)) {
        judge_frame(conn, now_ms);
    } else if (now_ms >= mw_ms_add(conn->opened_ms, conn->home->limits->age_ms)) {
        mw_conn_close(conn, MW_CAUSE_max_age, 0, mw_view_text("open for limits.age"), now_ms);
    } else if (now_ms >= conn->ping_at_ms) {
        (void)mw_conn_ping(conn, now_ms); /* without memory: the next one */
        /* Its probes are not read, and a script's silence is not the server's. */
        if (conn->paused || mw_conn_owes_count(conn))
            mw_conn_assure(conn, now_ms);
        conn->ping_at_ms = mw_ms_add(now_ms, conn->home->limits->ping_ms);
    }
}

void mw_conn_tick(struct mw_conn *conn, mw_ms now_ms)
{
    if (conn->phase == MW_CONN_OPEN)
        tick_open(conn, now_ms);
    else if (conn->phase == MW_CONN_CLOSE_SENT && now_ms >= mw_conn_deadline(conn))
        mw_conn_eof(conn, MW_CAUSE_peer_fin); /* whatever still comes is not waited for */
}
