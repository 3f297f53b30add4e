/* conn_sideband: asides over an open connection, and what they leave alone. */
#include "tests/unit/session/machine.h"

#define MARK   "abcdefghijklmnop"
#define PROBE  MARK "?"
#define ANSWER MARK "!"

static struct mw_sideband sideband;

static void begin_with_mark(struct machine *m)
{
    begin_machine(m);
    mw_sideband_init(&sideband, mw_view_text(MARK));
    m->conn.sideband = &sideband;
}

static void open_with_mark(struct machine *m)
{
    open_machine_at(m, MW_ROLE_SERVER, 1);
    begin_with_mark(m);
}

static void probe(struct machine *m)
{
    give(m, MW_OPCODE_TEXT, PROBE);
    assert_int_equal(pull(m), MW_EVENT_ASIDE);
    assert_no_event(m);
    flush(m);
}

/* What is in it is the machine's own business. */
static void assert_sent_ping(struct machine *m)
{
    struct sent sent;
    assert_true(take_sent(m, &sent));
    assert_int_equal(sent.opcode, MW_OPCODE_PING);
}

TEST(a_probe_is_answered_once_a_second)
{
    struct machine m;
    open_with_mark(&m);
    for (int second = 0; second < 3; second++) {
        probe(&m);
        assert_sent(&m, MW_OPCODE_TEXT, ANSWER);
        for (int i = 0; i < 100; i++) {
            m.now_ms += 9;
            probe(&m);
            assert_nothing_sent(&m);
        }
        m.now_ms += 100;
    }
    close_machine(&m);
}

TEST(asides_are_not_counted_and_take_nothing_of_the_rate)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.rate_per_s = m.limits.burst = 1;
    begin_with_mark(&m);
    for (int i = 0; i < 1000; i++) {
        probe(&m);
        m.now_ms++;
    }
    give(&m, MW_OPCODE_TEXT, "one");
    assert_message(&m, MW_OPCODE_TEXT, "one");
    assert_int_equal(m.conn.messages_received, 1);
    assert_int_equal(m.conn.messages_sent, 0);
    close_machine(&m);
}

TEST(by_asides_that_nobody_knows_the_rate_is_not_got_round)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.rate_per_s = m.limits.burst = 1;
    begin_with_mark(&m);
    give(&m, MW_OPCODE_TEXT, MARK "resume");
    assert_int_equal(pull(&m), MW_EVENT_ASIDE);
    give(&m, MW_OPCODE_TEXT, MARK "and much more");
    assert_no_event(&m);
    assert_ending(&m, MW_CAUSE_rate_limited, 1008, false);
    assert_int_equal(m.conn.messages_received, 0);
    close_machine(&m);
}

TEST(asides_do_not_keep_an_idle_connection)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.idle_ms = 10000;
    m.limits.ping_ms = MW_NEVER;
    begin_with_mark(&m);
    for (int i = 0; i < 9; i++) {
        pass(&m, 1000);
        probe(&m);
        assert_sent(&m, MW_OPCODE_TEXT, ANSWER);
    }
    pass(&m, 1000);
    assert_ending(&m, MW_CAUSE_idle_timeout, 3008, false);
    close_machine(&m);
}

TEST(behind_a_full_queue_a_probe_is_dropped)
{
    struct machine m;
    static const char big[2000];
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.queue = 1024;
    begin_with_mark(&m);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms),
                     MW_OK);
    size_t before = mw_conn_queued(&m.conn);
    give(&m, MW_OPCODE_TEXT, PROBE);
    assert_int_equal(pull(&m), MW_EVENT_ASIDE);
    assert_int_equal(mw_conn_queued(&m.conn), before);
    flush(&m);
    assert_int_equal(pull(&m), MW_EVENT_DRAIN);
    probe(&m); /* the answer that was not given is not counted as one */
    assert_sent(&m, MW_OPCODE_TEXT, ANSWER);
    close_machine(&m);
}

TEST(an_answer_that_nobody_takes_has_its_time_like_any_output)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_with_mark(&m);
    pass(&m, 3600 * 1000);
    give(&m, MW_OPCODE_TEXT, PROBE);
    pull(&m);
    assert_true(mw_conn_deadline(&m.conn) > m.now_ms);
    pass(&m, 20000);
    assert_int_equal(m.conn.phase, MW_CONN_OPEN);
    pass(&m, 20000);
    assert_ending(&m, MW_CAUSE_write_timeout, 1006, false);
    close_machine(&m);
}

TEST(without_memory_for_an_answer_the_connection_goes_on)
{
    struct machine m;
    open_with_mark(&m);
    give(&m, MW_OPCODE_TEXT, PROBE);
    m.mem.fail_at = m.mem.count + 1;
    assert_int_equal(pull(&m), MW_EVENT_ASIDE);
    m.mem.fail_at = 0;
    flush(&m);
    assert_nothing_sent(&m);
    probe(&m);
    assert_sent(&m, MW_OPCODE_TEXT, ANSWER);
    close_machine(&m);
}

TEST(who_asks_for_quiet_is_not_pinged_for_so_long)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = 10000;
    begin_with_mark(&m);
    give(&m, MW_OPCODE_TEXT, MARK "~120");
    assert_int_equal(pull(&m), MW_EVENT_ASIDE);
    flush(&m);
    assert_sent(&m, MW_OPCODE_TEXT, MARK "~");
    for (int second = 0; second < 119; second++)
        pass(&m, 1000);
    flush(&m);
    assert_nothing_sent(&m);
    pass(&m, 1000);
    flush(&m);
    assert_sent_ping(&m);
    close_machine(&m);
}

TEST(quiet_is_no_reason_to_ping_where_pings_are_off)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = MW_NEVER;
    begin_with_mark(&m);
    give(&m, MW_OPCODE_TEXT, MARK "~1");
    assert_int_equal(pull(&m), MW_EVENT_ASIDE);
    flush(&m);
    assert_sent(&m, MW_OPCODE_TEXT, MARK "~");
    pass(&m, 60000);
    flush(&m);
    assert_nothing_sent(&m);
    close_machine(&m);
}

/* Its probes wait with all else that is not read; it must not take that for a dead line. */
TEST(who_is_not_read_is_told_with_each_ping)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = 10000;
    begin_with_mark(&m);
    pass(&m, 10000);
    flush(&m);
    assert_sent_ping(&m);
    assert_nothing_sent(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    for (int i = 0; i < 3; i++) {
        pass(&m, 10000);
        flush(&m);
        assert_sent_ping(&m);
        assert_sent(&m, MW_OPCODE_TEXT, ANSWER);
        assert_nothing_sent(&m);
    }
    close_machine(&m);
}

TEST(who_has_no_mark_is_told_nothing_while_it_is_not_read)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.limits.ping_ms = 10000;
    begin_machine(&m);
    mw_conn_pause(&m.conn, true, m.now_ms);
    pass(&m, 10000);
    flush(&m);
    assert_sent_ping(&m);
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(once_the_end_has_begun_nothing_is_answered)
{
    struct machine m;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.asks = true;
    begin_with_mark(&m);
    (void)mw_conn_close(&m.conn, MW_CAUSE_drain, 0, mw_view_text("bye"), m.now_ms);
    give(&m, MW_OPCODE_TEXT, PROBE);
    assert_int_equal(pull(&m), MW_EVENT_DECIDE);
    mw_conn_decide(&m.conn, 1001, mw_view_text("bye"), &(struct mw_advice){ 0 }, m.now_ms);
    assert_no_event(&m);
    give(&m, MW_OPCODE_TEXT, PROBE);
    assert_no_event(&m);
    flush(&m);
    assert_sent_close(&m, 1001, NULL);
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(the_recorder_knows_asides_but_is_not_made_for_them)
{
    struct mw_flight_entry entries[MW_FLIGHT_ENTRIES];
    struct machine m;
    open_with_mark(&m);
    probe(&m);
    assert_null(m.conn.flight);
    give(&m, MW_OPCODE_TEXT, "one");
    assert_message(&m, MW_OPCODE_TEXT, "one");
    for (int i = 0; i < 5; i++)
        probe(&m);
    m.now_ms += 2000;
    probe(&m);
    assert_int_equal(mw_flight_copy(m.conn.flight, entries), 3);
    assert_int_equal(entries[1].kind, MW_FLIGHT_ASIDE);
    assert_int_equal(entries[1].number, 0);
    assert_int_equal(entries[1].times, 5);
    assert_int_equal(entries[2].number, 1);
    assert_int_equal(entries[2].bytes, strlen(PROBE));
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_probe_is_answered_once_a_second),
        CASE(asides_are_not_counted_and_take_nothing_of_the_rate),
        CASE(by_asides_that_nobody_knows_the_rate_is_not_got_round),
        CASE(asides_do_not_keep_an_idle_connection),
        CASE(behind_a_full_queue_a_probe_is_dropped),
        CASE(an_answer_that_nobody_takes_has_its_time_like_any_output),
        CASE(without_memory_for_an_answer_the_connection_goes_on),
        CASE(who_asks_for_quiet_is_not_pinged_for_so_long),
        CASE(quiet_is_no_reason_to_ping_where_pings_are_off),
        CASE(who_is_not_read_is_told_with_each_ping),
        CASE(who_has_no_mark_is_told_nothing_while_it_is_not_read),
        CASE(once_the_end_has_begun_nothing_is_answered),
        CASE(the_recorder_knows_asides_but_is_not_made_for_them),
    };
    return RUN(cases);
}
