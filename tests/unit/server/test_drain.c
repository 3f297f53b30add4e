/* The steps of a drain, with peers in memory: who is told what, and in which order. */
#include "core/server/drain.h"

#include "core/server/drain_say.h"
#include "core/server/ws_driver.h"
#include "tests/unit/server/serve.h"

#define CROWD 12

/* The order in which Close frames came is that of these. */
static unsigned after_ms(const struct peer *peer)
{
    const char *retry = strstr(seen_by(peer), ";retry=");
    uint64_t ms = 0;
    assert_non_null(retry);
    size_t digits = strspn(retry + 7, "0123456789");
    assert_true(mw_parse_u64(mw_view(retry + 7, digits), 0, 100000, &ms));
    return (unsigned)ms;
}

static bool is_told(const struct peer *peer)
{
    return strstr(seen_by(peer), " close:") != NULL;
}

static size_t count_told(struct peer **peers)
{
    size_t count = 0;
    for (size_t i = 0; i < CROWD; i++)
        count += is_told(peers[i]);
    return count;
}

static void gather(struct peer **peers)
{
    for (size_t i = 0; i < CROWD; i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
}

/* Each of 0, 2, 4 ... from `lead` on, and not in the order in which they came. */
static void assert_slots(struct peer **peers, unsigned lead_ms)
{
    bool seen[CROWD] = { false };
    size_t in_order = 0;
    for (size_t i = 0; i < CROWD; i++) {
        size_t slot = (after_ms(peers[i]) - lead_ms) / 2;
        assert_true(slot < CROWD && !seen[slot]);
        seen[slot] = true;
        in_order += slot == i;
    }
    assert_true(in_order < CROWD);
}

TEST(everybody_is_given_a_slot_of_their_own)
{
    struct peer *peers[CROWD];
    world.config.drain_rate = 500;
    serve("echo");
    gather(peers);
    mw_worker_drain(&world.worker, false);
    RUN_UNTIL(&world, count_told(peers) == CROWD);
    assert_slots(peers, 0);
    for (size_t i = 0; i < CROWD; i++)
        assert_non_null(strstr(seen_by(peers[i]), "101 close:1001:server is stopping;retry="));
}

TEST(after_a_restart_nobody_comes_before_the_server)
{
    struct peer *peers[CROWD];
    world.config.drain_rate = 500;
    serve("echo");
    gather(peers);
    mw_worker_drain(&world.worker, true);
    RUN_UNTIL(&world, count_told(peers) == CROWD);
    assert_slots(peers, 5000);
    for (size_t i = 0; i < CROWD; i++)
        assert_non_null(strstr(seen_by(peers[i]), "101 close:1012:server is restarting;retry=5"));
}

/* While some are told, the others are still served. */
TEST(the_closes_are_spread_in_the_order_of_the_slots)
{
    struct peer *peers[CROWD];
    world.config.drain_rate = 1; /* over 2.5 s of 25 */
    serve("echo");
    gather(peers);
    mw_worker_drain(&world.worker, false);
    RUN_UNTIL(&world, count_told(peers) >= 2);
    for (size_t told = count_told(peers); told < CROWD / 2; told = count_told(peers)) {
        for (size_t i = 0; i < CROWD; i++)
            assert_true(!is_told(peers[i]) || after_ms(peers[i]) < 1000 * told);
        RUN_UNTIL(&world, count_told(peers) > told);
    }
}

TEST(in_the_grace_it_is_not_ready_and_still_serves)
{
    world.config.drain_grace = 10;
    serve("echo");
    struct peer *early = add_socket(&world, "/s"), *probe = add_peer(&world);
    run(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    struct peer *late = add_socket(&world, "/s");
    say(probe, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    say_text(early, "one");
    run(&world);
    say_text(late, "two");
    run(&world);
    assert_seen(early, "101 text:one");
    assert_seen(late, "101 text:two");
    assert_seen(probe, "503");
    assert_int_equal(world.worker.drain.facts.connections, 1);
    world.worker.drain.asked_ms = 0; /* so long ago */
    world.worker.drain.alarm.ring(&world.worker.drain.alarm);
    run(&world);
    assert_non_null(strstr(seen_by(early), " close:1001:server is stopping;retry=0"));
    assert_non_null(strstr(seen_by(late), " close:1001:server is stopping;retry=0"));
    assert_seen(probe, "503 end");
}

TEST(without_memory_for_a_plan_everybody_is_told_all_the_same)
{
    struct peer *peers[CROWD];
    world.config.drain_rate = 500;
    serve("echo");
    gather(peers);
    mw_worker_drain(&world.worker, false);
    world.worker.mem.fail_at = world.worker.mem.count + 1;
    RUN_UNTIL(&world, count_told(peers) == CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(after_ms(peers[i]), 2 * i);
}

TEST(it_tells_how_it_went)
{
    serve("echo");
    struct peer *answers = add_socket(&world, "/s"), *vanishes = add_socket(&world, "/s");
    run(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    say_close(answers, 1001);
    vanishes->line.peer_reset = true;
    RUN_UNTIL(&world, world.worker.drain.phase == MW_DRAIN_OVER);
    const struct mw_drain_tally *tally = &world.worker.drain.tally;
    assert_int_equal(tally->told, 2);
    assert_int_equal(tally->clean, 1);
    assert_int_equal(tally->unanswered, 1);
    assert_int_equal(mw_drain_count_cut(tally), 0);
    mw_drain_say_over(&world.log, tally);
    assert_non_null(
        strstr(logged(), "\"msg\":\"drained\",\"told\":2,\"clean\":1,\"unanswered\":1"));
}

/* Their ends had begun for another reason, or they had left before their slot came. */
TEST(who_ends_for_another_reason_at_the_same_time_is_not_counted)
{
    serve("echo");
    struct peer *told = add_socket(&world, "/s"), *closed = add_socket(&world, "/s");
    struct peer *leaves = add_socket(&world, "/s");
    run(&world);
    (void)mw_ws_driver_close(closed->client, MW_CAUSE_script_close, 4000, mw_view_text("before"));
    say_close(leaves, 1000);
    run(&world);
    mw_worker_drain(&world.worker, false);
    run(&world);
    assert_seen(closed, "101 close:4000:before");
    say_close(told, 1001);
    closed->line.peer_reset = true;
    RUN_UNTIL(&world, world.worker.drain.phase == MW_DRAIN_OVER);
    const struct mw_drain_tally *tally = &world.worker.drain.tally;
    assert_int_equal(tally->told, 1);
    assert_int_equal(tally->clean, 1);
    assert_int_equal(tally->unanswered, 0);
}

/* on_close that it is owed would take as long as they like, in the middle of the others' time. */
TEST(a_script_that_was_removed_ends_with_the_drain)
{
    write_script(&world, "gone.capp", "echo");
    serve("echo");
    struct peer *stays = add_socket(&world, "/s"), *goes = add_socket(&world, "/gone");
    run(&world);
    assert_int_equal(unlink(below(&world.folder, "scripts/gone.capp")), 0);
    assert_int_equal(load(&world), 0);
    run(&world);
    assert_non_null(strstr(seen_by(goes), "101 close:1001:this service has ended"));
    mw_worker_drain(&world.worker, false);
    run(&world);
    goes->line.peer_reset = true;
    RUN_UNTIL(&world, world.worker.client_count == 1);
    run(&world);
    assert_int_equal(c_engine.ends, 1);
    assert_int_equal(c_engine.stops, 0);
    say_close(stays, 1001);
    RUN_UNTIL(&world, world.worker.drain.phase == MW_DRAIN_OVER);
    assert_int_equal(c_engine.stops, 2);
}

TEST(who_was_cut_is_said_in_words)
{
    char text[MW_DRAIN_TEXT_MAX];
    struct mw_drain_tally tally = { 0 };
    mw_drain_cut_text(&tally, text);
    assert_string_equal(text, "");
    tally.cut[MW_DRAIN_CUT_unread] = 3;
    tally.cut[MW_DRAIN_CUT_request] = 1;
    mw_drain_cut_text(&tally, text);
    assert_string_equal(text, "4 cut: 3 did not read what was sent, 1 were in the middle of a "
                              "request or its answer");
    for (size_t i = 0; i < MW_DRAIN_CUTS; i++)
        tally.cut[i] = SIZE_MAX / MW_DRAIN_CUTS;
    mw_drain_cut_text(&tally, text);
    assert_true(strlen(text) < MW_DRAIN_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(everybody_is_given_a_slot_of_their_own),
        IN_A_WORLD(after_a_restart_nobody_comes_before_the_server),
        IN_A_WORLD(the_closes_are_spread_in_the_order_of_the_slots),
        IN_A_WORLD(in_the_grace_it_is_not_ready_and_still_serves),
        IN_A_WORLD(without_memory_for_a_plan_everybody_is_told_all_the_same),
        IN_A_WORLD(it_tells_how_it_went),
        IN_A_WORLD(who_ends_for_another_reason_at_the_same_time_is_not_counted),
        IN_A_WORLD(a_script_that_was_removed_ends_with_the_drain),
        CASE(who_was_cut_is_said_in_words),
    };
    return RUN(cases);
}
