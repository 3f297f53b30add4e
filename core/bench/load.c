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

/* Handshakes under way: a server's accept queue is to hold them. A storm's are not bounded. */
#define AT_ONCE 64
/* What is not urgent is looked at so often. */
#define LOOK_NS UINT64_C(10000000)
#define LOOK_MS 10
/* Below this there is no sleeping before a message that is due: the kernel knows milliseconds. */
#define NEAR_NS UINT64_C(2000000)

/* ---- the end ---- */

/* Before the first is closed: who measures looks at them while they stand. */
static void end(struct mw_bench *bench)
{
    if (bench->is_over)
        return;
    bench->is_over = true;
    mw_bench_drive_soon(bench);
    if (bench->setup.mode == MW_BENCH_storm)
        bench->result.failed = bench->peer_count - bench->in;
    if (bench->is_measuring) {
        bench->result.took_us = (mw_clock_monotonic_ns() - bench->began_ns) / 1000;
        bench->setup.over(bench->setup.owner);
    }
}

void mw_bench_end_for(struct mw_bench *bench, const char *why)
{
    if (!*bench->result.why)
        snprintf(bench->result.why, sizeof bench->result.why, "%s", why);
    end(bench);
}

static void look_if_all_gone(struct mw_bench *bench)
{
    if (bench->alive > 0)
        return;
    bench->is_finished = true;
    mw_bench_drive_stop(bench);
}

static void close_all(struct mw_bench *bench)
{
    bench->is_closing = true;
    for (size_t i = 0; i < bench->peer_count; i++)
        mw_bench_peer_hang_up(&bench->peers[i]);
    look_if_all_gone(bench);
}

/* ---- what is counted ---- */

static void count(struct mw_bench *bench, uint64_t messages)
{
    bench->moves += messages;
    bench->result.received += messages;
    if (bench->result.received >= bench->wanted && bench->is_measuring)
        end(bench);
}

/* So many of them may begin. */
static uint64_t take_turns(struct mw_bench *bench, uint64_t most)
{
    uint64_t turns = most < bench->to_send ? most : bench->to_send;
    if (bench->is_over)
        return 0;
    bench->to_send -= turns;
    return turns;
}

/* Of a timetable it follows from the number; otherwise it was written down. */
static uint64_t begin_of(const struct peer *speaker, uint64_t number)
{
    const struct mw_bench *bench = speaker->bench;
    bool is_fanout = bench->setup.mode == MW_BENCH_fanout;
    if (bench->setup.rate)
        return mw_pace_at(&bench->pace,
                          is_fanout ? number : number * bench->peer_count + speaker->number);
    if (is_fanout)
        return bench->publishes[number & bench->stamp_mask].at_ns;
    return speaker->stamps[number & bench->stamp_mask];
}

static void record_since(struct mw_bench *bench, uint64_t since_ns)
{
    mw_hist_record(&bench->result.latency, bench->now_ns - since_ns);
}

/* ---- the modes ---- */

static struct peer *publisher(struct mw_bench *bench)
{
    return &bench->peers[bench->peer_count - 1];
}

/* In a closed loop `depth` publishes are ahead of the slowest; a timetable waits for nobody. */
static void publish(struct mw_bench *bench)
{
    struct peer *peer = publisher(bench);
    uint64_t under_way = peer->sent + peer->owed - bench->completed;
    if (bench->setup.rate || under_way >= bench->setup.depth)
        return;
    mw_bench_peer_owe(peer, take_turns(bench, bench->setup.depth - under_way));
    mw_bench_peer_pump(peer);
}

static void got_publish(struct mw_bench *bench, uint64_t number)
{
    struct publish *it = &bench->publishes[number & bench->stamp_mask];
    if (bench->setup.rate || ++it->got < bench->peer_count - 1)
        return;
    it->got = 0;
    bench->completed++;
}

static void begin_mode(struct mw_bench *bench)
{
    bench->pace = (struct mw_pace){ bench->now_ns, bench->setup.rate };
    switch (bench->setup.mode) {
    case MW_BENCH_echo:
        for (size_t i = 0; i < bench->peer_count && !bench->setup.rate; i++) {
            if (bench->peers[i].state != PEER_OPEN)
                continue;
            mw_bench_peer_owe(&bench->peers[i], take_turns(bench, bench->setup.depth));
            mw_bench_peer_pump(&bench->peers[i]);
        }
        break;
    case MW_BENCH_fanout:
        publish(bench);
        break;
    case MW_BENCH_storm:
        mw_bench_storm_begin(bench);
        break;
    case MW_BENCH_idle:
    case MW_BENCH_churn: /* those began when they were opened */
        break;
    }
}

void mw_bench_got(struct peer *peer, uint64_t first)
{
    struct mw_bench *bench = peer->bench;
    uint64_t messages = peer->check.got - first;
    switch (bench->setup.mode) {
    case MW_BENCH_echo:
        for (uint64_t i = 0; i < messages; i++)
            record_since(bench, begin_of(peer, first + i));
        count(bench, messages);
        if (!bench->setup.rate)
            mw_bench_peer_owe(peer, take_turns(bench, messages));
        break;
    case MW_BENCH_fanout:
        for (uint64_t i = 0; i < messages; i++) {
            record_since(bench, begin_of(publisher(bench), first + i));
            got_publish(bench, first + i);
        }
        count(bench, messages);
        publish(bench);
        break;
    case MW_BENCH_churn:
        if (bench->setup.bare || bench->setup.abrupt) {
            mw_bench_left(peer);
            mw_bench_peer_hang_up(peer);
        } else {
            mw_bench_peer_bye(peer);
        }
        break;
    case MW_BENCH_idle:
    case MW_BENCH_storm: /* the check has refused what nobody asked for */
        break;
    }
}

void mw_bench_said(struct peer *peer, uint64_t first)
{
    struct mw_bench *bench = peer->bench;
    bench->result.sent += peer->sent - first;
    for (uint64_t i = first; i < peer->sent; i++) {
        if (bench->setup.rate)
            mw_hist_record(&bench->result.lag, bench->now_ns - begin_of(peer, i));
        else if (bench->setup.mode == MW_BENCH_fanout)
            bench->publishes[i & bench->stamp_mask].at_ns = bench->now_ns;
        else
            peer->stamps[i & bench->stamp_mask] = bench->now_ns;
    }
}

void mw_bench_left(struct peer *peer)
{
    record_since(peer->bench, peer->began_ns);
    count(peer->bench, 1);
}

/* Whom message k of the timetable is for. */
static struct peer *turn_of(struct mw_bench *bench, uint64_t k)
{
    bool is_fanout = bench->setup.mode == MW_BENCH_fanout;
    return is_fanout ? publisher(bench) : &bench->peers[k % bench->peer_count];
}

/* All that is due first, then each is sent once: who is late sends one piece. */
static void keep_pace(struct mw_bench *bench)
{
    uint64_t due = mw_pace_due(&bench->pace, bench->now_ns), from = bench->paced;
    if (due <= from || bench->is_over)
        return;
    due = from + take_turns(bench, due - from);
    for (; bench->paced < due; bench->paced++)
        mw_bench_peer_owe(turn_of(bench, bench->paced), 1);
    uint64_t peers = due - from < bench->peer_count ? due - from : bench->peer_count;
    for (uint64_t i = 0; i < peers && !bench->is_over; i++)
        mw_bench_peer_pump(turn_of(bench, from + i));
}

/* ---- opening ---- */

/* What the warm-up has counted is forgotten; its answers still come. */
static void measure(struct mw_bench *bench)
{
    struct mw_bench_result *result = &bench->result;
    bench->is_measuring = true;
    if (bench->setup.warmup_ms) {
        result->received = result->sent = result->pings = 0;
        if (bench->setup.mode == MW_BENCH_churn)
            result->opened = result->failed = 0;
        mw_hist_clear(&result->latency);
        mw_hist_clear(&result->lag);
    }
    bench->setup.began(bench->setup.owner);
    bench->began_ns = mw_clock_monotonic_ns();
}

static void begin(struct mw_bench *bench)
{
    bench->is_running = true;
    bench->moves++;
    bench->now_ns = mw_clock_monotonic_ns();
    bench->warm_ns = bench->now_ns + bench->setup.warmup_ms * 1000000;
    if (bench->setup.warmup_ms == 0)
        measure(bench);
    bench->now_ns = mw_clock_monotonic_ns();
    begin_mode(bench);
}

static void look_if_all_there(struct mw_bench *bench)
{
    bool is_all = bench->begun == bench->peer_count && bench->opening == 0;
    if (bench->is_running || bench->is_over || !is_all)
        return;
    if (bench->result.opened == 0 || (bench->setup.mode == MW_BENCH_fanout && bench->result.failed))
        mw_bench_end_for(bench, "nobody got in");
    else
        begin(bench);
}

void mw_bench_open_one(struct mw_bench *bench, struct peer *peer)
{
    bench->opening++;
    bench->alive++;
    peer->began_ns = bench->now_ns;
    mw_bench_peer_open(peer);
}

static void open_more(struct mw_bench *bench)
{
    while (!bench->is_over && bench->opening < AT_ONCE && bench->begun < bench->peer_count) {
        struct peer *peer = &bench->peers[bench->begun++];
        if (bench->setup.mode != MW_BENCH_churn || take_turns(bench, 1))
            mw_bench_open_one(bench, peer);
    }
    if (bench->setup.mode != MW_BENCH_churn)
        look_if_all_there(bench);
}

static bool opens_by_itself(const struct mw_bench *bench)
{
    return bench->setup.mode == MW_BENCH_storm && bench->is_running;
}

void mw_bench_opened(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    bench->opening--;
    bench->in++;
    bench->result.opened++;
    if (opens_by_itself(bench)) {
        mw_bench_storm_in(peer);
        if (bench->in == bench->peer_count)
            end(bench);
        return;
    }
    if (bench->setup.mode == MW_BENCH_churn)
        mw_bench_peer_owe(peer, 1);
    open_more(bench);
}

static bool is_on_its_way(const struct peer *peer)
{
    return peer->state == PEER_KNOCKING || peer->state == PEER_SHAKING;
}

void mw_bench_failed(struct peer *peer, const char *why)
{
    struct mw_bench *bench = peer->bench;
    if (is_on_its_way(peer))
        bench->opening--;
    if (opens_by_itself(bench)) {
        if (bench->result.broken++ == 0)
            snprintf(bench->result.first_broken, sizeof bench->result.first_broken, "%s", why);
        mw_bench_storm_back(peer, (struct mw_advice){ 0 });
        return;
    }
    bench->result.failed++;
    if (!*bench->result.why)
        snprintf(bench->result.why, sizeof bench->result.why, "%s", why);
    /* What the others do would be no measure of anything. */
    if (bench->is_running && bench->setup.mode != MW_BENCH_churn)
        end(bench);
}

void mw_bench_refused(struct peer *peer, const char *why, struct mw_advice advice)
{
    struct mw_bench *bench = peer->bench;
    if (!opens_by_itself(bench)) {
        mw_bench_failed(peer, why);
        return;
    }
    bench->opening--;
    bench->result.refused++;
    mw_bench_storm_back(peer, advice);
}

/* A slot is free. The next one is never opened from inside of another one's end. */
void mw_bench_gone(struct peer *peer)
{
    struct mw_bench *bench = peer->bench;
    bench->alive--;
    if (bench->setup.mode == MW_BENCH_churn)
        bench->away[bench->away_count++] = peer->number;
    bench->look_ns = 0;
    if (bench->is_closing)
        look_if_all_gone(bench);
    else
        mw_bench_drive_soon(bench);
}

static void refill(struct mw_bench *bench)
{
    size_t tries = bench->away_count; /* who fails at once is away again */
    while (tries-- > 0 && take_turns(bench, 1))
        mw_bench_open_one(bench, &bench->peers[bench->away[--bench->away_count]]);
    if (bench->alive == 0 && bench->begun == bench->peer_count)
        mw_bench_end_for(bench, "fewer cycles ended well than were asked for");
}

/* ---- time ---- */

static void look_at_time(struct mw_bench *bench)
{
    bool may_be_still = bench->is_running && bench->setup.mode == MW_BENCH_idle;
    mw_ms lasts_ms = bench->setup.lasts_ms;
    uint64_t lasts_ns = lasts_ms == MW_NEVER ? MW_NEVER : lasts_ms * 1000000;
    if (bench->moves != bench->moves_seen || may_be_still)
        bench->still_since_ns = bench->now_ns;
    bench->moves_seen = bench->moves;
    if (bench->is_running && !bench->is_measuring && bench->now_ns >= bench->warm_ns)
        measure(bench);
    if (bench->is_measuring && bench->now_ns > bench->began_ns &&
        bench->now_ns - bench->began_ns >= lasts_ns)
        end(bench);
    else if (bench->now_ns > bench->still_since_ns &&
             bench->now_ns - bench->still_since_ns >= bench->setup.patience_ms * 1000000)
        mw_bench_end_for(bench, "nothing moved any more");
}

static bool begins_at_once(const struct mw_bench *bench)
{
    return bench->setup.mode == MW_BENCH_churn ||
           (bench->setup.mode == MW_BENCH_storm && !bench->setup.cut);
}

static void look(struct mw_bench *bench)
{
    bench->look_ns = bench->now_ns + LOOK_NS;
    if (begins_at_once(bench) && !bench->is_running)
        begin(bench);
    if (opens_by_itself(bench))
        mw_bench_storm_look(bench);
    else
        open_more(bench);
    if (!bench->is_over)
        look_at_time(bench);
}

static int wait_for(const struct mw_bench *bench)
{
    if (bench->setup.spin || (bench->is_over && !bench->is_closing))
        return 0;
    if (bench->setup.rate && bench->is_running &&
        mw_pace_at(&bench->pace, bench->paced) < bench->now_ns + NEAR_NS)
        return 0;
    return bench->setup.rate ? 1 : LOOK_MS;
}

int mw_bench_turn(void *owner)
{
    struct mw_bench *bench = owner;
    if (bench->is_over) {
        if (!bench->is_closing)
            close_all(bench);
        return LOOK_MS;
    }
    bench->now_ns = mw_clock_monotonic_ns();
    if (bench->now_ns >= bench->look_ns)
        look(bench);
    if (bench->away_count)
        refill(bench);
    if (bench->setup.rate && bench->is_running)
        keep_pace(bench);
    return wait_for(bench);
}

/* ---- for the command ---- */

static int make_rings(struct mw_bench *bench)
{
    size_t ring = 1;
    while (ring < bench->setup.depth)
        ring *= 2;
    bench->stamp_mask = (uint32_t)ring - 1;
    bench->stamps = mw_alloc_zero(bench->mem, ring * bench->peer_count * sizeof *bench->stamps);
    bench->publishes = mw_alloc_zero(bench->mem, ring * sizeof *bench->publishes);
    bench->away = mw_alloc_zero(bench->mem, bench->peer_count * sizeof *bench->away);
    return bench->stamps && bench->publishes && bench->away ? MW_OK : MW_ERR_NOMEM;
}

static void free_rings(struct mw_bench *bench)
{
    size_t ring = (size_t)bench->stamp_mask + 1;
    if (bench->stamps)
        mw_free(bench->mem, bench->stamps, ring * bench->peer_count * sizeof *bench->stamps);
    if (bench->publishes)
        mw_free(bench->mem, bench->publishes, ring * sizeof *bench->publishes);
    if (bench->away)
        mw_free(bench->mem, bench->away, bench->peer_count * sizeof *bench->away);
}

static int make_peers(struct mw_bench *bench)
{
    bool is_fanout = bench->setup.mode == MW_BENCH_fanout;
    bench->peers = mw_alloc_zero(bench->mem, bench->peer_count * sizeof *bench->peers);
    if (!bench->peers || make_rings(bench))
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < bench->peer_count; i++) {
        struct peer *peer = &bench->peers[i];
        peer->bench = bench;
        peer->number = (uint32_t)i;
        peer->speaker = is_fanout ? publisher(bench) : peer;
        peer->is_deaf = is_fanout && peer == publisher(bench);
        peer->stamps = bench->stamps + i * ((size_t)bench->stamp_mask + 1);
    }
    return MW_OK;
}

static int make_words(struct mw_bench *bench)
{
    const struct mw_bench_setup *setup = &bench->setup;
    char offer[MW_EXT_TEXT_MAX], extra[MW_EXT_TEXT_MAX + 32];
    mw_ext_write(offer, &setup->offer);
    snprintf(extra, sizeof extra, "Sec-WebSocket-Extensions: %s\r\n", offer);
    int err = mw_bench_tape_init(&bench->tape, bench->mem, setup->body, setup->message_bytes,
                                 setup->bare);
    if (!err)
        err = mw_ws_accept(mw_view_text(MW_BENCH_WS_KEY), bench->accept);
    if (!err)
        err = mw_ws_request(&bench->request, mw_view_text(setup->authority),
                            mw_view_text(setup->target), MW_BENCH_WS_KEY,
                            setup->offer.on ? extra : NULL);
    return err;
}

int mw_bench_new(const struct mw_bench_setup *setup, struct mw_bench **out)
{
    struct mw_bench *bench = mw_alloc_zero(setup->mem, sizeof *bench);
    if (!bench)
        return MW_ERR_NOMEM;
    bench->setup = *setup;
    bench->mem = setup->mem;
    bench->peer_count = setup->clients + (setup->mode == MW_BENCH_fanout);
    bench->wanted = UINT64_MAX;
    if (setup->messages)
        bench->wanted = setup->messages * (setup->mode == MW_BENCH_fanout ? setup->clients : 1);
    bench->to_send = setup->messages && !setup->warmup_ms ? setup->messages : UINT64_MAX;
    bench->still_since_ns = mw_clock_monotonic_ns();
    mw_rng_seed(&bench->rng, 1);
    mw_buf_init(&bench->request, bench->mem, 0);
    mw_deflate_pool_init(&bench->deflate, bench->mem, SIZE_MAX);
    int err = mw_bench_drive_init(bench);
    if (!err)
        err = mw_hist_init(&bench->result.latency, bench->mem);
    if (!err)
        err = mw_hist_init(&bench->result.lag, bench->mem);
    if (!err)
        err = make_peers(bench);
    if (!err)
        err = make_words(bench);
    if (err) {
        mw_bench_free(bench);
        return err;
    }
    *out = bench;
    return MW_OK;
}

void mw_bench_run(struct mw_bench *bench)
{
    mw_bench_drive(bench);
}

const struct mw_bench_result *mw_bench_result(const struct mw_bench *bench)
{
    return &bench->result;
}

void mw_bench_free(struct mw_bench *bench)
{
    if (!bench)
        return;
    mw_bench_drive_free(bench);
    mw_bench_tape_free(&bench->tape);
    mw_deflate_pool_free(&bench->deflate);
    mw_buf_free(&bench->request);
    mw_hist_free(&bench->result.latency);
    mw_hist_free(&bench->result.lag);
    free_rings(bench);
    if (bench->peers)
        mw_free(bench->mem, bench->peers, bench->peer_count * sizeof *bench->peers);
    mw_free(bench->mem, bench, sizeof *bench);
}
