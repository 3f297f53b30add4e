/*
 * The crowd: opens so many at a time, begins when all are there, gives each mode its turn, and ends
 * when it has what it wanted, or nothing moves any more. Called by cli/cmd_bench.
 */
#include "core/bench/load.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/bench/parts.h"
#include "core/proto/handshake.h"

/* Handshakes under way: a server's accept queue is to hold them. */
#define AT_ONCE 64
#define LOOK_MS 200

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";

/* ---- the end ---- */

/* Before the first is closed: who measures looks at them while they stand. */
static void end(struct mw_bench *bench)
{
    if (bench->is_over)
        return;
    bench->is_over = true;
    if (bench->is_running)
        bench->result.took_us = mw_clock_monotonic_us() - bench->began_us;
    if (bench->is_running)
        bench->setup.over(bench->setup.owner);
    mw_alarm_set(bench->setup.loop, &bench->alarm, 0);
}

static void end_for(struct mw_bench *bench, const char *why)
{
    if (!*bench->result.why)
        snprintf(bench->result.why, sizeof bench->result.why, "%s", why);
    end(bench);
}

static void close_all(struct mw_bench *bench)
{
    for (size_t i = 0; i < bench->peer_count; i++)
        mw_bench_peer_hang_up(&bench->peers[i]);
    if (bench->alive == 0)
        mw_loop_stop(bench->setup.loop);
}

/* ---- the modes ---- */

static bool take_turn(struct mw_bench *bench)
{
    if (bench->is_over || bench->to_send == 0)
        return false;
    bench->to_send--;
    return true;
}

static struct peer *publisher(struct mw_bench *bench)
{
    return &bench->peers[bench->peer_count - 1];
}

/* So many publishes are under way that the slowest has not got all before them. */
static void publish(struct mw_bench *bench)
{
    uint64_t receivers = bench->peer_count - 1;
    struct peer *peer = publisher(bench);
    while (bench->result.sent * receivers - bench->result.received <=
               (bench->setup.depth - 1) * receivers &&
           peer->owed == 0 && take_turn(bench))
        mw_bench_peer_say(peer);
}

static void begin_mode(struct mw_bench *bench)
{
    switch (bench->setup.mode) {
    case MW_BENCH_echo:
        for (size_t n = 0; n < bench->setup.depth; n++) {
            for (size_t i = 0; i < bench->peer_count; i++) {
                if (bench->peers[i].state == PEER_OPEN && take_turn(bench))
                    mw_bench_peer_say(&bench->peers[i]);
            }
        }
        break;
    case MW_BENCH_fanout:
        publish(bench);
        break;
    case MW_BENCH_idle:
    case MW_BENCH_churn: /* those began when they were opened */
        break;
    }
}

static uint64_t wanted(const struct mw_bench *bench)
{
    uint64_t receivers = bench->setup.mode == MW_BENCH_fanout ? bench->peer_count - 1 : 1;
    return bench->setup.messages * receivers;
}

static void count(struct mw_bench *bench)
{
    bench->result.received++;
    if (bench->setup.messages && bench->result.received >= wanted(bench))
        end(bench);
}

void mw_bench_got(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    switch (bench->setup.mode) {
    case MW_BENCH_echo:
        count(bench);
        if (take_turn(bench))
            mw_bench_peer_say(peer);
        break;
    case MW_BENCH_fanout:
        count(bench);
        publish(bench);
        break;
    case MW_BENCH_churn:
        mw_bench_peer_bye(peer);
        break;
    case MW_BENCH_idle:
        end_for(bench, "a message came that nobody had asked for");
        break;
    }
}

void mw_bench_left(struct peer *peer)
{
    count(peer->bench);
}

/* ---- opening ---- */

static void begin(struct mw_bench *bench)
{
    bench->is_running = true;
    bench->began_us = mw_clock_monotonic_us();
    bench->moves++;
    bench->setup.began(bench->setup.owner);
    begin_mode(bench);
}

static void look_if_all_there(struct mw_bench *bench)
{
    bool is_all = bench->begun == bench->peer_count && bench->opening == 0;
    if (bench->is_running || bench->is_over || !is_all)
        return;
    if (bench->result.opened == 0 || (bench->setup.mode == MW_BENCH_fanout && bench->result.failed))
        end_for(bench, "nobody got in");
    else
        begin(bench);
}

static void open_one(struct mw_bench *bench, struct peer *peer)
{
    bench->opening++;
    bench->alive++;
    mw_bench_peer_open(peer);
}

static void open_more(struct mw_bench *bench)
{
    while (!bench->is_over && bench->opening < AT_ONCE && bench->begun < bench->peer_count) {
        struct peer *peer = &bench->peers[bench->begun++];
        if (bench->setup.mode != MW_BENCH_churn || take_turn(bench))
            open_one(bench, peer);
    }
    if (bench->setup.mode != MW_BENCH_churn)
        look_if_all_there(bench);
}

void mw_bench_opened(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    bench->opening--;
    bench->result.opened++;
    if (bench->setup.mode == MW_BENCH_churn)
        mw_bench_peer_say(peer);
    open_more(bench);
}

void mw_bench_failed(struct peer *peer, const char *why)
{
    struct mw_bench *bench = peer->bench;
    if (peer->state == PEER_KNOCKING || peer->state == PEER_SHAKING)
        bench->opening--;
    bench->result.failed++;
    if (!*bench->result.why)
        snprintf(bench->result.why, sizeof bench->result.why, "%s", why);
    /* What the others do would be no measure of anything. */
    if (bench->is_running && bench->setup.mode != MW_BENCH_churn)
        end(bench);
}

/* A slot is free. The next one is never opened from inside of another one's end. */
void mw_bench_gone(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    bench->alive--;
    if (!bench->is_over)
        mw_alarm_set(bench->setup.loop, &bench->alarm, 0);
    else if (bench->alive == 0)
        mw_loop_stop(bench->setup.loop);
}

static void refill(struct mw_bench *bench)
{
    for (size_t i = 0; i < bench->begun; i++) {
        if (bench->peers[i].state == PEER_AWAY && take_turn(bench))
            open_one(bench, &bench->peers[i]);
    }
    if (bench->alive == 0)
        end_for(bench, "fewer cycles ended well than were asked for");
}

/* ---- time ---- */

static void look_at_time(struct mw_bench *bench, mw_ms now_ms)
{
    bool may_be_still = bench->is_running && bench->setup.mode == MW_BENCH_idle;
    if (bench->moves != bench->moves_seen || may_be_still)
        bench->still_since_ms = now_ms;
    bench->moves_seen = bench->moves;
    if (bench->is_running && bench->setup.lasts_ms != MW_NEVER &&
        mw_clock_monotonic_us() - bench->began_us >= bench->setup.lasts_ms * 1000)
        end(bench);
    else if (now_ms - bench->still_since_ms >= bench->setup.patience_ms)
        end_for(bench, "nothing moved any more");
}

static void on_alarm(struct mw_alarm *alarm)
{
    struct mw_bench *bench = MW_OWNER(alarm, struct mw_bench, alarm);
    mw_ms now_ms = mw_loop_now(bench->setup.loop);
    if (bench->is_over) {
        close_all(bench);
        return;
    }
    mw_alarm_set(bench->setup.loop, alarm, now_ms + LOOK_MS);
    if (bench->setup.mode == MW_BENCH_churn)
        refill(bench);
    else
        open_more(bench);
    if (!bench->is_over)
        look_at_time(bench, now_ms);
}

/* The first turn of the loop. */
static void on_start(struct mw_alarm *alarm)
{
    struct mw_bench *bench = MW_OWNER(alarm, struct mw_bench, alarm);
    mw_alarm_init(alarm, on_alarm);
    bench->still_since_ms = mw_loop_now(bench->setup.loop);
    mw_alarm_set(bench->setup.loop, alarm, bench->still_since_ms + LOOK_MS);
    if (bench->setup.mode == MW_BENCH_churn)
        begin(bench);
    open_more(bench);
}

/* ---- for the command ---- */

static int make_parts(struct mw_bench *bench)
{
    const struct mw_bench_setup *setup = &bench->setup;
    bench->peers = mw_alloc_zero(bench->mem, bench->peer_count * sizeof *bench->peers);
    if (!bench->peers)
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < bench->peer_count; i++) {
        bench->peers[i].bench = bench;
        bench->peers[i].number = (uint32_t)i;
    }
    if (setup->tls && !(bench->tls_loop = mw_tls_loop_new(setup->loop)))
        return MW_ERR_NOMEM;
    int err = mw_bench_text_init(&bench->text, bench->mem, setup->message_bytes);
    if (!err)
        err = mw_ws_accept(mw_view_text(key), bench->accept);
    if (!err)
        err = mw_ws_request(&bench->request, mw_view_text(setup->authority),
                            mw_view_text(setup->target), key, 0);
    return err;
}

int mw_bench_start(const struct mw_bench_setup *setup, struct mw_bench **out)
{
    struct mw_mem *mem = mw_loop_mem(setup->loop);
    struct mw_bench *bench = mw_alloc_zero(mem, sizeof *bench);
    if (!bench)
        return MW_ERR_NOMEM;
    bench->setup = *setup;
    bench->mem = mem;
    bench->peer_count = setup->clients + (setup->mode == MW_BENCH_fanout);
    bench->to_send = setup->messages ? setup->messages : UINT64_MAX;
    mw_buf_init(&bench->request, mem, 0);
    mw_alarm_init(&bench->alarm, on_start);
    int err = make_parts(bench);
    if (err) {
        mw_bench_free(bench);
        return err;
    }
    mw_alarm_set(setup->loop, &bench->alarm, 0);
    *out = bench;
    return MW_OK;
}

const struct mw_bench_result *mw_bench_result(const struct mw_bench *bench)
{
    return &bench->result;
}

void mw_bench_free(struct mw_bench *bench)
{
    if (!bench)
        return;
    mw_alarm_stop(bench->setup.loop, &bench->alarm);
    mw_tls_loop_free(bench->tls_loop);
    mw_bench_text_free(&bench->text);
    mw_buf_free(&bench->request);
    if (bench->peers)
        mw_free(bench->mem, bench->peers, bench->peer_count * sizeof *bench->peers);
    mw_free(bench->mem, bench, sizeof *bench);
}
