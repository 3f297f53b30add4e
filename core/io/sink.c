/*
 * A thread that writes log lines, so that whoever logs never waits for whoever reads. The queue is
 * one ring of bytes: writers append behind, the thread writes from the front, and what it has in
 * hand is touched by nobody else.
 *
 * Once a line was lost, all are, until half of the queue is free; then the loss is told, in its
 * place in the order, and lines go on. Without that pause a slow reader would get nothing but notes
 * of loss.
 *
 * The descriptor may be shared with other processes, so it is not made non-blocking. The thread
 * polls, then writes no more than a pipe with room takes at once.
 */
#include "core/io/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/lock.h"
#include "core/io/loop_uv.h"
#include "core/io/thread.h"

#define POLL_MS     50   /* how soon a stuck thread sees that it is to stop */
#define LEAST_BYTES 4096 /* some lines and a note of loss */
#define NOTE_BYTES  256  /* a note of loss: its two texts and a number */
#define PATIENCES   2    /* in so many times its patience it ends, whatever is still read */

struct mw_sink {
    int fd;
    struct mw_thread *thread;

    struct mw_lock lock; /* guards what follows */
    uv_cond_t changed;   /* there is something to write, or to stop for, or the thread is done */
    char *bytes;         /* the ring */
    size_t cap, front, len;
    uint64_t lost;   /* lines, ever */
    uint64_t untold; /* of these */
    struct mw_sink_note note;
    bool is_stopping;
    mw_ms patience_ms, give_up_ms, leave_ms; /* where it is stopping */
    bool is_done;                            /* the thread touches nothing any more */
    bool in_line;                            /* what was written last was no whole line */
};

/* ---- the queue: under the lock ---- */

static bool append(struct mw_sink *sink, const char *bytes, size_t len)
{
    if (len > sink->cap - sink->len)
        return false;
    size_t end = (sink->front + sink->len) % sink->cap;
    size_t first = len < sink->cap - end ? len : sink->cap - end;
    memcpy(sink->bytes + end, bytes, first);
    memcpy(sink->bytes, bytes + first, len - first);
    sink->len += len;
    return true;
}

/* True where no loss is untold any more. */
static bool tell_loss(struct mw_sink *sink)
{
    if (sink->untold == 0)
        return true;
    if (sink->len > sink->cap / 2)
        return false;
    char note[NOTE_BYTES];
    int len = snprintf(note, sizeof(note), "%.100s%" PRIu64 "%.100s\n", sink->note.before,
                       sink->untold, sink->note.after);
    if (!append(sink, note, (size_t)len))
        return false;
    sink->untold = 0;
    return true;
}

void mw_sink_write(struct mw_sink *sink, struct mw_view line)
{
    mw_lock_take(&sink->lock);
    if (!tell_loss(sink) || !append(sink, line.data, line.len)) {
        sink->lost++;
        sink->untold++;
    }
    uv_cond_signal(&sink->changed);
    mw_lock_give(&sink->lock);
}

uint64_t mw_sink_lost(struct mw_sink *sink)
{
    mw_lock_take(&sink->lock);
    uint64_t lost = sink->lost;
    mw_lock_give(&sink->lock);
    return lost;
}

/* ---- the thread ---- */

static uint64_t count_lines(const char *bytes, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* Whole lines as far as they go into one write: who gives up leaves no half of one behind. */
static size_t cut_piece(const char *bytes, size_t len)
{
    if (len <= PIPE_BUF)
        return len;
    size_t whole = PIPE_BUF;
    while (whole && bytes[whole - 1] != '\n')
        whole--;
    return whole ? whole : PIPE_BUF;
}

/* Under the lock. The rest of a line gets what time there is. */
static bool is_late(const struct mw_sink *sink)
{
    mw_ms until_ms = sink->in_line ? sink->leave_ms : sink->give_up_ms;
    return sink->is_stopping && mw_clock_monotonic_ms() >= until_ms;
}

/* Waits for something to write: the front of the ring, in one piece. 0: it is time to go. */
static size_t next_piece(struct mw_sink *sink, const char **bytes)
{
    mw_lock_take(&sink->lock);
    while (sink->len == 0 && !sink->is_stopping)
        uv_cond_wait(&sink->changed, &sink->lock.mutex);
    size_t piece = is_late(sink) ? 0 : sink->len;
    mw_lock_give(&sink->lock);
    if (piece > sink->cap - sink->front)
        piece = sink->cap - sink->front;
    *bytes = sink->bytes + sink->front;
    return cut_piece(*bytes, piece);
}

/* Under the lock. A slow reader is one that reads: it is waited for anew. */
static void renew_patience(struct mw_sink *sink)
{
    mw_ms until_ms = mw_ms_add(mw_clock_monotonic_ms(), sink->patience_ms);
    sink->give_up_ms = mw_ms_min(until_ms, sink->leave_ms);
}

static void take_off(struct mw_sink *sink, size_t len, uint64_t lost_lines)
{
    if (len == 0)
        return;
    mw_lock_take(&sink->lock);
    sink->in_line = sink->bytes[sink->front + len - 1] != '\n';
    sink->front = (sink->front + len) % sink->cap;
    sink->len -= len;
    if (sink->is_stopping)
        renew_patience(sink);
    sink->lost += lost_lines;
    (void)tell_loss(sink);
    mw_lock_give(&sink->lock);
}

static bool is_ready(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLOUT };
    return poll(&wait, 1, POLL_MS) > 0;
}

/* What cannot be written for another reason than haste is lost; telling it would fail as well. */
static void write_piece(struct mw_sink *sink, const char *bytes, size_t len)
{
    if (!is_ready(sink->fd))
        return;
    ssize_t count = write(sink->fd, bytes, len);
    if (count >= 0)
        take_off(sink, (size_t)count, 0);
    else if (errno != EAGAIN && errno != EINTR)
        take_off(sink, len, count_lines(bytes, len));
}

static void run_sink(void *ctx)
{
    struct mw_sink *sink = ctx;
    const char *bytes;
    size_t len;
    while ((len = next_piece(sink, &bytes)) > 0)
        write_piece(sink, bytes, len);
    mw_lock_take(&sink->lock);
    sink->is_done = true;
    uv_cond_signal(&sink->changed);
    mw_lock_give(&sink->lock);
}

/* ---- life ---- */

static void free_memory(struct mw_sink *sink)
{
    uv_cond_destroy(&sink->changed);
    mw_lock_free(&sink->lock);
    mw_shared_free(sink->bytes, sink->cap);
    mw_shared_free(sink, sizeof(*sink));
}

struct mw_sink *mw_sink_new(int fd, size_t max_bytes, struct mw_sink_note note)
{
    struct mw_sink *sink = mw_shared_alloc(sizeof(*sink));
    if (!sink)
        return NULL;
    *sink = (struct mw_sink){
        .fd = fd,
        .cap = max_bytes > LEAST_BYTES ? max_bytes : LEAST_BYTES,
        .note = note,
    };
    sink->bytes = mw_shared_alloc(sink->cap);
    if (!sink->bytes || uv_cond_init(&sink->changed) < 0) {
        mw_shared_free(sink->bytes, sink->cap);
        mw_shared_free(sink, sizeof(*sink));
        return NULL;
    }
    mw_lock_init(&sink->lock);
    sink->thread = mw_thread_start("mw-sink", run_sink, sink);
    if (!sink->thread) {
        free_memory(sink);
        return NULL;
    }
    return sink;
}

/*
 * Asks the thread to end, and waits for it a little longer than it may try. A thread that
 * another writer's haste has locked into write(2) keeps what it holds: false.
 */
static bool stop_thread(struct mw_sink *sink, mw_ms patience_ms)
{
    mw_lock_take(&sink->lock);
    if (!sink->is_stopping) {
        sink->is_stopping = true;
        sink->patience_ms = patience_ms;
        sink->leave_ms = mw_ms_add(mw_clock_monotonic_ms(), PATIENCES * patience_ms);
        renew_patience(sink);
    }
    mw_ms late_ms = mw_ms_add(sink->leave_ms, 4 * POLL_MS);
    uv_cond_signal(&sink->changed);
    while (!sink->is_done && mw_clock_monotonic_ms() < late_ms)
        (void)uv_cond_timedwait(&sink->changed, &sink->lock.mutex, UINT64_C(1000000) * POLL_MS);
    bool is_done = sink->is_done;
    mw_lock_give(&sink->lock);
    if (is_done && sink->thread)
        mw_thread_join(sink->thread);
    if (is_done)
        sink->thread = NULL;
    return is_done;
}

void mw_sink_finish(struct mw_sink *sink, mw_ms patience_ms)
{
    if (sink)
        (void)stop_thread(sink, patience_ms);
}

void mw_sink_free(struct mw_sink *sink, mw_ms patience_ms)
{
    if (sink && stop_thread(sink, patience_ms))
        free_memory(sink);
}
