/*
 * What the parts of resume_sim share: resume_line.c (between the two), resume_server.c (in place of
 * the driver), resume_client.c (in place of the client for pages), resume_sim.c (the schedule).
 */
#ifndef MW_SIM_RESUME_PARTS_H
#define MW_SIM_RESUME_PARTS_H

#include "core/session/conn.h"
#include "core/session/resume_token.h"
#include "core/sim/resume_sim.h"

#define RESUME_LINES    6
#define RESUME_SESSIONS 64
#define RESUME_MESSAGES 1024 /* of either side, in one schedule */
#define RESUME_FOR_MS   10000

/* Bytes on their way to one side. */
struct resume_pipe {
    struct mw_buf bytes;
    bool ended; /* behind them is the end */
};

/* One attempt of the client and what becomes of it. By enum mw_role: of the side that reads. */
struct resume_line {
    bool used;
    bool dead;    /* swallows everything, and nobody is told */
    bool is_slow; /* what is on its way may be overtaken by another attempt */
    struct mw_ext_deflate terms;
    struct resume_pipe pipes[2];
    struct mw_conn conns[2];
    bool open[2]; /* the machine is there */
    bool gone[2]; /* that side has let go of the line, or was never there */

    /* server */
    struct mw_sideband sideband;
    struct resume_session *session;
    bool answered;   /* 101 was queued */
    uint64_t missed; /* what the hello will tell */
    bool back;

    /* client */
    char mark[MW_SIDEBAND_MARK_MAX + 1];
    bool greeted;     /* the hello has come */
    bool may_send;    /* ... or is not waited for */
    bool honest;      /* named the token and the count that it has */
    uint64_t next_up; /* the message that goes next */
};

enum resume_phase { RESUME_OPEN, RESUME_AWAY, RESUME_ENDED };

/* The server's, with what a judge remembers beside it. */
struct resume_session {
    enum resume_phase phase;
    mw_ms expires_ms; /* while AWAY */
    struct mw_replay replay;
    struct mw_resume_tokens tokens;
    struct resume_line *line; /* while OPEN */

    uint64_t up_base;    /* its first message of the client is the one behind this */
    uint64_t evicted_to; /* up to here the bound has let go of what was not acknowledged */
    bool lost[RESUME_MESSAGES + 1];        /* numbers that a policy has dropped */
    uint8_t versions[RESUME_MESSAGES + 1]; /* how often another one took the number's place */
};

struct resume_client {
    struct resume_line *line; /* NULL: not connected */
    bool has_session;
    char token[MW_RESUME_TOKEN_LEN + 1];
    struct resume_session *session; /* whose it is, as the judge knows */
    uint64_t count;                 /* messages got in it, missed ones included */
    uint64_t base, acked;           /* its messages: the one before the session's first; G */
    uint64_t wired, made;           /* the last that has left; the last there is */
};

struct resume_world {
    struct mw_mem *mem;
    struct mw_mem kept_mem; /* of what sessions keep; capped, where memory is short */
    struct mw_rng rng;
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_deflate_pool deflate;
    struct mw_ext_deflate terms;
    struct mw_limits_ms limits;
    mw_ms now_ms;
    bool settles;    /* no more trouble */
    size_t bound;    /* of what a session keeps */
    size_t max_size; /* of a message */
    struct resume_line lines[RESUME_LINES];
    struct resume_session *sessions[RESUME_SESSIONS];
    size_t session_count;
    struct resume_client client;
    uint8_t arrived[RESUME_MESSAGES + 1]; /* how often a message of the client has */
    bool told[RESUME_MESSAGES + 1];       /* ... or was told to be dropped */
    struct mw_resume_tally *tally;
    const char *broken; /* the first that did not hold */
};

/* Remembers the first. */
void resume_judge(struct resume_world *world, bool holds, const char *otherwise);

static inline bool resume_chance(struct resume_world *world, unsigned per_mille)
{
    return mw_rng_below(&world->rng, 1000) < per_mille;
}

/* ---- resume_line.c ---- */

/* A line on whose way to the server `target` is; NULL: all are in use. */
struct resume_line *resume_line_new(struct resume_world *world, struct mw_view target);
/* This side's machine, from here on; with `replay` (or NULL) and the line's sideband. */
void resume_line_open(struct resume_world *world, struct resume_line *line, enum mw_role role,
                      struct mw_replay *replay);
/* Some of what this side's machine has queued goes on its way. */
void resume_line_transmit(struct resume_world *world, struct resume_line *line, enum mw_role from);
/* The same for both, and of what is on its way some arrives. */
void resume_line_move(struct resume_world *world, struct resume_line *line);
/* Cut at any byte, in both directions; each side is told, or neither. */
void resume_line_cut(struct resume_world *world, struct resume_line *line);
/* This side is done with it; the other one is told behind what is on its way. */
void resume_line_leave(struct resume_line *line, enum mw_role role);
void resume_line_free(struct resume_line *line);

/* ---- resume_server.c ---- */

/* The request has come; then the machine has something to say; the line has ended. */
void resume_server_request(struct resume_world *world, struct resume_line *line,
                           struct mw_view target);
void resume_server_pull(struct resume_world *world, struct resume_line *line);
void resume_server_eof(struct resume_world *world, struct resume_line *line);
/* The script decides on those that wait for it. */
void resume_server_decide(struct resume_world *world, unsigned refuse_per_mille);
/* Time has passed. */
void resume_server_tick(struct resume_world *world);
/* The script has something to say to the client; what may replace another one that waits. */
void resume_server_say(struct resume_world *world);
void resume_server_say_latest(struct resume_world *world);
/* ... or would have, if a policy had not dropped it. */
void resume_server_drop(struct resume_world *world);

/* ---- resume_client.c ---- */

void resume_client_connect(struct resume_world *world);
void resume_client_answered(struct resume_world *world, struct resume_line *line);
void resume_client_pull(struct resume_world *world, struct resume_line *line);
/* It does not believe in its line any more, which may go on all the same. */
void resume_client_give_up(struct resume_world *world);
/* The line has ended. */
void resume_client_eof(struct resume_world *world, struct resume_line *line);
void resume_client_say(struct resume_world *world);
void resume_client_probe(struct resume_world *world);
/* It does not want the session any more. */
void resume_client_close(struct resume_world *world);
/* Sends what may be sent by now. */
void resume_client_flush(struct resume_world *world);

#endif
