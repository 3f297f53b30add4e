/*
 * Sockets that the kernel calls ready, by an epoll descriptor of the loop's own: what a socket of
 * the server costs is its struct mw_ready and nothing else, and it is told by its pointer. Part of
 * core/io; nobody else includes this. Linux only, as the platform is (epoll(7)).
 *
 * Edge-triggered: the kernel tells a change once, so a socket that nobody wants to read costs
 * nothing, whatever comes in or hangs up, and wanting or not is no call of the system. Who was told
 * MW_READY_READ and has not read until there was nothing left says so by mw_ready_again; what came
 * while it was not wanted is remembered and asked for again when it is.
 *
 * Edge-triggered for that, and not for speed: in a bare echo neither way was faster (8.0 us a
 * message with one connection, 6.0 with 50, both).
 */
#ifndef MW_IO_READY_H
#define MW_IO_READY_H

#include <sys/epoll.h>

#include "core/io/loop.h"

/* How many are told after one question to the kernel; libuv takes as many. */
#define MW_READY_BATCH 1024

enum {
    MW_READY_READ = 1,
    MW_READY_WRITE = 2,
    MW_READY_STOPS = 4,  /* beside one of them: a read may stop before an end, an error, or what is
                            behind an urgent byte (tcp(7)) */
    MW_READY_CLOSED = 8, /* alone, and the last: the memory may go */
};

/* Lives inside its owner, at one address until MW_READY_CLOSED. */
struct mw_ready {
    /* From the loop, never out of a call of the owner's. */
    void (*tell)(struct mw_loop *loop, struct mw_ready *ready, unsigned what);
    union {
        struct mw_loop *loop;  /* while it is open */
        struct mw_ready *next; /* among those who are closed and have not been told */
    };
    int fd; /* -1: closed */
    /* private */
    uint8_t wanted, missed; /* MW_READY_READ, MW_READY_WRITE */
    bool knows_write;       /* the kernel was asked for that too */
    uint8_t state;          /* the owner's: here is room for it */
};

/*
 * Takes the descriptor, of a kind that epoll can watch; nothing is wanted yet. MW_ERR_IO: the
 * kernel has no room for it, and nothing is taken.
 */
int mw_ready_open(struct mw_loop *loop, struct mw_ready *ready, int fd,
                  void (*tell)(struct mw_loop *loop, struct mw_ready *ready, unsigned what));
static inline bool mw_ready_is_closed(const struct mw_ready *ready)
{
    return ready->fd < 0;
}

/* What shall be told from now on. */
void mw_ready_want(struct mw_ready *ready, unsigned wanted);
/* There may be more of this than has been told: tell once more, if it is so and when wanted. */
void mw_ready_again(struct mw_ready *ready, unsigned what);

/* Closes the descriptor. Nothing is told any more but MW_READY_CLOSED, at the turn's end. */
void mw_ready_close(struct mw_ready *ready);
/* The same, but gives the descriptor away, open. */
int mw_ready_give(struct mw_ready *ready);

/* ---- those of one loop: loop.c alone ---- */

struct mw_ready_set {
    int epoll;
    size_t count;                   /* open, or closed and not yet told */
    struct mw_ready *closed, **end; /* in the order in which they were closed */
    struct epoll_event told[MW_READY_BATCH];
};

struct mw_ready_set *mw_loop_ready(struct mw_loop *loop);

/* `guest` is watched too, level-triggered, and told of by mw_ready_set_ask. MW_ERR_IO. */
int mw_ready_set_open(struct mw_ready_set *set, int guest);
void mw_ready_set_close(struct mw_ready_set *set);
/* Asks the kernel, for at most `wait_ms` (-1: for ever). How many were told. */
int mw_ready_set_ask(struct mw_ready_set *set, int wait_ms);
/* Tells the owners of the first `count`. True: the guest was among them. */
bool mw_ready_set_tell(struct mw_ready_set *set, struct mw_loop *loop, int count);
/* Tells who was closed until now. */
void mw_ready_set_tell_closed(struct mw_ready_set *set, struct mw_loop *loop);

#endif
