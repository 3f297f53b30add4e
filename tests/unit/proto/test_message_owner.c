/* message: what the owner of a reader sees: buffers, rest, limits, and the end. */
#include <stdlib.h>

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

static const uint8_t mask_key[4] = { 1, 2, 3, 4 };

/* The reader has heard the header of a message of one frame, and nothing of what is in it. */
static void begin_message(struct mw_reader *reader, struct mw_mem *mem, enum mw_opcode opcode,
                          uint64_t len)
{
    uint8_t head[MW_FRAME_HEAD_MAX];
    struct mw_item item = { 0 };
    size_t head_len = mw_frame_encode(head, opcode, true, len, mask_key);
    mw_mem_init(mem, NULL, 0);
    mw_reader_init(reader, mem, MW_ROLE_SERVER);
    mw_reader_feed(reader, (char *)head, head_len);
    mw_reader_next(reader, &item);
}

/* 15 MiB in pieces of 64 KiB: one buffer, never larger than the message. */
TEST(a_large_message_takes_no_more_than_its_size)
{
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item = { 0 };
    begin_message(&reader, &mem, MW_OPCODE_TEXT, BIG);
    static uint8_t piece[65536];
    for (uint64_t at = 0; at < BIG; at += sizeof piece) {
        memset(piece, 'a', sizeof piece);
        mw_mask(piece, sizeof piece, mask_key, at);
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

/* 1 MiB comes 64 KiB at a time. */
TEST(a_large_message_moves_twice_at_most_while_its_buffer_grows)
{
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item = { 0 };
    begin_message(&reader, &mem, MW_OPCODE_BINARY, 1u << 20);
    static char piece[65536];
    for (size_t at = 0; at < 1u << 20; at += sizeof piece) {
        assert_true(mem.bytes <= 5 * at);
        mw_reader_feed(&reader, piece, sizeof piece);
        mw_reader_next(&reader, &item);
    }
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_int_equal(mem.count, 2);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
}

#define PLACED 300000u

/* Reads to the place where there is one, `most` bytes at a time; what came elsewhere is counted. */
static size_t read_placed(struct mw_reader *reader, const uint8_t *bytes, size_t len, size_t most,
                          struct mw_item *item)
{
    static char elsewhere[65536];
    size_t not_placed = 0;
    for (size_t at = 0; at < len;) {
        size_t room = sizeof elsewhere;
        char *place = mw_reader_place(reader, &room);
        size_t want = len - at < most ? len - at : most;
        size_t n = want < room ? want : room;
        char *to = place ? place : elsewhere;
        not_placed += place ? 0 : n;
        memcpy(to, bytes + at, n);
        mw_reader_feed(reader, to, n);
        assert_true(mw_reader_validate(reader));
        mw_reader_next(reader, item);
        at += n;
    }
    return not_placed;
}

static void check_placed(enum mw_opcode opcode, size_t most)
{
    static uint8_t bytes[PLACED + MW_FRAME_HEAD_MAX];
    uint8_t key[4] = { 9, 8, 7, 6 };
    size_t head_len = mw_frame_encode(bytes, opcode, true, PLACED, key);
    for (size_t i = 0; i < PLACED; i++)
        bytes[head_len + i] = (uint8_t)('a' + i % 26);
    mw_mask(bytes + head_len, PLACED, key, 0);
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item = { 0 };
    mw_mem_init(&mem, NULL, 0);
    mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
    size_t not_placed = read_placed(&reader, bytes, head_len + PLACED, most, &item);
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_int_equal(item.data.len, PLACED);
    for (size_t i = 0; i < PLACED; i++)
        assert_int_equal(item.data.data[i], 'a' + i % 26);
    assert_true(most < 4096 || not_placed < PLACED / 2);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
}

TEST(what_is_read_to_its_place_is_the_same_message)
{
    static const size_t most[] = { 1000, 16384, 40000, 65536 };
    for (size_t i = 0; i < MW_COUNT(most); i++) {
        check_placed(MW_OPCODE_TEXT, most[i]);
        check_placed(MW_OPCODE_BINARY, most[i]);
    }
}

TEST(there_is_no_place_outside_of_a_large_message)
{
    char begun[] = "\x82\x05He";
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item;
    size_t room;
    mw_mem_init(&mem, NULL, 0);
    mw_reader_init(&reader, &mem, MW_ROLE_CLIENT);
    assert_null(mw_reader_place(&reader, &room));
    mw_reader_feed(&reader, begun, 4);
    mw_reader_next(&reader, &item);
    assert_null(mw_reader_place(&reader, &room));
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
}

#define FRAGMENTS 65537u

struct fragmented {
    size_t len; /* of each fragment */
    unsigned count;
    size_t at_once; /* fragments of one feed */
};

/* A copy is made where the buffer grows: of what it could hold before, at most. */
static size_t copied_bytes(struct mw_reader *reader, size_t *cap)
{
    size_t copied = reader->message.cap != *cap ? *cap : 0;
    *cap = reader->message.cap;
    return copied;
}

static size_t put_fragment(char *out, const struct fragmented *of, unsigned i)
{
    static const uint8_t key[4] = { 0 };
    enum mw_opcode opcode = i ? MW_OPCODE_CONTINUATION : MW_OPCODE_BINARY;
    size_t head = mw_frame_encode((uint8_t *)out, opcode, i == of->count - 1, of->len, key);
    memset(out + head, (int)(i & 0xFF), of->len);
    return head + of->len;
}

/* Cost is told by bytes and allocations, which no machine makes slower. */
static void check_cost(const struct fragmented *of)
{
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item = { 0 };
    size_t cap = 0, copied = 0, whole = of->len * of->count;
    char *bytes = malloc(of->at_once * (of->len + MW_FRAME_HEAD_MAX));
    assert_non_null(bytes);
    mw_mem_init(&mem, NULL, 0);
    mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
    for (unsigned i = 0; i < of->count;) {
        size_t len = 0;
        for (size_t n = 0; n < of->at_once && i < of->count; n++)
            len += put_fragment(bytes + len, of, i++);
        mw_reader_feed(&reader, bytes, len);
        mw_reader_next(&reader, &item);
        copied += copied_bytes(&reader, &cap);
    }
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_int_equal(item.data.len, whole);
    assert_int_equal((uint8_t)item.data.data[whole - 1], (of->count - 1) & 0xFF);
    assert_true(mem.count < 30);
    assert_true(mem.peak <= 2 * whole + 64);
    assert_true(copied <= 2 * whole);
    mw_reader_free(&reader);
    assert_mem_empty(&mem);
    free(bytes);
}

TEST(many_fragments_cost_as_much_as_their_bytes)
{
    static const struct fragmented cases[] = {
        { 1, FRAGMENTS, 1 },     { 1, FRAGMENTS, 1000 }, { 256, FRAGMENTS, 1 },
        { 256, FRAGMENTS, 500 }, { 65536, 256, 1 },      { 4u << 20, 4, 1 },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        check_cost(&cases[i]);
}

TEST(empty_fragments_cost_nothing)
{
    struct mw_mem mem;
    struct mw_reader reader;
    struct mw_item item = { 0 };
    const struct fragmented of = { 0, FRAGMENTS, 1 };
    char bytes[MW_FRAME_HEAD_MAX];
    mw_mem_init(&mem, NULL, 0);
    mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
    for (unsigned i = 0; i < of.count; i++) {
        mw_reader_feed(&reader, bytes, put_fragment(bytes, &of, i));
        mw_reader_next(&reader, &item);
    }
    assert_int_equal(item.kind, MW_ITEM_MESSAGE);
    assert_int_equal(item.data.len, 0);
    assert_int_equal(mem.count, 0);
    mw_reader_free(&reader);
}

/* Whole or in two frames, by a 7-bit, 16-bit or 64-bit length: the header alone is enough. */
TEST(a_message_over_the_limit_is_refused_without_an_allocation)
{
    static const struct {
        const char *bytes;
        size_t len;
    } heads[] = {
        { "\x82\xE5\0\0\0\0", 6 },
        { "\x82\xFE\x01\x00\0\0\0\0", 8 },
        { "\x82\xFF\0\0\0\1\0\0\0\0\0\0\0\0", 14 },
        { "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14 },
        { "\x02\x80\0\0\0\0\x00\xE5\0\0\0\0", 12 },
        { "\x02\x80\0\0\0\0\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 20 },
    };
    for (size_t i = 0; i < MW_COUNT(heads); i++) {
        char bytes[20];
        struct mw_mem mem;
        struct mw_reader reader;
        struct mw_item item;
        mw_mem_init(&mem, NULL, 0);
        mw_reader_init(&reader, &mem, MW_ROLE_SERVER);
        reader.max_message = 100;
        memcpy(bytes, heads[i].bytes, heads[i].len);
        mw_reader_feed(&reader, bytes, heads[i].len);
        mw_reader_next(&reader, &item);
        assert_int_equal(item.kind, MW_ITEM_BREACH);
        assert_int_equal(item.rule, MW_RULE_MESSAGE_TOO_BIG);
        assert_int_equal(mem.count, 0);
        mw_reader_free(&reader);
    }
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
        CASE(a_large_message_moves_twice_at_most_while_its_buffer_grows),
        CASE(what_is_read_to_its_place_is_the_same_message),
        CASE(there_is_no_place_outside_of_a_large_message),
        CASE(many_fragments_cost_as_much_as_their_bytes),
        CASE(empty_fragments_cost_nothing),
        CASE(a_message_over_the_limit_is_refused_without_an_allocation),
        CASE(what_is_not_used_yet_is_shown_as_rest),
        CASE(a_smaller_limit_holds_from_the_next_frame_on),
        CASE(a_dead_reader_takes_no_more),
        CASE(freeing_nothing_is_allowed),
    };
    return RUN(tests);
}
