/* Binds an address and gives a stream for each connection that comes. */
#ifndef MW_IO_LISTENER_H
#define MW_IO_LISTENER_H

#include "core/io/loop.h"
#include "core/io/stream.h"

/* Connections that wait to be accepted: a storm of reconnects; net.core.somaxconn caps it. */
#define MW_LISTENER_BACKLOG 4096

/*
 * What is left to the rest of the process, which has files to read and an administrator to answer.
 * All 0: nothing, and nobody is told.
 */
struct mw_accept_care {
    unsigned kept_back; /* with no more descriptors free than that nobody is accepted */
    unsigned last_ones; /* so many before that are `last` */
    /* An errno: it pauses for that. 0: it goes on. Each once, when it changes. */
    void (*pauses)(void *ctx, int why);
};

struct mw_listener;

/*
 * `accept` takes the stream. `address` is "HOST:PORT", "[V6]:PORT" or ":PORT" (all addresses); HOST
 * numeric or "localhost"; port 0 picks a free one. MW_OK; MW_ERR_BAD_ARG: not an address; MW_ERR_IO
 * with errno's text in `why` (for instance "address already in use"); MW_ERR_NOMEM.
 */
int mw_listener_open(struct mw_loop *loop, struct mw_view address,
                     void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                     struct mw_listener **out, char why[128]);

/*
 * One more on the address of `first`, for another loop of this process: the system spreads who
 * comes over all of them. `first` may not have begun to run yet, or on its own thread. What
 * mw_listener_open takes alone, so that nobody else's listener is ever joined by mistake, is shared
 * from then on with this user's processes that ask for that. MW_ERR_IO as above; MW_ERR_NOMEM.
 */
int mw_listener_join(struct mw_loop *loop, struct mw_listener *first,
                     void (*accept)(void *ctx, struct mw_stream *stream), void *ctx,
                     struct mw_listener **out, char why[128]);

/*
 * Whether a listener could have this address now: it is taken and given back without listening, so
 * nobody can connect meanwhile. 0, or an errno: EINVAL where it is no address.
 */
int mw_listener_try(struct mw_view address);

/* "127.0.0.1:8080": where it really listens. Until close. */
const char *mw_listener_address(const struct mw_listener *listener);

/* From now on; `pauses` gets the listener's ctx. */
void mw_listener_care(struct mw_listener *listener, const struct mw_accept_care *care);
/* Inside of `accept`: this one has one of the last descriptors. */
bool mw_listener_is_last(const struct mw_listener *listener);

/*
 * Accepts now who waits already: at the close the kernel would reset them, and of several listeners
 * on one address each has its own who wait. Not from inside of `accept`. NULL is allowed.
 */
void mw_listener_take_rest(struct mw_listener *listener);

/* No further accept; frees itself by the loop. NULL is allowed. */
void mw_listener_close(struct mw_listener *listener);

#endif
