/*
 * The way between the two sides of resume_sim: bytes that arrive late and in pieces of any size, a
 * handshake of one line each way, and every manner of losing touch. Knows no session; tells the two
 * sides what has come.
 */
#include "core/base/str.h"
#include "core/sim/resume_parts.h"

/* What arrives at once, mostly far less. */
#define CHUNK_MOST 2000

static struct resume_line *free_line(struct resume_world *world)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        if (!world->lines[i].used)
            return &world->lines[i];
    }
    return 0;
}

struct resume_line *resume_line_new(struct resume_world *world, struct mw_view target)
{
    struct resume_line *line = free_line(world);
    if (!line)
        return 0;
    *line = (struct resume_line){ .used = true };
    line->is_slow = resume_chance(world, 150);
    if (resume_chance(world, 500)) /* each handshake agrees anew */
        line->terms = world->terms;
    for (int role = 0; role < 2; role++)
        mw_buf_init(&line->pipes[role].bytes, world->mem, 0);
    struct mw_buf *way = &line->pipes[MW_ROLE_SERVER].bytes;
    int err = mw_buf_put_view(way, target);
    resume_judge(world, !err && !mw_buf_put_byte(way, '\n'), "out of memory");
    return line;
}

void resume_line_open(struct resume_world *world, struct resume_line *line, enum mw_role role,
                      struct mw_replay *replay)
{
    const struct mw_conn_setup setup = {
        .role = role,
        .home = &world->home,
        .terms = line->terms,
        .sideband = replay ? &line->sideband : 0,
        .replay = replay,
    };
    (void)mw_conn_init(&line->conns[role], &setup, world->now_ms);
    line->open[role] = true;
}

static void truncate_way(struct resume_world *world, struct resume_pipe *pipe)
{
    pipe->bytes.len = (size_t)mw_rng_below(&world->rng, pipe->bytes.len + 1);
}

void resume_line_cut(struct resume_world *world, struct resume_line *line)
{
    uint64_t told = mw_rng_below(&world->rng, 4); /* a bit for each side */
    if (line->dead)
        return;
    line->dead = true;
    for (int role = 0; role < 2; role++) {
        truncate_way(world, &line->pipes[role]);
        if (told & (uint64_t)1 << role)
            line->pipes[role].ended = true;
    }
    if (told)
        world->tally->cuts++;
    else
        world->tally->swallowed++;
}

void resume_line_leave(struct resume_line *line, enum mw_role role)
{
    if (line->open[role])
        mw_conn_free(&line->conns[role]);
    line->open[role] = false;
    line->gone[role] = true;
    mw_buf_free(&line->pipes[role].bytes);
    if (!line->dead)
        line->pipes[!role].ended = true;
    if (line->gone[!role])
        resume_line_free(line);
}

void resume_line_free(struct resume_line *line)
{
    for (int role = 0; role < 2; role++) {
        if (line->open[role])
            mw_conn_free(&line->conns[role]);
        mw_buf_free(&line->pipes[role].bytes);
    }
    *line = (struct resume_line){ .used = false };
}

/* ---- what is on its way ---- */

void resume_line_transmit(struct resume_world *world, struct resume_line *line, enum mw_role from)
{
    struct mw_conn *conn = &line->conns[from];
    struct mw_view vectors[4];
    if (!line->open[from] || (from == MW_ROLE_SERVER && !line->answered))
        return;
    size_t count = mw_conn_has_output(conn) ? mw_conn_iov(conn, vectors, 4) : 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = 1 + (size_t)mw_rng_below(&world->rng, vectors[i].len);
        bool lost = line->dead || line->gone[!from];
        if (!lost && mw_buf_put(&line->pipes[!from].bytes, vectors[i].data, len))
            resume_judge(world, false, "out of memory");
        mw_conn_written(conn, len, world->now_ms);
        if (len < vectors[i].len)
            return;
    }
}

/* The line of the handshake; false: it is not whole yet. */
static bool shake_hands(struct resume_world *world, struct resume_line *line, enum mw_role role)
{
    char text[160];
    struct mw_buf *bytes = &line->pipes[role].bytes;
    size_t len = mw_view_find(mw_buf_view(bytes), '\n', 0);
    if (len == bytes->len)
        return false;
    resume_judge(world, len < sizeof text, "a handshake is too long");
    len = len < sizeof text ? len : sizeof text;
    memcpy(text, bytes->data, len);
    mw_buf_skip(bytes, len + 1);
    if (role == MW_ROLE_SERVER)
        resume_server_request(world, line, mw_view(text, len));
    else
        resume_client_answered(world, line);
    return true;
}

static void feed(struct resume_world *world, struct resume_line *line, enum mw_role role)
{
    struct mw_buf *bytes = &line->pipes[role].bytes;
    size_t len = 1 + (size_t)mw_rng_below(&world->rng, CHUNK_MOST);
    if (resume_chance(world, 300))
        len = 1 + len % 20;
    len = len < bytes->len ? len : bytes->len;
    mw_conn_feed(&line->conns[role], bytes->data, len, world->now_ms);
    if (role == MW_ROLE_SERVER)
        resume_server_pull(world, line);
    else
        resume_client_pull(world, line);
    if (line->open[role])
        mw_buf_skip(bytes, len);
}

static void arrive(struct resume_world *world, struct resume_line *line, enum mw_role role)
{
    const struct resume_pipe *pipe = &line->pipes[role];
    if (line->gone[role])
        return;
    if (pipe->bytes.len && line->open[role]) {
        feed(world, line, role);
        return;
    }
    if (pipe->bytes.len && shake_hands(world, line, role))
        return;
    if (!pipe->ended)
        return;
    if (role == MW_ROLE_SERVER)
        resume_server_eof(world, line);
    else
        resume_client_eof(world, line);
}

void resume_line_move(struct resume_world *world, struct resume_line *line)
{
    const unsigned pace = line->is_slow && !world->settles ? 30 : 700;
    for (int role = 0; role < 2; role++) {
        if (line->used)
            resume_line_transmit(world, line, (enum mw_role)role);
        if (line->used && resume_chance(world, pace))
            arrive(world, line, (enum mw_role)role);
    }
}
