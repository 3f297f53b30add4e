/*
 * In place of the client for pages in resume_sim, by what docs/running.md says under "The client's
 * sideband": waits for the hello, counts what it gets, sends again what the server has not got.
 * Judges what it is told against what the server has sent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "core/sim/resume_parts.h"

/* ---- coming and going ---- */

static void draw_mark(struct resume_world *world, char mark[MW_SIDEBAND_MARK_MAX + 1])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = 22;
    for (size_t i = 0; i < len; i++)
        mark[i] = alphabet[mw_rng_below(&world->rng, 64)];
    mark[len] = '\0';
}

/* A token that was never told, or a count that cannot be. */
static void lie(struct resume_world *world, char token[MW_RESUME_TOKEN_LEN + 1], uint64_t *count)
{
    const struct mw_replay *replay = &world->client.session->replay;
    world->tally->nonsense++;
    switch (mw_rng_below(&world->rng, 3)) {
    case 0:
        token[mw_rng_below(&world->rng, MW_RESUME_TOKEN_LEN)] ^= 1;
        break;
    case 1:
        *count = replay->acked ? replay->acked - 1 : UINT64_C(1) << 40;
        break;
    default:
        *count = replay->sent + 100 * RESUME_MESSAGES;
    }
}

void resume_client_connect(struct resume_world *world)
{
    struct resume_client *client = &world->client;
    char mark[MW_SIDEBAND_MARK_MAX + 1], token[MW_RESUME_TOKEN_LEN + 1] = "", target[128];
    bool lies = client->has_session && resume_chance(world, 15);
    uint64_t count = client->count;
    if (client->line)
        return;
    draw_mark(world, mark);
    memcpy(token, client->token, sizeof token);
    if (lies)
        lie(world, token, &count);
    int len = client->has_session ? snprintf(target, sizeof target, "/?moonwire=%s.%s.%llu", mark,
                                             token, (unsigned long long)count)
                                  : snprintf(target, sizeof target, "/?moonwire=%s.", mark);
    struct resume_line *line = resume_line_new(world, mw_view(target, (size_t)len));
    if (!line)
        return;
    memcpy(line->mark, mark, sizeof mark);
    line->honest = !lies;
    client->line = line;
    world->tally->attempts++;
}

/* What has left and is not acknowledged: nobody will ever know. */
static void lose_session(struct resume_world *world)
{
    struct resume_client *client = &world->client;
    for (uint64_t number = client->base + client->acked + 1; number <= client->wired; number++) {
        world->told[number] = true;
        world->tally->dropped++;
    }
    client->base = client->wired;
    client->acked = client->count = 0;
    client->has_session = false;
    client->session = 0;
}

/* Who has no session to lose need not wait for the hello. */
void resume_client_answered(struct resume_world *world, struct resume_line *line)
{
    struct resume_client *client = &world->client;
    resume_line_open(world, line, MW_ROLE_CLIENT, 0);
    if (client->has_session || resume_chance(world, 500))
        return;
    line->session->up_base = client->base;
    line->next_up = client->base + 1;
    line->may_send = true;
    resume_client_flush(world);
}

/* Given up by the page, which hears it no more; its browser goes on, and answers pings. */
static bool is_left(const struct resume_world *world, const struct resume_line *line)
{
    return world->client.line != line;
}

static void let_go_of_left(struct resume_world *world)
{
    for (size_t i = 0; i < RESUME_LINES; i++) {
        struct resume_line *line = &world->lines[i];
        if (is_left(world, line) && line->open[MW_ROLE_CLIENT])
            resume_line_leave(line, MW_ROLE_CLIENT);
    }
}

void resume_client_give_up(struct resume_world *world)
{
    struct resume_line *line = world->client.line;
    if (line && line->open[MW_ROLE_CLIENT] && world->client.has_session &&
        resume_chance(world, 500))
        world->client.line = 0;
    else if (line)
        resume_client_eof(world, line);
}

void resume_client_eof(struct resume_world *world, struct resume_line *line)
{
    if (is_left(world, line)) {
        resume_line_leave(line, MW_ROLE_CLIENT);
        return;
    }
    if (!world->client.has_session)
        lose_session(world);
    world->client.line = 0;
    if (resume_chance(world, 200))
        resume_line_cut(world, line);
    resume_line_leave(line, MW_ROLE_CLIENT);
}

void resume_client_close(struct resume_world *world)
{
    struct resume_line *line = world->client.line;
    if (!line || !line->greeted)
        return;
    mw_conn_close(&line->conns[MW_ROLE_CLIENT], MW_CAUSE_script_close, 1000, mw_view(0, 0),
                  world->now_ms);
    for (int i = 0; i < 100 && line->used && mw_conn_has_output(&line->conns[MW_ROLE_CLIENT]); i++)
        resume_line_transmit(world, line, MW_ROLE_CLIENT);
    lose_session(world);
    world->client.line = 0;
    resume_line_leave(line, MW_ROLE_CLIENT);
}

/* ---- what comes ---- */

/* The number behind "name": in a text of ours, which has it once. */
static uint64_t number_of(const char *text, const char *name, int base)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), 0, base) : 0;
}

static void miss(struct resume_world *world, uint64_t missed)
{
    struct resume_client *client = &world->client;
    const struct resume_session *session = client->session;
    resume_judge(world, client->count + missed <= session->replay.sent,
                 "more is said to be missing than there was");
    world->tally->missed += missed;
    for (; missed; missed--) {
        uint64_t number = ++client->count;
        resume_judge(world,
                     number <= session->evicted_to ||
                         (number <= RESUME_MESSAGES && session->lost[number]),
                     "a message is said to be missing that was kept");
    }
}

/* G: so many of this session's messages the server has. */
static void acknowledge(struct resume_world *world, uint64_t got)
{
    struct resume_client *client = &world->client;
    resume_judge(world, got >= client->acked && client->base + got <= client->wired,
                 "the server has told a count that cannot be");
    client->acked = got;
}

static void come_back(struct resume_world *world, struct resume_line *line, uint64_t id,
                      const char *hello)
{
    struct resume_client *client = &world->client;
    resume_judge(world,
                 client->has_session && line->honest && client->session == world->sessions[id - 1],
                 "the client is back in a session that it did not name");
    acknowledge(world, number_of(hello, "\"got\":", 10));
    miss(world, number_of(hello, "\"missed\":", 10));
    line->next_up = client->base + client->acked + 1;
    world->tally->resent_up += client->wired + 1 - line->next_up;
}

static void begin(struct resume_world *world, struct resume_line *line, uint64_t id,
                  const char *hello)
{
    struct resume_client *client = &world->client;
    resume_judge(world, number_of(hello, "\"got\":", 10) == 0, "a new session is not empty");
    if (client->has_session)
        lose_session(world);
    client->has_session = true;
    client->session = world->sessions[id - 1];
    client->session->up_base = client->base;
    if (!line->may_send)
        line->next_up = client->base + 1;
}

/* The text behind the mark of the first message. */
static void greet(struct resume_world *world, struct resume_line *line, const char *hello)
{
    struct resume_client *client = &world->client;
    const char *token = strstr(hello, "\"token\":\"");
    uint64_t id = number_of(hello, "\"id\":\"", 16);
    bool is_hello = token && hello[0] == '{' && id > 0 && id <= world->session_count;
    resume_judge(world, is_hello, "the first message is no hello of a session");
    if (!is_hello)
        return;
    memcpy(client->token, token + strlen("\"token\":\""), MW_RESUME_TOKEN_LEN);
    if (strstr(hello, "\"back\":true"))
        come_back(world, line, id, hello);
    else
        begin(world, line, id, hello);
    line->greeted = line->may_send = true;
    let_go_of_left(world);
    resume_client_flush(world);
}

static void say_aside(struct resume_world *world, struct resume_line *line, const char *aside)
{
    char text[MW_SIDEBAND_ANSWER_MAX + 1];
    int len = snprintf(text, sizeof text, "%s%s", line->mark, aside);
    (void)mw_conn_send(&line->conns[MW_ROLE_CLIENT], MW_OPCODE_TEXT, mw_view(text, (size_t)len),
                       world->now_ms);
}

/* So many messages it has. */
static void tell_count(struct resume_world *world, struct resume_line *line)
{
    char aside[24];
    (void)snprintf(aside, sizeof aside, "+%llu", (unsigned long long)world->client.count);
    say_aside(world, line, aside);
}

static void take_aside(struct resume_world *world, struct resume_line *line, const char *aside)
{
    if (!line->greeted)
        greet(world, line, aside);
    else if (aside[0] == '+')
        acknowledge(world, strtoull(aside + 1, 0, 10));
    else if (aside[0] == '?')
        tell_count(world, line);
    else if (aside[0] == '-')
        miss(world, strtoull(aside + 1, 0, 10));
    else
        resume_judge(world, false, "the client got an aside that it does not know");
}

/* <session>:<number>:<version>:<size>: and as many characters of the number's own. */
struct said {
    uint64_t id, number, version, size;
};

static bool read_said(struct mw_view text, struct said *said)
{
    uint64_t *const fields[] = { &said->id, &said->number, &said->version, &said->size };
    struct mw_view part;
    for (size_t i = 0; i < MW_COUNT(fields); i++) {
        if (!mw_view_split(&text, ':', &part) || !mw_parse_u64(part, 0, UINT32_MAX, fields[i]))
            return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != 'a' + (char)(said->number % 26))
            return false;
    }
    return text.len == said->size && said->number > 0 && said->number <= RESUME_MESSAGES;
}

static void take_message(struct resume_world *world, const struct resume_line *line,
                         struct mw_view text)
{
    struct resume_client *client = &world->client;
    struct said said;
    resume_judge(world, line->greeted, "the first message is no hello of a session");
    if (!client->session || !read_said(text, &said)) {
        resume_judge(world, false, "the client got what nobody has sent");
        return;
    }
    resume_judge(world, said.id == client->session->tokens.id, "a message of another session came");
    resume_judge(world, said.number > client->count, "a message to the client came twice");
    resume_judge(world, said.number <= client->count + 1, "a gap before a message was not told");
    resume_judge(world, said.version == client->session->versions[said.number],
                 "a message came that had been replaced");
    client->count = said.number;
    world->tally->down++;
}

static void take(struct resume_world *world, struct resume_line *line, const struct mw_event *event)
{
    char aside[MW_SIDEBAND_HELLO_MAX + 1];
    size_t len = strlen(line->mark);
    if (!mw_view_starts_with(event->data, line->mark)) {
        take_message(world, line, event->data);
        return;
    }
    len = event->data.len - len;
    len = len < sizeof aside ? len : sizeof aside - 1;
    memcpy(aside, event->data.data + strlen(line->mark), len);
    aside[len] = '\0';
    take_aside(world, line, aside);
}

void resume_client_pull(struct resume_world *world, struct resume_line *line)
{
    while (line->open[MW_ROLE_CLIENT]) {
        struct mw_event event;
        mw_conn_next(&line->conns[MW_ROLE_CLIENT], &event, world->now_ms);
        if (event.kind == MW_EVENT_MORE)
            return;
        if (event.kind == MW_EVENT_MESSAGE && !is_left(world, line))
            take(world, line, &event);
        if (event.kind != MW_EVENT_CLOSED)
            continue;
        enum mw_cause cause = mw_conn_ending(&line->conns[MW_ROLE_CLIENT])->cause;
        resume_judge(world, cause == MW_CAUSE_peer_close,
                     "the client did not understand the server");
        resume_client_eof(world, line);
    }
}

/* ---- what goes ---- */

void resume_client_flush(struct resume_world *world)
{
    struct resume_client *client = &world->client;
    struct resume_line *line = client->line;
    while (line && line->may_send && line->next_up <= client->made) {
        char text[32];
        int len = snprintf(text, sizeof text, "c%llu:", (unsigned long long)line->next_up);
        if (mw_conn_send(&line->conns[MW_ROLE_CLIENT], MW_OPCODE_TEXT, mw_view(text, (size_t)len),
                         world->now_ms))
            return;
        if (client->wired < line->next_up)
            client->wired = line->next_up;
        line->next_up++;
    }
}

void resume_client_say(struct resume_world *world)
{
    if (world->client.made < RESUME_MESSAGES)
        world->client.made++;
    resume_client_flush(world);
}

void resume_client_probe(struct resume_world *world)
{
    struct resume_line *line = world->client.line;
    if (line && line->greeted)
        say_aside(world, line, "?");
}
