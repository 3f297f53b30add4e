/*
 * Randomness as an argument: seeded (tests, simulation) or the system's (getrandom).
 */
#ifndef MW_BASE_RNG_H
#define MW_BASE_RNG_H

#include "moonwire/types.h"

/* xoshiro256** state: fast, not for secrets. */
struct mw_rng {
    uint64_t s[4];
};

void mw_rng_seed(struct mw_rng *rng, uint64_t seed);
uint64_t mw_rng_next(struct mw_rng *rng);
/* Uniform in 0..below-1; below > 0. */
uint64_t mw_rng_below(struct mw_rng *rng, uint64_t below);

/* Unpredictable bytes of the system; aborts nothing: MW_OK or MW_ERR_IO. */
int mw_random_bytes(void *out, size_t len);

#endif
