/*
 * A handshake that belongs to another worker goes there, before its script is asked: by the route's
 * affinity, or because its client comes back to a session that lives there. The other worker reads
 * it as if it had been accepted there. It happens once in the life of a connection: where the two
 * workers disagree, as in the middle of a reload, it stays where it came to.
 */
#ifndef MW_SERVER_HANDOVER_H
#define MW_SERVER_HANDOVER_H

#include "core/io/parcel.h"
#include "core/server/client.h"
#include "core/server/letter.h"

/* A connection on its way: shared bytes, all of it. */
struct mw_handover {
    struct mw_letter letter;
    struct mw_parcel parcel;
    struct mw_ip from; /* this and the next two as in struct mw_arrival */
    mw_ms at_ms;
    bool is_last;
    char *first; /* the head once more, and what came behind it; a block of first_cap */
    size_t first_len, first_cap;
};

/*
 * The current request is an upgrade that this route would take. True: it belongs to another worker;
 * it goes there at the end of this turn, or is refused then, and nothing more is to be done.
 */
bool mw_handover_begin(struct mw_client *client, const struct mw_route *route,
                       const struct mw_param *params, size_t count);
/* Bytes that came before it has left. False: no memory for them. */
bool mw_handover_keep(struct mw_client *client, struct mw_view bytes);
/* It leaves now. From the end of the turn. */
void mw_handover_leave(struct mw_client *client);

/* On the worker to which it was sent: takes the letter. A client follows, or it is closed. */
void mw_handover_arrive(struct mw_worker *worker, struct mw_handover *handover);

#endif
