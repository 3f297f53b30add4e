/*
 * One message on its way to the subscribers of a topic on all workers: framed once, counted, never
 * changed once it is published. It carries what it needs to stand in the inbox of each worker and
 * in one history, so that neither can fail.
 */
#ifndef MW_HUB_PUBLICATION_H
#define MW_HUB_PUBLICATION_H

#include "core/base/list.h"
#include "core/base/msg_twins.h"
#include "moonwire/host.h"

struct mw_publication;
struct mw_shared_topic;

/* Its place in the inbox of one worker; private to inbox. */
struct mw_inbox_place {
    struct mw_inbox_place *next;
    struct mw_publication *publication;
};

struct mw_publication {
    /* read-only */
    struct mw_msg_twins twins;
    enum mw_opcode kind;
    mw_id except;                /* who does not get it; 0: nobody */
    struct mw_view topic, party; /* names; the party's is who published, for the accounts */
    bool has_how;                /* else each receiver's route says how it is sent */
    struct mw_send_how how;
    uint64_t offset;  /* in its topic, from the moment of publication */
    size_t receivers; /* on all workers */

    /* private */
    atomic_uint references;
    size_t bytes; /* of this block */
    unsigned workers;
    mw_ms at_ms;                        /* in a history: since when */
    struct mw_shared_topic *kept_by;    /* its topic; NULL: it is in no history */
    struct mw_link in_topic, in_stripe; /* of histories, guarded by the stripe's lock */
    struct mw_inbox_place places[];     /* one for each worker; behind them the names */
};

struct mw_publication_setup {
    enum mw_opcode kind;
    struct mw_view topic, party;
    mw_id except;
    const struct mw_send_how *how; /* NULL: has_how is false */
    unsigned workers;
};

/*
 * Gives one with a single reference, or NULL: no memory, and nothing was taken. Takes the reference
 * to the framed message, which crosses threads; copies the names.
 */
struct mw_publication *mw_publication_new(struct mw_msg *framed,
                                          const struct mw_publication_setup *setup);
/* Any thread. */
struct mw_publication *mw_publication_keep(struct mw_publication *publication);
void mw_publication_drop(struct mw_publication *publication); /* NULL is allowed */

/* The message's own bytes, without the frame's header. */
struct mw_view mw_publication_data(const struct mw_publication *publication);
/* What it takes, with the packed form that it may get; and as it leaves. */
size_t mw_publication_bytes(const struct mw_publication *publication);
size_t mw_publication_wire_bytes(const struct mw_publication *publication);

#endif
