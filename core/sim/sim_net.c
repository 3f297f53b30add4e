/*
 * The in-memory line between two connection machines. Stands where driver and kernel stand in the
 * server: writes what is queued, cuts it into chunks, feeds it, pulls events. Used by tests and,
 * later, by whatever runs without sockets.
 */
#include "core/sim/sim_net.h"

#include "core/base/clock.h"

void mw_sim_net_init(struct mw_sim_net *net, struct mw_mem *mem, const struct mw_limits_ms *limits,
                     const struct mw_ext_deflate *terms, uint64_t seed)
{
    *net = (struct mw_sim_net){ .mem = mem, .now_ms = 1000, .max_chunk = 1500 };
    mw_rng_seed(&net->rng, seed);
    mw_deflate_pool_init(&net->deflate, mem, SIZE_MAX);
    for (int role = 0; role < 2; role++) {
        struct mw_sim_peer *peer = &net->peers[role];
        mw_conn_pool_init(&peer->pool, mem);
        mw_buf_init(&peer->line, mem, 0);
        peer->home = (struct mw_conn_home){
            .mem = mem,
            .pool = &peer->pool,
            .deflate = &net->deflate,
            .rng = &net->rng,
            .limits = limits,
        };
        const struct mw_conn_setup setup = {
            .role = (enum mw_role)role,
            .home = &peer->home,
            .terms = *terms,
        };
        (void)mw_conn_init(&peer->conn, &setup, net->now_ms);
    }
}

void mw_sim_net_free(struct mw_sim_net *net)
{
    for (int role = 0; role < 2; role++) {
        mw_conn_free(&net->peers[role].conn);
        mw_conn_pool_free(&net->peers[role].pool);
        mw_buf_free(&net->peers[role].line);
    }
    mw_deflate_pool_free(&net->deflate);
}

/* Kernel and wire: from one side's queue to the other side's line. */
static int transmit(struct mw_sim_net *net, enum mw_role from, bool *moved)
{
    struct mw_conn *conn = mw_sim_conn(net, from);
    struct mw_buf *line = &net->peers[!from].line;
    struct mw_view vectors[8];
    if (!mw_conn_has_output(conn))
        return MW_OK;
    size_t count = mw_conn_iov(conn, vectors, 8);
    *moved = true;
    for (size_t i = 0; i < count; i++) {
        /* A short write now and then: what is left goes next time. */
        size_t len = 1 + (size_t)mw_rng_below(&net->rng, vectors[i].len);
        int err = net->cut ? MW_OK : mw_buf_put(line, vectors[i].data, len);
        if (err)
            return err;
        mw_conn_written(conn, len, net->now_ms);
        if (len < vectors[i].len)
            break;
    }
    return MW_OK;
}

static void pull(struct mw_sim_net *net, enum mw_role role, mw_sim_event_fn *seen, void *ctx,
                 bool *moved)
{
    for (;;) {
        struct mw_event event;
        mw_conn_next(mw_sim_conn(net, role), &event, net->now_ms);
        if (event.kind == MW_EVENT_MORE)
            return;
        *moved = true;
        seen(ctx, net, role, &event);
    }
}

/* One chunk of what has arrived, then its events. */
static void receive(struct mw_sim_net *net, enum mw_role role, mw_sim_event_fn *seen, void *ctx,
                    bool *moved)
{
    struct mw_sim_peer *peer = &net->peers[role];
    size_t len = 0;
    if (peer->line.len) {
        len = 1 + (size_t)mw_rng_below(&net->rng, net->max_chunk);
        len = len < peer->line.len ? len : peer->line.len;
        *moved = true;
        mw_conn_feed(&peer->conn, peer->line.data, len, net->now_ms);
    }
    pull(net, role, seen, ctx, moved);
    mw_buf_skip(&peer->line, len);
}

/*
 * Who is closed and has sent everything hangs up; the other side sees it when it has read
 * everything.
 */
static void hang_up(struct mw_sim_net *net, enum mw_role role, bool *moved)
{
    struct mw_sim_peer *peer = &net->peers[role], *other = &net->peers[!role];
    bool gone = peer->conn.phase == MW_CONN_CLOSED && !mw_conn_has_output(&peer->conn);
    if (!gone || other->ended || other->line.len)
        return;
    other->ended = true;
    *moved = true;
    mw_conn_eof(&other->conn, MW_CAUSE_peer_fin);
}

int mw_sim_net_run(struct mw_sim_net *net, mw_sim_event_fn *seen, void *ctx)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (int role = 0; role < 2; role++) {
            int err = transmit(net, (enum mw_role)role, &moved);
            if (err)
                return err;
            receive(net, (enum mw_role)role, seen, ctx, &moved);
            hang_up(net, (enum mw_role)role, &moved);
        }
    }
    return MW_OK;
}

int mw_sim_net_pass(struct mw_sim_net *net, mw_ms now_ms, mw_sim_event_fn *seen, void *ctx)
{
    int err = mw_sim_net_run(net, seen, ctx);
    while (!err) {
        mw_ms due_ms = mw_ms_min(mw_conn_deadline(mw_sim_conn(net, MW_ROLE_SERVER)),
                                 mw_conn_deadline(mw_sim_conn(net, MW_ROLE_CLIENT)));
        if (due_ms > now_ms)
            break;
        net->now_ms = due_ms > net->now_ms ? due_ms : net->now_ms;
        mw_conn_tick(mw_sim_conn(net, MW_ROLE_SERVER), net->now_ms);
        mw_conn_tick(mw_sim_conn(net, MW_ROLE_CLIENT), net->now_ms);
        err = mw_sim_net_run(net, seen, ctx);
    }
    net->now_ms = now_ms;
    return err;
}

void mw_sim_net_cut(struct mw_sim_net *net, bool reset)
{
    net->cut = true;
    for (int role = 0; role < 2; role++) {
        mw_buf_clear(&net->peers[role].line);
        net->peers[role].ended = true;
        mw_conn_eof(&net->peers[role].conn, reset ? MW_CAUSE_peer_reset : MW_CAUSE_peer_fin);
    }
}
