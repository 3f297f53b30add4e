/*
 * When the clients of a server that ends are closed, and when each may come back: client i of N has
 * its own slot, i / rate seconds after its Close frame, and the frames go out in the order of the
 * slots. So arrivals are flat, whatever server they come to. Pure; the drain and the simulation use
 * the same.
 */
#ifndef MW_SESSION_RETURN_PLAN_H
#define MW_SESSION_RETURN_PLAN_H

#include "moonwire/advice.h"

struct mw_rng;

struct mw_return_plan {
    uint64_t count;
    uint64_t rate_per_s; /* of clients that come back, at least 1 */
    mw_ms lead_ms;       /* nobody is asked to come back before */
    mw_ms closes_ms;     /* the last Close frame goes out before that, from the first one on */
};

/* The closes take a quarter of the time of the returns, but no longer than bound_ms. */
struct mw_return_plan mw_return_plan(uint64_t count, uint64_t rate_per_s, mw_ms lead_ms,
                                     mw_ms bound_ms);

/* What client i is told. Past the last one as well: who comes late stands behind the others. */
struct mw_advice mw_return_slot(const struct mw_return_plan *plan, uint64_t i);

/* When client i is closed, from the first close on. */
mw_ms mw_return_close_ms(const struct mw_return_plan *plan, uint64_t i);

/* From the first close to the end of the last slot, where every client does as it is told. */
mw_ms mw_return_whole_ms(const struct mw_return_plan *plan);

/* Who has which slot is by chance, not by age. */
void mw_return_shuffle(mw_id *clients, size_t count, struct mw_rng *rng);

#endif
