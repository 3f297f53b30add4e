/*
 * What a script asks of a connection of its own on another worker, known to it by id alone: a
 * message to be sent, or a close. It goes there by letter; whether the connection is still there,
 * and the same script's, only that worker knows.
 */
#ifndef MW_SERVER_REMOTE_H
#define MW_SERVER_REMOTE_H

#include "core/server/letter.h"
#include "moonwire/host.h"

struct mw_route;
struct mw_worker;

/* One block, with its texts; whoever takes it frees it. */
struct mw_remote {
    struct mw_letter letter;
    size_t bytes; /* of the block */
    mw_id id;
    bool is_close;
    enum mw_opcode kind;
    unsigned code;
    bool has_how, has_advice;
    struct mw_send_how how;
    struct mw_advice advice;
    struct mw_view script, data; /* data: the message, or the reason */
    char texts[];
};

/*
 * Bytes of such letters that may be on their way to one worker: it may be held up by a script for
 * as long as one call may take.
 */
#define MW_REMOTE_BYTES ((size_t)64 << 20)

/* The id is of another worker of this crew, if of anything. */
bool mw_remote_is_elsewhere(const struct mw_route *route, mw_id id);

/* MW_OK: handed over; MW_ERR_DROPPED: too much is on its way there; MW_ERR_NOMEM. */
int mw_remote_send(struct mw_route *route, mw_id id, enum mw_opcode kind, struct mw_view data,
                   const struct mw_send_how *how);
int mw_remote_close(struct mw_route *route, mw_id id, unsigned code, struct mw_view reason,
                    const struct mw_advice *advice);

/* On the worker to which the letter went. */
void mw_remote_take(struct mw_worker *worker, struct mw_remote *remote);

#endif
