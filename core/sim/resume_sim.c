/*
 * The schedule of resume_sim: draws from its seed how the world is and what happens in it, then
 * lets it come to rest and looks whether anything was forgotten. Called by cli/cmd_simulate and by
 * the property test.
 */
#include "core/sim/resume_parts.h"

#include "core/base/clock.h"

#define BEGIN_MS     1000
#define PLENTY       ((size_t)16 << 20) /* more than all messages of a schedule */
#define SETTLE_TURNS 20000
#define SETTLE_MS    20

void resume_judge(struct resume_world *world, bool holds, const char *otherwise)
{
    if (!holds && !world->broken)
        world->broken = otherwise;
}

/* ---- how the world is ---- */

static uint64_t draw(struct resume_world *world, uint64_t below)
{
    return mw_rng_below(&world->rng, below);
}

static void draw_limits(struct resume_world *world)
{
    struct mw_limits limits;
    mw_limits_default(&limits);
    mw_limits_from(&world->limits, &limits);
    world->bound = draw(world, 2) ? PLENTY : 300 + (size_t)draw(world, 6000);
    world->max_size = draw(world, 3) ? 40 : 4000;
    world->limits.queue = world->bound;
    world->limits.ping_ms = 500 + draw(world, 3000);
    world->limits.pong_ms = 300 + draw(world, 3000);
    world->limits.idle_ms = world->limits.age_ms = MW_NEVER;
}

static void begin_world(struct resume_world *world, struct mw_mem *mem, uint64_t seed,
                        struct mw_resume_tally *tally)
{
    *world = (struct resume_world){ .mem = mem, .now_ms = BEGIN_MS, .tally = tally };
    mw_rng_seed(&world->rng, seed);
    mw_conn_pool_init(&world->pool, mem);
    mw_deflate_pool_init(&world->deflate, mem, SIZE_MAX);
    mw_mem_init(&world->kept_mem, mem, draw(world, 6) ? 0 : 500 + (size_t)draw(world, 20000));
    world->home = (struct mw_conn_home){
        .mem = mem,
        .pool = &world->pool,
        .deflate = &world->deflate,
        .rng = &world->rng,
        .limits = &world->limits,
    };
    draw_limits(world);
    if (draw(world, 4) == 0) {
        world->terms.on = true;
        world->terms.server_no_takeover = draw(world, 2);
        world->terms.client_no_takeover = draw(world, 2);
    }
}

static void end_world(struct resume_world *world)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        if (world->lines[i].used)
            resume_line_free(&world->lines[i]);
    }
    for (size_t i = 0; i < world->session_count; i++) {
        mw_replay_free(&world->sessions[i]->replay);
        mw_free(world->mem, world->sessions[i], sizeof *world->sessions[i]);
    }
    mw_conn_pool_free(&world->pool);
    mw_deflate_pool_free(&world->deflate);
}

/* ---- what happens ---- */

static void cut_any(struct resume_world *world)
{
    struct resume_line *line = &world->lines[draw(world, RESUME_LINES)];
    if (world->client.line && draw(world, 4))
        line = world->client.line;
    if (line->used)
        resume_line_cut(world, line);
}

static void sleep_long(struct resume_world *world)
{
    uint64_t steps = draw(world, 10) ? draw(world, 30) : RESUME_FOR_MS / 100 + draw(world, 10);
    for (; steps; steps--) { /* nothing moves, but whoever waits goes on waiting */
        world->now_ms += 100;
        resume_server_tick(world);
    }
}

static void say_much(struct resume_world *world)
{
    for (uint64_t count = draw(world, 30); count; count--)
        resume_server_say(world);
}

static void say_much_up(struct resume_world *world)
{
    for (uint64_t count = draw(world, 30); count; count--)
        resume_client_say(world);
}

/* How often each is done, against the others: up to so many times, drawn for each schedule. */
static const struct {
    void (*act)(struct resume_world *world);
    unsigned most;
} acts[] = {
    { resume_client_connect, 20 },
    { resume_server_say, 40 },
    { resume_client_say, 40 },
    { say_much, 4 },
    { say_much_up, 4 },
    { resume_server_drop, 6 },
    { resume_server_say_latest, 30 },
    { cut_any, 12 },
    { resume_client_give_up, 6 },
    { resume_client_probe, 8 },
    { sleep_long, 4 },
    { resume_client_close, 1 },
};
#define ACTS (sizeof acts / sizeof acts[0])

static void draw_weights(struct resume_world *world, uint64_t weights[ACTS])
{
    for (size_t i = 0; i < ACTS; i++)
        weights[i] = draw(world, 4) ? draw(world, acts[i].most + 1) : 0;
    weights[0] += !weights[0]; /* somebody comes */
}

static void act_one(struct resume_world *world, const uint64_t weights[ACTS])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ACTS; i++)
        sum += weights[i];
    uint64_t at = draw(world, sum);
    size_t which = 0;
    for (; at >= weights[which]; which++)
        at -= weights[which];
    acts[which].act(world);
}

static void check_bounds(struct resume_world *world)
{
    for (size_t i = 0; i < world->session_count; i++)
        resume_judge(world, world->sessions[i]->replay.bytes <= world->bound,
                     "more is kept than the bound");
}

static void turn(struct resume_world *world, unsigned refuse_per_mille)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        if (world->lines[i].used)
            resume_line_move(world, &world->lines[i]);
    }
    resume_server_decide(world, refuse_per_mille);
    resume_server_tick(world);
    resume_client_flush(world);
    check_bounds(world);
}

static void trouble(struct resume_world *world)
{
    uint64_t weights[ACTS];
    draw_weights(world, weights);
    for (uint64_t steps = 20 + draw(world, 250); steps && !world->broken; steps--) {
        world->now_ms += draw(world, 60);
        act_one(world, weights);
        turn(world, 10);
    }
}

/* ---- and in the end ---- */

static bool is_settled(const struct resume_world *world)
{
    const struct resume_client *client = &world->client;
    const struct resume_session *session = client->session;
    return client->line && client->line->greeted && client->count == session->replay.sent &&
           session->replay.acked == session->replay.sent && session->replay.bytes == 0 &&
           client->base + session->replay.received == client->made &&
           client->base + client->acked == client->made;
}

/* The network is fine from here on: everything must come through. */
static void settle(struct resume_world *world)
{
    world->settles = true;
    for (int turns = 0; turns < SETTLE_TURNS && !world->broken; turns++) {
        if (world->client.line && world->client.line->dead)
            resume_client_eof(world, world->client.line);
        resume_client_connect(world);
        world->now_ms += SETTLE_MS;
        turn(world, 0);
        if (is_settled(world))
            return;
    }
    resume_judge(world, world->session_count == RESUME_SESSIONS, "it never came to rest");
}

static void look_back(struct resume_world *world)
{
    for (uint64_t number = 1; number <= world->client.made; number++)
        resume_judge(world, world->arrived[number] || world->told[number],
                     "a message to the server was lost without a word");
    for (size_t i = 0; i < world->session_count; i++)
        resume_judge(world, mw_replay_validate(&world->sessions[i]->replay),
                     "what is kept does not add up");
}

const char *mw_resume_simulate(struct mw_mem *mem, uint64_t seed, struct mw_resume_tally *tally)
{
    struct resume_world *world = mw_alloc(mem, sizeof *world);
    if (!world)
        return "out of memory";
    begin_world(world, mem, seed, tally);
    trouble(world);
    settle(world);
    look_back(world);
    const char *broken = world->broken;
    end_world(world);
    mw_free(mem, world, sizeof *world);
    return broken;
}
