/* conn: a peer that reads slowly, what it is not sent, and what it is told of that. */
#include <stdio.h>

#include "core/session/broadcast.h"
#include "tests/unit/session/machine.h"

#define MARK "abcdefghijklmnop"

static struct mw_sideband sideband;

static void open_small(struct machine *m, bool has_mark)
{
    open_machine_of_small_queue(m);
    mw_sideband_init(&sideband, mw_view_text(MARK));
    if (has_mark)
        m->conn.sideband = &sideband;
}

static int send_text(struct machine *m, const char *text)
{
    return mw_conn_send(&m->conn, MW_OPCODE_TEXT, mw_view_text(text), m->now_ms);
}

static void fill(struct machine *m)
{
    static char big[2000];
    assert_int_equal(mw_conn_send(&m->conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m->now_ms),
                     MW_OK);
}

static void drop_text(struct machine *m, const char *text)
{
    assert_int_equal(send_text(m, text), MW_ERR_DROPPED);
    mw_conn_note_dropped(&m->conn, m->now_ms);
}

static void assert_sent_big(struct machine *m)
{
    struct sent sent;
    assert_true(take_sent(m, &sent));
    assert_int_equal(sent.data.len, 2000);
}

/* ---- holes ---- */

TEST(a_hole_is_told_when_the_queue_is_half_empty)
{
    struct machine m;
    open_small(&m, true);
    fill(&m);
    drop_text(&m, "one");
    drop_text(&m, "two");
    flush(&m);
    assert_sent_big(&m);
    assert_sent(&m, MW_OPCODE_TEXT, MARK "-2");
    assert_nothing_sent(&m);
    assert_int_equal(m.conn.messages_sent, 1);
    assert_int_equal(mw_conn_dropped(&m.conn), 2);
    assert_int_equal(mw_conn_missed(&m.conn), 2);
    close_machine(&m);
}

TEST(a_hole_is_told_before_the_message_behind_it)
{
    struct machine m;
    struct mw_view vector;
    open_small(&m, true);
    fill(&m);
    drop_text(&m, "one");
    assert_int_equal(mw_conn_missed(&m.conn), 0);
    assert_int_equal(mw_conn_iov(&m.conn, &vector, 1), 1);
    mw_conn_written(&m.conn, 1200, m.now_ms); /* room, but not half of it */
    assert_int_equal(send_text(&m, "two"), MW_OK);
    assert_int_equal(mw_conn_missed(&m.conn), 1);
    assert_int_equal(send_text(&m, "three"), MW_OK);
    flush(&m);
    const char want[] = "\x81\x12" MARK "-1\x81\x03"
                        "two\x81\x05"
                        "three";
    assert_true(m.wire.len > sizeof want - 1);
    assert_memory_equal(m.wire.data + m.wire.len - (sizeof want - 1), want, sizeof want - 1);
    mw_buf_clear(&m.wire);
    close_machine(&m);
}

TEST(a_hole_is_told_before_a_close)
{
    struct machine m;
    open_small(&m, true);
    fill(&m);
    drop_text(&m, "one");
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 4000, mw_view_text("bye"), m.now_ms);
    flush(&m);
    assert_sent_big(&m);
    assert_sent(&m, MW_OPCODE_TEXT, MARK "-1");
    assert_sent_close(&m, 4000, "bye");
    close_machine(&m);
}

TEST(who_has_no_sideband_is_told_nothing)
{
    struct machine m;
    open_small(&m, false);
    fill(&m);
    drop_text(&m, "one");
    flush(&m);
    assert_sent_big(&m);
    assert_nothing_sent(&m);
    assert_int_equal(mw_conn_dropped(&m.conn), 1);
    assert_int_equal(mw_conn_missed(&m.conn), 0);
    close_machine(&m);
}

TEST(what_follows_a_hole_does_not_go_without_the_note)
{
    struct machine m;
    static char large[5000]; /* no chunk: the next frame needs an allocation */
    struct mw_view vector, payload = mw_view(large, sizeof large);
    open_small(&m, true);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, payload, m.now_ms), MW_OK);
    drop_text(&m, "one");
    assert_int_equal(mw_conn_iov(&m.conn, &vector, 1), 1);
    mw_conn_written(&m.conn, 4200, m.now_ms);
    size_t queued = mw_conn_queued(&m.conn);
    m.mem.fail_at = m.mem.count + 1;
    assert_int_equal(send_text(&m, "two"), MW_ERR_NOMEM);
    assert_int_equal(mw_conn_queued(&m.conn), queued);
    assert_int_equal(send_text(&m, "two"), MW_OK);
    assert_int_equal(mw_conn_queued(&m.conn), queued + 2 + sizeof MARK + 1 + 5);
    close_machine(&m);
}

/* ---- messages with a key ---- */

static int send_latest(struct machine *m, const char *key, struct mw_view data)
{
    struct mw_broadcast broadcast;
    mw_broadcast_begin(&broadcast, &m->mem, 1, MW_OPCODE_TEXT, data);
    const struct mw_send_how how = { MW_POLICY_LATEST, mw_view_text(key) };
    broadcast.how = &how;
    int err = mw_broadcast_send(&broadcast, &m->conn, m->now_ms);
    mw_broadcast_end(&broadcast);
    assert_true(mw_conn_validate(&m->conn));
    return err;
}

static int send_latest_text(struct machine *m, const char *key, const char *text)
{
    return send_latest(m, key, mw_view_text(text));
}

TEST(the_latest_of_a_key_is_sent_in_the_place_of_the_one_before)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    assert_int_equal(send_latest_text(&m, "pos:1", "here"), MW_OK);
    assert_int_equal(send_text(&m, "hello"), MW_OK);
    assert_int_equal(send_latest_text(&m, "pos:1", "there"), MW_OK);
    assert_int_equal(send_latest_text(&m, "pos:2", "elsewhere"), MW_OK);
    flush(&m);
    assert_sent(&m, MW_OPCODE_TEXT, "there");
    assert_sent(&m, MW_OPCODE_TEXT, "hello");
    assert_sent(&m, MW_OPCODE_TEXT, "elsewhere");
    assert_nothing_sent(&m);
    assert_int_equal(m.conn.messages_sent, 3);
    assert_int_equal(mw_conn_replaced(&m.conn), 1);
    close_machine(&m);
}

TEST(the_latest_replaces_also_where_the_queue_is_full)
{
    struct machine m;
    open_small(&m, false);
    assert_int_equal(send_latest_text(&m, "a", "old"), MW_OK);
    fill(&m);
    assert_int_equal(send_latest_text(&m, "a", "new"), MW_OK);
    assert_int_equal(send_latest_text(&m, "a", "longer"), MW_ERR_DROPPED);
    assert_int_equal(send_latest_text(&m, "b", "x"), MW_ERR_DROPPED);
    flush(&m);
    assert_sent(&m, MW_OPCODE_TEXT, "new");
    assert_sent_big(&m);
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(many_small_messages_with_keys_fill_the_queue_for_what_they_cost)
{
    struct machine m;
    char key[16];
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.queue = 65536;
    begin_machine(&m);
    int n = 0;
    do {
        snprintf(key, sizeof key, "%d", n++);
    } while (send_latest_text(&m, key, "x") == MW_OK);
    assert_in_range(n, 300, 400);
    assert_true(m.mem.bytes < 90000);
    flush(&m);
    assert_int_equal(pull(&m), MW_EVENT_DRAIN);
    close_machine(&m);
}

/* ---- ... and compression: an inflating peer with one context reads all of it ---- */

static void compose(char *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        out[i] = "{\"position\":[17,42],\"speed\":3.5}"[(i + seed % 7 + (i >> 8) * seed) % 32];
    for (size_t i = 0; i + 40 < len; i += 97) /* what differs, and what comes again */
        out[i] = (char)('a' + (seed + i) % 23);
}

struct line {
    char text[3000];
    size_t len;
    char key; /* 0: none */
};

/* Everything that was sent must come out as it was meant, in order, the newest of each key. */
static void check_context(uint64_t seed, bool takeover)
{
    static struct line lines[64];
    size_t count = 0;
    struct machine server, client;
    struct mw_rng rng;
    mw_rng_seed(&rng, seed);
    open_machine_at(&server, MW_ROLE_SERVER, 1);
    open_machine_at(&client, MW_ROLE_CLIENT, 2);
    server.terms.on = client.terms.on = true;
    server.terms.server_no_takeover = client.terms.server_no_takeover = !takeover;
    begin_machine(&server);
    begin_machine(&client);
    for (int round = 0; round < 4; round++) {
        for (int step = 0; step < 16; step++) {
            static const size_t lens[] = { 20, 200, 1500, 3000 };
            struct line line = { .len = lens[mw_rng_below(&rng, MW_COUNT(lens))] };
            compose(line.text, line.len, (unsigned)mw_rng_below(&rng, 1000));
            struct mw_view data = mw_view(line.text, line.len);
            size_t place = count;
            if (mw_rng_below(&rng, 2)) {
                line.key = (char)('a' + mw_rng_below(&rng, 3));
                for (size_t i = 0; i < count; i++)
                    place = lines[i].key == line.key ? i : place;
                assert_int_equal(send_latest(&server, (char[]){ line.key, 0 }, data), MW_OK);
            } else {
                assert_int_equal(mw_conn_send(&server.conn, MW_OPCODE_TEXT, data, START_MS), MW_OK);
            }
            lines[place] = line;
            count += place == count;
        }
        flush(&server);
        give_bytes(&client, server.wire.data, server.wire.len);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(pull(&client), MW_EVENT_MESSAGE);
            assert_int_equal(client.event.data.len, lines[i].len);
            assert_memory_equal(client.event.data.data, lines[i].text, lines[i].len);
        }
        assert_no_event(&client);
        count = 0;
    }
    mw_buf_clear(&server.wire);
    assert_true(mw_conn_replaced(&server.conn) > 5);
    close_machine(&server);
    close_machine(&client);
}

TEST(an_inflating_peer_understands_what_was_replaced_before_it_left)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        check_context(seed, true);
        check_context(seed, false);
    }
}

TEST(a_large_one_is_compressed_alone)
{
    struct machine m;
    struct sent sent;
    char text[3000];
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.terms.on = true;
    begin_machine(&m);
    compose(text, sizeof text, 1);
    assert_int_equal(send_latest(&m, "a", mw_view(text, sizeof text)), MW_OK);
    flush(&m);
    assert_true(take_sent(&m, &sent));
    assert_true(sent.compressed);
    assert_int_equal(send_latest(&m, "a", mw_view(text, 100)), MW_OK);
    assert_int_equal(send_latest(&m, "a", mw_view(text, sizeof text)), MW_OK);
    flush(&m);
    assert_true(take_sent(&m, &sent));
    assert_false(sent.compressed); /* in the place of a plain one */
    close_machine(&m);
}

/* ---- reading ---- */

/* 64 KiB, for the default queue. */
#define MARK_BYTES 65536

static void answer(struct machine *m, size_t len)
{
    static char big[MARK_BYTES];
    size_t before = mw_conn_queued(&m->conn);
    assert_int_equal(mw_conn_send(&m->conn, MW_OPCODE_BINARY, mw_view(big, len), m->now_ms), MW_OK);
    mw_conn_note_answer(&m->conn, mw_conn_queued(&m->conn) - before);
}

static void take(struct machine *m, size_t bytes)
{
    struct mw_view vectors[8];
    assert_true(mw_conn_iov(&m->conn, vectors, 8) > 0);
    mw_conn_written(&m->conn, bytes, m->now_ms);
}

TEST(a_peer_that_does_not_take_its_answers_is_choked_until_half_of_them_have_left)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    answer(&m, 40000);
    assert_false(mw_conn_is_choked(&m.conn));
    answer(&m, 40000);
    assert_true(mw_conn_is_choked(&m.conn));
    take(&m, 40000);
    assert_true(mw_conn_is_choked(&m.conn));
    take(&m, 7000);
    assert_true(mw_conn_is_choked(&m.conn));
    take(&m, 1000);
    assert_false(mw_conn_is_choked(&m.conn));
    flush(&m);
    assert_null(m.conn.sending);
    mw_buf_clear(&m.wire);
    close_machine(&m);
}

TEST(a_small_queue_chokes_at_half_of_it)
{
    struct machine m;
    open_machine_of_small_queue(&m);
    answer(&m, 500);
    assert_false(mw_conn_is_choked(&m.conn));
    answer(&m, 20);
    assert_true(mw_conn_is_choked(&m.conn));
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view(NULL, 0), m.now_ms);
    assert_false(mw_conn_is_choked(&m.conn)); /* its Close frame is waited for */
    close_machine(&m);
}

TEST(what_others_publish_does_not_choke)
{
    struct machine m;
    static char big[300000];
    open_machine(&m, MW_ROLE_SERVER);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), START_MS),
                     MW_OK);
    for (int i = 0; i < 1000; i++) { /* as many answers as leave again, among ten times as much */
        mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, 10000), START_MS);
        answer(&m, 1000);
        take(&m, 11000);
        assert_false(mw_conn_is_choked(&m.conn));
    }
    assert_in_range(m.conn.sending->answered, 20000, 40000);
    close_machine(&m);
}

/* Its script sends while it decides, and is at its cap: nobody is left to be told of a hole. */
TEST(a_drop_that_cannot_be_counted_does_not_end_a_decision)
{
    struct machine m;
    const struct mw_advice advice = { 0 };
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.asks = true;
    begin_machine(&m);
    mw_conn_close(&m.conn, MW_CAUSE_max_age, 0, mw_view_text("old"), m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_DECIDING);
    m.mem.fail_at = m.mem.count + 1;
    mw_conn_note_dropped(&m.conn, m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_DECIDING);
    mw_conn_decide(&m.conn, 4000, mw_view_text("decided"), &advice, m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
    assert_int_equal(mw_conn_ending(&m.conn)->cause, MW_CAUSE_max_age);
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_hole_is_told_when_the_queue_is_half_empty),
        CASE(a_hole_is_told_before_the_message_behind_it),
        CASE(a_hole_is_told_before_a_close),
        CASE(who_has_no_sideband_is_told_nothing),
        CASE(what_follows_a_hole_does_not_go_without_the_note),
        CASE(the_latest_of_a_key_is_sent_in_the_place_of_the_one_before),
        CASE(the_latest_replaces_also_where_the_queue_is_full),
        CASE(many_small_messages_with_keys_fill_the_queue_for_what_they_cost),
        CASE(an_inflating_peer_understands_what_was_replaced_before_it_left),
        CASE(a_large_one_is_compressed_alone),
        CASE(a_peer_that_does_not_take_its_answers_is_choked_until_half_of_them_have_left),
        CASE(a_small_queue_chokes_at_half_of_it),
        CASE(what_others_publish_does_not_choke),
        CASE(a_drop_that_cannot_be_counted_does_not_end_a_decision),
    };
    return RUN(cases);
}
