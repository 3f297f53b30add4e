/*
 * Messages on their way from a connection to its script: at once where that is possible, else they
 * wait in the client's backlog, in order, for whatever it is that they wait for.
 */
#ifndef MW_SERVER_DELIVER_H
#define MW_SERVER_DELIVER_H

#include "core/server/client.h"

/*
 * The script may not be called for this client now: an earlier handler of it waits, its answers
 * wait for the peer, the script is paused, or others go first.
 */
bool mw_deliver_must_wait(const struct mw_client *client);

/*
 * The peer does not take the answers to what it has said: it is not heard until it has taken some.
 * Asks the kernel first, so what was queued in this turn is no reason.
 */
bool mw_deliver_is_choked(struct mw_client *client);

/*
 * Where the messages behind one come from, while that one is delivered. `next` gives one that may
 * be given to the script at once; false: there is none, or who gives them has to look after
 * something else first.
 */
struct mw_deliver_source {
    bool (*next)(struct mw_deliver_source *source, enum mw_opcode *kind, struct mw_view *data);
};

/*
 * A message: `data` is used or copied. Where the script hears it at once it may go on with what
 * `source` has behind it.
 */
void mw_deliver_message(struct mw_client *client, enum mw_opcode kind, struct mw_view data,
                        struct mw_deliver_source *source);
/* The two of host.h, for the call that runs. */
bool mw_deliver_next(struct mw_worker *worker, mw_id conn, enum mw_opcode *kind,
                     struct mw_view *data);
void mw_deliver_heard(struct mw_worker *worker, struct mw_view copy);
/* What a script wants to say is text, and no UTF-8. */
bool mw_deliver_is_text_broken(const struct mw_worker *worker, enum mw_opcode kind,
                               struct mw_view data);
/* The send queue has run empty; a script that is paused does not hear of it. */
void mw_deliver_drain(struct mw_client *client);

/* What waited, as far as it may go on. */
void mw_deliver_waiting(struct mw_client *client);
/* Where others go first: the client is settled again when it is its turn. */
void mw_deliver_queue_up(struct mw_client *client);

#endif
