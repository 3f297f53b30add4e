/* The flight recorder: what is kept, what is folded, and that it costs an idle connection nothing.
 */
#include "tests/unit/session/machine.h"

#include "core/session/flight.h"

static struct mw_flight_entry entry(enum mw_flight_kind kind, uint32_t at_ms, uint32_t bytes)
{
    return (struct mw_flight_entry){ .kind = (uint8_t)kind, .at_ms = at_ms, .bytes = bytes };
}

TEST(an_entry_is_sixteen_bytes)
{
    assert_int_equal(sizeof(struct mw_flight_entry), 16);
}

static struct mw_mem mem;
static struct mw_flight *flight; /* of one test */

static void begin(void)
{
    mw_mem_init(&mem, NULL, 0);
    flight = mw_flight_new(&mem);
    assert_non_null(flight);
}

static void write_down(struct mw_flight_entry one)
{
    flight = mw_flight_note(flight, &mem, one);
}

static void end(void)
{
    mw_flight_free(flight, &mem);
    assert_mem_empty(&mem);
}

/* In, out, in, out: none is more of the one before. */
static void write_many(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        write_down(entry(i % 2 ? MW_FLIGHT_OUT : MW_FLIGHT_IN, i, 1));
}

TEST(the_last_sixteen_are_kept_the_oldest_first)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    begin();
    assert_int_equal(mw_flight_copy(flight, out), 0);
    write_many(20);
    assert_int_equal(mw_flight_copy(flight, out), MW_FLIGHT_ENTRIES);
    for (uint32_t i = 0; i < MW_FLIGHT_ENTRIES; i++)
        assert_int_equal(out[i].at_ms, 4 + i);
    end();
}

TEST(who_says_little_has_a_small_recorder)
{
    begin();
    write_many(2);
    assert_in_range(mem.bytes, 1, 40);
    write_many(16);
    assert_in_range(mem.bytes, 41, 264);
    end();
}

TEST(without_memory_to_grow_the_last_ones_are_kept)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    begin();
    write_many(4);
    mem.fail_at = mem.count + 1;
    write_many(7);
    assert_int_equal(mw_flight_copy(flight, out), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(out[i].at_ms, 3 + i);
    end();
}

TEST(what_repeats_itself_is_one_entry)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    begin();
    write_down(entry(MW_FLIGHT_IN, 1, 7));
    for (uint32_t i = 0; i < 70000; i++)
        write_down(entry(MW_FLIGHT_OUT, 2 + i, 100000));
    assert_int_equal(mw_flight_copy(flight, out), 2);
    assert_int_equal(out[0].bytes, 7);
    assert_int_equal(out[1].times, UINT16_MAX);
    assert_int_equal(out[1].at_ms, 70001);
    assert_int_equal(out[1].bytes, UINT32_MAX);
    end();
}

TEST(another_code_or_handler_is_another_entry)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES], one = entry(MW_FLIGHT_OUT, 1, 2);
    begin();
    one.what = 0x88;
    one.number = 1000;
    write_down(one);
    one.number = 1001;
    write_down(one);
    one.what = 0x81;
    write_down(one);
    assert_int_equal(mw_flight_copy(flight, out), 3);
    end();
}

TEST(a_recorder_that_has_wrapped_is_still_full)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    begin();
    write_many(16);
    flight->noted = UINT32_MAX;
    write_down(entry(MW_FLIGHT_OUT, 9, 1));
    assert_int_equal(mw_flight_copy(flight, out), MW_FLIGHT_ENTRIES);
    assert_int_equal(out[MW_FLIGHT_ENTRIES - 1].at_ms, 9);
    end();
}

TEST(nothing_is_kept_without_a_recorder)
{
    struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    assert_null(mw_flight_note(NULL, &mem, entry(MW_FLIGHT_IN, 1, 1)));
    assert_int_equal(mw_flight_copy(NULL, out), 0);
}

/* ---- of a connection ---- */

static const struct mw_flight_entry *nth(const struct machine *m, size_t n)
{
    static struct mw_flight_entry out[MW_FLIGHT_ENTRIES];
    assert_true(n < mw_flight_copy(m->conn.flight, out));
    return &out[n];
}

TEST(a_connection_without_messages_has_no_recorder)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
    assert_null(m.conn.flight);
    close_machine(&m);
}

TEST(messages_pings_and_the_close_are_noted_with_their_heads)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    m.now_ms += 5;
    give(&m, MW_OPCODE_TEXT, "hello");
    pull(&m);
    assert_int_equal(nth(&m, 0)->kind, MW_FLIGHT_IN);
    assert_int_equal(nth(&m, 0)->what, 0x81);
    assert_int_equal(nth(&m, 0)->bytes, 5);
    assert_int_equal(nth(&m, 0)->at_ms, 5);
    assert_int_equal(mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view("ab", 2), m.now_ms), MW_OK);
    assert_int_equal(nth(&m, 1)->kind, MW_FLIGHT_OUT);
    assert_int_equal(nth(&m, 1)->what, 0x82);
    assert_int_equal(mw_conn_ping(&m.conn, m.now_ms), MW_OK);
    assert_int_equal(nth(&m, 2)->what, 0x89);
    mw_conn_pause(&m.conn, true, m.now_ms);
    assert_int_equal(nth(&m, 3)->kind, MW_FLIGHT_READS_STOP);
    mw_conn_close(&m.conn, MW_CAUSE_script_close, 4001, mw_view_text("out"), m.now_ms);
    assert_int_equal(nth(&m, 4)->what, 0x88);
    assert_int_equal(nth(&m, 4)->number, 4001);
    assert_int_equal(nth(&m, 4)->bytes, 5);
    close_machine(&m);
}

TEST(a_queue_that_fills_is_noted_once_and_each_refusal_counted)
{
    struct machine m;
    static char big[600 * 1024];
    open_machine(&m, MW_ROLE_SERVER);
    for (int i = 0; i < 4; i++)
        (void)mw_conn_send(&m.conn, MW_OPCODE_BINARY, mw_view(big, sizeof big), m.now_ms);
    assert_int_equal(nth(&m, 1)->kind, MW_FLIGHT_QUEUE_HIGH);
    assert_int_equal(nth(&m, 2)->kind, MW_FLIGHT_OUT);
    assert_int_equal(nth(&m, 3)->kind, MW_FLIGHT_REFUSED);
    assert_int_equal(nth(&m, 3)->times, 2);
    close_machine(&m);
}

TEST(a_call_is_noted_where_it_did_not_just_return)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    give(&m, MW_OPCODE_TEXT, "x");
    pull(&m);
    mw_conn_note_call(&m.conn, MW_FLIGHT_ON_MESSAGE, MW_FLIGHT_DONE, 0, m.now_ms);
    mw_conn_note_call(&m.conn, MW_FLIGHT_ON_MESSAGE, MW_FLIGHT_FAILED, 0, m.now_ms);
    mw_conn_note_call(&m.conn, MW_FLIGHT_ON_MESSAGE, MW_FLIGHT_DONE, 12, m.now_ms);
    assert_int_equal(nth(&m, 1)->kind, MW_FLIGHT_CALL);
    assert_int_equal(nth(&m, 1)->number, MW_FLIGHT_FAILED);
    assert_int_equal(nth(&m, 2)->took_ms, 12);
    close_machine(&m);
}

TEST(without_memory_messages_go_on_without_a_recorder)
{
    struct machine m;
    open_machine(&m, MW_ROLE_SERVER);
    warm_machine(&m);
    m.mem.fail_at = m.mem.count + 1;
    give(&m, MW_OPCODE_TEXT, "x");
    pull(&m);
    assert_int_equal(m.event.kind, MW_EVENT_MESSAGE);
    assert_null(m.conn.flight);
    close_machine(&m);
}

TEST(each_kind_has_a_name)
{
    for (int kind = 0; kind < MW_FLIGHT_KINDS; kind++)
        assert_true(strlen(mw_flight_kind_name((enum mw_flight_kind)kind)) > 1);
    assert_string_equal(mw_flight_result_name(MW_FLIGHT_BAD_JSON), "bad_json");
    assert_string_equal(mw_flight_handler_name(MW_FLIGHT_ON_DRAIN), "on_drain");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_entry_is_sixteen_bytes),
        CASE(the_last_sixteen_are_kept_the_oldest_first),
        CASE(who_says_little_has_a_small_recorder),
        CASE(without_memory_to_grow_the_last_ones_are_kept),
        CASE(what_repeats_itself_is_one_entry),
        CASE(another_code_or_handler_is_another_entry),
        CASE(a_recorder_that_has_wrapped_is_still_full),
        CASE(nothing_is_kept_without_a_recorder),
        CASE(a_connection_without_messages_has_no_recorder),
        CASE(messages_pings_and_the_close_are_noted_with_their_heads),
        CASE(a_queue_that_fills_is_noted_once_and_each_refusal_counted),
        CASE(a_call_is_noted_where_it_did_not_just_return),
        CASE(without_memory_messages_go_on_without_a_recorder),
        CASE(each_kind_has_a_name),
    };
    return RUN(cases);
}
