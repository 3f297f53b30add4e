/*
 * One message to many connections: framed once, and compressed once for all that keep no context
 * (RFC 7692 7.1.1), whatever their number. Those that keep one get it compressed for themselves, as
 * long as they are few. Lives on the stack of whoever publishes.
 *
 * A message for several workers, or for a history, is framed before and shared as twins; each
 * worker has a broadcast of its own over them, and what one has compressed the others take.
 */
#ifndef MW_SESSION_BROADCAST_H
#define MW_SESSION_BROADCAST_H

#include "core/base/msg_twins.h"
#include "core/session/conn.h"
#include "core/session/roll.h"

/*
 * Up to here a receiver's context is worth its time: 64 times 7 us is half a millisecond. More than
 * these get what stands alone, and their contexts begin anew after it, as a sender's always may.
 */
#define MW_BROADCAST_FEW 64

struct mw_broadcast {
    struct mw_mem *mem; /* borrowed */
    bool few;
    enum mw_opcode kind;
    struct mw_view data;                            /* borrowed */
    const struct mw_send_how *how;                  /* borrowed; NULL: as the receiver's route */
    struct mw_msg_twins *twins;                     /* borrowed; NULL: framed here */
    struct mw_roll *roll;                           /* borrowed; NULL: it stands alone */
    struct mw_msg *plain;                           /* made when first wanted */
    struct mw_conn_more more;                       /* ... and of it */
    struct mw_msg *kept;                            /* the same, for sessions: part of nothing */
    struct mw_msg *packed[MW_DEFLATE_BITS_MAX + 1]; /* the same, by window */
};

void mw_broadcast_begin(struct mw_broadcast *broadcast, struct mw_mem *mem, size_t receivers,
                        enum mw_opcode kind, struct mw_view data);
/* The same of a message that is framed already; what is queued of it is counted in `mem`. */
void mw_broadcast_begin_shared(struct mw_broadcast *broadcast, struct mw_mem *mem, size_t receivers,
                               enum mw_opcode kind, struct mw_msg_twins *twins);
/* Small messages of a turn are joined there: for who publishes to more than one. */
static inline void mw_broadcast_join(struct mw_broadcast *broadcast, struct mw_roll *roll)
{
    broadcast->roll = roll;
}
/*
 * Where `how`, which may be set once it has begun, is LATEST, as mw_conn_send_latest; else as
 * mw_conn_send. Server only.
 */
int mw_broadcast_send(struct mw_broadcast *broadcast, struct mw_conn *conn, mw_ms now_ms);
/* The short way for who needs no more of it than mw_conn_send_more; false: nothing was done. */
static inline bool mw_broadcast_send_more(const struct mw_broadcast *broadcast,
                                          struct mw_conn *conn, mw_ms now_ms)
{
    return broadcast->more.block && mw_conn_send_more(conn, &broadcast->more, now_ms);
}
/* For a session whose client is away. */
void mw_broadcast_keep(struct mw_broadcast *broadcast, struct mw_replay *replay);
void mw_broadcast_end(struct mw_broadcast *broadcast);

/* Gives a framed message, of `mem` or (NULL) one that crosses threads. NULL: no memory. */
struct mw_msg *mw_broadcast_frame(struct mw_mem *mem, enum mw_opcode kind, struct mw_view data);

#endif
