/*
 * A talk of eight peers that touches every part of the server, and its right transcript; then the
 * same talk again with memory that fails. For any engine whose scripts behave alike.
 */
#ifndef MW_TESTS_SERVER_TALK_H
#define MW_TESTS_SERVER_TALK_H

#include "tests/unit/server/world.h"

enum talk_peer { ANN, BEN, REFUSED, LATE, SLOW, ECHO, BYE, HTTP, PEERS };

/* What each of them sees when nothing fails, up to the stop and then to the end. */
static const struct {
    const char *target, *seen, *last;
} talk_peers[PEERS] = {
    [ANN] = { "/room", "101 text:from ann text:from ben", "" },
    [BEN] = { "/room", "101 text:from ann text:from ben",
              " close:1001:server is stopping;retry=0 end" },
    [REFUSED] = { "/refuse", "403 end", "" },
    [LATE] = { "/late", "101 close:4001:not you either end", "" },
    [SLOW] = { "/slow/sue", "101 text:hi text:1 text:2 text:3",
               " close:1001:server is stopping;retry=0 end" },
    [ECHO] = { "/echo", "101 text[3000] text: close:1000: end", "" },
    [BYE] = { "/bye", "101 text:bye close:4000:bye end", "" },
    [HTTP] = { NULL, "404 end", "" },
};

struct talk {
    struct world world;
    const struct mw_engine *engine;
    uint64_t seed;    /* of how everything is cut */
    uint64_t fail_at; /* an allocation of the worker, counted from where the talk begins; 0: none */
    bool fail_after;  /* and all later ones */
    void (*opened)(struct talk *talk); /* before the scripts are loaded; or NULL */
    void (*begins)(struct talk *talk); /* after it; or NULL */
    bool scripts_fail; /* messages may be lost with their handlers, but nothing may be garbled */
};

/* In fragments, so that they are gathered. */
static inline void say_big_text_(struct peer *peer)
{
    static char part[1500];
    memset(part, 'x', sizeof part);
    uint8_t heads[2][8] = { { 0x01, 0xFE, 0x05, 0xDC }, { 0x80, 0xFE, 0x05, 0xDC } };
    for (size_t i = 0; i < MW_COUNT(heads); i++) {
        say_bytes(peer, heads[i], 8); /* the key is zero: a mask that changes nothing */
        say_bytes(peer, part, sizeof part);
    }
}

static inline void talk_through(struct talk *talk, struct peer *all[PEERS])
{
    struct world *world = &talk->world;
    for (size_t i = 0; i < PEERS; i++)
        all[i] = talk_peers[i].target ? add_socket(world, talk_peers[i].target) : add_peer(world);
    run(world);
    say_text(all[ANN], "from ann");
    say_text(all[SLOW], "1");
    say_text(all[SLOW], "2");
    say_text(all[SLOW], "3");
    say_close(all[LATE], 4001);
    say_big_text_(all[ECHO]);
    run(world);
    say_text(all[BEN], "from ben");
    say_text(all[ECHO], "");
    say_text(all[BYE], "bye");
    say_close(all[ECHO], 1000);
    say(all[HTTP], "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    run(world);
    say_close(all[BYE], 4000);
    RUN_UNTIL(world, all[HTTP]->line.finished || all[HTTP]->line.closed);
    run(world);
}

/* "bye close:4000:bye end": all of it. Or a part of it, and then an end that says so. */
static inline bool is_right_or_ended_(const char *seen, const char *right)
{
    static const char *const endings[] = { "101 close:1011:", "close:1011:", "close:1013:",
                                           "503 end",         "reset",       "end" };
    if (!strcmp(seen, right))
        return true;
    size_t same = 0;
    while (seen[same] && seen[same] == right[same])
        same++;
    while (same > 0 && seen[same - 1] != ' ' && seen[same] != ' ')
        same--;
    const char *rest = seen + same + (seen[same] == ' ');
    for (size_t i = 0; i < MW_COUNT(endings); i++) {
        if (!strncmp(rest, endings[i], strlen(endings[i])))
            return true;
    }
    return false;
}

/* Whoever has ended may have said nothing before. */
static inline bool is_right_without_(const struct peer *other, const char *seen, const char *right,
                                     const char *words)
{
    char shorter[256], copy[256];
    snprintf(copy, sizeof copy, "%s", seen);
    const char *at = strstr(right, words), *other_seen = seen_by(other);
    bool has_ended =
        strstr(other_seen, "end") || strstr(other_seen, "close") || strstr(other_seen, "reset");
    if (!at || !has_ended)
        return false;
    snprintf(shorter, sizeof shorter, "%.*s%s", (int)(at - right), right, at + strlen(words));
    return is_right_or_ended_(copy, shorter);
}

static inline void check_(const struct talk *talk, struct peer *const all[PEERS], size_t who,
                          const char *right)
{
    const struct peer *peer = all[who];
    if (talk->scripts_fail && !strstr(seen_by(peer), "garbage"))
        return;
    if (is_right_or_ended_(seen_by(peer), right))
        return;
    if (who == ANN && is_right_without_(all[BEN], seen_by(peer), right, " text:from ben"))
        return;
    if (who == BEN && is_right_without_(all[ANN], seen_by(peer), right, " text:from ann"))
        return;
    print_error("seed %llu, allocation %llu: \"%s\" instead of \"%s\"\n",
                (unsigned long long)talk->seed, (unsigned long long)talk->fail_at, seen_by(peer),
                right);
    for (size_t i = 0; i < PEERS; i++)
        print_error("    %zu: \"%s\"\n", i, seen_by(all[i]));
    fail();
}

/* The whole of it; returns how many allocations the worker has asked for. */
static inline uint64_t talk_once(struct talk *talk)
{
    struct world *world = &talk->world;
    struct mw_mem *mem = &world->worker.mem;
    struct peer *all[PEERS];
    char right[256];
    open_worker(world, talk->engine, talk->seed);
    if (talk->opened)
        talk->opened(talk);
    if (world->project)
        load_again(world);
    else
        assert_int_equal(load(world), 0);
    uint64_t before = mem->count;
    mem->fail_at = talk->fail_at ? before + talk->fail_at : 0;
    mem->fail_after = talk->fail_after;
    if (talk->begins)
        talk->begins(talk);
    talk_through(talk, all);
    for (size_t i = 0; i < PEERS; i++)
        check_(talk, all, i, talk_peers[i].seen);
    mw_worker_drain(&world->worker, false);
    run(world);
    say_close(all[BEN], 1001);
    say_close(all[SLOW], 1001);
    run(world);
    for (size_t i = BEN; i < PEERS; i++) { /* Ann does not answer the stop */
        snprintf(right, sizeof right, "%s%s", talk_peers[i].seen, talk_peers[i].last);
        check_(talk, all, i, right);
    }
    uint64_t count = mem->count - before;
    struct mw_project *project = mw_project_keep(world->project);
    close_worker(world);
    world->project = project; /* for the next one */
    return count;
}

static inline void open_talk(struct talk *talk, const struct mw_engine *engine,
                             const char *const (*scripts)[2], size_t count)
{
    *talk = (struct talk){ .engine = engine, .seed = 1 };
    make_project(&talk->world);
    for (size_t i = 0; i < count; i++)
        write_script(&talk->world, scripts[i][0], scripts[i][1]);
}

static inline void close_talk(struct talk *talk)
{
    remove_project(&talk->world);
}

/* Without a failure everybody sees exactly what is right. */
static inline void assert_talk_is_right(struct talk *talk)
{
    struct peer *all[PEERS];
    open_worker(&talk->world, talk->engine, talk->seed);
    if (talk->opened)
        talk->opened(talk);
    assert_int_equal(load(&talk->world), 0);
    talk_through(talk, all);
    for (size_t i = 0; i < PEERS; i++)
        assert_seen(all[i], talk_peers[i].seen);
    close_worker(&talk->world);
}

/* Each allocation of the worker in its turn; `fail_after` is the caller's. */
static inline void fail_everywhere(struct talk *talk)
{
    talk->fail_at = 0;
    uint64_t count = talk_once(talk);
    assert_in_range(count, 60, 2000);
    for (talk->fail_at = 1; talk->fail_at <= count; talk->fail_at++)
        (void)talk_once(talk);
}

#endif
