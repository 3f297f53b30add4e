/*
 * deliver: the messages of one read that are given to an engine while it runs already, and the text
 * that is not judged a second time. What is true of either way is in test_conversation.c and
 * test_fair.c, whose engine takes what it can get.
 */
#include "core/server/deliver.h"

#include "core/server/host_real.h"
#include "tests/unit/server/serve.h"

/* All that it has said comes in one read. */
static void give(struct peer *peer)
{
    struct mw_view all = mw_buf_view(&peer->line.to_server);
    peer->line.takes_little = false;
    peer->line.stream.events->read(peer->line.stream.owner, (char *)all.data, all.len);
    mw_buf_clear(&peer->line.to_server);
    run(&world);
}

static struct peer *add_open_socket(void)
{
    struct peer *peer = add_socket(&world, "/s");
    run(&world);
    return peer;
}

static const struct {
    const char *script;
    const char *texts[5];
    const char *seen;
    unsigned heard, followed; /* messages, and those behind the first of a call */
} rows[] = {
    { "echo", { "a", "b", "c" }, "101 text:a text:b text:c", 3, 2 },
    { "fail", { "a", "b", "c" }, "101", 3, 0 },
    { "echo\nstop b", { "a", "b", "c" }, "101 text:a text:c", 3, 1 },
    { "wait\necho", { "a", "b", "c" }, "101 text:a text:b text:c", 3, 0 },
    { "close 4000", { "a", "b" }, "101 close:4000:a", 1, 0 },
    { "bad-json", { "a", "b" }, "101 close:1007:the message is not valid JSON", 1, 0 },
    { "deaf", { "a", "b" }, "101", 0, 0 },
};

TEST(messages_of_one_read_follow_each_other_and_come_to_the_same_as_one_by_one)
{
    for (size_t i = 0; i < 2 * MW_COUNT(rows); i++) {
        size_t row = i / 2;
        serve(rows[row].script);
        c_engine.one_by_one = i % 2;
        struct peer *peer = add_open_socket();
        for (const char *const *text = rows[row].texts; *text; text++)
            say_text(peer, *text);
        give(peer);
        assert_seen(peer, rows[row].seen);
        assert_int_equal(c_engine.messages, rows[row].heard);
        assert_int_equal(c_engine.followed, c_engine.one_by_one ? 0 : rows[row].followed);
        assert_null(world.worker.delivery);
        next_case();
    }
    serve("");
}

/* A ping, a Close frame or a breach between them is not for the script. */
TEST(what_is_no_message_ends_the_row)
{
    serve("echo");
    struct peer *peer = add_open_socket();
    say_text(peer, "a");
    say_text(peer, "b");
    say_frame(peer, MW_OPCODE_PING, mw_view_text("?"));
    say_text(peer, "c");
    say_close(peer, 1000);
    give(peer);
    assert_seen(peer, "101 pong:? text:a text:b text:c close:1000: end");
    assert_int_equal(c_engine.messages, 3);
}

TEST(each_message_of_a_row_counts_for_the_share_of_its_script)
{
    serve("echo");
    struct peer *peer = add_open_socket();
    world.worker.fair.share.max_calls = 2;
    world.gentle = true;
    for (unsigned i = 0; i < 5; i++)
        say_text(peer, "x");
    struct mw_view all = mw_buf_view(&peer->line.to_server);
    peer->line.stream.events->read(peer->line.stream.owner, (char *)all.data, all.len);
    mw_buf_clear(&peer->line.to_server);
    assert_int_equal(c_engine.messages, 2);
    assert_int_equal(c_engine.followed, 1);
    run(&world);
    assert_int_equal(c_engine.messages, 5);
}

TEST(nobody_but_the_running_call_is_given_a_message)
{
    enum mw_opcode kind;
    struct mw_view data;
    serve("echo");
    struct peer *peer = add_open_socket();
    const struct mw_host *host = mw_host_real();
    assert_false(host->next_message(peer->client->route, peer->client->id, &kind, &data));
    const struct mw_view text = mw_view("\xff", 1);
    host->heard(peer->client->route, text); /* nothing comes of it */
    assert_true(mw_deliver_is_text_broken(&world.worker, MW_OPCODE_TEXT, text));
}

/* ---- text that is not judged again ---- */

static const char broken[] = "\xff", same[] = "\xff";
static int sent[4];

/* Says that the text stands in `broken`: so it shows whether anybody looks. */
static enum mw_app_result hear(struct mw_app *app, mw_id id, enum mw_opcode kind,
                               struct mw_view data)
{
    const struct mw_host *host = mw_host_real();
    struct mw_route *route = world.worker.delivery ? world.peers[0]->client->route : NULL;
    (void)app, (void)data;
    host->heard(route, mw_view(broken, 1));
    sent[0] = host->send(route, id, kind, mw_view(broken, 1), NULL);
    sent[1] = host->send(route, id, kind, mw_view(same, 1), NULL);
    sent[2] = host->send(route, id, kind, mw_view(broken, 2), NULL);
    bool follows = host->next_message(route, id, &kind, &data);
    assert_false(follows);
    sent[3] = host->send(route, id, kind, mw_view(broken, 1), NULL);
    return MW_APP_DONE;
}

TEST(the_text_that_is_heard_is_not_judged_again_and_every_other_is)
{
    serve("");
    struct peer *peer = add_open_socket();
    struct mw_engine engine = *world.worker.engine;
    const struct mw_engine *before = world.worker.engine;
    engine.message = hear;
    world.worker.engine = &engine;
    say_text(peer, "x");
    give(peer);
    world.worker.engine = before;
    assert_int_equal(sent[0], MW_OK);
    assert_int_equal(sent[1], MW_ERR_BAD_UTF8);
    assert_int_equal(sent[2], MW_ERR_BAD_UTF8);
    assert_int_equal(sent[3], MW_ERR_BAD_UTF8); /* its call is over */
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(messages_of_one_read_follow_each_other_and_come_to_the_same_as_one_by_one),
        IN_A_WORLD(what_is_no_message_ends_the_row),
        IN_A_WORLD(each_message_of_a_row_counts_for_the_share_of_its_script),
        IN_A_WORLD(nobody_but_the_running_call_is_given_a_message),
        IN_A_WORLD(the_text_that_is_heard_is_not_judged_again_and_every_other_is),
    };
    return RUN(cases);
}
