/* What the files of the walk share; only walk*.c include this. */
#ifndef MW_DOCTOR_WALK_PARTS_H
#define MW_DOCTOR_WALK_PARTS_H

#include "core/doctor/judge.h"
#include "core/doctor/walk.h"

/* The lines of the report, in its order. */
enum mw_walk_line {
    MW_WALK_DNS,
    MW_WALK_TCP,
    MW_WALK_TLS,
    MW_WALK_HANDSHAKE,
    MW_WALK_SUBPROTOCOL,
    MW_WALK_COMPRESSION,
    MW_WALK_PING,
    MW_WALK_ECHO,
    MW_WALK_FRAGMENTS,
    MW_WALK_MASKING,
    MW_WALK_CLOSE,
    MW_WALK_IDLE,
    MW_WALK_LINES,
};

/* One thing to do on an open connection; `ended`, `late` and what it does itself judge the line. */
struct mw_walk_task {
    enum mw_walk_line line;
    bool compressed; /* on a connection for which compression was offered */
    bool is_alone;   /* makes connections of its own */
    void (*begin)(struct mw_walk *walk);
    void (*message)(struct mw_walk *walk, struct mw_view data); /* these two may be NULL */
    void (*pong)(struct mw_walk *walk, uint64_t rtt_us);
    void (*late)(struct mw_walk *walk);  /* its deadline is over */
    void (*ended)(struct mw_walk *walk); /* the connection is over: walk->end */
};
/* In order; ends with a row without `begin`. */
extern const struct mw_walk_task mw_walk_tasks[];

#define MW_WALK_MARK_LEN 22

/* One connection of the two that are held. */
struct mw_walk_hold {
    struct mw_walk *walk;
    struct mw_ws_client *client;
    struct mw_doctor_held held;
    mw_ms last_ms; /* something was heard, or said */
    bool talks, is_open, is_promised;
    char mark[MW_WALK_MARK_LEN + 1];
    struct mw_alarm speak;
};

struct mw_walk {
    struct mw_walk_setup setup;
    struct mw_mem *mem;
    struct mw_loop *loop;
    struct mw_ws_url url;
    struct mw_ws_client *client; /* NULL: none */
    struct mw_alarm alarm;       /* of the task, or of connecting */
    struct mw_turn_task go_on;   /* with the next task, when the turn is over */
    struct mw_turn_task tell_done;
    size_t task; /* that runs, or that the connection is made for */
    bool is_compressed, without_mark, has_shaken, is_running;
    char mark[MW_WALK_MARK_LEN + 1];
    struct mw_doctor_who who;
    struct mw_doctor_end end; /* of the connection before */
    bool was_masked;          /* a frame of the server was */
    uint64_t frames;
    /* of the tasks */
    bool is_asking, echoes; /* does it echo? it does */
    struct mw_doctor_pings pings;
    struct mw_doctor_echo echo;
    size_t size; /* index of the size that is tried */
    struct mw_buf sent;
    bool has_terms, is_leaving;
    bool is_spoilt; /* frames break rules: no use in going on */
    char terms[MW_EXT_TEXT_MAX];
    struct mw_walk_hold silent, talking;
};

struct mw_doctor_line *mw_walk_line(struct mw_walk *walk, enum mw_walk_line line);
/* The task is judged: on with the next one, on a connection that fits. */
void mw_walk_next(struct mw_walk *walk);
void mw_walk_wait(struct mw_walk *walk, mw_ms wait_ms);
/* Another connection with these events; its first bytes name a mark in `mark`. */
int mw_walk_dial(struct mw_walk *walk, bool compressed, const struct mw_ws_client_events *events,
                 void *owner, struct mw_ws_client **out, char why[256]);

/* ---- walk_idle.c ---- */
void mw_walk_idle_begin(struct mw_walk *walk);
void mw_walk_idle_late(struct mw_walk *walk);
void mw_walk_idle_free(struct mw_walk *walk);

#endif
