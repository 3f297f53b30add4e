/*
 * A stream of io/stream.h without a kernel: its other end is a test. Bytes arrive in random pieces,
 * writes are taken in part or not at all, ends come in every form. Events come from step(), which a
 * test calls between two turns of the loop, so never from inside a call of the server.
 */
#ifndef MW_TESTS_SERVER_MEMORY_STREAM_H
#define MW_TESTS_SERVER_MEMORY_STREAM_H

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "core/io/stream.h"
#include "tests/unit/unit.h"

struct memory_stream {
    struct mw_stream stream; /* what the server holds */
    struct mw_rng rng;

    /* how it behaves; a test may change these at any time */
    size_t max_piece;  /* bytes of one read */
    size_t room;       /* bytes the kernel still takes; SIZE_MAX: all */
    bool takes_little; /* a write is taken in part at first */

    /* the test's end */
    struct mw_buf to_server; /* sent and not yet read */
    struct mw_buf to_peer;   /* all that the server has sent so far */
    bool peer_finished, peer_reset;
    const struct mw_tls_facts *tls; /* NULL: it is plain */
    const char *fault;              /* TLS has failed, with this; or NULL */

    /* what the server has done */
    bool finished, closed, was_reset;
    unsigned moves;
    unsigned writes;

    /* private */
    bool reading, closing, told_end;
    struct mw_view flight[MW_STREAM_MAX_VECTORS]; /* borrowed: read where they lie */
    size_t flight_count;
};

/* ---- what the server calls ---- */

static inline struct memory_stream *memory_stream_of_(const struct mw_stream *stream)
{
    return MW_OWNER(stream, struct memory_stream, stream);
}

static inline void memory_set_reading_(struct mw_stream *stream, bool on)
{
    memory_stream_of_(stream)->reading = on;
}

/* Takes up to `most` bytes of what is in flight. */
static inline size_t memory_take_(struct memory_stream *line, size_t most)
{
    size_t taken = 0, done = 0;
    most = most < line->room ? most : line->room;
    while (done < line->flight_count && taken < most) {
        struct mw_view *view = &line->flight[done];
        size_t n = view->len < most - taken ? view->len : most - taken;
        assert_int_equal(mw_buf_put(&line->to_peer, view->data, n), MW_OK);
        *view = mw_view(view->data + n, view->len - n);
        taken += n;
        done += view->len == 0;
    }
    line->flight_count -= done;
    memmove(line->flight, line->flight + done, line->flight_count * sizeof *line->flight);
    if (line->room != SIZE_MAX)
        line->room -= taken;
    line->moves += taken > 0;
    return taken;
}

static inline long memory_write_(struct mw_stream *stream, const struct mw_view *vectors,
                                 size_t count)
{
    struct memory_stream *line = memory_stream_of_(stream);
    size_t sum = 0;
    assert_true(count > 0 && count <= MW_STREAM_MAX_VECTORS);
    assert_true(line->flight_count == 0 && !line->closing);
    assert_false(line->finished); /* nothing is written behind a half-close */
    line->writes++;
    if (line->peer_reset)
        return MW_ERR_CLOSED;
    for (size_t i = 0; i < count; i++) {
        sum += vectors[i].len;
        if (vectors[i].len)
            line->flight[line->flight_count++] = vectors[i];
    }
    size_t at_once = line->takes_little ? mw_rng_below(&line->rng, sum + 1) : sum;
    return (long)memory_take_(line, at_once);
}

/* Once told to (memory_stream_offers). */
static inline long memory_offer_(struct mw_stream *stream, const struct mw_view *vectors,
                                 size_t count)
{
    struct memory_stream *line = memory_stream_of_(stream);
    long taken = memory_write_(stream, vectors, count);
    line->flight_count = 0;
    return taken;
}

static inline void memory_finish_(struct mw_stream *stream)
{
    struct memory_stream *line = memory_stream_of_(stream);
    line->finished = true;
    line->moves++;
}

static inline void memory_close_(struct mw_stream *stream, bool reset)
{
    struct memory_stream *line = memory_stream_of_(stream);
    assert_false(line->closing);
    line->closing = true;
    line->was_reset = reset;
    line->moves++;
}

static inline void memory_peer_(const struct mw_stream *stream, char out[MW_STREAM_ADDRESS_LEN])
{
    const struct memory_stream *line =
        MW_OWNER((struct mw_stream *)stream, struct memory_stream, stream);
    const char *text = line->peer_reset ? "" : "192.0.2.7"; /* as a kernel: forgotten by then */
    memcpy(out, text, strlen(text) + 1);
}

/* A peer that does not read takes nothing. */
static inline size_t memory_untaken_(const struct mw_stream *stream)
{
    (void)stream;
    return 1;
}

static inline bool memory_tls_(const struct mw_stream *stream, struct mw_tls_facts *out)
{
    const struct memory_stream *line = memory_stream_of_(stream);
    if (line->tls)
        *out = *line->tls;
    return line->tls != NULL;
}

static inline const char *memory_fault_(const struct mw_stream *stream)
{
    const struct memory_stream *line = memory_stream_of_(stream);
    return line->fault ? line->fault : "";
}

/* ---- the test's side ---- */

static inline void memory_stream_init(struct memory_stream *line, struct mw_mem *mem, uint64_t seed)
{
    static const struct mw_stream_ops ops = {
        .set_reading = memory_set_reading_,
        .write = memory_write_,
        .finish = memory_finish_,
        .close = memory_close_,
        .peer = memory_peer_,
        .untaken = memory_untaken_,
        .tls = memory_tls_,
        .fault = memory_fault_,
    };
    *line = (struct memory_stream){
        .stream = { .ops = &ops },
        .max_piece = SIZE_MAX,
        .room = SIZE_MAX,
    };
    mw_rng_seed(&line->rng, seed);
    mw_buf_init(&line->to_server, mem, 0);
    mw_buf_init(&line->to_peer, mem, 0);
}

/* From now on, where nothing is in flight: as TCP. */
static inline void memory_stream_offers(struct memory_stream *line)
{
    static struct mw_stream_ops ops;
    ops = *line->stream.ops;
    ops.offer = memory_offer_;
    line->stream.ops = &ops;
}

/* After the server has let go of it. */
static inline void memory_stream_free(struct memory_stream *line)
{
    assert_true(line->closed);
    mw_buf_free(&line->to_server);
    mw_buf_free(&line->to_peer);
}

static inline void memory_read_(struct memory_stream *line)
{
    size_t most = line->to_server.len < line->max_piece ? line->to_server.len : line->max_piece;
    size_t len = 1 + (size_t)mw_rng_below(&line->rng, most);
    char *piece = malloc(len); /* exactly as large, and gone after the call */
    assert_non_null(piece);
    memcpy(piece, line->to_server.data, len);
    mw_buf_skip(&line->to_server, len);
    line->stream.events->read(line->stream.owner, piece, len);
    free(piece);
}

static inline void memory_written_(struct memory_stream *line)
{
    line->flight_count = 0;
    line->stream.events->written(line->stream.owner);
}

static inline void memory_end_(struct memory_stream *line, enum mw_stream_end how)
{
    line->told_end = true;
    line->stream.events->end(line->stream.owner, how);
}

/* One event, if there is one. */
static inline bool memory_event_(struct memory_stream *line)
{
    if (line->closed)
        return false;
    if (line->closing) {
        line->closed = true;
        if (line->stream.events)
            line->stream.events->closed(line->stream.owner);
    } else if (line->peer_reset && line->flight_count) {
        memory_written_(line);
    } else if (line->peer_reset && !line->told_end) {
        memory_end_(line, MW_STREAM_RESET);
    } else if (line->flight_count && memory_take_(line, 1 + mw_rng_below(&line->rng, 5000))) {
        if (line->flight_count == 0)
            memory_written_(line);
    } else if (line->reading && line->to_server.len && !line->told_end) {
        memory_read_(line);
    } else if (line->fault && !line->told_end) {
        memory_end_(line, MW_STREAM_TLS_ERROR);
    } else if (line->reading && line->peer_finished && !line->told_end) {
        memory_end_(line, MW_STREAM_FIN);
    } else {
        return false;
    }
    line->moves++;
    return true;
}

/* Some events, as a kernel may report several in one turn. */
static inline void memory_stream_step(struct memory_stream *line)
{
    size_t most = 1 + (size_t)mw_rng_below(&line->rng, 3);
    while (most-- > 0 && memory_event_(line))
        continue;
}

#endif
