/*
 * One connection machine with all that it borrows, and its peer played by hand: frames go in as the
 * peer would write them, what comes out is decoded as the peer would read it.
 */
#ifndef MW_TESTS_SESSION_MACHINE_H
#define MW_TESTS_SESSION_MACHINE_H

#include <stdlib.h>

#include "core/proto/mask.h"
#include "core/session/conn.h"
#include "tests/unit/unit.h"

#define START_MS 1000000

struct machine {
    struct mw_mem mem, wire_mem;
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_deflate_pool deflate;
    struct mw_ext_deflate terms;
    struct mw_rng rng;
    struct mw_limits_ms limits;
    struct mw_conn conn;
    enum mw_role role;
    bool asks;
    mw_ms now_ms;
    struct mw_event event; /* of the last pull */
    struct mw_buf wire;    /* what has left, undecoded */
    char *fed;             /* the bytes of the last give, exactly as large */
};

/* A frame that the machine has sent; data is valid until the next one is taken. */
struct sent {
    bool compressed;
    enum mw_opcode opcode;
    struct mw_view data;
};

static inline void open_machine_at(struct machine *m, enum mw_role role, uint64_t seed)
{
    struct mw_limits limits;
    *m = (struct machine){ .role = role, .now_ms = START_MS };
    mw_mem_init(&m->mem, NULL, 0);
    mw_mem_init(&m->wire_mem, NULL, 0);
    mw_conn_pool_init(&m->pool, &m->mem);
    mw_rng_seed(&m->rng, seed);
    mw_limits_default(&limits);
    mw_limits_from(&m->limits, &limits);
    mw_buf_init(&m->wire, &m->wire_mem, 0);
}

static inline struct mw_conn_home home_of_machine(struct machine *m)
{
    return (struct mw_conn_home){
        .mem = &m->mem,
        .pool = &m->pool,
        .deflate = &m->deflate,
        .rng = &m->rng,
        .limits = &m->limits,
    };
}

/* Limits and terms may have been changed since open_machine_at. */
static inline void begin_machine(struct machine *m)
{
    mw_deflate_pool_init(&m->deflate, &m->mem, SIZE_MAX);
    m->home = home_of_machine(m);
    const struct mw_conn_setup setup = {
        .role = m->role,
        .home = &m->home,
        .asks = m->asks,
        .terms = m->terms,
    };
    (void)mw_conn_init(&m->conn, &setup, m->now_ms);
}

static inline void open_machine(struct machine *m, enum mw_role role)
{
    open_machine_at(m, role, 1);
    begin_machine(m);
}

/* A server whose queue is full with the first message of a kilobyte. */
static inline void open_machine_of_small_queue(struct machine *m)
{
    open_machine_at(m, MW_ROLE_SERVER, 1);
    m->limits.queue = 1024;
    begin_machine(m);
}

static inline void close_machine(struct machine *m)
{
    assert_true(mw_conn_validate(&m->conn));
    mw_conn_free(&m->conn);
    mw_conn_pool_free(&m->pool);
    mw_deflate_pool_free(&m->deflate);
    mw_buf_free(&m->wire);
    free(m->fed);
    assert_mem_empty(&m->mem);
    assert_mem_empty(&m->wire_mem);
}

/* ---- in ---- */

static inline void give_bytes(struct machine *m, const void *bytes, size_t len)
{
    free(m->fed);
    m->fed = malloc(len ? len : 1);
    assert_non_null(m->fed);
    if (len)
        memcpy(m->fed, bytes, len);
    mw_conn_feed(&m->conn, m->fed, len, m->now_ms);
}

/* Writes a frame as the peer of this role does; returns its size. */
static inline size_t write_frame(enum mw_role role, char *out, enum mw_opcode opcode, bool fin,
                                 struct mw_view payload)
{
    static const uint8_t key[4] = { 0x11, 0xA2, 0x33, 0xC4 };
    bool masked = role == MW_ROLE_SERVER;
    size_t head = mw_frame_encode((uint8_t *)out, opcode, fin, payload.len, masked ? key : NULL);
    if (payload.len)
        memcpy(out + head, payload.data, payload.len);
    if (masked)
        mw_mask((uint8_t *)out + head, payload.len, key, 0);
    return head + payload.len;
}

static inline void give_part(struct machine *m, enum mw_opcode opcode, bool fin,
                             struct mw_view payload)
{
    char *bytes = malloc(payload.len + MW_FRAME_HEAD_MAX);
    assert_non_null(bytes);
    give_bytes(m, bytes, write_frame(m->role, bytes, opcode, fin, payload));
    free(bytes);
}

static inline void give(struct machine *m, enum mw_opcode opcode, const char *text)
{
    give_part(m, opcode, true, mw_view_text(text));
}

/* A Close frame of the peer; code 0: without a body. */
static inline void give_close(struct machine *m, unsigned code, const char *reason)
{
    uint8_t body[125];
    size_t len = mw_close_encode(body, code ? code : MW_CLOSE_NO_STATUS, mw_view_text(reason));
    give_part(m, MW_OPCODE_CLOSE, true, mw_view((char *)body, len));
}

/* ---- events ---- */

static inline enum mw_event_kind pull(struct machine *m)
{
    mw_conn_next(&m->conn, &m->event, m->now_ms);
    assert_true(mw_conn_validate(&m->conn));
    return m->event.kind;
}

static inline void assert_no_event(struct machine *m)
{
    assert_int_equal(pull(m), MW_EVENT_MORE);
}

static inline void assert_message(struct machine *m, enum mw_opcode opcode, const char *text)
{
    assert_int_equal(pull(m), MW_EVENT_MESSAGE);
    assert_int_equal(m->event.opcode, opcode);
    assert_view(m->event.data, text);
}

/* CLOSED is told once, and is the last event. */
static inline void assert_closed(struct machine *m)
{
    assert_int_equal(pull(m), MW_EVENT_CLOSED);
    assert_no_event(m);
    assert_int_equal(m->conn.phase, MW_CONN_CLOSED);
    assert_true(mw_conn_deadline(&m->conn) == MW_NEVER);
}

static inline void assert_ending(const struct machine *m, enum mw_cause cause, unsigned code,
                                 bool clean)
{
    const struct mw_conn_end *end = mw_conn_ending(&m->conn);
    assert_non_null(end);
    assert_string_equal(mw_cause_row(end->cause)->name, mw_cause_row(cause)->name);
    assert_int_equal(end->code, code);
    assert_int_equal(end->clean, clean);
}

/* ---- out ---- */

/* All that is queued leaves now. */
static inline void flush(struct machine *m)
{
    mw_buf_clear(&m->wire);
    while (mw_conn_has_output(&m->conn)) {
        struct mw_view vectors[4];
        size_t count = mw_conn_iov(&m->conn, vectors, MW_COUNT(vectors)), sum = 0;
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(mw_buf_put_view(&m->wire, vectors[i]), MW_OK);
            sum += vectors[i].len;
        }
        mw_conn_written(&m->conn, sum, m->now_ms);
        assert_true(mw_conn_validate(&m->conn));
    }
}

/* From here on its pool has spare blocks to read and to send with, and a chunk. */
static inline void warm_machine(struct machine *m)
{
    give(m, MW_OPCODE_PING, "warm");
    assert_no_event(m);
    flush(m);
    mw_buf_clear(&m->wire);
    assert_null(m->conn.reading);
    assert_null(m->conn.sending);
}

/* Takes the next whole frame off what the last flush gave; false: there is none. */
static inline bool take_sent(struct machine *m, struct sent *sent)
{
    struct mw_frame_head head;
    enum mw_rule rule;
    enum mw_role reader = m->role == MW_ROLE_SERVER ? MW_ROLE_CLIENT : MW_ROLE_SERVER;
    if (m->wire.len == 0)
        return false;
    int size = mw_frame_decode((uint8_t *)m->wire.data, m->wire.len, reader, true, &head, &rule);
    assert_true(size > 0);
    assert_true(head.fin && m->wire.len >= (size_t)size + head.len);
    char *payload = m->wire.data + size;
    if (head.masked)
        mw_mask((uint8_t *)payload, head.len, head.mask, 0);
    sent->compressed = head.compressed;
    sent->opcode = (enum mw_opcode)head.opcode;
    static char copy[1 << 17]; /* skip moves what is behind it to the front */
    assert_true(head.len <= sizeof copy);
    memcpy(copy, payload, head.len);
    sent->data = mw_view(copy, head.len);
    mw_buf_skip(&m->wire, (size_t)size + head.len);
    return true;
}

static inline void assert_sent(struct machine *m, enum mw_opcode opcode, const char *text)
{
    struct sent sent;
    assert_true(take_sent(m, &sent));
    assert_int_equal(sent.opcode, opcode);
    assert_view(sent.data, text);
}

/* The next frame is a Close with this code (0: without a body) and reason. */
static inline void assert_sent_close(struct machine *m, unsigned code, const char *reason)
{
    struct sent sent;
    assert_true(take_sent(m, &sent));
    assert_int_equal(sent.opcode, MW_OPCODE_CLOSE);
    struct mw_close close = { 0 };
    enum mw_rule rule;
    assert_int_equal(mw_close_decode(sent.data, &close, &rule), MW_OK);
    assert_int_equal(close.code, code ? code : MW_CLOSE_NO_STATUS);
    if (reason)
        assert_view(close.reason, reason);
}

static inline void assert_nothing_sent(struct machine *m)
{
    struct sent sent;
    assert_false(take_sent(m, &sent));
}

/* ---- time ---- */

/* Keeps every deadline up to this moment. */
static inline void pass_to(struct machine *m, mw_ms at_ms)
{
    while (mw_conn_deadline(&m->conn) <= at_ms) {
        mw_ms due_ms = mw_conn_deadline(&m->conn);
        m->now_ms = due_ms > m->now_ms ? due_ms : m->now_ms;
        mw_conn_tick(&m->conn, m->now_ms);
        assert_true(mw_conn_validate(&m->conn));
        assert_true(mw_conn_deadline(&m->conn) > due_ms); /* else the owner would turn for ever */
    }
    m->now_ms = at_ms;
}

static inline void pass(struct machine *m, mw_ms span_ms)
{
    pass_to(m, m->now_ms + span_ms);
}

#endif
