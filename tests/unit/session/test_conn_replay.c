/* conn_replay: what a session keeps over its connections, and what each side hears of it. */
#include <stdio.h>

#include "core/session/broadcast.h"
#include "tests/unit/session/machine.h"

#define MARK "abcdefghijklmnop"

static struct mw_sideband sideband;

/* A session, whose connections may come and go. */
struct session {
    struct machine m;
    struct mw_replay replay;
};

static void connect(struct session *s)
{
    struct machine *m = &s->m;
    mw_sideband_init(&sideband, mw_view_text(MARK));
    m->home = home_of_machine(m);
    const struct mw_conn_setup setup = {
        .role = m->role,
        .home = &m->home,
        .terms = m->terms,
        .sideband = &sideband,
        .replay = &s->replay,
    };
    (void)mw_conn_init(&m->conn, &setup, m->now_ms);
}

static void begin_session(struct session *s)
{
    open_machine_at(&s->m, MW_ROLE_SERVER, 1);
    mw_deflate_pool_init(&s->m.deflate, &s->m.mem, SIZE_MAX);
    mw_replay_init(&s->replay, &s->m.mem, s->m.limits.queue);
}

static void open_session(struct session *s)
{
    begin_session(s);
    connect(s);
}

static void close_session(struct session *s)
{
    assert_true(mw_replay_validate(&s->replay));
    mw_replay_free(&s->replay);
    close_machine(&s->m);
}

/* The network is gone; what was queued goes with it. */
static void cut(struct session *s)
{
    mw_conn_free(&s->m.conn);
    mw_buf_clear(&s->m.wire);
}

static void say(struct session *s, const char *text)
{
    assert_int_equal(mw_conn_send(&s->m.conn, MW_OPCODE_TEXT, mw_view_text(text), s->m.now_ms),
                     MW_OK);
}

static void tell_count(struct session *s, const char *count)
{
    char text[64];
    (void)snprintf(text, sizeof text, MARK "+%s", count);
    give(&s->m, MW_OPCODE_TEXT, text);
    assert_int_equal(pull(&s->m), MW_EVENT_ASIDE);
}

/* The next frame asks how many messages there are. */
static void answer_question(struct session *s, const char *count)
{
    assert_sent(&s->m, MW_OPCODE_TEXT, MARK "?");
    tell_count(s, count);
}

static void assert_ping_sent(struct session *s, char payload[64], size_t *len)
{
    struct sent ping;
    assert_true(take_sent(&s->m, &ping));
    assert_int_equal(ping.opcode, MW_OPCODE_PING);
    assert_true(ping.data.len < 64);
    *len = ping.data.len;
    memcpy(payload, ping.data.data, ping.data.len);
}

static void come_back(struct session *s, uint64_t count, uint64_t want_missed)
{
    uint64_t missed = 0;
    assert_int_equal(mw_replay_return(&s->replay, count, &missed),
                     want_missed ? MW_REPLAY_HOLE : MW_REPLAY_WHOLE);
    assert_int_equal(missed, want_missed);
    connect(s);
    assert_int_equal(mw_conn_put_rest(&s->m.conn, s->m.now_ms), MW_OK);
}

TEST(with_a_ping_the_client_is_asked_what_it_has)
{
    struct session s;
    char payload[64];
    size_t len;
    open_session(&s);
    say(&s, "one");
    assert_int_equal(mw_conn_ping(&s.m.conn, s.m.now_ms), MW_OK);
    say(&s, "two");
    flush(&s.m);
    assert_ping_sent(&s, payload, &len); /* which waits for nobody */
    assert_sent(&s.m, MW_OPCODE_TEXT, "one");
    answer_question(&s, "1");
    assert_int_equal(s.replay.acked, 1);
    assert_int_equal(s.replay.count, 1);
    assert_true(s.replay.heard);
    assert_sent(&s.m, MW_OPCODE_TEXT, "two");
    tell_count(&s, "2"); /* unasked */
    assert_int_equal(s.replay.bytes, 0);
    assert_int_equal(mw_conn_ping(&s.m.conn, s.m.now_ms), MW_OK);
    flush(&s.m);
    assert_ping_sent(&s, payload, &len); /* and no question: it is known */
    assert_nothing_sent(&s.m);
    close_session(&s);
}

/* A browser sends pongs for a page that has given its connection up, and hears nothing any more. */
TEST(a_page_that_has_given_up_loses_nothing_as_its_browser_answers_pings)
{
    struct session s;
    char payload[64], frame[80];
    size_t len;
    open_session(&s);
    say(&s, "one");
    cut(&s);
    come_back(&s, 0, 0);
    assert_int_equal(mw_conn_ping(&s.m.conn, s.m.now_ms), MW_OK);
    flush(&s.m);
    assert_ping_sent(&s, payload, &len);
    assert_sent(&s.m, MW_OPCODE_TEXT, "one");
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "?");
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "?");
    s.m.now_ms += 30;
    len = write_frame(MW_ROLE_SERVER, frame, MW_OPCODE_PONG, true, mw_view(payload, len));
    give_bytes(&s.m, frame, len);
    assert_int_equal(pull(&s.m), MW_EVENT_PONG);
    assert_int_equal(s.m.conn.rtt_ms, 30);
    assert_int_equal(s.replay.acked, 0);
    assert_false(s.replay.heard); /* and so the token before is still taken */
    cut(&s);
    come_back(&s, 0, 0);
    flush(&s.m);
    assert_sent(&s.m, MW_OPCODE_TEXT, "one");
    close_session(&s);
}

TEST(counts_that_cannot_be_acknowledge_nothing)
{
    struct session s;
    open_session(&s);
    say(&s, "one");
    say(&s, "two");
    tell_count(&s, "1");
    static const char *const table[] = { "0",  "3", "9007199254740991", "9007199254740992", "",
                                         "-1", "2x" };
    for (size_t i = 0; i < MW_COUNT(table); i++) {
        tell_count(&s, table[i]);
        assert_int_equal(s.replay.acked, 1);
    }
    close_session(&s);
}

TEST(a_quarter_of_the_bound_is_asked_for_early_and_once)
{
    struct session s;
    begin_session(&s);
    mw_replay_set_bound(&s.replay, 4 * 3 * (MW_REPLAY_ENTRY_BYTES + 3));
    connect(&s);
    for (int i = 0; i < 7; i++)
        say(&s, "x");
    flush(&s.m);
    for (int i = 0; i < 3; i++)
        assert_sent(&s.m, MW_OPCODE_TEXT, "x");
    answer_question(&s, "3");
    for (int i = 0; i < 4; i++)
        assert_sent(&s.m, MW_OPCODE_TEXT, "x");
    assert_nothing_sent(&s.m);
    assert_int_equal(s.replay.acked, 3);
    flush(&s.m); /* a quarter was left: it asks again at once */
    answer_question(&s, "7");
    assert_int_equal(s.replay.acked, 7);
    assert_int_equal(s.replay.bytes, 0);
    flush(&s.m);
    assert_nothing_sent(&s.m);
    close_session(&s);
}

TEST(a_return_begins_with_the_rest_in_order)
{
    struct session s;
    open_session(&s);
    say(&s, "one");
    say(&s, "two");
    say(&s, "three");
    cut(&s);
    mw_replay_send(&s.replay, MW_OPCODE_BINARY, mw_view_text("away"));
    come_back(&s, 1, 0);
    say(&s, "new");
    flush(&s.m);
    assert_sent(&s.m, MW_OPCODE_TEXT, "two");
    assert_sent(&s.m, MW_OPCODE_TEXT, "three");
    assert_sent(&s.m, MW_OPCODE_BINARY, "away");
    answer_question(&s, "4");
    assert_sent(&s.m, MW_OPCODE_TEXT, "new");
    assert_true(s.replay.heard);
    assert_int_equal(s.replay.acked, 4);
    close_session(&s);
}

TEST(a_return_that_is_cut_at_once_finds_the_same_rest)
{
    struct session s;
    open_session(&s);
    say(&s, "one");
    for (int i = 0; i < 3; i++) {
        cut(&s);
        come_back(&s, 0, 0);
        assert_false(s.replay.heard);
    }
    flush(&s.m);
    assert_sent(&s.m, MW_OPCODE_TEXT, "one");
    close_session(&s);
}

TEST(a_hole_among_the_rest_is_told_in_its_place)
{
    struct session s;
    open_session(&s);
    say(&s, "one");
    mw_replay_lost(&s.replay, 2);
    say(&s, "four");
    cut(&s);
    come_back(&s, 0, 0);
    flush(&s.m);
    assert_sent(&s.m, MW_OPCODE_TEXT, "one");
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "-2");
    assert_sent(&s.m, MW_OPCODE_TEXT, "four");
    close_session(&s);
}

TEST(what_is_refused_is_not_counted)
{
    struct session s;
    open_session(&s);
    s.m.limits.queue = 100;
    static const char big[200];
    const struct mw_view data = mw_view(big, sizeof big);
    assert_int_equal(mw_conn_send(&s.m.conn, MW_OPCODE_BINARY, data, s.m.now_ms), MW_OK);
    assert_int_equal(mw_conn_send(&s.m.conn, MW_OPCODE_BINARY, data, s.m.now_ms), MW_ERR_DROPPED);
    assert_int_equal(s.replay.sent, 1);
    close_session(&s);
}

TEST(what_goes_compressed_is_kept_plain)
{
    static const bool takeovers[] = { true, false };
    char text[2001] = { 0 };
    memset(text, 'x', 2000);
    for (size_t i = 0; i < MW_COUNT(takeovers); i++) {
        struct session s;
        struct mw_broadcast broadcast;
        begin_session(&s);
        s.m.terms = (struct mw_ext_deflate){ .on = true, .server_no_takeover = !takeovers[i] };
        connect(&s);
        say(&s, text);
        mw_broadcast_begin(&broadcast, &s.m.mem, 1000, MW_OPCODE_TEXT, mw_view_text(text));
        assert_int_equal(mw_broadcast_send(&broadcast, &s.m.conn, s.m.now_ms), MW_OK);
        mw_broadcast_keep(&broadcast, &s.replay);
        mw_broadcast_end(&broadcast);
        assert_true(mw_conn_queued(&s.m.conn) < 1000);
        s.m.terms.on = false; /* what was agreed on may be other terms next time */
        cut(&s);
        come_back(&s, 0, 0);
        flush(&s.m);
        for (int k = 0; k < 3; k++)
            assert_sent(&s.m, MW_OPCODE_TEXT, text);
        close_session(&s);
    }
}

TEST(a_probe_is_answered_with_what_has_come)
{
    struct session s;
    open_session(&s);
    give(&s.m, MW_OPCODE_TEXT, MARK "?");
    assert_int_equal(pull(&s.m), MW_EVENT_ASIDE);
    give(&s.m, MW_OPCODE_TEXT, "one");
    assert_message(&s.m, MW_OPCODE_TEXT, "one");
    s.m.now_ms += 1000;
    give(&s.m, MW_OPCODE_TEXT, MARK "?");
    assert_int_equal(pull(&s.m), MW_EVENT_ASIDE);
    flush(&s.m);
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "+0");
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "+1");
    close_session(&s);
}

TEST(with_a_ping_is_told_what_has_come_since)
{
    struct session s;
    char payload[64];
    size_t len;
    open_session(&s);
    tell_count(&s, "0"); /* so it need not be asked */
    give(&s.m, MW_OPCODE_TEXT, "one");
    assert_message(&s.m, MW_OPCODE_TEXT, "one");
    pass(&s.m, s.m.limits.ping_ms);
    flush(&s.m);
    assert_ping_sent(&s, payload, &len);
    assert_sent(&s.m, MW_OPCODE_TEXT, MARK "+1");
    assert_nothing_sent(&s.m);
    give(&s.m, MW_OPCODE_PONG, "");
    assert_no_event(&s.m);
    pass(&s.m, s.m.limits.ping_ms);
    flush(&s.m);
    assert_ping_sent(&s, payload, &len);
    assert_nothing_sent(&s.m); /* nothing new */
    close_session(&s);
}

TEST(before_its_close_frame_it_tells_what_has_come)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        struct session s;
        open_session(&s);
        give(&s.m, MW_OPCODE_TEXT, is_told ? MARK "?" : "one");
        (void)pull(&s.m);
        assert_int_equal(
            mw_conn_close(&s.m.conn, MW_CAUSE_drain, 0, mw_view_text("bye"), s.m.now_ms), MW_OK);
        flush(&s.m);
        assert_sent(&s.m, MW_OPCODE_TEXT, is_told ? MARK "+0" : MARK "+1");
        assert_sent_close(&s.m, 1001, "bye");
        close_session(&s);
    }
}

static bool finds_the_rest_or_no_memory(struct mw_mem *poor)
{
    struct session s;
    uint64_t missed;
    open_machine_at(&s.m, MW_ROLE_SERVER, 1);
    mw_mem_init(&s.m.mem, poor, 0);
    mw_deflate_pool_init(&s.m.deflate, &s.m.mem, SIZE_MAX);
    mw_replay_init(&s.replay, &s.m.mem, 1 << 20);
    connect(&s);
    static const char big[3000];
    for (int i = 0; i < 3; i++)
        (void)mw_conn_send(&s.m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), s.m.now_ms);
    const uint64_t sent = s.replay.sent; /* what was not queued is not counted */
    mw_conn_free(&s.m.conn);
    assert_int_not_equal(mw_replay_return(&s.replay, 0, &missed), MW_REPLAY_NONSENSE);
    connect(&s);
    int err = mw_conn_put_rest(&s.m.conn, s.m.now_ms);
    assert_int_equal(mw_conn_queued(&s.m.conn) > 0, !err);
    bool is_whole = !err && sent == 3 && missed == 0 && s.replay.count == 3;
    close_session(&s);
    return is_whole;
}

TEST(without_memory_nothing_of_the_rest_is_queued)
{
    fail_each_allocation(finds_the_rest_or_no_memory);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(with_a_ping_the_client_is_asked_what_it_has),
        CASE(a_page_that_has_given_up_loses_nothing_as_its_browser_answers_pings),
        CASE(counts_that_cannot_be_acknowledge_nothing),
        CASE(a_quarter_of_the_bound_is_asked_for_early_and_once),
        CASE(a_return_begins_with_the_rest_in_order),
        CASE(a_return_that_is_cut_at_once_finds_the_same_rest),
        CASE(a_hole_among_the_rest_is_told_in_its_place),
        CASE(what_is_refused_is_not_counted),
        CASE(what_goes_compressed_is_kept_plain),
        CASE(a_probe_is_answered_with_what_has_come),
        CASE(with_a_ping_is_told_what_has_come_since),
        CASE(before_its_close_frame_it_tells_what_has_come),
        CASE(without_memory_nothing_of_the_rest_is_queued),
    };
    return RUN(cases);
}
