/*
 * One WebSocket connection as a machine (RFC 6455 5-7): bytes, time and commands go in, events and
 * bytes are pulled out. It knows no socket, clock, thread or callback, and serves both roles.
 *
 *   OPEN --close()--> CLOSE_SENT --peer's Close, end of stream, deadline--> CLOSED
 *     `--peer's Close, breach, end of stream------------------------------> CLOSED
 *
 * Where the owner wants to have the last word on what the Close frame says (setup.asks), each end
 * that this side begins stops between OPEN and the rest: DECIDING --decide()--> CLOSE_SENT or
 * CLOSED. Nothing is sent or heard there, and no time passes.
 *
 * CLOSED is the end for the application; bytes may still wait to leave (the Close frame itself), so
 * the owner flushes, half-closes, and reads and drops for a bounded time before it closes the
 * stream: else the peer may never see the code.
 */
#ifndef MW_SESSION_CONN_H
#define MW_SESSION_CONN_H

#include "core/base/rate.h"
#include "core/base/rng.h"
#include "core/proto/ext.h"
#include "core/session/conn_pool.h"
#include "core/session/event.h"
#include "core/session/flight.h"
#include "core/session/limits.h"
#include "core/session/replay.h"
#include "core/session/sideband.h"

enum mw_conn_phase {
    MW_CONN_OPEN,
    MW_CONN_DECIDING,
    MW_CONN_CLOSE_SENT,
    MW_CONN_CLOSED,
};

/*
 * How long the peer may take to answer a Close frame that has left; and to take what stands before.
 */
#define MW_CONN_CLOSE_WAIT_MS  5000
#define MW_CONN_CLOSE_FLUSH_MS 60000

/*
 * From these many bytes on a message is compressed. With a context even small messages shrink to a
 * third, but below this the gain is less than a hundred bytes of a packet that travels anyway. A
 * message alone has to bring its own code tables: 272 bytes of JSON shrink by a quarter only, for
 * more time than with a context.
 */
#define MW_CONN_COMPRESS_IN_CONTEXT 128
#define MW_CONN_COMPRESS_ALONE      1024

/* What the connections of one route have in common: borrowed by each of them for its life. */
struct mw_conn_home {
    struct mw_mem *mem;              /* for split messages, ends, records */
    struct mw_mem *out_mem;          /* whose the bytes in the send queue are; NULL: mem's */
    struct mw_conn_pool *pool;       /* of the worker */
    struct mw_deflate_pool *deflate; /* NULL where nothing is ever compressed */
    struct mw_rng *rng;              /* ping phases; a client's masking keys */
    const struct mw_limits_ms *limits;
};

/*
 * As many of these are idle as there are connections, so it holds what an idle one needs. What is
 * needed only while something happens is a block of its own, which is there only then.
 */
struct mw_conn {
    /* read-only */
    uint8_t phase; /* enum mw_conn_phase */

    /* private */
    bool told_closed : 1, was_full : 1, tell_drain : 1, pong_new : 1, paused : 1, asks : 1,
        is_client : 1;

    /* read-only */
    uint16_t pings_unanswered;
    uint32_t rtt_ms; /* UINT32_MAX: not known yet */
    uint64_t messages_received, messages_sent;
    mw_ms opened_ms, last_read_ms;

    /* private */
    const struct mw_conn_home *home;
    struct mw_conn_reading *reading; /* NULL: between frames, and nothing was fed */
    struct mw_conn_sending *sending; /* NULL: nothing waits, and nothing was ever dropped */
    struct mw_conn_deflate *deflate; /* NULL: nothing is ever compressed */
    struct mw_conn_end *end;         /* made when the end begins */
    struct mw_flight *flight;        /* NULL: no message yet, or no memory */
    struct mw_sideband *sideband;    /* borrowed; NULL: it has no mark */
    struct mw_replay *replay;        /* borrowed; NULL: no session to be resumed */
    mw_ms last_message_ms, ping_sent_ms;
    union {
        mw_ms ping_at_ms;   /* the next one, in OPEN */
        mw_ms close_due_ms; /* then nothing is waited for any more, in CLOSE_SENT */
    };
    struct mw_bucket bucket; /* of its messages, where limits.rate is on */
};

struct mw_conn_setup {
    enum mw_role role;
    const struct mw_conn_home *home;
    bool asks;                    /* DECIDE is told, and answered */
    struct mw_ext_deflate terms;  /* what the handshake has agreed on; all zero: nothing */
    struct mw_sideband *sideband; /* of a server's client that named a mark; else NULL */
    struct mw_replay *replay;     /* of a session that can be resumed (with a sideband); or NULL */
};

/*
 * Open from here on. All pointers are borrowed for the connection's life. MW_ERR_NOMEM, never
 * without terms: it understands nothing compressed; where that was agreed on it is only freed.
 */
int mw_conn_init(struct mw_conn *conn, const struct mw_conn_setup *setup, mw_ms now_ms);
/* Whatever the phase. */
void mw_conn_free(struct mw_conn *conn);
/* The limits of its home are others by now (a reload): ask for the deadline again. */
void mw_conn_new_limits(struct mw_conn *conn, mw_ms now_ms);

/* Bytes from the peer, as mw_reader_feed; then next() until MORE. */
void mw_conn_feed(struct mw_conn *conn, char *bytes, size_t len, mw_ms now_ms);
/* As mw_reader_place. */
static inline char *mw_conn_place(struct mw_conn *conn, size_t *room)
{
    return conn->reading ? mw_reader_place(&conn->reading->reader, room) : NULL;
}
void mw_conn_next(struct mw_conn *conn, struct mw_event *event, mw_ms now_ms);
/* Bytes fed that no event has used yet: kept by an owner that wants to stop pulling. */
static inline struct mw_view mw_conn_rest(const struct mw_conn *conn)
{
    return conn->reading ? mw_reader_rest(&conn->reading->reader) : mw_view("", 0);
}
/* ... and lets go of them, so that other bytes (these again, later) can be fed. */
static inline void mw_conn_detach(struct mw_conn *conn)
{
    if (conn->reading)
        mw_reader_detach(&conn->reading->reader);
}

/* Bytes that wait to be sent, frame headers included. */
static inline size_t mw_conn_queued(const struct mw_conn *conn)
{
    return conn->sending ? conn->sending->out.bytes : 0;
}
/* ... with what messages that can be replaced cost beside them: what limits.queue is about. */
static inline size_t mw_conn_weight(const struct mw_conn *conn)
{
    return conn->sending ? mw_outq_weight(&conn->sending->out) : 0;
}
/* What waits under this key and may be replaced; or NULL. */
static inline struct mw_out_seg *mw_conn_find(const struct mw_conn *conn, struct mw_view key)
{
    return conn->sending ? mw_outq_find(&conn->sending->out, key) : 0;
}
/* What of that is a burden to `mem`, which is home->out_mem or another one (mw_outq_held). */
static inline size_t mw_conn_held(const struct mw_conn *conn, const struct mw_mem *mem)
{
    return conn->sending ? mw_outq_held(&conn->sending->out, mem) : 0;
}

/* Messages that a policy has dropped instead of queueing them. */
static inline uint64_t mw_conn_dropped(const struct mw_conn *conn)
{
    return conn->sending ? conn->sending->dropped : 0;
}
/* Messages that newer ones of their key have replaced; they are not among messages_sent. */
static inline uint64_t mw_conn_replaced(const struct mw_conn *conn)
{
    return conn->sending ? conn->sending->replaced : 0;
}

/* How it compresses; NULL: not at all. */
static inline struct mw_deflater *mw_conn_deflater(struct mw_conn *conn)
{
    return conn->deflate && conn->deflate->out.pool ? &conn->deflate->out : 0;
}

/*
 * Queues a whole message. MW_ERR_CLOSED; MW_ERR_DROPPED: the queue is above its limit, so this one
 * was not queued; MW_ERR_NOMEM. Text is not checked here. A message may overshoot the limit once,
 * so that one larger than the limit can be sent at all.
 */
int mw_conn_send(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload, mw_ms now_ms);
/*
 * The same for a large payload that need not be copied where the stream takes it at once: it is
 * borrowed until mw_conn_settle, which is called before it goes and before any of it may stay in
 * flight. Only where mw_conn_may_lend.
 */
int mw_conn_lend(struct mw_conn *conn, enum mw_opcode opcode, struct mw_view payload, mw_ms now_ms);
bool mw_conn_may_lend(const struct mw_conn *conn, size_t len);
static inline void mw_conn_settle(struct mw_conn *conn)
{
    if (conn->sending)
        mw_outq_settle(&conn->sending->out);
}
/* The same for a framed message (server only), by reference; it goes as it is. */
int mw_conn_send_msg(struct mw_conn *conn, struct mw_msg *msg, mw_ms now_ms);
/*
 * ... that may be compressed: `plain` is the same message as it can be sent at any later time too,
 * for a session that can be resumed. NULL: there is none, so that one will be missed.
 */
int mw_conn_send_twin(struct mw_conn *conn, struct mw_msg *msg, struct mw_msg *plain, mw_ms now_ms);
/*
 * A message that stands in one piece with the one before it (session/roll), as all its receivers
 * ask for it; and one of them to which nothing but this has happened since that one.
 * False: nothing was done, and mw_conn_send_twin does it. The answer to all its questions is in six
 * lines of memory: 320 -> 220 instructions a delivery, of 16 messages in one turn.
 */
struct mw_conn_more {
    const struct mw_msg *block; /* borrowed; NULL: it stands alone */
    size_t begin, len;          /* in it, header included */
    struct mw_flight_entry entry;
};
void mw_conn_more_init(struct mw_conn_more *more, struct mw_msg *msg);
bool mw_conn_send_more(struct mw_conn *conn, const struct mw_conn_more *more, mw_ms now_ms);
/*
 * Of a session whose client is back (mw_replay_return), before anything else is sent: queues what
 * it has not got. What the handshake says goes before it all the same (mw_conn_put_raw).
 * MW_ERR_NOMEM: nothing was queued, and this connection is of no use.
 */
int mw_conn_put_rest(struct mw_conn *conn, mw_ms now_ms);

/*
 * The same for one that replaces what waits under its key and has not begun to leave, in its place;
 * also where the queue is full, unless that would make it longer. Nothing that was compressed with
 * what was sent before may come this way: mw_conn_packing_latest says how this one may. `plain` as
 * for mw_conn_send_twin.
 */
int mw_conn_send_latest(struct mw_conn *conn, struct mw_view key, struct mw_msg *msg,
                        struct mw_msg *plain, mw_ms now_ms);

/*
 * A policy has dropped a message instead of sending it. A client with a sideband is told before the
 * next one, or when the queue is half empty. Without memory for that an open one ends.
 */
void mw_conn_note_dropped(struct mw_conn *conn, mw_ms now_ms);

/* Of the dropped ones, those that the peer was told of: its count of messages has them. */
static inline uint64_t mw_conn_missed(const struct mw_conn *conn)
{
    return conn->sideband && conn->sending ? conn->sending->dropped - conn->sending->untold : 0;
}

/* So many bytes of what was queued just now are the answer to something that the peer said. */
void mw_conn_note_answer(struct mw_conn *conn, size_t bytes);
/* Too many answers wait: the peer should take some before it is read from. Until half have left. */
static inline bool mw_conn_is_choked(const struct mw_conn *conn)
{
    return conn->sending && conn->sending->choked && conn->phase == MW_CONN_OPEN;
}

/*
 * How a message of this many bytes is sent: as it is; compressed, alike for all whose deflater has
 * the same bits; or compressed with what this connection was sent before.
 */
enum mw_conn_packing { MW_CONN_PLAIN, MW_CONN_ALONE, MW_CONN_IN_CONTEXT };
enum mw_conn_packing mw_conn_packing(const struct mw_conn *conn, size_t len);
/* ... of one with this key: PLAIN or ALONE. */
enum mw_conn_packing mw_conn_packing_latest(const struct mw_conn *conn, struct mw_view key,
                                            size_t len);
/* More than limits.queue waits: nothing more is put but what answers the protocol. */
static inline bool mw_conn_is_full(const struct mw_conn *conn)
{
    return mw_conn_weight(conn) > conn->home->limits->queue;
}
/* Bytes that are no frames, before all else: the answer to the handshake. MW_ERR_NOMEM. */
int mw_conn_put_raw(struct mw_conn *conn, struct mw_view bytes, mw_ms now_ms);
/* MW_ERR_CLOSED, MW_ERR_NOMEM; MW_ERR_DROPPED: the queue is above its limit. */
int mw_conn_ping(struct mw_conn *conn, mw_ms now_ms);

/*
 * Begins the end. code 0: the cause's own; reason is cut to what fits. MW_ERR_CLOSED where it has
 * begun already. Where the cause says that nobody listens any more (timeouts, breaches), CLOSED is
 * the next event. With setup.asks a cause whose `who` is the server is decided on first.
 */
int mw_conn_close(struct mw_conn *conn, enum mw_cause cause, unsigned code, struct mw_view reason,
                  mw_ms now_ms);
/* Leaves word for who decides; nothing happens where there is nobody to decide. */
void mw_conn_advise(struct mw_conn *conn, const struct mw_advice *advice);
/*
 * In DECIDING: this is what the Close frame says. A code that may be sent, UTF-8; the advice stands
 * behind the text where it is needed (mw_advice_to_put).
 */
void mw_conn_decide(struct mw_conn *conn, unsigned code, struct mw_view text,
                    const struct mw_advice *advice, mw_ms now_ms);

/* What may yet become HTTP text is judged as it stands (mw_reader_judge). Not in CLOSED. */
void mw_conn_judge(struct mw_conn *conn, mw_ms now_ms);

/*
 * The stream has ended, by peer_fin, peer_reset or tls_error; that is the cause unless the end had
 * begun for another reason.
 */
void mw_conn_eof(struct mw_conn *conn, enum mw_cause how);

/*
 * While paused the owner does not read, so silence is not held against the peer; after it, waiting
 * begins anew.
 */
void mw_conn_pause(struct mw_conn *conn, bool paused, mw_ms now_ms);

/* What is due is done; pull events and output after it. */
void mw_conn_tick(struct mw_conn *conn, mw_ms now_ms);
/*
 * When to tick next; MW_NEVER. May move to later without notice, so asking again when it rings is
 * enough.
 */
mw_ms mw_conn_deadline(const struct mw_conn *conn);

static inline bool mw_conn_has_output(const struct mw_conn *conn)
{
    return mw_conn_queued(conn) > 0;
}
static inline size_t mw_conn_iov(struct mw_conn *conn, struct mw_view *vectors, size_t max)
{
    return conn->sending ? mw_outq_iov(&conn->sending->out, vectors, max) : 0;
}
/* As mw_outq_show. */
static inline size_t mw_conn_show(struct mw_conn *conn, struct mw_view *vectors, size_t max)
{
    return conn->sending ? mw_outq_show(&conn->sending->out, vectors, max) : 0;
}
void mw_conn_written(struct mw_conn *conn, size_t bytes, mw_ms now_ms);
/* Of what is on its way the peer has taken some: it is slow, not gone. */
void mw_conn_advance(struct mw_conn *conn, mw_ms now_ms);

/* How it ended; NULL before the end has begun. Until mw_conn_free. */
const struct mw_conn_end *mw_conn_ending(const struct mw_conn *conn);

/*
 * What a handler of the script came to, for the flight recorder. A message that was heard at once
 * is not worth an entry.
 */
void mw_conn_note_call(struct mw_conn *conn, enum mw_flight_handler handler,
                       enum mw_flight_result result, unsigned took_ms, mw_ms now_ms);

bool mw_conn_validate(const struct mw_conn *conn);

#endif
