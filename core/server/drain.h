/*
 * How a worker ends in order.
 *
 *   SERVES --asked--> GRACE --> CLOSING --> WAITING --> CUTTING --> OVER (told the server)
 *
 * GRACE: not ready any more, and still accepting, for whoever has not heard of it yet. CLOSING:
 * nobody comes in; each WebSocket is told when it may come back, at a moment of its own. WAITING:
 * for answers, and for on_close that is owed. CUTTING: the time is nearly over; who is left is cut,
 * and scripts have a last moment for it. WAITING ends it all as soon as nobody is left.
 */
#ifndef MW_SERVER_DRAIN_H
#define MW_SERVER_DRAIN_H

#include <stdatomic.h>

#include "core/io/loop.h"
#include "core/server/letter.h"
#include "core/session/return_plan.h"

struct mw_client;
struct mw_worker;

enum mw_drain_phase {
    MW_DRAIN_SERVES,
    MW_DRAIN_GRACE,
    MW_DRAIN_CLOSING,
    MW_DRAIN_WAITING,
    MW_DRAIN_CUTTING,
    MW_DRAIN_OVER,
};

/* Why somebody had to be cut. */
#define MW_DRAIN_CUT_LIST(X) \
    X(unread, "did not read what was sent") \
    X(unanswered, "did not answer the Close frame") \
    X(undecided, "waited for the last word of their script") \
    X(unheard, "had said what its script did not hear in time") \
    X(request, "were in the middle of a request or its answer")

enum mw_drain_cut {
#define MW_DRAIN_CUT(name, text) MW_DRAIN_CUT_##name,
    MW_DRAIN_CUT_LIST(MW_DRAIN_CUT)
#undef MW_DRAIN_CUT
        MW_DRAIN_CUTS
};

/* What is told at the beginning. */
struct mw_drain_facts {
    size_t connections; /* WebSockets, of one worker or of all; more may come in the grace */
    mw_ms grace_ms, timeout_ms;
    uint64_t rate_per_s;
    bool restart;
};

/* Nobody is asked back before: a restart takes as long as its close code says. */
mw_ms mw_drain_lead_ms(const struct mw_drain_facts *facts);

/* ... and at the end. */
struct mw_drain_tally {
    size_t told;       /* WebSockets that were sent a Close frame */
    size_t clean;      /* of them: ended with a Close frame of either side */
    size_t unanswered; /* of them: ended without one of theirs, gone or silent for too long */
    size_t cut[MW_DRAIN_CUTS];
    size_t owed; /* on_close that were not called */
    mw_ms took_ms;
};

/* How often is told how it goes. */
#define MW_DRAIN_TELL_MS 1000

struct mw_drain {
    uint8_t phase;   /* enum mw_drain_phase */
    bool is_ordered; /* of the server's thread: asked for once */
    struct mw_drain_facts facts;
    struct mw_drain_tally tally;
    mw_ms asked_ms, ask_ms, cut_ms, end_ms;
    atomic_size_t seen_left, seen_told, seen_clean; /* for other threads, a moment old */
    atomic_bool is_over;                            /* the same */
    struct mw_letter order;                         /* to the worker */
    struct mw_letter begun;                         /* back: the facts can be read */
    struct mw_letter over; /* ... the tally can be read, nothing is left to be done */

    /* private to the worker */
    struct mw_alarm alarm; /* the next step */
    struct mw_alarm tell;  /* of progress */
    struct mw_return_plan plan;
    mw_ms closing_ms; /* of the first Close frame */
    size_t count;     /* of this worker's that have a slot; the plan is of all workers */
    mw_id *clients;   /* in the order of their slots; NULL without memory */
    uint64_t next;    /* slot */
    uint64_t refused; /* upgrades: they stand behind the others */
};

void mw_drain_init(struct mw_worker *worker);

/* On the worker's thread: the order has come. */
void mw_drain_begin(struct mw_worker *worker);

/* Somebody has gone: the last one ends the worker. */
void mw_drain_gone(struct mw_worker *worker);

/* A WebSocket has ended; before its on_close. */
void mw_drain_ended(struct mw_client *client);

/* Answers an upgrade that comes too late: 503 with the time after the last slot. */
void mw_drain_refuse(struct mw_client *client);

/*
 * There is time to ask scripts for the last word to their clients: half of drain.timeout. After
 * that everybody is told what they would be told without.
 */
bool mw_drain_may_ask(const struct mw_worker *worker);

/*
 * Who came within the grace and has not been heard yet has so long to say what it wants, and is
 * told when to come back; 0: there was no grace.
 */
mw_ms mw_drain_last_ms(const struct mw_worker *worker);

/* The time for scripts is over: nothing more of them is called. */
bool mw_drain_is_late(const struct mw_worker *worker);

#endif
