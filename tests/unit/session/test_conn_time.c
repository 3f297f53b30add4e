/* conn: what time does to a connection: pings, timeouts, and the one deadline. */
#include "core/base/clock.h"
#include "tests/unit/session/machine.h"

/* ---- pings ---- */

TEST(first_pings_are_spread_over_half_a_period)
{
    unsigned thirds[3] = { 0 };
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct machine m;
        open_machine_at(&m, MW_ROLE_SERVER, seed);
        begin_machine(&m);
        mw_ms wait_ms = mw_conn_deadline(&m.conn) - m.now_ms;
        assert_in_range(wait_ms, 12500, 24999);
        thirds[(wait_ms - 12500) * 3 / 12500]++;
        close_machine(&m);
    }
    for (size_t i = 0; i < MW_COUNT(thirds); i++)
        assert_in_range(thirds[i], 60, 140);
}

TEST(pings_go_out_once_a_period)
{
    struct machine m;
    struct sent sent;
    open_machine(&m, MW_ROLE_SERVER);
    mw_ms at_ms = mw_conn_deadline(&m.conn);
    for (int i = 0; i < 5; i++, at_ms += 25000) {
        pass_to(&m, at_ms - 1);
        assert_false(mw_conn_has_output(&m.conn));
        pass_to(&m, at_ms);
        flush(&m);
        assert_true(take_sent(&m, &sent));
        assert_int_equal(sent.opcode, MW_OPCODE_PING);
        assert_nothing_sent(&m);
        give_part(&m, MW_OPCODE_PONG, true, sent.data);
        assert_int_equal(pull(&m), MW_EVENT_PONG);
        assert_no_event(&m);
    }
    close_machine(&m);
}

TEST(no_pings_where_they_are_off)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_machine(&m);
    assert_true(mw_conn_deadline(&m.conn) == MW_NEVER);
    pass(&m, 1000000000);
    assert_false(mw_conn_has_output(&m.conn));
    close_machine(&m);
}

TEST(pings_can_be_switched_on_and_off_under_way)
{
    struct machine m;
    struct mw_limits_ms off;
    open_machine(&m, MW_ROLE_SERVER);
    off = m.limits;
    off.ping_ms = MW_NEVER;
    m.home.limits = &off;
    mw_conn_new_limits(&m.conn, m.now_ms);
    assert_true(mw_conn_deadline(&m.conn) == MW_NEVER);
    pass(&m, 100000);
    m.home.limits = &m.limits;
    mw_conn_new_limits(&m.conn, m.now_ms);
    assert_in_range(mw_conn_deadline(&m.conn), m.now_ms, m.now_ms + 25000);
    close_machine(&m);
}

TEST(a_shorter_period_counts_from_now_on)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = 3600000;
    begin_machine(&m);
    m.limits.ping_ms = 10000;
    m.home.limits = &m.limits;
    mw_conn_new_limits(&m.conn, m.now_ms);
    assert_in_range(mw_conn_deadline(&m.conn), m.now_ms + 5000, m.now_ms + 10000);
    close_machine(&m);
}

/* A route's limits change in place when a new version is committed. */
TEST(limits_that_change_where_they_lie_count_from_then_on)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_machine(&m);
    m.limits.idle_ms = 7000;
    assert_true(mw_conn_deadline(&m.conn) == START_MS + 7000);
    m.limits.message = 3;
    give(&m, MW_OPCODE_TEXT, "four");
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_message_too_big, 1009, false);
    close_machine(&m);
}

/* ---- the wait for a sign of life ---- */

TEST(any_byte_after_a_ping_is_life)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    pass_to(&m, mw_conn_deadline(&m.conn));
    flush(&m);
    pass(&m, 19999);
    assert_int_equal(m.conn.pings_unanswered, 1);
    give_bytes(&m, "\x81", 1); /* the first byte of a frame */
    assert_no_event(&m);
    pass(&m, 2000);
    assert_no_event(&m);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    assert_int_equal(m.conn.pings_unanswered, 0);
    close_machine(&m);
}

TEST(silence_after_a_ping_ends_the_connection)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    pass_to(&m, mw_conn_deadline(&m.conn));
    flush(&m);
    pass(&m, 19999);
    assert_no_event(&m);
    pass(&m, 1);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_ping_timeout, 1006, false);
    assert_int_equal(m.conn.pings_unanswered, 1);
    close_machine(&m);
}

TEST(a_ping_of_our_own_is_waited_for_too)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_machine(&m);
    assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
    m.now_ms += 1000;
    assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
    flush(&m);
    pass_to(&m, START_MS + 20000); /* from the first one */
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_ping_timeout, 1006, false);
    close_machine(&m);
}

/* RFC 6455 has no say in it, but ten thousand pings in one second are a wave of their own. */
TEST(ten_thousand_who_came_at_once_are_never_pinged_at_once)
{
    struct machine m;
    unsigned in_second[120] = { 0 }, most = 0;
    open_machine(&m, MW_ROLE_SERVER);
    for (int i = 0; i < 10000; i++) { /* one worker: one source of phases */
        mw_conn_free(&m.conn);
        begin_machine(&m);
        mw_ms at_ms = mw_conn_deadline(&m.conn) - m.now_ms;
        for (; at_ms < 100000; at_ms += m.limits.ping_ms)
            in_second[at_ms / 1000]++;
    }
    for (size_t i = 0; i < MW_COUNT(in_second); i++)
        most = in_second[i] > most ? in_second[i] : most;
    assert_in_range(most, 1, 1000); /* 800 a second through half a period */
    close_machine(&m);
}

/* ---- a frame that never ends ---- */

TEST(a_frame_that_trickles_ends_the_connection)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "\x82\xFE\x40\x00\1\2\3\4", 8);
    assert_no_event(&m);
    mw_ms begun_ms = m.now_ms;
    while (m.conn.phase == MW_CONN_OPEN && m.now_ms < begun_ms + 60000) {
        pass(&m, 1000);
        flush(&m);
        give_bytes(&m, "x", 1);
        assert_no_event(&m);
    }
    assert_int_equal(m.now_ms - begun_ms, 40000);
    assert_ending(&m, MW_CAUSE_idle_timeout, 3008, false);
    assert_view(mw_view(mw_conn_ending(&m.conn)->reason, mw_conn_ending(&m.conn)->reason_len),
                "a frame came too slowly");
    assert_true(m.mem.bytes < 8192);
    close_machine(&m);
}

TEST(a_header_that_trickles_does_so_too)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    static const char head[] = "\x82\xFF\0\0\0\0\0\1\0\0\1\2\3";
    for (size_t i = 0; i < sizeof head - 1 && m.conn.phase == MW_CONN_OPEN; i++) {
        give_bytes(&m, head + i, 1);
        assert_no_event(&m);
        pass(&m, 10000);
        flush(&m);
    }
    assert_int_equal(m.now_ms, START_MS + 40000);
    assert_ending(&m, MW_CAUSE_idle_timeout, 3008, false);
    close_machine(&m);
}

TEST(a_slow_line_may_take_its_time)
{
    struct machine m;
    static char piece[200];
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "\x82\xFE\xEA\x60\0\0\0\0", 8); /* 60000 bytes, 200 a second */
    assert_no_event(&m);
    for (int i = 0; i < 300; i++) {
        pass(&m, 1000);
        flush(&m);
        assert_int_equal(m.conn.phase, MW_CONN_OPEN);
        give_bytes(&m, piece, sizeof piece);
        assert_int_equal(pull(&m), i < 299 ? MW_EVENT_MORE : MW_EVENT_MESSAGE);
    }
    assert_no_event(&m);
    close_machine(&m);
}

/* Who was fast for a while has no credit for it: what it sent is what we hold. */
TEST(a_frame_that_trickles_at_its_end_is_no_better)
{
    struct machine m;
    static char much[50000];
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "\x82\xFE\xEA\x60\0\0\0\0", 8);
    assert_no_event(&m);
    give_bytes(&m, much, sizeof much);
    assert_no_event(&m);
    for (int i = 0; i < 100 && m.conn.phase == MW_CONN_OPEN; i++) {
        pass(&m, 1000);
        flush(&m);
        give_bytes(&m, "x", 1);
        assert_no_event(&m);
    }
    assert_in_range(m.now_ms - START_MS, 40000, 80000);
    assert_ending(&m, MW_CAUSE_idle_timeout, 3008, false);
    close_machine(&m);
}

TEST(frames_that_are_whole_have_no_pace)
{
    struct machine m;
    char bytes[32];
    open_machine(&m, MW_ROLE_SERVER);
    size_t len = write_frame(m.role, bytes, MW_OPCODE_TEXT, false, mw_view_text("a"));
    give_bytes(&m, bytes, len);
    assert_no_event(&m);
    /* Each read ends one fragment and begins the next one. */
    len = write_frame(m.role, bytes, MW_OPCODE_CONTINUATION, false, mw_view_text("b"));
    give_bytes(&m, bytes, 1);
    assert_no_event(&m);
    for (int i = 0; i < 20; i++) {
        pass(&m, 15000);
        flush(&m);
        assert_int_equal(m.conn.phase, MW_CONN_OPEN);
        char next[32];
        memcpy(next, bytes + 1, len - 1);
        next[len - 1] = bytes[0];
        give_bytes(&m, next, len);
        assert_no_event(&m);
    }
    close_machine(&m);
}

TEST(a_pause_is_not_held_against_a_frame)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "\x82\xFE\x40\x00", 4);
    assert_no_event(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    for (int i = 0; i < 10; i++) {
        pass(&m, 10000);
        flush(&m);
    }
    mw_conn_pause(&m.conn, false, m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    assert_true(mw_conn_deadline(&m.conn) > m.now_ms);
    close_machine(&m);
}

/* ---- half a word of HTTP ---- */

TEST(half_a_method_and_silence_is_the_breach_that_its_first_byte_is)
{
    struct machine m;
    struct sent sent;
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "OPT", 3);
    assert_no_event(&m);
    assert_true(mw_conn_deadline(&m.conn) == m.now_ms + 1000);
    pass(&m, 999);
    assert_no_event(&m);
    pass(&m, 1);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_protocol_error, 1002, false);
    assert_int_equal(mw_conn_ending(&m.conn)->rule, MW_RULE_RSV);
    flush(&m);
    assert_true(take_sent(&m, &sent));
    assert_int_equal(sent.opcode, MW_OPCODE_CLOSE);
    close_machine(&m);
}

TEST(the_rest_of_a_method_is_waited_for)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "OPT", 3);
    assert_no_event(&m);
    pass(&m, 900);
    give_bytes(&m, "IONS * HTTP/1.1", 15);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_http_on_websocket, 1002, false);
    close_machine(&m);
}

/* ---- silence, age ---- */

TEST(only_messages_put_the_idle_timeout_off)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    m.limits.idle_ms = 10000;
    begin_machine(&m);
    pass(&m, 9000);
    give(&m, MW_OPCODE_TEXT, "still here");
    assert_message(&m, MW_OPCODE_TEXT, "still here");
    assert_no_event(&m);
    pass(&m, 9000);
    give(&m, MW_OPCODE_PING, "no message");
    assert_no_event(&m);
    flush(&m);
    pass(&m, 999);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    pass(&m, 1);
    assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
    assert_int_equal(mw_conn_ending(&m.conn)->cause, MW_CAUSE_idle_timeout);
    close_machine(&m);
}

TEST(age_is_put_off_by_nothing)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.age_ms = 5000;
    begin_machine(&m);
    pass(&m, 4000);
    give(&m, MW_OPCODE_TEXT, "busy");
    assert_message(&m, MW_OPCODE_TEXT, "busy");
    mw_conn_pause(&m.conn, true, m.now_ms);
    pass(&m, 1000);
    assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
    assert_int_equal(mw_conn_ending(&m.conn)->cause, MW_CAUSE_max_age);
    close_machine(&m);
}

/* ---- the write stall ---- */

TEST(a_peer_that_takes_a_little_is_not_stalled)
{
    struct machine m;
    struct mw_view vector;
    static char some[100];
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_machine(&m);
    pass(&m, 100000);
    mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(some, sizeof some), m.now_ms);
    for (int i = 0; i < 4; i++) {
        pass(&m, 29999);
        assert_int_equal(m.conn.phase, MW_CONN_OPEN);
        assert_int_equal(mw_conn_iov(&m.conn, &vector, 1), 1);
        mw_conn_written(&m.conn, 1, m.now_ms);
    }
    pass(&m, 30000);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_write_timeout, 1006, false);
    close_machine(&m);
}

TEST(an_answer_to_a_ping_after_a_long_silence_is_no_write_stall)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_machine(&m);
    pass(&m, 100000);
    give(&m, MW_OPCODE_PING, "hello?");
    assert_no_event(&m);
    assert_true(mw_conn_deadline(&m.conn) == m.now_ms + 30000);
    mw_conn_tick(&m.conn, m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    close_machine(&m);
}

/* ---- the wait for the answer to a Close ---- */

TEST(a_close_is_waited_for_and_then_ends_unclean)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 4000, mw_view(NULL, 0), m.now_ms);
    pass(&m, 1000); /* the Close frame waits for the kernel: the peer's time has not begun */
    flush(&m);
    assert_true(mw_conn_deadline(&m.conn) == m.now_ms + MW_CONN_CLOSE_WAIT_MS);
    pass(&m, MW_CONN_CLOSE_WAIT_MS - 1);
    assert_no_event(&m);
    give(&m, MW_OPCODE_TEXT, "life, but no answer");
    assert_no_event(&m);
    pass(&m, 1);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_script_close, 4000, false);
    close_machine(&m);
}

TEST(a_close_behind_a_queue_waits_for_a_peer_that_reads_slowly)
{
    struct machine m;
    static char big[1 << 20];
    open_machine(&m, MW_ROLE_SERVER);
    mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 4000, mw_view(NULL, 0), m.now_ms);
    for (int i = 0; i < 5; i++) {
        struct mw_view vector;
        pass(&m, 2 * MW_CONN_CLOSE_WAIT_MS);
        assert_no_event(&m);
        mw_conn_iov(&m.conn, &vector, 1);
        mw_conn_written(&m.conn, 1000, m.now_ms);
    }
    pass(&m, MW_CONN_CLOSE_FLUSH_MS); /* but not for ever */
    assert_closed(&m);
    close_machine(&m);
}

/* ---- pause ---- */

TEST(while_paused_silence_is_not_held_against_the_peer)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.idle_ms = 60000;
    begin_machine(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    for (int i = 0; i < 20; i++) {
        pass(&m, 25000);
        flush(&m);
        assert_no_event(&m);
        assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    }
    close_machine(&m);
}

TEST(after_a_pause_the_peer_has_its_whole_time_again)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.idle_ms = 60000;
    begin_machine(&m);
    pass_to(&m, mw_conn_deadline(&m.conn));
    flush(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    m.now_ms += 100000;
    mw_conn_pause(&m.conn, false, m.now_ms);
    mw_conn_tick(&m.conn, m.now_ms);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    flush(&m);
    mw_ms resumed_ms = m.now_ms;
    pass(&m, 19999);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    pass_to(&m, resumed_ms + 20000);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_ping_timeout, 1006, false);
    close_machine(&m);
}

TEST(a_pause_longer_than_the_idle_limit_is_no_idling)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    m.limits.idle_ms = 10000;
    begin_machine(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    pass(&m, 50000);
    mw_conn_pause(&m.conn, false, m.now_ms);
    pass(&m, 9999);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    pass(&m, 1);
    assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
    close_machine(&m);
}

/* ---- the rate ---- */

TEST(the_rate_refills_with_time)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.rate_per_s = 2;
    m.limits.burst = 4;
    begin_machine(&m);
    for (int i = 0; i < 4; i++) {
        give(&m, MW_OPCODE_TEXT, "burst");
        assert_message(&m, MW_OPCODE_TEXT, "burst");
    }
    for (int i = 0; i < 10; i++) {
        m.now_ms += 500;
        give(&m, MW_OPCODE_TEXT, "steady");
        assert_message(&m, MW_OPCODE_TEXT, "steady");
        give(&m, MW_OPCODE_PING, "free of charge");
        assert_no_event(&m);
    }
    m.now_ms += 499;
    give(&m, MW_OPCODE_TEXT, "too early");
    assert_no_event(&m);
    assert_int_equal(mw_conn_ending(&m.conn)->cause, MW_CAUSE_rate_limited);
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(first_pings_are_spread_over_half_a_period),
        CASE(pings_go_out_once_a_period),
        CASE(no_pings_where_they_are_off),
        CASE(pings_can_be_switched_on_and_off_under_way),
        CASE(a_shorter_period_counts_from_now_on),
        CASE(limits_that_change_where_they_lie_count_from_then_on),
        CASE(any_byte_after_a_ping_is_life),
        CASE(silence_after_a_ping_ends_the_connection),
        CASE(a_ping_of_our_own_is_waited_for_too),
        CASE(ten_thousand_who_came_at_once_are_never_pinged_at_once),
        CASE(a_frame_that_trickles_ends_the_connection),
        CASE(a_header_that_trickles_does_so_too),
        CASE(a_slow_line_may_take_its_time),
        CASE(a_frame_that_trickles_at_its_end_is_no_better),
        CASE(frames_that_are_whole_have_no_pace),
        CASE(a_pause_is_not_held_against_a_frame),
        CASE(half_a_method_and_silence_is_the_breach_that_its_first_byte_is),
        CASE(the_rest_of_a_method_is_waited_for),
        CASE(only_messages_put_the_idle_timeout_off),
        CASE(age_is_put_off_by_nothing),
        CASE(a_peer_that_takes_a_little_is_not_stalled),
        CASE(an_answer_to_a_ping_after_a_long_silence_is_no_write_stall),
        CASE(a_close_is_waited_for_and_then_ends_unclean),
        CASE(a_close_behind_a_queue_waits_for_a_peer_that_reads_slowly),
        CASE(while_paused_silence_is_not_held_against_the_peer),
        CASE(after_a_pause_the_peer_has_its_whole_time_again),
        CASE(a_pause_longer_than_the_idle_limit_is_no_idling),
        CASE(the_rate_refills_with_time),
    };
    return RUN(cases);
}
