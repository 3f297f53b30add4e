/* broadcast: one message to connections of every kind, made no more often than it must be. */
#include "core/session/broadcast.h"

#include "tests/unit/session/machine.h"

enum { PLAIN, ALONE, ALONE_TOO, ALONE_NARROW, IN_CONTEXT, MACHINES };

static const struct mw_ext_deflate terms[MACHINES] = {
    [ALONE] = { .on = true, .server_no_takeover = true },
    [ALONE_TOO] = { .on = true, .server_no_takeover = true, .client_bits = 9 },
    [ALONE_NARROW] = { .on = true, .server_no_takeover = true, .server_bits = 9 },
    [IN_CONTEXT] = { .on = true },
};

static void open_machines(struct machine machines[MACHINES])
{
    for (size_t i = 0; i < MACHINES; i++) {
        open_machine_at(&machines[i], MW_ROLE_SERVER, i);
        machines[i].terms = terms[i];
        begin_machine(&machines[i]);
    }
}

static void close_machines(struct machine machines[MACHINES])
{
    for (size_t i = 0; i < MACHINES; i++)
        close_machine(&machines[i]);
}

/* What a client on these terms makes of the frame; it must be this text. */
static void assert_understood(struct machine *m, size_t i, struct mw_view text, bool compressed)
{
    struct sent sent;
    flush(m);
    assert_true(take_sent(m, &sent));
    assert_int_equal(sent.compressed, compressed);
    struct machine client;
    open_machine_at(&client, MW_ROLE_CLIENT, 1);
    client.terms = terms[i];
    begin_machine(&client);
    uint8_t head[MW_FRAME_HEAD_MAX];
    size_t len = mw_frame_encode(head, MW_OPCODE_TEXT, true, sent.data.len, NULL);
    if (sent.compressed)
        mw_frame_set_compressed(head);
    struct mw_buf bytes;
    mw_buf_init(&bytes, &m->wire_mem, 0);
    assert_int_equal(mw_buf_put(&bytes, head, len), MW_OK);
    assert_int_equal(mw_buf_put_view(&bytes, sent.data), MW_OK);
    give_bytes(&client, bytes.data, bytes.len);
    mw_buf_free(&bytes);
    assert_int_equal(pull(&client), MW_EVENT_MESSAGE);
    assert_int_equal(client.event.data.len, text.len);
    assert_memory_equal(client.event.data.data, text.data, text.len);
    assert_no_event(&client);
    close_machine(&client);
}

static char text[5000];

static struct mw_view compose(size_t len)
{
    for (size_t i = 0; i < len; i++)
        text[i] = "{\"temperature\":21.5},"[i % 21];
    return mw_view(text, len);
}

static void check(size_t receivers, size_t len, const bool compressed[MACHINES])
{
    struct machine machines[MACHINES];
    struct mw_broadcast broadcast;
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    open_machines(machines);
    struct mw_view data = compose(len);
    mw_broadcast_begin(&broadcast, &mem, receivers, MW_OPCODE_TEXT, data);
    for (size_t i = 0; i < MACHINES; i++)
        assert_int_equal(mw_broadcast_send(&broadcast, &machines[i].conn, START_MS), MW_OK);
    mw_broadcast_end(&broadcast);
    for (size_t i = 0; i < MACHINES; i++)
        assert_understood(&machines[i], i, data, compressed[i]);
    close_machines(machines);
    assert_mem_empty(&mem);
}

TEST(a_large_message_goes_to_everybody_as_it_was_agreed)
{
    check(5, 5000, (bool[MACHINES]){ false, true, true, true, true });
}

TEST(a_message_alone_is_compressed_from_1024_bytes_on)
{
    check(5, 1024, (bool[MACHINES]){ false, true, true, true, true });
    check(5, 1023, (bool[MACHINES]){ false, false, false, false, true });
}

TEST(a_message_in_context_is_compressed_from_128_bytes_on)
{
    check(5, 128, (bool[MACHINES]){ [IN_CONTEXT] = true });
    check(5, 127, (bool[MACHINES]){ false });
    check(5, 0, (bool[MACHINES]){ false });
}

TEST(many_get_what_stands_alone_whether_they_keep_a_context_or_not)
{
    check(MW_BROADCAST_FEW + 1, 1024, (bool[MACHINES]){ false, true, true, true, true });
    check(MW_BROADCAST_FEW + 1, 1023, (bool[MACHINES]){ false });
}

/* What goes to one alone before and after it, the receiver reads with one context. */
TEST(a_context_begins_anew_behind_what_stood_alone)
{
    struct machine server, client;
    struct mw_broadcast broadcast;
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    open_machine_at(&server, MW_ROLE_SERVER, 1);
    open_machine_at(&client, MW_ROLE_CLIENT, 2);
    server.terms = client.terms = terms[IN_CONTEXT];
    begin_machine(&server);
    begin_machine(&client);
    for (size_t i = 0; i < 30; i++) {
        size_t len = 200 + i * 150;
        struct mw_view data = compose(len);
        memset(text + i, 'a' + (int)i, 100);
        mw_broadcast_begin(&broadcast, &mem, i % 3 ? 1 : 1000, MW_OPCODE_TEXT, data);
        assert_int_equal(mw_broadcast_send(&broadcast, &server.conn, START_MS), MW_OK);
        mw_broadcast_end(&broadcast);
        flush(&server);
        give_bytes(&client, server.wire.data, server.wire.len);
        assert_int_equal(pull(&client), MW_EVENT_MESSAGE);
        assert_int_equal(client.event.data.len, len);
        assert_memory_equal(client.event.data.data, text, len);
        assert_no_event(&client);
    }
    mw_buf_clear(&server.wire);
    close_machine(&server);
    close_machine(&client);
    assert_mem_empty(&mem);
}

TEST(what_many_get_is_made_once_for_each_window)
{
    struct machine machines[MACHINES];
    struct mw_broadcast broadcast;
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    open_machines(machines);
    mw_broadcast_begin(&broadcast, &mem, 5, MW_OPCODE_TEXT, compose(5000));
    assert_int_equal(mw_broadcast_send(&broadcast, &machines[ALONE].conn, START_MS), MW_OK);
    assert_null(broadcast.plain);
    const struct mw_msg *made = broadcast.packed[12];
    assert_non_null(made);
    uint64_t count = mem.count;
    for (int i = 0; i < 3; i++)
        mw_broadcast_send(&broadcast, &machines[ALONE_TOO].conn, START_MS);
    assert_true(broadcast.packed[12] == made);
    assert_int_equal(mem.count, count);
    mw_broadcast_send(&broadcast, &machines[ALONE_NARROW].conn, START_MS);
    assert_non_null(broadcast.packed[9]);
    assert_true(mem.count > count);
    close_machines(machines);
    mw_broadcast_end(&broadcast);
    assert_mem_empty(&mem);
}

/* Two workers: each has its own memory, and what one has framed or compressed the other takes. */
TEST(what_several_workers_send_is_made_once_for_all)
{
    struct machine machines[MACHINES];
    struct mw_broadcast broadcasts[2];
    struct mw_msg_twins twins;
    struct mw_mem mems[2];
    size_t before = mw_msg_bytes_alive();
    struct mw_view data = compose(5000);
    open_machines(machines);
    mw_msg_twins_init(&twins, mw_broadcast_frame(NULL, MW_OPCODE_TEXT, data));
    for (size_t w = 0; w < 2; w++) {
        mw_mem_init(&mems[w], NULL, 0);
        mw_broadcast_begin_shared(&broadcasts[w], &mems[w], 100, MW_OPCODE_TEXT, &twins);
        for (size_t i = 0; i < MACHINES; i++)
            assert_int_equal(mw_broadcast_send(&broadcasts[w], &machines[i].conn, START_MS), MW_OK);
        assert_ptr_equal(mw_msg_wire(broadcasts[w].plain).data, mw_msg_wire(twins.plain).data);
        assert_ptr_equal(mw_msg_wire(broadcasts[w].packed[MW_EXT_WINDOW_BITS]).data,
                         mw_msg_wire(mw_msg_twins_packed(&twins)).data);
        assert_in_range(mems[w].bytes, 5000, 8000); /* plain, and both ways of packing */
    }
    assert_in_range(mw_msg_bytes_alive() - before, 5000, 6500);
    for (size_t w = 0; w < 2; w++)
        mw_broadcast_end(&broadcasts[w]);
    mw_msg_twins_free(&twins); /* what waits holds what it shows */
    for (size_t i = 0; i < MACHINES; i++) {
        struct sent sent;
        flush(&machines[i]);
        for (size_t w = 0; w < 2; w++) {
            assert_true(take_sent(&machines[i], &sent));
            assert_int_equal(sent.compressed, i != PLAIN);
        }
    }
    close_machines(machines);
    assert_int_equal(mw_msg_bytes_alive(), before);
    assert_mem_empty(&mems[0]);
    assert_mem_empty(&mems[1]);
}

TEST(what_does_not_shrink_is_looked_at_once_by_all_workers)
{
    struct machine machines[MACHINES];
    struct mw_msg_twins twins;
    struct mw_rng rng;
    mw_rng_seed(&rng, 4);
    open_machines(machines);
    for (size_t i = 0; i < 2000; i++)
        text[i] = (char)mw_rng_next(&rng);
    mw_msg_twins_init(&twins, mw_broadcast_frame(NULL, MW_OPCODE_BINARY, mw_view(text, 2000)));
    for (int w = 0; w < 2; w++) {
        struct mw_broadcast broadcast;
        mw_broadcast_begin_shared(&broadcast, &machines[ALONE].mem, 1, MW_OPCODE_BINARY, &twins);
        assert_int_equal(mw_broadcast_send(&broadcast, &machines[ALONE].conn, START_MS), MW_OK);
        assert_ptr_equal(mw_msg_twins_packed(&twins), twins.plain);
        mw_broadcast_end(&broadcast);
    }
    mw_msg_twins_free(&twins);
    close_machines(machines);
}

TEST(what_does_not_shrink_goes_plain)
{
    struct machine machines[MACHINES];
    struct mw_broadcast broadcast;
    struct mw_rng rng;
    struct sent sent;
    mw_rng_seed(&rng, 4);
    open_machines(machines);
    for (size_t i = 0; i < 2000; i++)
        text[i] = (char)mw_rng_next(&rng);
    mw_broadcast_begin(&broadcast, &machines[ALONE].mem, 1, MW_OPCODE_BINARY, mw_view(text, 2000));
    assert_int_equal(mw_broadcast_send(&broadcast, &machines[ALONE].conn, START_MS), MW_OK);
    assert_int_equal(
        mw_conn_send(&machines[ALONE].conn, MW_OPCODE_BINARY, mw_view(text, 2000), START_MS),
        MW_OK);
    mw_broadcast_end(&broadcast);
    flush(&machines[ALONE]);
    for (int i = 0; i < 2; i++) {
        assert_true(take_sent(&machines[ALONE], &sent));
        assert_false(sent.compressed);
        assert_int_equal(sent.data.len, 2000);
    }
    close_machines(machines);
}

static bool publish(struct mw_mem *mem)
{
    struct machine machines[MACHINES];
    struct mw_broadcast broadcast;
    bool all = true;
    open_machines(machines);
    mw_broadcast_begin(&broadcast, mem, 5, MW_OPCODE_TEXT, compose(3000));
    for (size_t i = 0; i < MACHINES; i++) {
        int err = mw_broadcast_send(&broadcast, &machines[i].conn, START_MS);
        assert_true(err == MW_OK || err == MW_ERR_NOMEM);
        all = all && !err;
    }
    mw_broadcast_end(&broadcast);
    for (size_t i = 0; i < MACHINES; i++) {
        flush(&machines[i]);
        close_machine(&machines[i]);
    }
    return all;
}

TEST(no_memory_is_an_answer_at_every_allocation)
{
    assert_in_range(fail_each_allocation(publish), 3, 100);
}

/* ---- the short way ---- */

static bool publish_to_pair(struct machine pair[2], struct mw_roll *roll, struct mw_view data)
{
    struct mw_broadcast broadcast;
    mw_broadcast_begin(&broadcast, &pair[0].wire_mem, 2, MW_OPCODE_TEXT, data);
    mw_broadcast_join(&broadcast, roll);
    int want = mw_broadcast_send(&broadcast, &pair[0].conn, pair[0].now_ms);
    bool is_short = mw_broadcast_send_more(&broadcast, &pair[1].conn, pair[1].now_ms);
    if (is_short)
        assert_int_equal(want, MW_OK);
    else
        assert_int_equal(mw_broadcast_send(&broadcast, &pair[1].conn, pair[1].now_ms), want);
    mw_broadcast_end(&broadcast);
    return is_short;
}

static void assert_alike(const struct machine pair[2])
{
    struct mw_flight_entry kept[2][MW_FLIGHT_ENTRIES];
    const struct mw_conn *a = &pair[0].conn, *b = &pair[1].conn;
    size_t count = mw_flight_copy(a->flight, kept[0]);
    assert_int_equal(mw_flight_copy(b->flight, kept[1]), count);
    if (count > 0)
        assert_memory_equal(kept[0], kept[1], count * sizeof kept[0][0]);
    assert_int_equal(a->messages_sent, b->messages_sent);
    assert_int_equal(mw_conn_queued(a), mw_conn_queued(b));
    assert_int_equal(a->was_full, b->was_full);
    assert_true(mw_conn_validate(b));
}

/* What happens beside it, to one connection as to the other. */
static void happen(struct machine *m, uint64_t what)
{
    if (what == 0)
        (void)mw_conn_send(&m->conn, MW_OPCODE_BINARY, mw_view_text("direct"), m->now_ms);
    else if (what == 1)
        (void)mw_conn_ping(&m->conn, m->now_ms);
    else if (what == 2)
        flush(m);
    else if (what == 3)
        mw_conn_note_dropped(&m->conn, m->now_ms);
    else if (what == 4)
        m->now_ms += 7;
}

TEST(the_short_way_comes_to_the_same_as_the_long_one)
{
    struct machine pair[2];
    struct mw_roll roll;
    struct mw_rng rng;
    size_t taken = 0;
    mw_rng_seed(&rng, 7);
    for (size_t i = 0; i < 2; i++) {
        open_machine_at(&pair[i], MW_ROLE_SERVER, 1);
        pair[i].limits.queue = 2000;
        begin_machine(&pair[i]);
    }
    mw_roll_init(&roll, &pair[0].wire_mem);
    for (size_t step = 0; step < 5000; step++) {
        uint64_t what = mw_rng_below(&rng, 25);
        struct mw_view data = compose((size_t)mw_rng_below(&rng, 200));
        happen(&pair[0], what);
        happen(&pair[1], what);
        if (what == 5)
            mw_roll_end(&roll);
        taken += publish_to_pair(pair, &roll, data);
        assert_alike(pair);
    }
    assert_in_range(taken, 500, 4500);
    flush(&pair[0]);
    flush(&pair[1]);
    assert_int_equal(pair[0].wire.len, pair[1].wire.len);
    assert_memory_equal(pair[0].wire.data, pair[1].wire.data, pair[0].wire.len);
    mw_roll_end(&roll);
    close_machine(&pair[1]);
    close_machine(&pair[0]);
}

TEST(who_has_closed_gets_nothing_by_the_short_way)
{
    struct machine pair[2];
    struct mw_roll roll;
    open_machine_at(&pair[0], MW_ROLE_SERVER, 1);
    open_machine_at(&pair[1], MW_ROLE_SERVER, 1);
    begin_machine(&pair[0]);
    begin_machine(&pair[1]);
    mw_roll_init(&roll, &pair[0].wire_mem);
    roll.before = 1000;
    assert_false(publish_to_pair(pair, &roll, mw_view_text("one")));
    assert_true(publish_to_pair(pair, &roll, mw_view_text("two")));
    for (size_t i = 0; i < 2; i++)
        (void)mw_conn_close(&pair[i].conn, MW_CAUSE_script_close, 4000, mw_view_text(""),
                            pair[i].now_ms);
    assert_false(publish_to_pair(pair, &roll, mw_view_text("three")));
    assert_alike(pair);
    mw_roll_end(&roll);
    close_machine(&pair[1]);
    close_machine(&pair[0]);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_large_message_goes_to_everybody_as_it_was_agreed),
        CASE(a_message_alone_is_compressed_from_1024_bytes_on),
        CASE(a_message_in_context_is_compressed_from_128_bytes_on),
        CASE(many_get_what_stands_alone_whether_they_keep_a_context_or_not),
        CASE(a_context_begins_anew_behind_what_stood_alone),
        CASE(what_many_get_is_made_once_for_each_window),
        CASE(what_several_workers_send_is_made_once_for_all),
        CASE(what_does_not_shrink_is_looked_at_once_by_all_workers),
        CASE(what_does_not_shrink_goes_plain),
        CASE(no_memory_is_an_answer_at_every_allocation),
        CASE(the_short_way_comes_to_the_same_as_the_long_one),
        CASE(who_has_closed_gets_nothing_by_the_short_way),
    };
    return RUN(cases);
}
