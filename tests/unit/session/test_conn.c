/* conn: messages, the closing handshake, and every end that the machine itself finds. */
#include "core/base/str.h"
#include "tests/unit/session/machine.h"

static const enum mw_role roles[] = { MW_ROLE_SERVER, MW_ROLE_CLIENT };

/* ---- messages ---- */

TEST(messages_arrive_whole_and_in_order)
{
    for (size_t i = 0; i < MW_COUNT(roles); i++) {
        struct machine m;
        open_machine(&m, roles[i]);
        give_part(&m, MW_OPCODE_TEXT, false, mw_view_text("Hel"));
        assert_no_event(&m);
        give(&m, MW_OPCODE_PONG, "unasked");
        assert_no_event(&m);
        give_part(&m, MW_OPCODE_CONTINUATION, true, mw_view_text("lo"));
        assert_message(&m, MW_OPCODE_TEXT, "Hello");
        assert_no_event(&m);
        give(&m, MW_OPCODE_BINARY, "");
        assert_message(&m, MW_OPCODE_BINARY, "");
        assert_int_equal(m.conn.messages_received, 2);
        close_machine(&m);
    }
}

TEST(what_is_sent_is_framed_for_the_role_and_counted)
{
    for (size_t i = 0; i < MW_COUNT(roles); i++) {
        struct machine m;
        open_machine(&m, roles[i]);
        assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_TEXT, mw_view_text("one"), m.now_ms), 0);
        assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(NULL, 0), m.now_ms), 0);
        assert_true(mw_conn_has_output(&m.conn));
        flush(&m);
        /* RFC 6455 5.1: the second byte's top bit says whether it is masked */
        assert_int_equal((m.wire.data[1] & 0x80) != 0, roles[i] == MW_ROLE_CLIENT);
        assert_sent(&m, MW_OPCODE_TEXT, "one");
        assert_sent(&m, MW_OPCODE_BINARY, "");
        assert_nothing_sent(&m);
        assert_int_equal(m.conn.messages_sent, 2);
        close_machine(&m);
    }
}

TEST(a_framed_message_is_sent_by_reference)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    struct mw_msg *msg = mw_msg_new(&m.mem, 3);
    memcpy(mw_msg_payload(msg), "all", 3);
    mw_msg_set_head(msg, "\x81\x03", 2);
    assert_int_equal(mw_conn_send_msg(&m.conn, msg, m.now_ms), MW_OK);
    mw_msg_drop(msg);
    flush(&m);
    assert_sent(&m, MW_OPCODE_TEXT, "all");
    close_machine(&m);
}

TEST(bytes_that_were_not_pulled_can_be_kept_for_later)
{
    struct machine m;
    char bytes[64];
    open_machine(&m, MW_ROLE_SERVER);
    size_t one = write_frame(m.role, bytes, MW_OPCODE_TEXT, true, mw_view_text("one"));
    size_t two = write_frame(m.role, bytes + one, MW_OPCODE_TEXT, true, mw_view_text("two"));
    give_bytes(&m, bytes, one + two);
    assert_message(&m, MW_OPCODE_TEXT, "one");
    struct mw_view rest = mw_conn_rest(&m.conn);
    assert_int_equal(rest.len, two);
    memcpy(bytes, rest.data, rest.len);
    mw_conn_detach(&m.conn);
    assert_no_event(&m);
    give_bytes(&m, bytes, two);
    assert_message(&m, MW_OPCODE_TEXT, "two");
    close_machine(&m);
}

/* ---- the closing handshake ---- */

TEST(our_close_ends_clean_with_the_answer)
{
    for (size_t i = 0; i < MW_COUNT(roles); i++) {
        struct machine m;
        open_machine(&m, roles[i]);
        assert_null(mw_conn_ending(&m.conn));
        assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_TEXT, mw_view_text("last"), m.now_ms), 0);
        assert_int_equal(
            mw_conn_close(&m.conn, MW_CAUSE_script_close, 4001, mw_view_text("kicked"), m.now_ms),
            MW_OK);
        assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
        assert_no_event(&m);
        flush(&m);
        assert_sent(&m, MW_OPCODE_TEXT, "last");
        assert_sent_close(&m, 4001, "kicked");
        give_close(&m, 4001, "");
        assert_closed(&m);
        assert_ending(&m, MW_CAUSE_script_close, 4001, true);
        assert_view(mw_view(mw_conn_ending(&m.conn)->reason, 6), "kicked");
        flush(&m);
        assert_nothing_sent(&m);
        close_machine(&m);
    }
}

TEST(the_peers_close_is_answered_with_its_code)
{
    static const unsigned codes[] = { 0, 1000, 1001, 1003, 1010, 1011, 3000, 4999 };
    for (size_t i = 0; i < MW_COUNT(roles) * MW_COUNT(codes); i++) {
        struct machine m;
        unsigned code = codes[i / MW_COUNT(roles)];
        open_machine(&m, roles[i % MW_COUNT(roles)]);
        give_close(&m, code, code ? "bye" : "");
        assert_closed(&m);
        assert_ending(&m, MW_CAUSE_peer_close, code ? code : 1005, true);
        assert_int_equal(mw_conn_ending(&m.conn)->reason_len, code ? 3 : 0);
        flush(&m);
        assert_sent_close(&m, code, "");
        assert_nothing_sent(&m);
        close_machine(&m);
    }
}

TEST(two_closes_that_cross_end_clean_with_our_code)
{
    for (size_t i = 0; i < MW_COUNT(roles); i++) {
        struct machine m;
        open_machine(&m, roles[i]);
        mw_conn_close(&m.conn, MW_CAUSE_script_close, 4000, mw_view_text("mine"), m.now_ms);
        give_close(&m, 4999, "yours");
        assert_closed(&m);
        assert_ending(&m, MW_CAUSE_script_close, 4000, true);
        flush(&m);
        assert_sent_close(&m, 4000, "mine");
        assert_nothing_sent(&m); /* one Close frame in each direction */
        close_machine(&m);
    }
}

TEST(nothing_is_sent_or_closed_after_the_end_has_begun)
{
    for (int peer_first = 0; peer_first < 2; peer_first++) {
        struct machine m;
        open_machine(&m, MW_ROLE_SERVER);
        if (peer_first) {
            give_close(&m, 1000, "");
            assert_closed(&m);
        } else {
            mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view(NULL, 0), m.now_ms);
        }
        size_t queued = mw_conn_queued(&m.conn);
        struct mw_msg *msg = mw_msg_new(&m.mem, 0);
        mw_msg_set_head(msg, "\x82\x00", 2);
        int errs[] = {
            mw_conn_send(&m.conn, MW_OPCODE_TEXT, mw_view_text("late"), m.now_ms),
            mw_conn_send_msg(&m.conn, msg, m.now_ms),
            mw_conn_ping(&m.conn, m.now_ms),
            mw_conn_close(&m.conn, MW_CAUSE_drain, 0, mw_view(NULL, 0), m.now_ms),
        };
        mw_msg_drop(msg);
        for (size_t i = 0; i < MW_COUNT(errs); i++)
            assert_int_equal(errs[i], MW_ERR_CLOSED);
        assert_int_equal(mw_conn_queued(&m.conn), queued);
        close_machine(&m);
    }
}

TEST(messages_after_our_close_are_dropped)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view(NULL, 0), m.now_ms);
    give(&m, MW_OPCODE_TEXT, "on its way already");
    assert_no_event(&m);
    give(&m, MW_OPCODE_PING, "too");
    assert_no_event(&m);
    assert_int_equal(m.conn.messages_received, 0);
    flush(&m);
    assert_sent(&m, MW_OPCODE_PONG, "too");
    assert_sent_close(&m, 1000, "");
    assert_nothing_sent(&m);
    give_close(&m, 1000, "");
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_script_close, 1000, true);
    close_machine(&m);
}

TEST(what_comes_after_the_peers_close_is_not_read)
{
    struct machine m;
    char bytes[64];
    open_machine(&m, MW_ROLE_SERVER);
    size_t len = write_frame(m.role, bytes, MW_OPCODE_CLOSE, true, mw_view("\x03\xe8", 2));
    len += write_frame(m.role, bytes + len, MW_OPCODE_TEXT, true, mw_view_text("late"));
    give_bytes(&m, bytes, len);
    assert_closed(&m);
    give(&m, MW_OPCODE_TEXT, "later");
    assert_no_event(&m);
    assert_int_equal(m.conn.messages_received, 0);
    close_machine(&m);
}

TEST(a_breach_after_our_close_ends_without_a_second_close_frame)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 4000, mw_view(NULL, 0), m.now_ms);
    give_bytes(&m, "\x81\x05Hello", 7); /* unmasked */
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_script_close, 4000, false);
    flush(&m);
    assert_sent_close(&m, 4000, "");
    assert_nothing_sent(&m);
    close_machine(&m);
}

TEST(a_stream_that_ends_after_our_close_ends_unclean_with_our_code)
{
    static const enum mw_cause hows[] = { MW_CAUSE_peer_fin, MW_CAUSE_peer_reset,
                                          MW_CAUSE_tls_error };
    for (size_t i = 0; i < MW_COUNT(hows); i++) {
        struct machine m;
        open_machine(&m, MW_ROLE_SERVER);
        mw_conn_close(&m.conn, MW_CAUSE_drain, 0, mw_view(NULL, 0), m.now_ms);
        mw_conn_eof(&m.conn, hows[i]);
        assert_closed(&m);
        assert_ending(&m, MW_CAUSE_drain, 1001, false);
        close_machine(&m);
    }
}

TEST(a_reason_is_cut_on_a_code_point)
{
    struct machine m;
    char reason[200];
    open_machine(&m, MW_ROLE_SERVER);
    memset(reason, 'a', 122);
    memcpy(reason + 122, "\xc3\xa9 and more", sizeof "\xc3\xa9 and more");
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view_text(reason), m.now_ms);
    assert_int_equal(mw_conn_ending(&m.conn)->reason_len, 122);
    flush(&m);
    reason[122] = '\0';
    assert_sent_close(&m, 1000, reason);
    close_machine(&m);
}

/* ---- every end that the machine itself finds ---- */

static void peer_closes(struct machine *m)
{
    give_close(m, 4321, "");
}

static void peer_finishes(struct machine *m)
{
    mw_conn_eof(&m->conn, MW_CAUSE_peer_fin);
}

static void peer_resets(struct machine *m)
{
    mw_conn_eof(&m->conn, MW_CAUSE_peer_reset);
}

static void tls_breaks(struct machine *m)
{
    mw_conn_eof(&m->conn, MW_CAUSE_tls_error);
}

static void peer_answers_no_ping(struct machine *m)
{
    pass(m, 25000);
    flush(m); /* the ping leaves, and no byte comes back */
    pass(m, 20000);
}

static void peer_takes_nothing(struct machine *m)
{
    m->limits.ping_ms = MW_NEVER;
    mw_conn_new_limits(&m->conn, m->now_ms);
    assert_int_equal(mw_conn_send(&m->conn, MW_OPCODE_TEXT, mw_view_text("x"), m->now_ms), MW_OK);
    pass(m, 30000);
}

static void peer_says_nothing(struct machine *m)
{
    m->limits.idle_ms = 10000;
    pass(m, 10000);
}

static void connection_gets_old(struct machine *m)
{
    m->limits.age_ms = 10000;
    pass(m, 10000);
}

static void peer_breaks_a_rule(struct machine *m)
{
    give(m, (enum mw_opcode)0x3, "reserved");
}

static void peer_sends_broken_text(struct machine *m)
{
    give(m, MW_OPCODE_TEXT, "\xff\xfe");
}

static void peer_sends_too_much(struct machine *m)
{
    m->limits.message = 10;
    give(m, MW_OPCODE_TEXT, "eleven bytes");
}

static void peer_sends_too_many_pieces(struct machine *m)
{
    m->limits.fragments = 2;
    give_part(m, MW_OPCODE_TEXT, false, mw_view_text("a"));
    assert_no_event(m);
    give_part(m, MW_OPCODE_CONTINUATION, false, mw_view_text("b"));
    assert_no_event(m);
    give_part(m, MW_OPCODE_CONTINUATION, true, mw_view_text("c"));
}

static void peer_sends_too_often(struct machine *m)
{
    m->limits.rate_per_s = 1;
    m->limits.burst = 2;
    for (int i = 0; i < 2; i++) {
        give(m, MW_OPCODE_TEXT, "fast");
        assert_message(m, MW_OPCODE_TEXT, "fast");
    }
    give(m, MW_OPCODE_TEXT, "faster");
}

static void memory_ends(struct machine *m)
{
    m->mem.fail_at = m->mem.count + 1;
    give_part(m, MW_OPCODE_TEXT, false, mw_view_text("to be held"));
}

static void peer_reads_too_slowly(struct machine *m)
{
    mw_conn_close(&m->conn, MW_CAUSE_slow_consumer, 0, mw_view(NULL, 0), m->now_ms);
}

static const struct {
    void (*provoke)(struct machine *m);
    enum mw_cause cause;
    unsigned reported, wire; /* wire 0: no Close frame */
    bool waits;              /* for the peer's answer */
    bool clean;
} ends[] = {
    { peer_closes, MW_CAUSE_peer_close, 4321, 4321, false, true },
    { peer_finishes, MW_CAUSE_peer_fin, 1006, 0, false, false },
    { peer_resets, MW_CAUSE_peer_reset, 1006, 0, false, false },
    { tls_breaks, MW_CAUSE_tls_error, 1006, 0, false, false },
    { peer_answers_no_ping, MW_CAUSE_ping_timeout, 1006, 3008, false, false },
    { peer_takes_nothing, MW_CAUSE_write_timeout, 1006, 3008, false, false },
    { peer_says_nothing, MW_CAUSE_idle_timeout, 3008, 3008, true, true },
    { connection_gets_old, MW_CAUSE_max_age, 1001, 1001, true, true },
    { peer_breaks_a_rule, MW_CAUSE_protocol_error, 1002, 1002, false, false },
    { peer_sends_broken_text, MW_CAUSE_bad_utf8, 1007, 1007, false, false },
    { peer_sends_too_much, MW_CAUSE_message_too_big, 1009, 1009, false, false },
    { peer_sends_too_many_pieces, MW_CAUSE_too_many_fragments, 1008, 1008, false, false },
    { peer_sends_too_often, MW_CAUSE_rate_limited, 1008, 1008, true, true },
    { memory_ends, MW_CAUSE_out_of_memory, 1013, 1013, false, false },
    { peer_reads_too_slowly, MW_CAUSE_slow_consumer, 1013, 1013, true, true },
};

/* The last frame that leaves is the Close. */
static void assert_wire_code(struct machine *m, unsigned wire)
{
    struct sent sent = { .opcode = MW_OPCODE_TEXT };
    flush(m);
    while (take_sent(m, &sent) && sent.opcode != MW_OPCODE_CLOSE)
        assert_int_not_equal(sent.opcode, MW_OPCODE_TEXT);
    assert_int_equal(sent.opcode == MW_OPCODE_CLOSE, wire != 0);
    if (wire)
        assert_int_equal((uint8_t)sent.data.data[0] << 8 | (uint8_t)sent.data.data[1], wire);
    assert_nothing_sent(m);
}

/* ---- who has the last word ---- */

static void open_machine_that_asks(struct machine *m)
{
    open_machine_at(m, MW_ROLE_SERVER, 1);
    m->asks = true;
    begin_machine(m);
}

TEST(an_end_of_our_own_is_asked_about_until_it_is_decided)
{
    static const struct mw_advice soon = { .kind = MW_ADVICE_RETURN, .after_ms = 7000 };
    for (size_t i = 0; i < MW_COUNT(ends); i++) {
        struct machine m;
        open_machine_that_asks(&m);
        ends[i].provoke(&m);
        bool is_ours = mw_cause_row(ends[i].cause)->who == MW_WHO_SERVER;
        assert_int_equal(pull(&m) == MW_EVENT_DECIDE, is_ours);
        if (is_ours) {
            assert_int_equal(m.conn.phase, MW_CONN_DECIDING);
            assert_int_equal(pull(&m), MW_EVENT_DECIDE);
            assert_true(mw_conn_deadline(&m.conn) == MW_NEVER);
            assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_TEXT, mw_view_text("x"), m.now_ms),
                             MW_ERR_CLOSED);
            assert_ending(&m, ends[i].cause, ends[i].reported, false);
            mw_conn_decide(&m.conn, 4321, mw_view_text("so be it"), &soon, m.now_ms);
            assert_int_equal(m.conn.phase, ends[i].waits ? MW_CONN_CLOSE_SENT : MW_CONN_CLOSED);
            assert_ending(&m, ends[i].cause, 4321, false);
            assert_int_equal(pull(&m), ends[i].waits ? MW_EVENT_MORE : MW_EVENT_CLOSED);
            flush(&m);
            struct sent sent = { .opcode = MW_OPCODE_TEXT };
            while (sent.opcode != MW_OPCODE_CLOSE)
                assert_true(take_sent(&m, &sent));
            assert_view(mw_view_from(sent.data, 2), "so be it;retry=7000");
        }
        close_machine(&m);
    }
}

TEST(who_goes_before_it_is_decided_is_not_told)
{
    struct machine m;
    open_machine_that_asks(&m);
    mw_conn_close(&m.conn, MW_CAUSE_rate_limited, 0, mw_view_text("too fast"), m.now_ms);
    give_close(&m, 1000, "");
    assert_int_equal(pull(&m), MW_EVENT_DECIDE); /* the peer's Close is not heard before */
    mw_conn_eof(&m.conn, MW_CAUSE_peer_reset);
    assert_closed(&m);
    assert_ending(&m, MW_CAUSE_rate_limited, 1008, false);
    close_machine(&m);
}

TEST(advice_that_tells_no_more_than_the_code_is_left_out)
{
    static const struct mw_advice stay = { .kind = MW_ADVICE_STAY };
    struct machine m;
    open_machine_that_asks(&m);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 1000, mw_view_text("bye"), m.now_ms);
    mw_conn_advise(&m.conn, &stay);
    assert_int_equal(mw_conn_ending(&m.conn)->advice.kind, MW_ADVICE_STAY);
    assert_int_equal(pull(&m), MW_EVENT_DECIDE);
    mw_conn_decide(&m.conn, 1000, mw_view_text("bye"), &stay, m.now_ms);
    flush(&m);
    assert_sent_close(&m, 1000, "bye");
    close_machine(&m);
}

TEST(every_end_has_its_cause_its_codes_and_its_manner)
{
    for (size_t i = 0; i < MW_COUNT(ends) * MW_COUNT(roles); i++) {
        struct machine m;
        size_t n = i / MW_COUNT(roles);
        open_machine(&m, roles[i % MW_COUNT(roles)]);
        ends[n].provoke(&m);
        if (ends[n].waits) {
            assert_no_event(&m);
            assert_int_equal(m.conn.phase, MW_CONN_CLOSE_SENT);
            assert_wire_code(&m, ends[n].wire);
            give_close(&m, ends[n].wire, "");
            assert_closed(&m);
        } else {
            assert_closed(&m);
            assert_wire_code(&m, ends[n].wire);
        }
        assert_ending(&m, ends[n].cause, ends[n].reported, ends[n].clean);
        close_machine(&m);
    }
}

TEST(a_breach_is_remembered_with_its_rule_and_the_bytes_of_the_header)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give_bytes(&m, "\x81\x05Hello", 7);
    assert_closed(&m);
    const struct mw_conn_end *end = mw_conn_ending(&m.conn);
    assert_int_equal(end->rule, MW_RULE_UNMASKED);
    assert_int_equal(end->bytes_len, 2);
    assert_memory_equal(end->bytes, "\x81\x05", 2);
    flush(&m);
    assert_sent_close(&m, 1002, mw_rule_text(MW_RULE_UNMASKED));
    close_machine(&m);
}

/* What they do not take must not stand before the Close frame. */
/* ---- memory ---- */

/* A whole life; what a call refuses for want of memory the next one may grant. */
static bool live(struct mw_mem *mem)
{
    struct machine m;
    static char big[6000];
    bool all = true;
    open_machine_at(&m, MW_ROLE_SERVER, 1);
    m.mem.parent = mem;
    begin_machine(&m);
    give_part(&m, MW_OPCODE_TEXT, false, mw_view_text("first "));
    all &= pull(&m) == MW_EVENT_MORE;
    give_part(&m, MW_OPCODE_CONTINUATION, true, mw_view_text("second"));
    all &= pull(&m) == MW_EVENT_MESSAGE;
    all &= pull(&m) == MW_EVENT_MORE;
    give(&m, MW_OPCODE_PING, "p");
    all &= pull(&m) == MW_EVENT_MORE;
    all &= mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms) == MW_OK;
    struct mw_msg *msg = mw_msg_new(&m.mem, 4000);
    if (msg) {
        mw_msg_set_head(msg, "\x82\x7e\x0f\xa0", 4);
        all &= mw_conn_send_msg(&m.conn, msg, m.now_ms) == MW_OK;
    }
    mw_msg_drop(msg);
    all &= mw_conn_ping(&m.conn, m.now_ms) == MW_OK;
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 0, mw_view_text("bye"), m.now_ms);
    assert_int_not_equal(m.conn.phase, MW_CONN_OPEN);
    assert_non_null(mw_conn_ending(&m.conn));
    if (m.conn.phase == MW_CONN_CLOSE_SENT)
        give_close(&m, 1000, "");
    if (!m.conn.told_closed)
        assert_closed(&m);
    flush(&m);
    all &= mw_conn_ending(&m.conn)->cause == MW_CAUSE_script_close;
    close_machine(&m);
    return all && msg;
}

TEST(each_failing_allocation_is_an_answer_or_an_end)
{
    assert_true(fail_each_allocation(live) >= 6);
}

TEST(without_any_memory_every_end_is_still_an_end)
{
    for (size_t i = 0; i < MW_COUNT(ends); i++) {
        struct machine m;
        if (ends[i].cause == MW_CAUSE_write_timeout || ends[i].cause == MW_CAUSE_ping_timeout ||
            ends[i].cause == MW_CAUSE_too_many_fragments)
            continue; /* these need memory to come about */
        open_machine(&m, MW_ROLE_SERVER);
        warm_machine(&m);
        mw_out_pool_free(&m.pool.out); /* not even a chunk for the Close frame */
        m.mem.fail_at = 1;
        m.mem.fail_after = true;
        ends[i].provoke(&m);
        m.mem.fail_at = 1;
        while (!m.conn.told_closed && pull(&m) != MW_EVENT_MORE)
            continue;
        assert_non_null(mw_conn_ending(&m.conn));
        assert_int_equal(m.conn.phase, MW_CONN_CLOSED);
        close_machine(&m);
    }
}

TEST(without_memory_to_read_at_all_it_ends)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    m.mem.fail_at = m.mem.count + 1;
    give(&m, MW_OPCODE_TEXT, "x");
    assert_int_equal(pull(&m), MW_EVENT_CLOSED);
    assert_int_equal(mw_conn_ending(&m.conn)->cause, MW_CAUSE_out_of_memory);
    flush(&m);
    mw_buf_clear(&m.wire);
    close_machine(&m);
}

/* What an idle connection costs; the goal is docs/performance.md's. */
static_assert(sizeof(struct mw_conn) <= 136, "what is not needed while idle is a block of its own");

TEST(an_idle_connection_owns_nothing_but_itself)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    warm_machine(&m);
    const size_t spare = m.mem.bytes;
    give_part(&m, MW_OPCODE_TEXT, false, mw_view_text("half a message"));
    assert_no_event(&m);
    give(&m, MW_OPCODE_PING, "between");
    assert_no_event(&m);
    assert_non_null(m.conn.reading);
    assert_non_null(m.conn.sending);
    flush(&m);
    mw_buf_clear(&m.wire);
    assert_null(m.conn.sending);
    assert_non_null(m.conn.reading);
    give_part(&m, MW_OPCODE_CONTINUATION, true, mw_view_text(", and the other"));
    assert_message(&m, MW_OPCODE_TEXT, "half a message, and the other");
    assert_no_event(&m);
    assert_null(m.conn.reading);
    assert_int_equal(m.mem.bytes,
                     spare + sizeof *m.conn.flight + 2 * sizeof *m.conn.flight->entries);
    close_machine(&m);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(messages_arrive_whole_and_in_order),
        CASE(without_memory_to_read_at_all_it_ends),
        CASE(an_idle_connection_owns_nothing_but_itself),
        CASE(what_is_sent_is_framed_for_the_role_and_counted),
        CASE(a_framed_message_is_sent_by_reference),
        CASE(bytes_that_were_not_pulled_can_be_kept_for_later),
        CASE(our_close_ends_clean_with_the_answer),
        CASE(the_peers_close_is_answered_with_its_code),
        CASE(two_closes_that_cross_end_clean_with_our_code),
        CASE(nothing_is_sent_or_closed_after_the_end_has_begun),
        CASE(messages_after_our_close_are_dropped),
        CASE(what_comes_after_the_peers_close_is_not_read),
        CASE(a_breach_after_our_close_ends_without_a_second_close_frame),
        CASE(a_stream_that_ends_after_our_close_ends_unclean_with_our_code),
        CASE(a_reason_is_cut_on_a_code_point),
        CASE(an_end_of_our_own_is_asked_about_until_it_is_decided),
        CASE(who_goes_before_it_is_decided_is_not_told),
        CASE(advice_that_tells_no_more_than_the_code_is_left_out),
        CASE(every_end_has_its_cause_its_codes_and_its_manner),
        CASE(a_breach_is_remembered_with_its_rule_and_the_bytes_of_the_header),
        CASE(each_failing_allocation_is_an_answer_or_an_end),
        CASE(without_any_memory_every_end_is_still_an_end),
    };
    return RUN(cases);
}
