/* What the files of a running load share. Nobody else includes this. */
#ifndef MW_BENCH_PARTS_H
#define MW_BENCH_PARTS_H

#include "core/base/rng.h"
#include "core/bench/check.h"
#include "core/bench/load.h"
#include "core/bench/pace.h"
#include "core/bench/raw.h"
#include "core/io/knock.h"
#include "moonwire/advice.h"

enum peer_state {
    PEER_AWAY,
    PEER_KNOCKING,
    PEER_SHAKING, /* the request is out, its answer not whole */
    PEER_OPEN,
    PEER_CLOSING, /* its stream is */
};

struct peer {
    struct mw_bench *bench;
    const struct peer *speaker; /* whose messages it hears: its own, or those of who publishes */
    uint64_t *stamps;           /* in a closed loop: when each message under way went, a ring */
    struct mw_stream *stream;   /* from KNOCKING on where it is plain, from SHAKING on in TLS */
    struct mw_knock *knock;     /* while KNOCKING, in TLS */
    uint32_t number;
    uint8_t state;    /* enum peer_state */
    bool is_deaf;     /* it publishes: what it gets itself is the script's affair */
    bool is_busy;     /* a write is in flight */
    bool says_bye;    /* a Close frame is due, or was sent */
    bool said_bye;    /* was */
    uint8_t pong_len; /* of a pong that is due; 0: none */
    uint64_t owed;    /* messages that are due */
    uint64_t sent;
    uint64_t began_ns; /* this connection, or the storm for it */
    uint64_t retry_ns; /* of storm, while AWAY: when it comes again */
    uint32_t tries;    /* of storm */
    struct mw_bench_check check;
    struct mw_buf head;                  /* of the answer, until it is whole */
    uint8_t control[6 + MW_CONTROL_MAX]; /* the pong, or the Close frame */
};

/* A publish that not everybody has got. */
struct publish {
    uint64_t at_ns;
    size_t got; /* by so many */
};

struct mw_bench {
    struct mw_bench_setup setup;
    struct mw_mem *mem;
    struct mw_raw *raw;           /* NULL: in TLS */
    struct mw_tls_loop *tls_loop; /* NULL: plain */
    struct mw_turn_task again;    /* of the loop, in TLS */
    struct mw_alarm alarm;
    struct mw_bench_tape tape;
    struct mw_deflate_pool deflate;
    struct mw_buf request;
    char accept[32]; /* what the answer has to say */
    struct mw_rng rng;
    struct peer *peers;
    size_t peer_count; /* with the one that publishes, which is the last */
    size_t begun;      /* of them; of churn: cycles */
    size_t opening;    /* KNOCKING or SHAKING */
    size_t alive;      /* not AWAY */
    size_t in;         /* OPEN */
    uint32_t *away;    /* of churn: those that may begin again */
    size_t away_count;
    uint64_t *stamps; /* of all */
    uint32_t stamp_mask;
    struct publish *publishes; /* of fanout in a closed loop: a ring */
    uint64_t completed;        /* publishes that everybody has got */
    bool is_running;           /* the mode has begun */
    bool is_measuring;         /* the warm-up is over, `began` was told */
    bool is_over, is_closing, is_finished;
    uint64_t wanted;  /* answers, if `messages` is the bound; else never so many */
    uint64_t to_send; /* messages or cycles that nobody has begun */
    struct mw_pace pace;
    uint64_t paced; /* messages of the timetable that were given out */
    uint64_t now_ns, look_ns, began_ns, warm_ns;
    uint64_t moves, moves_seen; /* what came of answers and messages; a ping is no progress */
    uint64_t still_since_ns;
    struct mw_bench_result result;
};

/* ---- of a peer ---- */

void mw_bench_peer_open(struct peer *peer);
/* So many more messages; pump sends them. */
static inline void mw_bench_peer_owe(struct peer *peer, uint64_t count)
{
    peer->owed += count;
}
/* Sends what is due, as one piece where it can. */
void mw_bench_peer_pump(struct peer *peer);
/* A Close frame; when the server has answered, `left` comes. */
void mw_bench_peer_bye(struct peer *peer);
/* At once, without a word; `gone` comes from the loop, or now. */
void mw_bench_peer_hang_up(struct peer *peer);

/*
 * The answer to the handshake (shake.c). 1: it is a yes, and *rest is what came behind it; 0: there
 * is more to come; <0: it has been told that it failed.
 */
int mw_bench_take_answer(struct peer *peer, struct mw_view bytes, struct mw_view *rest);

/* ---- of the load ---- */

/* The one loop has come round: what is due by time. Milliseconds to wait. */
int mw_bench_turn(void *bench);
/* Ends it; what is not as it should be is kept as the reason, if it is the first. */
void mw_bench_end_for(struct mw_bench *bench, const char *why);

void mw_bench_opened(struct peer *peer);
/* Messages came, every byte of them right, up to check.got; `first` is the first of them. */
void mw_bench_got(struct peer *peer, uint64_t first);
/* The cycle is over. */
void mw_bench_left(struct peer *peer);
/* Messages `first` up to peer->sent went out now. */
void mw_bench_said(struct peer *peer, uint64_t first);
/* It failed, at whatever it was; it hangs up by itself. */
void mw_bench_failed(struct peer *peer, const char *why);
/* The answer was no 101; it hangs up by itself. */
void mw_bench_refused(struct peer *peer, const char *why, struct mw_advice advice);
/* It is AWAY again. */
void mw_bench_gone(struct peer *peer);
void mw_bench_open_one(struct mw_bench *bench, struct peer *peer);

/* ---- storms (storm.c) ---- */

void mw_bench_storm_begin(struct mw_bench *bench);
void mw_bench_storm_look(struct mw_bench *bench);
void mw_bench_storm_in(struct peer *peer);
/* It was refused or has ended: when it comes again. */
void mw_bench_storm_back(struct peer *peer, struct mw_advice advice);

/* What every request asks with: a server may not care. */
#define MW_BENCH_WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="

/* ---- what runs it (drive.c) ---- */

int mw_bench_drive_init(struct mw_bench *bench);
void mw_bench_drive(struct mw_bench *bench);
/* Something is to be done in the next turn: it must not be waited for. */
void mw_bench_drive_soon(struct mw_bench *bench);
/* The loop ends after this turn. */
void mw_bench_drive_stop(struct mw_bench *bench);
void mw_bench_drive_free(struct mw_bench *bench);
/* A connection on its way: `done` of peer.c comes. 0, or an errno. */
int mw_bench_drive_knock(struct peer *peer, const struct mw_ip *from);
void mw_bench_knocked(struct peer *peer, struct mw_stream *stream, int error);

#endif
