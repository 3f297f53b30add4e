/* Frames cut by hand: what they look like on the wire, and when they are refused. */
#include "core/session/conn_hand.h"

#include "tests/unit/session/machine.h"

/* All that waits, as bytes; the machine keeps them. */
static size_t take_wire(struct machine *m, uint8_t *out, size_t max)
{
    struct mw_view vectors[8];
    size_t count = mw_conn_iov(&m->conn, vectors, MW_COUNT(vectors)), len = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(len + vectors[i].len <= max);
        memcpy(out + len, vectors[i].data, vectors[i].len);
        len += vectors[i].len;
    }
    mw_conn_written(&m->conn, len, m->now_ms);
    return len;
}

TEST(a_message_goes_out_in_the_frames_that_were_asked_for)
{
    static const uint8_t want[] = { 0x01, 2, 'm', 'o', 0x00, 0, 0x80, 2, 'o', 'n' };
    struct machine m;
    uint8_t wire[64];
    open_machine(&m, MW_ROLE_SERVER);
    struct mw_conn *conn = &m.conn;
    assert_int_equal(mw_conn_send_frame(conn, MW_OPCODE_TEXT, false, mw_view_text("mo"), m.now_ms),
                     MW_OK);
    assert_int_equal(
        mw_conn_send_frame(conn, MW_OPCODE_CONTINUATION, false, mw_view("", 0), m.now_ms), MW_OK);
    assert_int_equal(conn->messages_sent, 0);
    assert_int_equal(
        mw_conn_send_frame(conn, MW_OPCODE_CONTINUATION, true, mw_view_text("on"), m.now_ms),
        MW_OK);
    assert_int_equal(conn->messages_sent, 1);
    assert_int_equal(take_wire(&m, wire, sizeof wire), sizeof want);
    assert_memory_equal(wire, want, sizeof want);
    close_machine(&m);
}

TEST(a_client_masks_what_it_cuts)
{
    struct machine m;
    uint8_t wire[64];
    open_machine(&m, MW_ROLE_CLIENT);
    assert_int_equal(
        mw_conn_send_frame(&m.conn, MW_OPCODE_BINARY, true, mw_view_text("moon"), m.now_ms), MW_OK);
    assert_int_equal(take_wire(&m, wire, sizeof wire), 10);
    assert_int_equal(wire[0], 0x82);
    assert_int_equal(wire[1], 0x84);
    mw_mask(wire + 6, 4, wire + 2, 0);
    assert_memory_equal(wire + 6, "moon", 4);
    close_machine(&m);
}

TEST(a_ping_goes_before_what_waits_and_carries_its_payload)
{
    struct machine m;
    uint8_t wire[64];
    open_machine(&m, MW_ROLE_SERVER);
    assert_int_equal(mw_conn_send_frame(&m.conn, MW_OPCODE_TEXT, true, mw_view_text("x"), m.now_ms),
                     MW_OK);
    assert_int_equal(mw_conn_ping_with(&m.conn, mw_view_text("hey"), m.now_ms), MW_OK);
    assert_int_equal(take_wire(&m, wire, sizeof wire), 8);
    assert_memory_equal(wire, "\x89\x03hey", 5);
    assert_int_equal(m.conn.pings_unanswered, 0); /* nobody but the caller waits for it */
    close_machine(&m);
}

TEST(above_the_limit_and_after_the_end_nothing_is_put)
{
    static char much[4096];
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    m.limits.queue = 1024;
    struct mw_view payload = mw_view(much, sizeof much);
    assert_int_equal(mw_conn_send_frame(&m.conn, MW_OPCODE_BINARY, false, payload, m.now_ms),
                     MW_OK);
    assert_int_equal(mw_conn_send_frame(&m.conn, MW_OPCODE_CONTINUATION, true, payload, m.now_ms),
                     MW_ERR_DROPPED);
    assert_int_equal(mw_conn_ping_with(&m.conn, mw_view("", 0), m.now_ms), MW_ERR_DROPPED);
    mw_conn_eof(&m.conn, MW_CAUSE_peer_fin);
    assert_int_equal(mw_conn_ping_with(&m.conn, mw_view("", 0), m.now_ms), MW_ERR_CLOSED);
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_message_goes_out_in_the_frames_that_were_asked_for),
        CASE(a_client_masks_what_it_cuts),
        CASE(a_ping_goes_before_what_waits_and_carries_its_payload),
        CASE(above_the_limit_and_after_the_end_nothing_is_put),
    };
    return RUN(cases);
}
