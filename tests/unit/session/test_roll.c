#include "core/session/roll.h"

#include "tests/unit/session/line.h"

static struct mw_msg *put(struct mw_roll *roll, const char *text)
{
    struct mw_msg *msg = mw_roll_put(roll, MW_OPCODE_TEXT, mw_view_text(text));
    assert_non_null(msg);
    return msg;
}

/* Queues it and lets go of it, as who publishes does. */
static void send(struct line *line, struct mw_msg *msg)
{
    assert_int_equal(mw_outq_put_msg(&line->queue, msg), MW_OK);
    assert_true(mw_outq_validate(&line->queue));
    mw_msg_drop(msg);
}

static void assert_waits(struct line *line, const char *want, size_t vectors)
{
    struct mw_view views[8];
    char got[64];
    size_t len = 0;
    assert_int_equal(mw_outq_iov(&line->queue, views, 8), vectors);
    for (size_t i = 0; i < vectors; i++) {
        memcpy(got + len, views[i].data, views[i].len);
        len += views[i].len;
    }
    assert_int_equal(len, strlen(want));
    assert_memory_equal(got, want, len);
}

/* The turn before had as much, so there is room for it from the beginning. */
static void open_roll(struct mw_roll *roll, struct mw_mem *mem)
{
    mw_roll_init(roll, mem);
    roll->before = 100;
}

/* Behind a turn that was full, so that the next one begins with a whole block. */
static void open_busy(struct line *line, struct mw_roll *roll)
{
    open_line(line);
    open_roll(roll, &line->mem);
    roll->before = MW_ROLL_BLOCK_BYTES;
}

TEST(messages_of_a_turn_are_one_vector)
{
    struct line line;
    struct mw_roll roll;
    open_line(&line);
    open_roll(&roll, &line.mem);
    send(&line, put(&roll, "one"));
    send(&line, put(&roll, "-"));
    send(&line, put(&roll, "two"));
    mw_roll_end(&roll);
    assert_waits(&line, "\x81\x03one\x81\x01-\x81\x03two", 1);
    close_line(&line);
}

TEST(who_does_not_get_one_of_them_gets_the_others)
{
    struct line line;
    struct mw_roll roll;
    open_line(&line);
    open_roll(&roll, &line.mem);
    send(&line, put(&roll, "one"));
    mw_msg_drop(put(&roll, "not for us"));
    send(&line, put(&roll, "two"));
    send(&line, put(&roll, "more"));
    mw_roll_end(&roll);
    assert_waits(&line, "\x81\x03one\x81\x03two\x81\x04more", 2);
    close_line(&line);
}

TEST(what_has_begun_to_leave_grows_behind_its_end)
{
    struct line line;
    struct mw_roll roll;
    open_line(&line);
    open_roll(&roll, &line.mem);
    send(&line, put(&roll, "one"));
    assert_waits(&line, "\x81\x03one", 1);
    mw_outq_written(&line.queue, 4);
    send(&line, put(&roll, "two"));
    mw_roll_end(&roll);
    assert_waits(&line, "e\x81\x03two", 1);
    mw_outq_written(&line.queue, 6);
    assert_int_equal(line.queue.bytes, 0);
    close_line(&line);
}

TEST(a_ping_goes_between_two_references_and_not_into_one)
{
    struct line line;
    struct mw_roll roll;
    open_line(&line);
    open_roll(&roll, &line.mem);
    send(&line, put(&roll, "one"));
    send(&line, put(&roll, "two"));
    mw_roll_end(&roll);
    assert_waits(&line, "\x81\x03one\x81\x03two", 1);
    mw_outq_written(&line.queue, 5); /* a frame's end, in the middle of the reference */
    assert_int_equal(mw_outq_put_control(&line.queue, MW_OPCODE_PING, mw_view_text("p"), NULL),
                     MW_OK);
    assert_waits(&line, "\x81\x03two\x89\x01p", 2);
    close_line(&line);
}

TEST(the_first_turn_grows_its_blocks_and_the_next_one_needs_one)
{
    struct mw_mem mem;
    struct mw_roll roll;
    size_t blocks[2];
    mw_mem_init(&mem, NULL, 0);
    mw_roll_init(&roll, &mem);
    for (int turn = 0; turn < 2; turn++) {
        uint64_t before = mem.count;
        for (int i = 0; i < 16; i++)
            mw_msg_drop(put(&roll, "sixteen of these"));
        blocks[turn] = mem.count - before - 16; /* each message has a head of its own */
        mw_roll_end(&roll);
        assert_mem_empty(&mem);
    }
    assert_int_equal(blocks[0], 5);
    assert_int_equal(blocks[1], 1);
}

TEST(one_message_in_a_turn_takes_its_own_room_only)
{
    struct mw_mem mem;
    struct mw_roll roll;
    mw_mem_init(&mem, NULL, 0);
    mw_roll_init(&roll, &mem);
    for (int turn = 0; turn < 3; turn++) {
        struct mw_msg *msg = put(&roll, "a");
        assert_int_equal(mw_msg_payload_len(mw_msg_block(msg)), 3);
        mw_roll_end(&roll);
        assert_view(mw_msg_wire(msg), "\x81\x01"
                                      "a");
        mw_msg_drop(msg);
        assert_mem_empty(&mem);
    }
}

TEST(a_large_message_is_not_taken)
{
    static char text[MW_ROLL_MESSAGE_BYTES + 1];
    struct mw_mem mem;
    struct mw_roll roll;
    mw_mem_init(&mem, NULL, 0);
    mw_roll_init(&roll, &mem);
    assert_null(mw_roll_put(&roll, MW_OPCODE_BINARY, mw_view(text, sizeof text)));
    struct mw_msg *msg = mw_roll_put(&roll, MW_OPCODE_BINARY, mw_view(text, sizeof text - 1));
    assert_int_equal(mw_msg_wire(msg).len, sizeof text - 1 + 4);
    mw_msg_drop(msg);
    mw_roll_end(&roll);
    assert_mem_empty(&mem);
}

TEST(without_memory_there_is_none_and_what_was_there_stays)
{
    struct mw_mem mem;
    struct mw_roll roll;
    mw_mem_init(&mem, NULL, 0);
    open_roll(&roll, &mem);
    struct mw_msg *msg = put(&roll, "one");
    mem.fail_at = mem.count + 1;
    assert_null(mw_roll_put(&roll, MW_OPCODE_TEXT, mw_view_text("two"))); /* no head */
    mem.fail_at = mem.count + 1;
    static char text[500];
    assert_null(mw_roll_put(&roll, MW_OPCODE_TEXT, mw_view(text, 500))); /* no block */
    assert_view(mw_msg_wire(msg), "\x81\x03one");
    mw_msg_drop(msg);
    mw_msg_drop(put(&roll, "three"));
    mw_roll_end(&roll);
    assert_mem_empty(&mem);
}

/* Many small ones that do not stand together: their bytes are copied, not their references kept. */
TEST(scattered_messages_cost_no_segment_each)
{
    struct line line;
    struct mw_roll roll;
    open_busy(&line, &roll);
    for (int i = 0; i < 500; i++) {
        send(&line, put(&roll, "for us"));
        mw_msg_drop(put(&roll, "not for us"));
    }
    mw_roll_end(&roll);
    assert_int_equal(line.queue.bytes, 500 * 8);
    size_t block = MW_ROLL_BLOCK_BYTES + 1000;
    assert_true(mw_outq_held(&line.queue, &line.mem) <= block + 3 * line.queue.bytes);
    close_line(&line);
}

/* All of them keep one block from being free. */
TEST(a_few_bytes_of_a_large_block_do_not_count_as_all_of_it_for_each_who_waits)
{
    struct line lines[8];
    struct mw_mem mem;
    struct mw_roll roll;
    size_t held = 0;
    mw_mem_init(&mem, NULL, 0);
    open_roll(&roll, &mem);
    roll.before = MW_ROLL_BLOCK_BYTES;
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        struct mw_msg *msg = put(&roll, i % 2 ? "for the odd" : "for the even");
        open_line(&lines[i]);
        send(&lines[i], msg);
    }
    mw_roll_end(&roll);
    for (size_t i = 0; i < MW_COUNT(lines); i++)
        held += mw_outq_held(&lines[i].queue, &mem);
    assert_in_range(held, mem.bytes - MW_COUNT(lines), mem.bytes);
    for (size_t i = 0; i < MW_COUNT(lines); i++)
        close_line(&lines[i]);
    assert_mem_empty(&mem);
}

/* ... of which it gets one message a turn. */
TEST(a_slow_reader_keeps_no_large_block_for_each_small_message)
{
    struct line line;
    struct mw_roll roll;
    struct mw_view vector;
    open_line(&line);
    open_roll(&roll, &line.mem);
    for (int turn = 0; turn < 1000; turn++) {
        roll.before = MW_ROLL_BLOCK_BYTES;
        mw_msg_drop(put(&roll, "not for us"));
        send(&line, put(&roll, "one message, of the length that messages have"));
        mw_msg_drop(put(&roll, "not for us"));
        mw_roll_end(&roll);
        if (turn == 0)
            assert_int_equal(mw_outq_iov(&line.queue, &vector, 1), 1);
    }
    assert_in_range(line.mem.bytes, line.queue.bytes,
                    3 * line.queue.bytes + 2 * (MW_ROLL_BLOCK_BYTES + 100));
    assert_in_range(mw_outq_held(&line.queue, &line.mem), line.mem.bytes - 100, line.mem.bytes);
    close_line(&line);
}

TEST(what_was_copied_out_of_a_block_leaves_as_it_stood_there)
{
    struct line line;
    struct mw_roll roll;
    open_busy(&line, &roll);
    mw_msg_drop(put(&roll, "not for us"));
    send(&line, put(&roll, "one"));
    send(&line, put(&roll, "two"));
    size_t before = line.mem.bytes;
    assert_int_equal(mw_outq_put(&line.queue, MW_OPCODE_TEXT, mw_view_text("three"), NULL), MW_OK);
    mw_roll_end(&roll);
    assert_true(line.mem.bytes < before);
    assert_waits(&line, "\x81\x03one\x81\x03two\x81\x05three", 2);
    close_line(&line);
}

TEST(without_memory_for_the_copy_the_block_stays)
{
    struct line line;
    struct mw_roll roll;
    open_busy(&line, &roll);
    send(&line, put(&roll, "one"));
    line.mem.fail_at = line.mem.count + 2; /* the chunk is there */
    assert_int_equal(mw_outq_put(&line.queue, MW_OPCODE_TEXT, mw_view_text("two"), NULL), MW_OK);
    mw_roll_end(&roll);
    assert_waits(&line, "\x81\x03one\x81\x03two", 2);
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(messages_of_a_turn_are_one_vector),
        CASE(who_does_not_get_one_of_them_gets_the_others),
        CASE(what_has_begun_to_leave_grows_behind_its_end),
        CASE(a_ping_goes_between_two_references_and_not_into_one),
        CASE(the_first_turn_grows_its_blocks_and_the_next_one_needs_one),
        CASE(one_message_in_a_turn_takes_its_own_room_only),
        CASE(a_large_message_is_not_taken),
        CASE(without_memory_there_is_none_and_what_was_there_stays),
        CASE(scattered_messages_cost_no_segment_each),
        CASE(a_few_bytes_of_a_large_block_do_not_count_as_all_of_it_for_each_who_waits),
        CASE(a_slow_reader_keeps_no_large_block_for_each_small_message),
        CASE(what_was_copied_out_of_a_block_leaves_as_it_stood_there),
        CASE(without_memory_for_the_copy_the_block_stays),
    };
    return RUN(cases);
}
