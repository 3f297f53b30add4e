/* What load.c and peer.c share of a running load. Nobody else includes this. */
#ifndef MW_BENCH_PARTS_H
#define MW_BENCH_PARTS_H

#include "core/base/buf.h"
#include "core/bench/load.h"
#include "core/bench/wire.h"
#include "core/io/knock.h"

enum peer_state {
    PEER_AWAY,
    PEER_KNOCKING,
    PEER_SHAKING, /* the request is out, its answer not whole */
    PEER_OPEN,
    PEER_CLOSING, /* its stream is */
};

struct peer {
    struct mw_bench *bench;
    struct mw_knock *knock;   /* while KNOCKING */
    struct mw_stream *stream; /* from SHAKING on */
    uint32_t number;
    uint8_t state;    /* enum peer_state */
    bool is_busy;     /* a write is in flight */
    bool says_bye;    /* a Close frame is due, or was sent */
    bool said_bye;    /* was */
    uint8_t pong_len; /* of a pong that is due; 0: none */
    unsigned owed;    /* messages that are due */
    uint64_t sent, got;
    struct mw_buf head; /* of the answer, until it is whole */
    struct mw_bench_reader reader;
    uint8_t frame_head[MW_FRAME_HEAD_MAX];
    uint8_t control[6 + MW_CONTROL_MAX]; /* the pong, or the Close frame */
};

struct mw_bench {
    struct mw_bench_setup setup;
    struct mw_mem *mem;
    struct mw_tls_loop *tls_loop; /* NULL: plain */
    struct mw_bench_text text;
    struct mw_buf request;
    char accept[32]; /* what the answer has to say */
    struct peer *peers;
    size_t peer_count; /* with the one that publishes, which is the last */
    size_t begun;      /* of them; of churn: cycles */
    size_t opening;    /* KNOCKING or SHAKING */
    size_t alive;      /* not AWAY */
    bool is_running, is_over;
    uint64_t to_send; /* messages or cycles that nobody has begun */
    uint64_t began_us;
    uint64_t moves, moves_seen; /* what came of answers and messages; a ping is no progress */
    mw_ms still_since_ms;
    struct mw_alarm alarm;
    struct mw_bench_result result;
};

/* ---- of a peer, for load.c ---- */

void mw_bench_peer_open(struct peer *peer);
/* One more message; the sooner the better. */
void mw_bench_peer_say(struct peer *peer);
/* A Close frame; when the server has answered, `left` comes. */
void mw_bench_peer_bye(struct peer *peer);
/* At once, without a word; `gone` comes from the loop, or now. */
void mw_bench_peer_hang_up(struct peer *peer);

/* ---- of the load, for peer.c ---- */

void mw_bench_opened(struct peer *peer);
/* A whole message came, every byte of it right. */
void mw_bench_got(struct peer *peer);
/* The server has answered the Close frame. */
void mw_bench_left(struct peer *peer);
/* It failed, at whatever it was; it hangs up by itself. */
void mw_bench_failed(struct peer *peer, const char *why);
/* It is AWAY again. */
void mw_bench_gone(struct peer *peer);

#endif
