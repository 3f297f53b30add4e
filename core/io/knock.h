/*
 * One connection to a numeric address, from an address of one's own choosing: who opens more than
 * the 28 000 that one source has ports for takes several. Names and several tries are dial.h's.
 */
#ifndef MW_IO_KNOCK_H
#define MW_IO_KNOCK_H

#include "core/base/ip.h"
#include "core/io/loop.h"
#include "core/io/stream.h"

struct mw_knock;

struct mw_knock_setup {
    struct mw_ip to;
    uint16_t port;
    struct mw_ip from; /* none: the system's choice */
    /*
     * Once, unless it is cancelled; then the knock is gone. stream: given, attached to nobody;
     * NULL: `error` is the errno.
     */
    void (*done)(void *owner, struct mw_stream *stream, int error);
    void *owner;
};

/*
 * Gives a knock; `done` comes from the loop, never from here. 0, or the errno of what failed at
 * once. The system's own times hold: minutes, where nobody answers.
 */
int mw_knock_start(struct mw_loop *loop, const struct mw_knock_setup *setup, struct mw_knock **out);
/* No event comes any more; it frees itself by the loop. */
void mw_knock_cancel(struct mw_knock *knock);

#endif
