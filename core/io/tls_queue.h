/*
 * The queue of handshakes of one loop: who has input for one waits here for its turn. Nobody but
 * core/io/tls.c; tests set the limits.
 */
#ifndef MW_IO_TLS_QUEUE_H
#define MW_IO_TLS_QUEUE_H

#include "core/io/loop.h"

#define MW_TLS_MAX_BEGUN 4096    /* handshakes, at 45 KB each */
#define MW_TLS_TURN_NS   2000000 /* so much of a turn at most, but one step at least */

/*
 * What a handshake may take when there are that many: enough for two round trips by satellite.
 * Older ones that wait for their client make room for new ones.
 */
#define MW_TLS_MIN_MS 2000

/* Of a stream. */
struct mw_tls_turn {
    struct mw_link link; /* on a list while it has input that nobody has looked at */
    struct mw_link in_begun;
    mw_ms begun_ms;
};

struct mw_tls_queue {
    struct mw_loop *loop;
    void (*step)(struct mw_tls_turn *turn); /* its turn has come: it is off the queue */
    void (*drop)(struct mw_tls_turn *turn); /* it took too long: calls mw_tls_queue_end */
    struct mw_alarm alarm;
    struct mw_link ready, parked; /* parked: new, while there are too many that have begun */
    struct mw_link all_begun;     /* oldest first */
    size_t waiting, begun, max_begun;
    mw_ms min_ms;
    uint64_t turn_ns, ended_ns; /* the budget; when the last turn's work ended */
};

void mw_tls_queue_init(struct mw_tls_queue *queue, struct mw_loop *loop,
                       void (*step)(struct mw_tls_turn *turn),
                       void (*drop)(struct mw_tls_turn *turn));
void mw_tls_queue_free(struct mw_tls_queue *queue);

void mw_tls_turn_init(struct mw_tls_turn *turn);
static inline bool mw_tls_turn_is_waiting(const struct mw_tls_turn *turn)
{
    return mw_list_is_linked(&turn->link);
}

/* At the end of the queue; once, however often it is asked for. */
void mw_tls_queue_add(struct mw_tls_queue *queue, struct mw_tls_turn *turn);
void mw_tls_queue_remove(struct mw_tls_queue *queue, struct mw_tls_turn *turn);

/* From within its step: the handshake has begun. */
void mw_tls_queue_begin(struct mw_tls_queue *queue, struct mw_tls_turn *turn);
/* It is over, one way or the other; harmless where it had not begun. */
void mw_tls_queue_end(struct mw_tls_queue *queue, struct mw_tls_turn *turn);

#endif
