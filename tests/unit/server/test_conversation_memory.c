/*
 * Whole conversations in which one allocation fails, each in its turn, and such in which all fail
 * from there on: no crash, nothing left behind, and a peer sees the right answer or an end.
 */
#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/world.h"

static struct world world;

static const struct {
    const char *name, *text;
} scripts[] = {
    { "room.capp", "join room\njoin lobby\npublish room" },
    { "refuse.capp", "refuse 403 not you" },
    { "late.capp", "wait-open\nrefuse 4001 not you either" },
    { "slow.capp", "route /slow/:name\nwait-open\ngreet hi\nwait\necho" },
    { "echo.capp", "echo" },
    { "bye.capp", "close 4000\necho" },
};

enum who { ANN, BEN, REFUSED, LATE, SLOW, ECHO, BYE, HTTP, PEERS };

/* What each of them sees when nothing fails, up to the stop and then to the end. */
static const struct {
    const char *target, *seen, *last;
} peers[PEERS] = {
    [ANN] = { "/room", "101 text:from ann text:from ben", "" },
    [BEN] = { "/room", "101 text:from ann text:from ben", " close:1001:server is stopping end" },
    [REFUSED] = { "/refuse", "403 end", "" },
    [LATE] = { "/late", "101 close:4001:not you either end", "" },
    [SLOW] = { "/slow/sue", "101 text:hi text:1 text:2 text:3",
               " close:1001:server is stopping end" },
    [ECHO] = { "/echo", "101 text[3000] text: close:1000: end", "" },
    [BYE] = { "/bye", "101 text:bye close:4000:bye end", "" },
    [HTTP] = { NULL, "404 end", "" },
};

static void write_all_scripts(void)
{
    for (size_t i = 0; i < MW_COUNT(scripts); i++)
        write_script(&world, scripts[i].name, scripts[i].text);
}

/* In fragments, so that they are gathered. */
static void say_big_text(struct peer *peer)
{
    static char part[1500];
    memset(part, 'x', sizeof part);
    uint8_t heads[2][8] = { { 0x01, 0xFE, 0x05, 0xDC }, { 0x80, 0xFE, 0x05, 0xDC } };
    for (size_t i = 0; i < MW_COUNT(heads); i++) {
        say_bytes(peer, heads[i], 8); /* the key is zero: a mask that changes nothing */
        say_bytes(peer, part, sizeof part);
    }
}

static void talk(struct peer *all[PEERS])
{
    for (size_t i = 0; i < PEERS; i++)
        all[i] = peers[i].target ? add_socket(&world, peers[i].target) : add_peer(&world);
    run(&world);
    say_text(all[ANN], "from ann");
    say_text(all[SLOW], "1");
    say_text(all[SLOW], "2");
    say_text(all[SLOW], "3");
    say_close(all[LATE], 4001);
    say_big_text(all[ECHO]);
    run(&world);
    say_text(all[BEN], "from ben");
    say_text(all[ECHO], "");
    say_text(all[BYE], "bye");
    say_close(all[ECHO], 1000);
    say(all[HTTP], "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    run(&world);
    say_close(all[BYE], 4000);
    RUN_UNTIL(&world, all[HTTP]->line.finished || all[HTTP]->line.closed);
    run(&world);
}

/* "bye close:4000:bye end": all of it. Or a part of it, and then an end that says so. */
static bool is_right_or_ended(const char *seen, const char *right)
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

static uint64_t fail_at; /* counted from where the talk begins; 0: none */
static uint64_t seed;    /* of how everything is cut */

/* Whoever has ended may have said nothing before. */
static bool is_right_without(const struct peer *other, const char *seen, const char *right,
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
    return is_right_or_ended(copy, shorter);
}

static void check(struct peer *const all[PEERS], size_t who, const char *right)
{
    const struct peer *peer = all[who];
    if (is_right_or_ended(seen_by(peer), right))
        return;
    if (who == ANN && is_right_without(all[BEN], seen_by(peer), right, " text:from ben"))
        return;
    if (who == BEN && is_right_without(all[ANN], seen_by(peer), right, " text:from ann"))
        return;
    print_error("seed %llu, allocation %llu: \"%s\" instead of \"%s\"\n", (unsigned long long)seed,
                (unsigned long long)fail_at, seen_by(peer), right);
    for (size_t i = 0; i < PEERS; i++)
        print_error("    %zu: \"%s\"\n", i, seen_by(all[i]));
    fail();
}

/* Returns how many allocations it has asked for. */
static uint64_t talk_with_failure(bool all_later)
{
    struct peer *all[PEERS];
    char right[256];
    open_worker(&world, c_engine_table(), seed);
    c_engine = (struct c_engine){ .mem = &world.worker.mem };
    if (world.project)
        load_again(&world);
    else
        assert_int_equal(load(&world), 0);
    struct mw_mem *mem = &world.worker.mem;
    uint64_t before = mem->count;
    mem->fail_at = fail_at ? before + fail_at : 0;
    mem->fail_after = all_later;
    talk(all);
    for (size_t i = 0; i < PEERS; i++)
        check(all, i, peers[i].seen);
    mw_worker_stop(&world.worker);
    run(&world);
    say_close(all[BEN], 1001);
    say_close(all[SLOW], 1001);
    run(&world);
    for (size_t i = BEN; i < PEERS; i++) { /* Ann does not answer the stop */
        snprintf(right, sizeof right, "%s%s", peers[i].seen, peers[i].last);
        check(all, i, right);
    }
    uint64_t count = mem->count - before;
    mw_project_keep(world.project);
    struct mw_project *project = world.project;
    close_worker(&world);
    world.project = project;
    assert_int_equal(c_engine.closes, c_engine.opens);
    assert_int_equal(c_engine.nested + c_engine.overlaps, 0);
    return count;
}

TEST(without_a_failure_everybody_sees_the_right_answer)
{
    make_project(&world);
    write_all_scripts();
    fail_at = 0;
    struct peer *all[PEERS];
    open_worker(&world, c_engine_table(), 3);
    c_engine = (struct c_engine){ .mem = &world.worker.mem };
    assert_int_equal(load(&world), 0);
    talk(all);
    for (size_t i = 0; i < PEERS; i++)
        assert_seen(all[i], peers[i].seen);
    close_worker(&world);
    remove_project(&world);
}

/* The same talk, cut in other ways, with each of its allocations failing. */
static void fail_everywhere(bool all_later)
{
    make_project(&world);
    write_all_scripts();
    for (seed = 1; seed <= 3; seed++) {
        fail_at = 0;
        uint64_t count = talk_with_failure(all_later);
        assert_in_range(count, 60, 2000);
        for (fail_at = 1; fail_at <= count; fail_at++)
            (void)talk_with_failure(all_later);
    }
    remove_project(&world);
}

TEST(each_failing_allocation_is_a_right_answer_or_an_end)
{
    fail_everywhere(false);
}

TEST(when_all_memory_ends_everybody_sees_a_right_beginning_and_an_end)
{
    fail_everywhere(true);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(without_a_failure_everybody_sees_the_right_answer),
        CASE(each_failing_allocation_is_a_right_answer_or_an_end),
        CASE(when_all_memory_ends_everybody_sees_a_right_beginning_and_an_end),
    };
    return RUN(cases);
}
