/*
 * Storms: all at once, and all over again until each is in. Who is refused comes when the server
 * said, or after a second of its own, growing and spread as good clients do it; with `impatient` at
 * once. Called by load.
 */
#include "core/bench/parts.h"

#define FIRST_MS UINT64_C(1000)
#define MOST_MS  UINT64_C(30000)

static void open_all(struct mw_bench *bench)
{
    for (size_t i = 0; i < bench->peer_count && !bench->is_over; i++) {
        struct peer *peer = &bench->peers[i];
        if (peer->state == PEER_AWAY && peer->retry_ns <= bench->now_ns)
            mw_bench_open_one(bench, peer);
    }
}

/* Those that were let in for it are cut off first, without a word, as by a network that breaks. */
void mw_bench_storm_begin(struct mw_bench *bench)
{
    bench->result.opened = 0;
    for (size_t i = 0; i < bench->peer_count; i++) {
        mw_bench_peer_hang_up(&bench->peers[i]);
        bench->peers[i].retry_ns = bench->now_ns;
    }
    open_all(bench);
}

/* To wait is no stillness: the server asked for it. */
void mw_bench_storm_look(struct mw_bench *bench)
{
    for (size_t i = 0; i < bench->peer_count; i++) {
        const struct peer *peer = &bench->peers[i];
        if (peer->state == PEER_AWAY && peer->retry_ns > bench->now_ns) {
            bench->moves++;
            break;
        }
    }
    open_all(bench);
}

void mw_bench_storm_in(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    bench->moves++;
    mw_hist_record(&bench->result.latency, bench->now_ns - bench->began_ns);
}

static uint64_t wait_ms(struct peer *peer, struct mw_advice advice)
{
    struct mw_rng *rng = &peer->bench->rng;
    uint64_t ms = FIRST_MS;
    if (peer->bench->setup.impatient)
        return 0;
    if (advice.kind == MW_ADVICE_RETURN)
        return advice.after_ms + mw_rng_below(rng, (uint64_t)advice.spread_ms + 1);
    for (uint32_t i = 0; i < peer->tries && ms < MOST_MS; i++)
        ms *= 2;
    return ms / 2 + mw_rng_below(rng, ms);
}

void mw_bench_storm_back(struct peer *peer, struct mw_advice advice)
{
    peer->retry_ns = peer->bench->now_ns + wait_ms(peer, advice) * 1000000;
    peer->tries++;
}
