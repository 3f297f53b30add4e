/* Who is called when, with scripts that sign each call. */
#include "core/server/fair.h"

#include "core/server/ending.h"
#include "core/server/upgrade.h"
#include "core/server/ws_driver.h"
#include "tests/unit/server/serve.h"

/* /s signs S, /t signs T. */
static void serve_two(const char *s, const char *t, unsigned calls_a_turn)
{
    write_script(&world, "s.capp", s);
    write_script(&world, "t.capp", t);
    world.gentle = true;
    open_worker(&world, c_engine_table(), 1);
    assert_int_equal(load(&world), 0);
    world.worker.fair.share.max_calls = calls_a_turn;
}

static void say_many(struct peer *peer, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        say_text(peer, "x");
}

/* What a call of /s costs: more than all those of /t together. */
static void make_heavy(void)
{
    struct mw_route *route = mw_route_by_name(&world.worker, mw_view_text("s.capp"));
    route->fair.place.used += 1000000;
}

/* A socket of /s, whose script is called once a turn from now on. */
static struct peer *serve_one_a_turn(void)
{
    serve("sign S\necho");
    world.gentle = true;
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    world.worker.fair.share.max_calls = 1;
    return peer;
}

TEST(one_client_with_thousands_of_messages_takes_its_share_of_each_turn)
{
    serve("sign S\necho");
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    world.worker.fair.share.max_calls = 10;
    say_many(peer, 1000);
    for (unsigned turns = 0, before = 0; before < 1000 && turns < 100000; turns++) {
        turn(&world);
        assert_in_range(c_engine.messages - before, 0, 20); /* two ends of a turn */
        before = c_engine.messages;
    }
    assert_int_equal(c_engine.messages, 1000);
}

TEST(many_clients_of_one_script_share_its_turns_in_order)
{
    serve("sign S\necho");
    struct peer *peers[5];
    for (size_t i = 0; i < 5; i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    world.worker.fair.share.max_calls = 1;
    for (size_t i = 0; i < 5; i++)
        say_text(peers[i], "one");
    for (size_t i = 0; i < 5; i++)
        say_text(peers[i], "two");
    run(&world);
    for (size_t i = 0; i < 5; i++)
        assert_seen(peers[i], "101 text:one text:two");
    assert_int_equal(c_engine.messages, 10);
}

TEST(a_light_script_is_called_before_the_heavy_one_is_called_again)
{
    serve_two("sign S\necho", "sign T\necho", 1);
    struct peer *heavy[4], *light = add_socket(&world, "/t");
    for (size_t i = 0; i < 4; i++)
        heavy[i] = add_socket(&world, "/s");
    run(&world);
    memset(c_engine.signs, 0, sizeof c_engine.signs);
    make_heavy();
    for (size_t i = 0; i < 4; i++)
        say_many(heavy[i], 5);
    turn(&world);
    say_many(light, 3);
    run(&world);
    const char *last = strrchr(c_engine.signs, 'T');
    assert_non_null(last);
    /* Each T came while at most two more S were called. */
    assert_in_range(last - c_engine.signs, 2, 6);
    assert_int_equal(strlen(c_engine.signs), 23);
}

TEST(mail_and_other_sockets_get_their_turn_while_a_script_is_flooded)
{
    struct peer *peer = serve_one_a_turn();
    say_many(peer, 200);
    turn(&world);
    struct peer *other = add_peer(&world);
    say(other, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 10; i++)
        turn(&world);
    assert_seen(other, "204");
    assert_in_range(c_engine.messages, 1, 30);
    run(&world);
    assert_int_equal(c_engine.messages, 200);
}

TEST(handshakes_wait_for_their_turn_and_the_limit_of_connections_holds)
{
    serve("sign S\necho\nlimit connections 3");
    struct peer *peers[5];
    world.gentle = true;
    world.worker.fair.share.max_calls = 1;
    for (size_t i = 0; i < 5; i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    assert_int_equal(c_engine.opens, 3);
    unsigned open = 0;
    for (size_t i = 0; i < 5; i++) {
        say_text(peers[i], "hi");
        run(&world);
        open += !strcmp(seen_by(peers[i]), "101 text:hi");
    }
    assert_int_equal(open, 3);
}

TEST(who_leaves_while_it_waits_is_forgotten)
{
    serve("sign S\necho");
    struct peer *peers[6];
    world.gentle = true;
    for (size_t i = 0; i < 3; i++)
        peers[i] = add_socket(&world, "/s");
    run(&world);
    world.worker.fair.share.max_calls = 1;
    for (size_t i = 3; i < 6; i++) /* not asked yet */
        peers[i] = add_socket(&world, "/s");
    for (size_t i = 0; i < 3; i++)
        say_many(peers[i], 10);
    turn(&world);
    for (size_t i = 0; i < 6; i++)
        peers[i]->line.peer_reset = true;
    RUN_UNTIL(&world, world.worker.client_count == 0);
    assert_true(mw_list_is_empty(&world.worker.fair.share.queue));
}

TEST(who_had_no_turn_in_time_is_told_to_come_later_and_not_that_the_script_failed)
{
    struct peer *busy = serve_one_a_turn();
    say_many(busy, 10);
    turn(&world);
    struct peer *late = add_socket(&world, "/s");
    RUN_UNTIL(&world, late->client && late->client->phase == MW_CLIENT_OPENING);
    assert_true(late->client->unasked);
    mw_ws_driver_alarm(late->client);
    run(&world);
    assert_seen(late, "101 close:1013:the script is busy;retry=5000-30000");
    say_close(late, 1013);
    run(&world);
    assert_non_null(strstr(logged(), "\"cause\":\"script_busy\""));
    assert_int_equal(c_engine.opens, 1);
    assert_int_equal(c_engine.ends, 0);
}

/* At a drain, for instance. */
TEST(who_is_turned_away_before_it_was_asked_about_is_closing_and_not_opening)
{
    struct peer *busy = serve_one_a_turn();
    struct mw_ending_room room;
    struct mw_end_record facts;
    say_many(busy, 10);
    turn(&world);
    struct peer *late = add_socket(&world, "/s");
    RUN_UNTIL(&world, late->client && late->client->phase == MW_CLIENT_OPENING);
    mw_ending_look(late->client, &room, &facts);
    assert_string_equal(facts.state, "opening: others go first, on_open has not been called");
    mw_upgrade_give_up(late->client, MW_CAUSE_drain, 1001, mw_view_text("stopping"), NULL);
    turn(&world);
    mw_ending_look(late->client, &room, &facts);
    assert_string_equal(facts.state, "closing: a Close frame was sent, the client's is awaited");
    run(&world);
    say_close(late, 1001);
    run(&world);
    assert_int_equal(c_engine.opens, 1);
}

TEST(who_closes_behind_its_messages_is_still_heard)
{
    struct peer *peer = serve_one_a_turn();
    say_many(peer, 20);
    say_close(peer, 1000);
    RUN_UNTIL(&world, c_engine.ends == 1);
    assert_int_equal(c_engine.messages, 20);
    assert_string_equal(c_engine.causes[0], "peer_close");
}

TEST(who_ends_its_stream_behind_its_messages_is_still_heard)
{
    struct peer *peer = serve_one_a_turn();
    say_many(peer, 20);
    peer->line.peer_finished = true;
    RUN_UNTIL(&world, c_engine.ends == 1);
    assert_int_equal(c_engine.messages, 20);
    assert_string_equal(c_engine.causes[0], "peer_fin");
}

TEST(a_removed_script_leaves_the_queue)
{
    serve_two("sign S\necho", "sign T\necho", 1);
    struct peer *peers[4];
    for (size_t i = 0; i < 4; i++)
        peers[i] = add_socket(&world, "/s");
    turn(&world);
    for (size_t i = 0; i < 4; i++)
        say_many(peers[i], 3);
    turn(&world);
    delete_file(&world.folder, "scripts/s.capp");
    assert_int_equal(load(&world), 0);
    run(&world);
    for (size_t i = 0; i < 4; i++)
        assert_non_null(
            strstr(seen_by(peers[i]), "close:1001:this service has ended;retry=30000-60000"));
}

TEST(ticks_of_many_scripts_wait_for_their_turn)
{
    serve_two("sign S\nwait\necho", "sign T\nwait\necho", 0);
    struct peer *one = add_socket(&world, "/s"), *two = add_socket(&world, "/t");
    world.worker.fair.share.max_calls = 1;
    run(&world);
    say_text(one, "1");
    say_text(two, "2");
    RUN_UNTIL(&world, !strcmp(seen_by(one), "101 text:1") && !strcmp(seen_by(two), "101 text:2"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(one_client_with_thousands_of_messages_takes_its_share_of_each_turn),
        IN_A_WORLD(many_clients_of_one_script_share_its_turns_in_order),
        IN_A_WORLD(a_light_script_is_called_before_the_heavy_one_is_called_again),
        IN_A_WORLD(mail_and_other_sockets_get_their_turn_while_a_script_is_flooded),
        IN_A_WORLD(handshakes_wait_for_their_turn_and_the_limit_of_connections_holds),
        IN_A_WORLD(who_leaves_while_it_waits_is_forgotten),
        IN_A_WORLD(who_had_no_turn_in_time_is_told_to_come_later_and_not_that_the_script_failed),
        IN_A_WORLD(who_is_turned_away_before_it_was_asked_about_is_closing_and_not_opening),
        IN_A_WORLD(who_closes_behind_its_messages_is_still_heard),
        IN_A_WORLD(who_ends_its_stream_behind_its_messages_is_still_heard),
        IN_A_WORLD(a_removed_script_leaves_the_queue),
        IN_A_WORLD(ticks_of_many_scripts_wait_for_their_turn),
    };
    return RUN(cases);
}
