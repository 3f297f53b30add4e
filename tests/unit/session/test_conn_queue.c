/* conn: a send queue that grows above its limit, and what is told of it. */
#include "tests/unit/session/machine.h"

TEST(a_message_may_overshoot_the_limit_and_the_next_one_is_dropped)
{
    struct machine m;
    static char big[3000];
    open_machine_of_small_queue(&m);
    struct mw_view payload = mw_view(big, sizeof big);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, payload, m.now_ms), MW_OK);
    size_t queued = mw_conn_queued(&m.conn);
    struct mw_msg *msg = mw_msg_new(&m.mem, 1);
    mw_msg_set_head(msg, "\x82\x01", 2);
    int errs[] = { mw_conn_send(&m.conn, MW_OPCODE_BINARY, payload, m.now_ms),
                   mw_conn_send_msg(&m.conn, msg, m.now_ms) };
    mw_msg_drop(msg);
    for (size_t i = 0; i < MW_COUNT(errs); i++)
        assert_int_equal(errs[i], MW_ERR_DROPPED);
    assert_int_equal(mw_conn_queued(&m.conn), queued);
    assert_int_equal(m.conn.messages_sent, 1);
    close_machine(&m);
}

TEST(drain_is_told_once_below_half_of_the_limit)
{
    struct machine m;
    static char big[2000];
    open_machine_of_small_queue(&m);
    for (int round = 0; round < 2; round++) {
        struct mw_view vector;
        assert_int_equal(
            mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms), MW_OK);
        assert_no_event(&m);
        assert_int_equal(mw_conn_iov(&m.conn, &vector, 1), 1);
        mw_conn_written(&m.conn, mw_conn_queued(&m.conn) - 512, m.now_ms);
        assert_no_event(&m);
        mw_conn_written(&m.conn, 1, m.now_ms);
        assert_int_equal(pull(&m), MW_EVENT_DRAIN);
        assert_no_event(&m);
        flush(&m);
        assert_no_event(&m);
    }
    close_machine(&m);
}

TEST(no_drain_is_told_below_half_of_the_limit)
{
    struct machine m;
    static char some[500];
    open_machine_of_small_queue(&m);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(some, 500), m.now_ms), MW_OK);
    flush(&m);
    assert_no_event(&m);
    close_machine(&m);
}

TEST(a_slow_consumer_gets_its_close_before_what_waits)
{
    struct machine m;
    static char big[5000];
    open_machine(&m, MW_ROLE_SERVER);
    for (int i = 0; i < 20; i++)
        mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms);
    mw_conn_close(&m.conn, MW_CAUSE_slow_consumer, 0, mw_view(NULL, 0), m.now_ms);
    assert_in_range(mw_conn_queued(&m.conn), 4, 200);
    flush(&m);
    assert_sent_close(&m, 1013, "");
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_message_may_overshoot_the_limit_and_the_next_one_is_dropped),
        CASE(drain_is_told_once_below_half_of_the_limit),
        CASE(no_drain_is_told_below_half_of_the_limit),
        CASE(a_slow_consumer_gets_its_close_before_what_waits),
    };
    return RUN(cases);
}
