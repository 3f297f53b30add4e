/*
 * In place of the server's driver in resume_sim: sessions, who may come back, and a script that
 * talks to whoever is there or away. Judges what arrives against what the client has made.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/session/broadcast.h"
#include "core/sim/resume_parts.h"

/* ---- sessions ---- */

static struct resume_session *session_new(struct resume_world *world)
{
    if (world->session_count == RESUME_SESSIONS)
        return 0;
    struct resume_session *session = mw_alloc_zero(world->mem, sizeof *session);
    if (!session)
        return 0;
    world->sessions[world->session_count++] = session;
    mw_replay_init(&session->replay, &world->kept_mem, world->bound);
    if (mw_resume_tokens_init(&session->tokens, world->session_count))
        resume_judge(world, false, "there is no randomness");
    world->tally->sessions++;
    return session;
}

static void end_session(struct resume_session *session)
{
    session->phase = RESUME_ENDED;
    session->line = 0;
    mw_replay_free(&session->replay);
}

/* The line is of no use to the session any more; the session stays. */
static void let_go(struct resume_world *world, struct resume_session *session)
{
    struct resume_line *line = session->line;
    session->phase = RESUME_AWAY;
    session->expires_ms = world->now_ms + RESUME_FOR_MS;
    session->line = 0;
    resume_line_leave(line, MW_ROLE_SERVER);
}

/* ---- who comes ---- */

/* The session that is asked for, and what it comes to; NULL: a new one is begun. */
static struct resume_session *known(struct resume_world *world, struct resume_line *line,
                                    const struct mw_sideband_ask *ask)
{
    if (!ask->back || ask->token.id < 1 || ask->token.id > world->session_count)
        return 0;
    struct resume_session *session = world->sessions[ask->token.id - 1];
    if (session->phase == RESUME_ENDED)
        return 0;
    enum mw_resume_match match =
        mw_resume_tokens_match(&session->tokens, &ask->token, session->replay.heard);
    if (match == MW_RESUME_UNKNOWN ||
        mw_replay_return(&session->replay, ask->count, &line->missed) == MW_REPLAY_NONSENSE)
        return 0;
    if (mw_resume_tokens_renew(&session->tokens, match))
        resume_judge(world, false, "there is no randomness");
    world->tally->lost_hellos += match == MW_RESUME_BEFORE;
    return session;
}

static void take_back(struct resume_world *world, struct resume_line *line,
                      struct resume_session *session)
{
    world->tally->returns++;
    world->tally->takeovers += session->line != 0;
    if (session->line)
        let_go(world, session);
    line->back = true;
    resume_line_open(world, line, MW_ROLE_SERVER, &session->replay);
    world->tally->resent += session->replay.count;
    resume_judge(world, !mw_conn_put_rest(&line->conns[MW_ROLE_SERVER], world->now_ms),
                 "out of memory");
}

void resume_server_request(struct resume_world *world, struct resume_line *line,
                           struct mw_view target)
{
    const struct resume_client *client = &world->client;
    const struct mw_sideband_ask ask = mw_sideband_ask(target);
    bool in_time = client->line == line && line->honest && client->session &&
                   client->session->phase != RESUME_ENDED;
    resume_judge(world, ask.session, "what a client asks for was not read");
    mw_sideband_init(&line->sideband, ask.mark);
    struct resume_session *session = known(world, line, &ask);
    resume_judge(world, !in_time || session == client->session,
                 "who came back in time was not known");
    resume_judge(world, line->honest || !session, "a count or a token that cannot be was taken");
    if (session) {
        take_back(world, line, session);
    } else {
        session = session_new(world);
        if (!session) { /* enough for one schedule */
            resume_line_leave(line, MW_ROLE_SERVER);
            return;
        }
        resume_line_open(world, line, MW_ROLE_SERVER, &session->replay);
    }
    line->session = session;
    session->line = line;
    session->phase = RESUME_OPEN;
}

/* 101 and the hello, before all that was queued. */
static void answer(struct resume_world *world, struct resume_line *line)
{
    char token[MW_RESUME_TOKEN_LEN + 1], id[17],
        text[5 + MW_FRAME_HEAD_MAX + MW_SIDEBAND_HELLO_MAX];
    const struct resume_session *session = line->session;
    mw_resume_tokens_text(&session->tokens, token);
    const struct mw_sideband_session told = {
        .token = token,
        .for_ms = RESUME_FOR_MS,
        .got = session->replay.received,
        .back = line->back,
        .missed = line->missed,
    };
    char hello[MW_SIDEBAND_HELLO_MAX];
    snprintf(id, sizeof id, "%llx", (unsigned long long)session->tokens.id);
    size_t len = mw_sideband_hello(&line->sideband, id, &world->limits, &told, hello);
    size_t at = (size_t)snprintf(text, sizeof text, "101\n");
    at += mw_frame_encode((uint8_t *)text + at, MW_OPCODE_TEXT, true, len, 0);
    memcpy(text + at, hello, len);
    int err = mw_conn_put_raw(&line->conns[MW_ROLE_SERVER], mw_view(text, at + len), world->now_ms);
    resume_judge(world, !err, "out of memory");
    line->answered = true;
}

void resume_server_decide(struct resume_world *world, unsigned refuse_per_mille)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        struct resume_line *line = &world->lines[i];
        if (!line->used || !line->open[MW_ROLE_SERVER] || line->answered ||
            resume_chance(world, 300))
            continue;
        if (!resume_chance(world, refuse_per_mille)) {
            answer(world, line);
            continue;
        }
        end_session(line->session);
        resume_line_leave(line, MW_ROLE_SERVER);
    }
}

/* ---- what comes ---- */

static void hear(struct resume_world *world, struct resume_session *session, struct mw_view text)
{
    char room[32] = { 0 };
    memcpy(room, text.data, text.len < sizeof room ? text.len : sizeof room - 1);
    uint64_t number = room[0] == 'c' ? strtoull(room + 1, 0, 10) : 0;
    bool is_one = number > 0 && number <= world->client.made;
    resume_judge(world, is_one, "the server got what nobody has sent");
    if (!is_one)
        return;
    resume_judge(world, number == session->up_base + session->replay.received,
                 "a message to the server came out of order");
    resume_judge(world, ++world->arrived[number] == 1, "a message to the server came twice");
    world->tally->up++;
}

static void on_closed(struct resume_world *world, struct resume_line *line)
{
    struct resume_session *session = line->session;
    enum mw_cause cause = mw_conn_ending(&line->conns[MW_ROLE_SERVER])->cause;
    if (mw_cause_row(cause)->who == MW_WHO_NETWORK) {
        let_go(world, session);
        return;
    }
    resume_judge(world, cause == MW_CAUSE_peer_close || cause == MW_CAUSE_idle_timeout,
                 "the server has ended a session");
    end_session(session);
    resume_line_leave(line, MW_ROLE_SERVER);
}

void resume_server_pull(struct resume_world *world, struct resume_line *line)
{
    while (line->open[MW_ROLE_SERVER]) {
        struct mw_event event;
        mw_conn_next(&line->conns[MW_ROLE_SERVER], &event, world->now_ms);
        if (event.kind == MW_EVENT_MORE)
            return;
        if (event.kind == MW_EVENT_MESSAGE)
            hear(world, line->session, event.data);
        if (event.kind == MW_EVENT_CLOSED)
            on_closed(world, line);
    }
}

void resume_server_eof(struct resume_world *world, struct resume_line *line)
{
    if (!line->open[MW_ROLE_SERVER]) { /* the request never came whole */
        resume_line_leave(line, MW_ROLE_SERVER);
        return;
    }
    mw_conn_eof(&line->conns[MW_ROLE_SERVER],
                resume_chance(world, 500) ? MW_CAUSE_peer_fin : MW_CAUSE_peer_reset);
    resume_server_pull(world, line);
}

static void tick_line(struct resume_world *world, struct resume_line *line)
{
    struct mw_conn *conn = &line->conns[MW_ROLE_SERVER];
    bool was_ending = mw_conn_ending(conn);
    mw_conn_tick(conn, world->now_ms);
    /* Bytes of a frame that drip ever so slowly are an end that the server means; silence is not.
     */
    bool drips = world->now_ms < conn->last_read_ms + world->limits.pong_ms;
    const struct mw_conn_end *end = mw_conn_ending(conn);
    resume_judge(world, !end || end->cause != MW_CAUSE_idle_timeout || was_ending || drips,
                 "the server has ended a session");
    resume_server_pull(world, line);
}

void resume_server_tick(struct resume_world *world)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        struct resume_line *line = &world->lines[i];
        if (line->used && line->answered && line->open[MW_ROLE_SERVER] &&
            mw_conn_deadline(&line->conns[MW_ROLE_SERVER]) <= world->now_ms)
            tick_line(world, line);
    }
    for (size_t i = 0; i < world->session_count; i++) {
        struct resume_session *session = world->sessions[i];
        if (session->phase != RESUME_AWAY || session->expires_ms > world->now_ms)
            continue;
        end_session(session);
        world->tally->expired++;
    }
}

/* ---- what goes ---- */

/* The one that was begun last, or one before it: somebody may talk to that as well. */
static struct resume_session *somebody(struct resume_world *world)
{
    if (!world->session_count)
        return 0;
    uint64_t most = world->session_count < 3 ? world->session_count : 3;
    size_t back = resume_chance(world, 800) ? 0 : (size_t)mw_rng_below(&world->rng, most);
    struct resume_session *session = world->sessions[world->session_count - 1 - back];
    return session->phase == RESUME_ENDED ? 0 : session;
}

static struct mw_conn *conn_of(const struct resume_session *session)
{
    return session->line ? &session->line->conns[MW_ROLE_SERVER] : 0;
}

/* `key`: empty, or of what it replaces where that waits. */
static int publish_to(struct resume_world *world, struct resume_session *session,
                      struct mw_view key, struct mw_view text)
{
    struct mw_broadcast broadcast;
    const struct mw_send_how how = { MW_POLICY_LATEST, key };
    int err = MW_OK;
    mw_broadcast_begin(&broadcast, world->mem, resume_chance(world, 500) ? 2 : 1000, MW_OPCODE_TEXT,
                       text);
    broadcast.how = key.len ? &how : 0;
    if (session->line)
        err = mw_broadcast_send(&broadcast, conn_of(session), world->now_ms);
    else
        mw_broadcast_keep(&broadcast, &session->replay);
    mw_broadcast_end(&broadcast);
    return err;
}

static int send_to(struct resume_world *world, struct resume_session *session, struct mw_view text)
{
    if (resume_chance(world, 400))
        return publish_to(world, session, mw_view(0, 0), text);
    if (session->line)
        return mw_conn_send(conn_of(session), MW_OPCODE_TEXT, text, world->now_ms);
    mw_replay_send(&session->replay, MW_OPCODE_TEXT, text);
    return MW_OK;
}

/*
 * What was not acknowledged and is not kept: only a bound that was reached can do that, or want of
 * memory.
 */
static void note_evicted(struct resume_world *world, struct resume_session *session)
{
    const struct mw_replay *replay = &session->replay;
    bool is_short = world->kept_mem.max_bytes > 0;
    if (is_short && replay->count && !mw_replay_at(replay, replay->count - 1)->msg)
        session->lost[replay->sent] = true;
    for (uint64_t number = replay->acked + 1; number <= replay->gone; number++) {
        if (!session->lost[number] && number > session->evicted_to)
            session->evicted_to = number;
    }
    resume_judge(world, !session->evicted_to || is_short || world->bound < 100000,
                 "a message was let go of although there was room");
}

/* As the client reads it; returns the length. */
static size_t compose(struct resume_world *world, const struct resume_session *session,
                      uint64_t number, char text[4200])
{
    size_t size = (size_t)mw_rng_below(&world->rng, world->max_size);
    int head = snprintf(text, 4200, "%llu:%llu:%u:%zu:", (unsigned long long)session->tokens.id,
                        (unsigned long long)number, session->versions[number], size);
    memset(text + head, 'a' + (int)(number % 26), size);
    return (size_t)head + size;
}

void resume_server_say(struct resume_world *world)
{
    char text[4200];
    struct resume_session *session = somebody(world);
    if (!session || session->replay.sent >= RESUME_MESSAGES)
        return;
    const uint64_t number = session->replay.sent + 1;
    size_t len = compose(world, session, number, text);
    int err = send_to(world, session, mw_view(text, len));
    resume_judge(world, err != MW_ERR_NOMEM, "out of memory");
    resume_judge(world, session->replay.sent == number - (err != 0),
                 "what was sent was not counted, or what was not was");
    note_evicted(world, session);
}

void resume_server_say_latest(struct resume_world *world)
{
    char text[4200];
    struct resume_session *session = somebody(world);
    const struct mw_view key = resume_chance(world, 700) ? mw_view_text("x") : mw_view_text("y");
    if (!session || session->replay.sent >= RESUME_MESSAGES)
        return;
    const struct mw_out_seg *old = session->line ? mw_conn_find(conn_of(session), key) : 0;
    const uint64_t number = old ? mw_outq_number(old) : session->replay.sent + 1;
    const uint64_t sent = old ? session->replay.sent : number;
    session->versions[number] = (uint8_t)(session->versions[number] + (old != 0));
    size_t len = compose(world, session, number, text);
    int err = publish_to(world, session, key, mw_view(text, len));
    resume_judge(world, err != MW_ERR_NOMEM, "out of memory");
    if (err && old)
        session->versions[number]--;
    world->tally->replaced += old && !err;
    resume_judge(world, session->replay.sent == sent - (err && !old),
                 "what was replaced was counted twice");
    note_evicted(world, session);
}

void resume_server_drop(struct resume_world *world)
{
    struct resume_session *session = somebody(world);
    if (!session || session->replay.sent >= RESUME_MESSAGES)
        return;
    session->lost[session->replay.sent + 1] = true;
    world->tally->held_back++;
    if (session->line)
        mw_conn_note_dropped(conn_of(session), world->now_ms);
    else
        mw_replay_lost(&session->replay, 1);
    note_evicted(world, session);
}
