/* message: what the owner of a reader sees: buffers, rest, limits, and the end. */
#include "core/proto/mask.h"
#include "core/proto/message.h"
#include "tests/unit/unit.h"

/* ---- memory ---- */

TEST(a_whole_frame_is_handed_over_where_it_lies)
{
    char bytes[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
    mw_reader_feed(&reader, bytes, sizeof bytes - 1);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_ptr_equal(item.data.data, bytes + 6);
    assert_view(item.data, "Hello");
    assert_int_equal(mem.count, 0);
    mw_reader_free(&reader);
}

TEST(a_buffer_lives_until_the_next_call_and_no_longer)
{
    char first[] = "\x81\x05He", second[] = "llo";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    mw_reader_feed(&reader, first, 4);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MORE);
    assert_true(mw_reader_in_message(&reader));
    mw_reader_feed(&reader, second, 3);
    mw_reader_next(&reader, &item);
    assert_view(item.data, "Hello");
    assert_false(mw_reader_in_message(&reader));
    assert_true(mem.bytes > 0);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MORE);
    assert_mem_empty(&mem);
}

TEST(feeding_releases_what_was_handed_over)
{
    char bytes[] = "\x89\x02"
                   "pq";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    mw_reader_feed(&reader, bytes, 3);
    mw_reader_next(&reader, &item);
    mw_reader_feed(&reader, bytes + 3, 1);
    mw_reader_next(&reader, &item);
    assert_view(item.data, "pq");
    mw_reader_feed(&reader, bytes, 2);
    assert_mem_empty(&mem);
    mw_reader_free(&reader);
}

TEST(memory_grows_with_what_came_not_with_what_was_promised)
{
    uint8_t bytes[] = { 0x82, 0x7F, 0x40, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c' };
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    mw_reader_feed(&reader, (char *)bytes, sizeof bytes);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MORE);
    assert_in_range(mem.bytes, 3, 256);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
}

#define BIG (15u << 20) /* doubling would overshoot it */

/* 15 MiB in pieces of 64 KiB: one buffer, never larger than the message. */
TEST(a_large_message_takes_no_more_than_its_size)
{
    uint8_t head[MW_FRAME_HEAD_MAX], key[4] = { 1, 2, 3, 4 };
    size_t head_len = mw_frame_encode(head, MW_OPCODE_TEXT, true, BIG, key);
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item = { 0 };
    mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
    mw_reader_feed(&reader, (char *)head, head_len);
    mw_reader_next(&reader, &item);
    static uint8_t piece[65536];
    for (uint64_t at = 0; at < BIG; at += sizeof piece) {
        memset(piece, 'a', sizeof piece);
        mw_mask(piece, sizeof piece, key, at);
        mw_reader_feed(&reader, (char *)piece, sizeof piece);
        mw_reader_next(&reader, &item);
    }
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_int_equal(item.data.len, BIG);
    assert_int_equal(item.data.data[0], 'a');
    assert_int_equal(item.data.data[BIG - 1], 'a');
    assert_int_equal(mem.peak, BIG);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
}

/* ---- the owner's side ---- */

TEST(what_is_not_used_yet_is_shown_as_rest)
{
    char bytes[] = "\x81\x01"
                   "a"
                   "\x81\x01"
                   "b";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    mw_reader_feed(&reader, bytes, 6);
    mw_reader_next(&reader, &item);
    assert_view(item.data, "a");
    assert_int_equal(mw_reader_rest(&reader).len, 3);
    assert_ptr_equal(mw_reader_rest(&reader).data, bytes + 3);
    mw_reader_free(&reader);
}

TEST(a_smaller_limit_holds_from_the_next_frame_on)
{
    char bytes[] = "\x01\x04"
                   "abcd"
                   "\x80\x01";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    reader.max_message = 100;
    mw_reader_feed(&reader, bytes, 4);
    mw_reader_next(&reader, &item);
    reader.max_message = 2;
    mw_reader_feed(&reader, bytes + 4, 4);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_BREACH);
    assert_int_equal(item.rule, MW_RULE_MESSAGE_TOO_BIG);
    assert_mem_empty(&mem);
}

TEST(a_dead_reader_takes_no_more)
{
    char bytes[] = "\xC1\x81\x01"
                   "a";
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    struct mw_reader reader;
    struct mw_item item;
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    mw_reader_feed(&reader, bytes, 4);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_BREACH);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MORE);
    mw_reader_feed(&reader, bytes + 1, 3);
    mw_reader_next(&reader, &item);
    assert_int_equal(item.kind, MW_ITEM_MORE);
    assert_true(mw_reader_validate(&reader));
}

TEST(freeing_nothing_is_allowed)
{
    mw_reader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_whole_frame_is_handed_over_where_it_lies),
        CASE(a_buffer_lives_until_the_next_call_and_no_longer),
        CASE(feeding_releases_what_was_handed_over),
        CASE(memory_grows_with_what_came_not_with_what_was_promised),
        CASE(a_large_message_takes_no_more_than_its_size),
        CASE(what_is_not_used_yet_is_shown_as_rest),
        CASE(a_smaller_limit_holds_from_the_next_frame_on),
        CASE(a_dead_reader_takes_no_more),
        CASE(freeing_nothing_is_allowed),
    };
    return RUN(tests);
}
