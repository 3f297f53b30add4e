/*
 * Two connection machines, a client's and a server's, joined by memory instead of a network: bytes
 * travel in chunks of seeded sizes, time is passed in, the line can be cut. The same seed gives the
 * same run.
 */
#ifndef MW_SIM_SIM_NET_H
#define MW_SIM_SIM_NET_H

#include "core/session/conn.h"

struct mw_sim_peer {
    struct mw_conn conn;
    struct mw_conn_pool pool;
    struct mw_conn_home home;
    struct mw_buf line; /* bytes on their way to this peer */
    bool ended;         /* the line has told its end */
};

struct mw_sim_net {
    struct mw_mem *mem;
    struct mw_rng rng;
    struct mw_deflate_pool deflate; /* of both sides */
    mw_ms now_ms;
    size_t max_chunk;            /* bytes that arrive at once, 1..max */
    struct mw_sim_peer peers[2]; /* by enum mw_role */
    bool cut;
};

/* Sees every event of either side, except MORE; may send, ping and close on both machines. */
typedef void mw_sim_event_fn(void *ctx, struct mw_sim_net *net, enum mw_role role,
                             const struct mw_event *event);

/* Both are open from here on, with these terms. Everything is borrowed. */
void mw_sim_net_init(struct mw_sim_net *net, struct mw_mem *mem, const struct mw_limits_ms *limits,
                     const struct mw_ext_deflate *terms, uint64_t seed);
void mw_sim_net_free(struct mw_sim_net *net);

static inline struct mw_conn *mw_sim_conn(struct mw_sim_net *net, enum mw_role role)
{
    return &net->peers[role].conn;
}

/*
 * Moves bytes and events until nothing moves any more. MW_OK, or MW_ERR_NOMEM: the line itself had
 * no memory.
 */
int mw_sim_net_run(struct mw_sim_net *net, mw_sim_event_fn *seen, void *ctx);

/* Time passes: every deadline up to `now_ms` is kept, in order, each followed by a run. */
int mw_sim_net_pass(struct mw_sim_net *net, mw_ms now_ms, mw_sim_event_fn *seen, void *ctx);

/* The line is cut: what is on its way is lost, both sides see the stream's end. */
void mw_sim_net_cut(struct mw_sim_net *net, bool reset);

#endif
