/*
 * The two roads of a load. Plain connections run on raw, which costs least; those in TLS on the
 * program's own loop and streams, because TLS lives there. Knows nothing of messages.
 */
#include "core/base/check.h"
#include "core/bench/parts.h"

/* ---- TLS ---- */

static void go_round(struct mw_bench *bench)
{
    int wait_ms = mw_bench_turn(bench);
    if (bench->is_finished) {
        mw_alarm_stop(bench->setup.loop, &bench->alarm);
        return;
    }
    if (wait_ms == 0)
        mw_turn_task_add(bench->setup.loop, &bench->again);
    else
        mw_alarm_set(bench->setup.loop, &bench->alarm,
                     mw_loop_now(bench->setup.loop) + (mw_ms)wait_ms);
}

static void on_again(struct mw_turn_task *task)
{
    go_round(MW_OWNER(task, struct mw_bench, again));
}

static void on_alarm(struct mw_alarm *alarm)
{
    go_round(MW_OWNER(alarm, struct mw_bench, alarm));
}

static void on_tls_knocked(void *owner, struct mw_stream *stream, int error)
{
    struct peer *peer = owner;
    struct mw_bench *bench = peer->bench;
    peer->knock = NULL;
    if (stream)
        stream = mw_tls_connect(bench->tls_loop, bench->setup.tls, stream, bench->setup.host);
    mw_bench_knocked(peer, stream, stream ? 0 : error);
}

static int knock_tls(struct peer *peer, const struct mw_ip *from)
{
    struct mw_bench *bench = peer->bench;
    const struct mw_knock_setup setup = {
        .to = bench->setup.to,
        .port = bench->setup.port,
        .from = *from,
        .done = on_tls_knocked,
        .owner = peer,
    };
    return mw_knock_start(bench->setup.loop, &setup, &peer->knock);
}

/* ---- plain ---- */

static void on_raw_knocked(void *owner, int error)
{
    struct peer *peer = owner;
    mw_bench_knocked(peer, error ? NULL : peer->stream, error);
}

static int knock_raw(struct peer *peer, const struct mw_ip *from)
{
    const struct mw_raw_knock knock = {
        .to = peer->bench->setup.to,
        .port = peer->bench->setup.port,
        .from = *from,
        .done = on_raw_knocked,
        .owner = peer,
    };
    return mw_raw_knock(peer->bench->raw, &knock, &peer->stream);
}

/* ---- either ---- */

int mw_bench_drive_init(struct mw_bench *bench)
{
    mw_turn_task_init(&bench->again, on_again);
    mw_alarm_init(&bench->alarm, on_alarm);
    if (!bench->setup.tls)
        return mw_raw_new(bench->mem, &bench->raw);
    bench->tls_loop = mw_tls_loop_new(bench->setup.loop);
    return bench->tls_loop ? MW_OK : MW_ERR_NOMEM;
}

void mw_bench_drive(struct mw_bench *bench)
{
    if (bench->raw) {
        mw_raw_run(bench->raw, mw_bench_turn, bench);
        return;
    }
    mw_turn_task_add(bench->setup.loop, &bench->again);
    mw_loop_run(bench->setup.loop);
    mw_loop_finish(bench->setup.loop);
}

/* Raw asks for its turn after every event anyway. */
void mw_bench_drive_soon(struct mw_bench *bench)
{
    if (!bench->raw)
        mw_turn_task_add(bench->setup.loop, &bench->again);
}

void mw_bench_drive_stop(struct mw_bench *bench)
{
    if (bench->raw)
        mw_raw_stop(bench->raw);
    else
        mw_loop_stop(bench->setup.loop);
}

void mw_bench_drive_free(struct mw_bench *bench)
{
    mw_turn_task_remove(&bench->again);
    mw_raw_free(bench->raw);
    mw_tls_loop_free(bench->tls_loop);
}

int mw_bench_drive_knock(struct peer *peer, const struct mw_ip *from)
{
    return peer->bench->raw ? knock_raw(peer, from) : knock_tls(peer, from);
}
