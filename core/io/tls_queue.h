/*
 * The queue of handshakes of one loop: who has input for one waits here for its turn. Nobody but
 * core/io/tls.c; tests set the limits.
 */
#ifndef MW_IO_TLS_QUEUE_H
#define MW_IO_TLS_QUEUE_H

#include "core/io/loop.h"

#define MW_TLS_MAX_BEGUN 4096    /* handshakes, at 45 KB each */
#define MW_TLS_TURN_NS   2000000 /* so much of a turn at most, but one step at least */

/* Of a stream: on one of the lists while it has input that nobody has looked at. */
struct mw_tls_turn {
    struct mw_link link;
};

struct mw_tls_queue {
    struct mw_loop *loop;
    void (*step)(struct mw_tls_turn *turn);         /* its turn has come: it is off the queue */
    bool (*is_new)(const struct mw_tls_turn *turn); /* the step would begin a handshake */
    struct mw_alarm alarm;
    struct mw_link ready, parked; /* parked: new, while there are too many that have begun */
    size_t waiting, begun, max_begun;
    uint64_t turn_ns, ended_ns; /* the budget; when the last turn's work ended */
};

void mw_tls_queue_init(struct mw_tls_queue *queue, struct mw_loop *loop,
                       void (*step)(struct mw_tls_turn *turn),
                       bool (*is_new)(const struct mw_tls_turn *turn));
void mw_tls_queue_free(struct mw_tls_queue *queue);

void mw_tls_turn_init(struct mw_tls_turn *turn);
static inline bool mw_tls_turn_is_waiting(const struct mw_tls_turn *turn)
{
    return mw_list_is_linked(&turn->link);
}

/* At the end of the queue; once, however often it is asked for. */
void mw_tls_queue_add(struct mw_tls_queue *queue, struct mw_tls_turn *turn);
void mw_tls_queue_remove(struct mw_tls_queue *queue, struct mw_tls_turn *turn);

/* A handshake has begun, or one that had is over. */
void mw_tls_queue_begin(struct mw_tls_queue *queue);
void mw_tls_queue_end(struct mw_tls_queue *queue);

#endif
