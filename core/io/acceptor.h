/*
 * Accepts on a socket that listens already: so many in a turn of the loop, and after a pause where
 * descriptors or memory are short. Part of listener.c and local.c, which bind; nobody else includes
 * this.
 */
#ifndef MW_IO_ACCEPTOR_H
#define MW_IO_ACCEPTOR_H

#include "core/io/listener.h"
#include "core/io/ready.h"

struct mw_acceptor {
    struct mw_loop *loop;
    int socket; /* does not block */
    unsigned per_turn;
    bool (*lets_in)(int fd); /* false: it is closed without a word. NULL: everybody */
    void (*accept)(void *ctx, struct mw_stream *stream); /* takes the stream; may close us */
    void *ctx;
    void (*closed)(struct mw_acceptor *acceptor); /* the loop has let go: the memory may go */
    /* private */
    struct mw_ready ready;
    struct mw_alarm go_on;
    struct mw_accept_care care;
    int why;         /* it pauses; 0: it does not */
    uint64_t most;   /* descriptors of the process */
    uint64_t newest; /* the descriptor that was accepted last */
};

/* Takes the socket; what stands before "private" is set. Or MW_ERR_IO, and nothing is taken. */
int mw_acceptor_open(struct mw_acceptor *acceptor);

/* From now on; also asks again how many descriptors there are. */
void mw_acceptor_take_care(struct mw_acceptor *acceptor, const struct mw_accept_care *care);
/* Inside of `accept`: this one has one of the last descriptors. */
bool mw_acceptor_is_last(const struct mw_acceptor *acceptor);

/* Accepts now who waits already, up to a backlog of them. */
void mw_acceptor_take_rest(struct mw_acceptor *acceptor);

/* No further accept; closes the socket; then comes `closed`. Also from inside of `accept`. */
void mw_acceptor_close(struct mw_acceptor *acceptor);

#endif
