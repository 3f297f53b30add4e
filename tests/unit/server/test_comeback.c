/*
 * Sessions in the server without a network: who is cut off, what is kept, who comes back and how,
 * and all of it once more with memory that fails.
 */
#define _GNU_SOURCE
#include "core/server/comeback.h"

#include "core/server/away.h"
#include "core/server/worker.h"
#include "tests/unit/server/c_engine.h"
#include "tests/unit/server/world.h"

#define MARK "0123456789abcdefABCDEF"

static struct world world;

static void begin(const char *script, uint64_t seed)
{
    c_engine = (struct c_engine){ .mem = &world.mem };
    write_script(&world, "s.capp", script);
    open_worker(&world, c_engine_table(), seed);
    assert_int_equal(load(&world), 0);
}

static void end(void)
{
    close_worker(&world);
    assert_int_equal(c_engine.closes, c_engine.opens);
    assert_int_equal(c_engine.nested + c_engine.overlaps, 0);
}

static int set_up(void **state)
{
    (void)state;
    make_project(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_project(&world);
    return 0;
}

/* ---- a client that has a session ---- */

struct visitor {
    struct peer *peer;
    char token[MW_RESUME_TOKEN_LEN + 1];
};

/* The hello is the only one who says it. */
static bool read_token(struct visitor *visitor)
{
    static const char name[] = "\"token\":\"";
    struct mw_view seen = mw_buf_view(&visitor->peer->line.to_peer);
    const char *at = seen.len ? memmem(seen.data, seen.len, name, sizeof name - 1) : NULL;
    if (!at || (size_t)(seen.data + seen.len - at) < sizeof name - 1 + MW_RESUME_TOKEN_LEN)
        return false;
    memcpy(visitor->token, at + sizeof name - 1, MW_RESUME_TOKEN_LEN);
    return true;
}

static struct visitor arrive(void)
{
    struct visitor visitor = { .peer = add_socket(&world, "/s?moonwire=" MARK ".") };
    run(&world);
    (void)read_token(&visitor);
    return visitor;
}

static void come_back(struct visitor *visitor, unsigned count)
{
    char target[128];
    snprintf(target, sizeof target, "/s?moonwire=" MARK ".%s.%u", visitor->token, count);
    visitor->peer = add_socket(&world, target);
    run(&world);
    (void)read_token(visitor);
}

static void cut(struct visitor *visitor)
{
    visitor->peer->line.peer_reset = true;
    run(&world);
}

static void leave_out(char *text, const char *word)
{
    size_t len = strlen(word);
    for (char *at; (at = strstr(text, word));)
        memmove(at, at + len, strlen(at + len) + 1);
}

/*
 * The last words of what a peer has seen. Hellos with their lengths, pings with their moments and
 * questions for the count are the session's own.
 */
static void assert_ends_with(const struct peer *peer, const char *words)
{
    char seen[4000];
    snprintf(seen, sizeof seen, "%s", seen_by(peer));
    leave_out(seen, " ping");
    leave_out(seen, " text:" MARK "?");
    size_t len = strlen(seen), want = strlen(words);
    if (len < want || strcmp(seen + len - want, words) != 0)
        fail_msg("'%s' does not end with '%s'", seen, words);
}

static struct mw_client *away(void)
{
    const struct mw_link *first = world.worker.away.sessions.next;
    assert_int_equal(world.worker.away.count, 1);
    return MW_OWNER(first, struct mw_session, link)->client;
}

/* ---- the cases ---- */

TEST(what_was_published_meanwhile_comes_behind_the_hello)
{
    begin("resume 30\njoin room\npublish room", 1);
    struct visitor ann = arrive();
    struct peer *ben = add_socket(&world, "/s");
    run(&world);
    say_text(ben, "one");
    run(&world);
    cut(&ann);
    assert_int_equal(away()->phase, MW_CLIENT_AWAY);
    assert_int_equal(c_engine.closes, 0);
    say_text(ben, "two");
    say_text(ben, "three");
    run(&world);
    come_back(&ann, 1);
    assert_ends_with(ann.peer, "] text:two text:three");
    assert_int_equal(c_engine.returns, 1);
    assert_int_equal(c_engine.replayed, 2);
    assert_int_equal(world.worker.away.count, 0);
    say_text(ann.peer, "back");
    run(&world);
    assert_ends_with(ben, "text:back");
    assert_int_equal(c_engine.opens, 2);
    end();
}

TEST(a_later_connection_takes_over_an_earlier_one)
{
    begin("resume 30\necho", 2);
    struct visitor ann = arrive();
    struct peer *first = ann.peer;
    come_back(&ann, 0);
    assert_true(first->line.closed);
    say_text(ann.peer, "hello");
    run(&world);
    assert_ends_with(ann.peer, "] text:hello");
    end();
}

/* A browser says 1001 by itself: also for a connection that its page had given up by then. */
TEST(a_browser_that_lets_go_of_a_return_does_not_end_the_session)
{
    for (unsigned is_heard = 0; is_heard < 2; is_heard++) {
        begin("resume 30\necho", 2);
        struct visitor ann = arrive();
        cut(&ann);
        come_back(&ann, 0);
        if (is_heard)
            say_text(ann.peer, MARK "+0");
        say_close(ann.peer, 1001);
        run(&world);
        assert_int_equal(world.worker.away.count, !is_heard);
        assert_int_equal(c_engine.closes, is_heard);
        come_back(&ann, 0);
        assert_int_equal(c_engine.opens, 1 + is_heard);
        end();
    }
}

TEST(what_comes_behind_the_request_is_for_the_session)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        char target[128], long_text[5000];
        memset(long_text, 'x', sizeof long_text);
        begin("resume 30\necho", seed);
        struct visitor ann = arrive();
        cut(&ann);
        snprintf(target, sizeof target, "/s?moonwire=" MARK ".%s.0", ann.token);
        ann.peer = add_socket(&world, target);
        for (int i = 0; i < 10; i++)
            say_frame(ann.peer, MW_OPCODE_TEXT, mw_view(long_text, sizeof long_text));
        say_text(ann.peer, "last");
        run(&world);
        assert_ends_with(ann.peer, "text:last");
        assert_int_equal(c_engine.messages, 11);
        end();
    }
}

static const struct {
    const char *script, *seen;
    unsigned code; /* of the session's end; 0: it goes on */
} answers[] = {
    { "resume 30\nrefuse-back 403", "403 end", 1008 },
    { "resume 30\nrefuse-back 4001", " close:4001: end", 4001 },
    { "resume 30\nfail-back", " close:1011:on_resume failed end", 1011 },
    { "resume 30\nwait-back", "]", 0 },
};

TEST(on_resume_decides)
{
    for (size_t i = 0; i < MW_COUNT(answers); i++) {
        begin(answers[i].script, i + 1);
        struct visitor ann = arrive();
        cut(&ann);
        come_back(&ann, 0);
        for (int turns = 0; turns < 20; turns++)
            turn(&world);
        run(&world);
        if (answers[i].code > 1000 && strstr(answers[i].seen, "close"))
            say_close(ann.peer, answers[i].code);
        run(&world);
        if (answers[i].code) {
            RUN_UNTIL(&world, c_engine.ends == 1);
            assert_int_equal(c_engine.codes[0], answers[i].code);
            assert_int_equal(world.worker.away.count, 0);
        } else {
            assert_ends_with(ann.peer, answers[i].seen);
        }
        end();
    }
}

TEST(a_comer_that_goes_leaves_the_session_to_the_next)
{
    begin("resume 30\necho\nwait-back", 3);
    struct visitor ann = arrive();
    cut(&ann);
    c_engine.hold = true;
    come_back(&ann, 0);
    assert_true(away()->busy);
    cut(&ann);
    assert_int_equal(away()->phase, MW_CLIENT_AWAY);
    come_back(&ann, 0);
    assert_int_equal(c_engine.returns, 1); /* one call at a time */
    c_engine.hold = false;
    RUN_UNTIL(&world, world.worker.away.count == 0);
    assert_int_equal(c_engine.returns, 2);
    run(&world);
    say_text(ann.peer, "hello");
    run(&world);
    assert_ends_with(ann.peer, "] text:hello");
    end();
}

TEST(its_time_is_over_once)
{
    begin("resume 30\necho", 4);
    struct visitor ann = arrive();
    cut(&ann);
    away()->session->must_go = true;
    mw_client_settle_later(away());
    run(&world);
    assert_int_equal(world.worker.away.count, 0);
    assert_int_equal(c_engine.ends, 1);
    assert_int_equal(c_engine.codes[0], 1006);
    assert_string_equal(c_engine.causes[0], "peer_reset");
    come_back(&ann, 0);
    assert_int_equal(c_engine.opens, 2); /* a new one */
    assert_int_equal(c_engine.returns, 0);
    end();
}

/* on_resume says yes in the turn in which the session has to make room. */
TEST(who_must_make_room_is_not_let_in_to_be_lost_at_the_next_cut)
{
    begin("resume 30\nwait-back", 7);
    struct visitor ann = arrive();
    cut(&ann);
    c_engine.hold = true;
    come_back(&ann, 0);
    away()->session->must_go = true;
    c_engine.hold = false;
    RUN_UNTIL(&world, world.worker.away.count == 0);
    assert_int_equal(c_engine.ends, 1);
    run(&world);
    assert_non_null(strstr(seen_by(ann.peer), "503"));
    end();
}

/* All in one turn, as when a network goes. */
TEST(beyond_the_bound_of_sessions_as_many_end_as_are_too_many)
{
    begin("resume 30", 6);
    struct visitor visitors[8];
    world.config.resume_sessions = 2;
    for (size_t i = 0; i < MW_COUNT(visitors); i++)
        visitors[i] = arrive();
    for (size_t i = 0; i < MW_COUNT(visitors); i++)
        visitors[i].peer->line.peer_reset = true;
    run(&world);
    assert_int_equal(world.worker.away.count, 2);
    assert_int_equal(c_engine.ends, 6);
    end();
}

/* ---- a target's worker ---- */

TEST(a_request_names_the_worker_of_its_session)
{
    uint8_t worker = 77;
    begin("resume 30", 5);
    struct visitor ann = arrive();
    char target[128];
    snprintf(target, sizeof target, "/s?a=b&moonwire=" MARK ".%s.0", ann.token);
    assert_true(mw_comeback_worker(mw_view_text(target), &worker));
    assert_int_equal(worker, world.worker.number);
    assert_false(mw_comeback_worker(mw_view_text("/s?moonwire=" MARK "."), &worker));
    assert_false(mw_comeback_worker(mw_view_text("/s"), &worker));
    end();
}

/* ---- without memory ---- */

/* Returns how many allocations it takes; the n-th fails (0: none), or all from there on. */
static uint64_t talk_once(uint64_t seed, uint64_t n, bool and_after)
{
    begin("resume 30\njoin room\npublish room", seed);
    struct mw_mem *mem = &world.worker.mem;
    uint64_t before = mem->count;
    mem->fail_at = n ? before + n : 0;
    mem->fail_after = and_after;
    struct visitor ann = arrive();
    struct peer *ben = add_socket(&world, "/s");
    run(&world);
    cut(&ann);
    say_text(ben, "two");
    run(&world);
    come_back(&ann, 0);
    say_text(ann.peer, "three");
    run(&world);
    assert_null(strstr(seen_by(ann.peer), "garbage"));
    uint64_t count = mem->count - before;
    mem->fail_at = 0;
    mem->fail_after = false;
    end();
    return count;
}

TEST(without_memory_nothing_is_left_behind)
{
    for (int and_after = 0; and_after <= 1; and_after++) {
        uint64_t count = talk_once(1, 0, false);
        assert_in_range(count, 10, 1000);
        for (uint64_t n = 1; n <= count; n++)
            (void)talk_once(1, n, and_after);
    }
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(what_was_published_meanwhile_comes_behind_the_hello),
        IN_A_WORLD(a_later_connection_takes_over_an_earlier_one),
        IN_A_WORLD(a_browser_that_lets_go_of_a_return_does_not_end_the_session),
        IN_A_WORLD(what_comes_behind_the_request_is_for_the_session),
        IN_A_WORLD(on_resume_decides),
        IN_A_WORLD(a_comer_that_goes_leaves_the_session_to_the_next),
        IN_A_WORLD(its_time_is_over_once),
        IN_A_WORLD(who_must_make_room_is_not_let_in_to_be_lost_at_the_next_cut),
        IN_A_WORLD(beyond_the_bound_of_sessions_as_many_end_as_are_too_many),
        IN_A_WORLD(a_request_names_the_worker_of_its_session),
        IN_A_WORLD(without_memory_nothing_is_left_behind),
    };
    return RUN(cases);
}
