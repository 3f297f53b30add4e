/*
 * The light road: plain TCP by epoll and send/recv alone. An echo of 64 bytes costs the generator
 * 497 instructions on it and 629 on core/io (callgrind), and what is measured may change core/io
 * without changing the instrument. One loop, one thread; its streams are streams like any other.
 *
 * All sockets are watched by their edges, for both ways, from their connect on: after that a
 * message is one recv and one send, and epoll is told nothing any more.
 */
#ifndef MW_BENCH_RAW_H
#define MW_BENCH_RAW_H

#include "core/base/ip.h"
#include "core/base/mem.h"
#include "core/io/stream.h"

struct mw_raw;

/* MW_ERR_NOMEM, MW_ERR_IO. */
int mw_raw_new(struct mw_mem *mem, struct mw_raw **out);
/* When every stream has closed. NULL is allowed. */
void mw_raw_free(struct mw_raw *raw);

struct mw_raw_knock {
    struct mw_ip to;
    uint16_t port;
    struct mw_ip from; /* none: the system's choice */
    /*
     * From the loop, once, unless the stream is closed before. error 0: the stream is open, and
     * may be attached to; else the errno, and the stream frees itself.
     */
    void (*done)(void *owner, int error);
    void *owner;
};

/*
 * Gives a stream that is still to be connected: until `done` it can only be closed, and then no
 * event comes. 0, or the errno of what failed at once.
 */
int mw_raw_knock(struct mw_raw *raw, const struct mw_raw_knock *knock, struct mw_stream **out);

/*
 * Runs until mw_raw_stop, and then what is closing to its end. `turn` is called before each wait
 * and says for how many milliseconds to wait at most; 0: only look.
 */
void mw_raw_run(struct mw_raw *raw, int (*turn)(void *owner), void *owner);
void mw_raw_stop(struct mw_raw *raw);

#endif
