/*
 * How many connections each client address has on one route, for
 * limits.connections_per_ip. An IPv6 client counts by its /64, the least that one customer is given
 * (RFC 6177); clients whose address nobody knows count as one.
 */
#ifndef MW_SERVER_IP_COUNTS_H
#define MW_SERVER_IP_COUNTS_H

#include "core/base/ip.h"
#include "core/base/mem.h"

struct mw_ip_count; /* one address; exists as long as it has connections here */

struct mw_ip_counts {
    struct mw_mem *mem; /* borrowed */
    struct mw_ip_count *table;
};

void mw_ip_counts_init(struct mw_ip_counts *counts, struct mw_mem *mem);

/*
 * One connection more. MW_OK: *out has to be given to leave, once. MW_ERR_FULL: there are `most`
 * (at least 1) already; MW_ERR_NOMEM. Then nothing has changed.
 */
int mw_ip_counts_enter(struct mw_ip_counts *counts, const struct mw_ip *ip, size_t most,
                       struct mw_ip_count **out);
/* One less; the last one takes the address away. NULL is allowed. */
void mw_ip_counts_leave(struct mw_ip_counts *counts, struct mw_ip_count *count);

/* How many connections of this address there are. */
size_t mw_ip_counts_of(const struct mw_ip_counts *counts, const struct mw_ip *ip);

#endif
