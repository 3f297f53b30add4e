/*
 * Two sources of randomness: a seeded generator for spreading and for repeatable tests, and the
 * system's for everything that must not be guessed. They never mix.
 */
#include "core/base/rng.h"

#include <errno.h>
#include <sys/random.h>

#include "core/base/check.h"

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* splitmix64: makes any seed, also 0, into a well mixed state. */
static uint64_t split_mix(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void mw_rng_seed(struct mw_rng *rng, uint64_t seed)
{
    for (unsigned i = 0; i < MW_COUNT(rng->s); i++)
        rng->s[i] = split_mix(&seed);
}

/* xoshiro256**, Blackman and Vigna 2018 */
uint64_t mw_rng_next(struct mw_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t mw_rng_below(struct mw_rng *rng, uint64_t below)
{
    mw_assert(below > 0);
    /* 2^64 mod below: numbers under it would make low results likelier and are drawn again. */
    uint64_t uneven = (0 - below) % below;
    uint64_t number;
    do {
        number = mw_rng_next(rng);
    } while (number < uneven);
    return number % below;
}

int mw_random_bytes(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return MW_ERR_IO;
        at += got;
        len -= (size_t)got;
    }
    return MW_OK;
}
