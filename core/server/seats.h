/*
 * How many connections each script has in all workers together, for limits.connections and
 * limits.connections_per_ip: routes of one name share a seat. Any thread.
 */
#ifndef MW_SERVER_SEATS_H
#define MW_SERVER_SEATS_H

#include <stdatomic.h>

#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/server/ip_counts.h"

struct mw_seats {
    struct mw_lock lock; /* guards the list, and how many hold each */
    struct mw_link seats;
};

/* Of one script. */
struct mw_seat {
    struct mw_link link;
    struct mw_seats *all;
    size_t holders;
    atomic_size_t taken;
    struct mw_lock lock; /* guards what follows */
    struct mw_mem mem;
    struct mw_ip_counts by_ip; /* of those that came while there was a limit */
    size_t name_len;
    char name[];
};

void mw_seats_init(struct mw_seats *seats);
/* When nobody holds one any more. */
void mw_seats_free(struct mw_seats *seats);

/* The script's, to be released; NULL: no memory. */
struct mw_seat *mw_seat_hold(struct mw_seats *seats, struct mw_view script);
void mw_seat_release(struct mw_seat *seat); /* NULL is allowed */

/* One connection more; false: there are `most` already (0: no limit). */
bool mw_seat_take(struct mw_seat *seat, size_t most);
/* ... and of its address, as mw_ip_counts_enter. */
int mw_seat_take_ip(struct mw_seat *seat, const struct mw_ip *ip, size_t most,
                    struct mw_ip_count **out);
/* One less, of its address too where that was counted. */
void mw_seat_leave(struct mw_seat *seat, struct mw_ip_count *count);

#endif
