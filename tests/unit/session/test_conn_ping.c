/* conn: what it answers to pings, what it learns from pongs, and what both may cost. */
#include "tests/unit/session/machine.h"

static const enum mw_role roles[] = { MW_ROLE_SERVER, MW_ROLE_CLIENT };

TEST(a_ping_is_answered_with_its_payload)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give(&m, MW_OPCODE_PING, "are you there?");
    assert_no_event(&m);
    give(&m, MW_OPCODE_PING, "");
    assert_no_event(&m);
    flush(&m);
    assert_sent(&m, MW_OPCODE_PONG, "are you there?");
    assert_sent(&m, MW_OPCODE_PONG, "");
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(a_pong_tells_the_round_trip_time)
{
    for (size_t i = 0; i < MW_COUNT(roles); i++) {
        struct machine m;
        struct sent sent;
        open_machine(&m, roles[i]);
        assert_int_equal(m.conn.rtt_ms, UINT32_MAX);
        m.now_ms += 500;
        assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
        assert_int_equal(m.conn.pings_unanswered, 1);
        flush(&m);
        assert_true(take_sent(&m, &sent));
        assert_int_equal(sent.opcode, MW_OPCODE_PING);
        m.now_ms += 42;
        give_part(&m, MW_OPCODE_PONG, true, sent.data);
        assert_int_equal(pull(&m), MW_EVENT_PONG);
        assert_no_event(&m);
        assert_int_equal(m.conn.rtt_ms, 42);
        assert_int_equal(m.conn.pings_unanswered, 0);
        close_machine(&m);
    }
}

TEST(an_invented_pong_tells_nothing)
{
    static const char *const inventions[] = { "", "x", "\x01\x02\x03\x04", "\xff\xff\xff\xff",
                                              "a longer one" };
    for (size_t i = 0; i < MW_COUNT(inventions); i++) {
        struct machine m;
        open_machine(&m, MW_ROLE_SERVER);
        m.now_ms += 1000;
        assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
        give(&m, MW_OPCODE_PONG, inventions[i]);
        assert_no_event(&m);
        assert_int_equal(m.conn.rtt_ms, UINT32_MAX);
        close_machine(&m);
    }
}

TEST(pings_of_a_script_do_not_fill_the_memory_either)
{
    struct machine m;
    open_machine_of_small_queue(&m);
    int err = MW_OK;
    for (int i = 0; !err && i < 10000; i++)
        err = mw_conn_ping(&m.conn, m.now_ms);
    assert_int_equal(err, MW_ERR_DROPPED);
    assert_in_range(mw_conn_queued(&m.conn), 1, 1024 + 6);
    flush(&m);
    assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
    close_machine(&m);
}

/* Who asks and does not take the answers must not fill our memory. */
TEST(a_flood_of_pings_while_output_is_blocked_is_bounded)
{
    struct machine m;
    char payload[125];
    open_machine(&m, MW_ROLE_SERVER);
    memset(payload, 'p', sizeof payload);
    for (int i = 0; i < 50000; i++) {
        give_part(&m, MW_OPCODE_PING, true, mw_view(payload, sizeof payload));
        assert_no_event(&m);
    }
    assert_in_range(mw_conn_queued(&m.conn), 1, m.limits.queue + 2 * sizeof payload);
    assert_in_range(m.mem.bytes, 1, 2 * m.limits.queue);
    close_machine(&m);
}

/* RFC 6455 5.5.3: the last of them may be answered alone, but it is answered. */
TEST(of_pings_that_met_a_full_queue_the_last_is_answered)
{
    struct machine m;
    static char big[4096];
    open_machine_of_small_queue(&m);
    mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms);
    const char *pings[] = { "first", "second", "the last one" };
    for (size_t i = 0; i < MW_COUNT(pings); i++) {
        give(&m, MW_OPCODE_PING, pings[i]);
        assert_no_event(&m);
    }
    flush(&m);
    struct sent sent;
    assert_true(take_sent(&m, &sent));
    assert_int_equal(sent.opcode, MW_OPCODE_BINARY);
    assert_sent(&m, MW_OPCODE_PONG, "the last one");
    assert_nothing_sent(&m);
    assert_int_equal(pull(&m), MW_EVENT_DRAIN);
    give(&m, MW_OPCODE_PING, "again");
    assert_no_event(&m);
    flush(&m);
    assert_sent(&m, MW_OPCODE_PONG, "again");
    close_machine(&m);
}

TEST(an_owed_pong_ends_with_its_connection)
{
    struct machine m;
    static char big[4096];
    open_machine_of_small_queue(&m);
    mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms);
    give(&m, MW_OPCODE_PING, "owed");
    assert_no_event(&m);
    give_close(&m, 1000, "");
    assert_closed(&m);
    flush(&m);
    struct sent sent;
    assert_true(take_sent(&m, &sent));
    assert_sent_close(&m, 1000, "");
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(a_ping_is_answered_until_the_peers_close)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view(NULL, 0), m.now_ms);
    flush(&m);
    assert_sent_close(&m, 1000, "");
    give(&m, MW_OPCODE_PING, "still there?");
    assert_no_event(&m);
    flush(&m);
    assert_sent(&m, MW_OPCODE_PONG, "still there?");
    give_close(&m, 1000, "");
    assert_closed(&m);
    give(&m, MW_OPCODE_PING, "now?");
    assert_no_event(&m);
    flush(&m);
    assert_nothing_sent(&m);
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_ping_is_answered_with_its_payload),
        CASE(a_pong_tells_the_round_trip_time),
        CASE(an_invented_pong_tells_nothing),
        CASE(pings_of_a_script_do_not_fill_the_memory_either),
        CASE(a_flood_of_pings_while_output_is_blocked_is_bounded),
        CASE(of_pings_that_met_a_full_queue_the_last_is_answered),
        CASE(an_owed_pong_ends_with_its_connection),
        CASE(a_ping_is_answered_until_the_peers_close),
    };
    return RUN(cases);
}
