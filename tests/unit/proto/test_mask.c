/* mask: against one byte at a time, at every alignment, offset and short length. */
#include "core/proto/mask.h"
#include "tests/unit/unit.h"

#define GUARD 0x5A

static const uint8_t key[4] = { 0x37, 0xFA, 0x21, 0x3D };

static void check_mask(size_t start, size_t len, uint64_t offset)
{
    uint8_t bytes[160];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i >= start && i < start + len ? (uint8_t)(i * 7) : GUARD;
    mw_mask(bytes + start, len, key, offset);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool inside = i >= start && i < start + len;
        uint8_t plain = (uint8_t)(i * 7);
        uint8_t expected = inside ? plain ^ key[(i - start + offset) % 4] : GUARD;
        if (bytes[i] != expected)
            fail_msg("byte %zu of %zu bytes at %zu, offset %d", i, len, start, (int)offset);
    }
}

TEST(every_alignment_offset_and_length_is_masked_right)
{
    for (size_t start = 0; start < 16; start++) {
        for (size_t len = 0; len < 100; len++) {
            for (uint64_t offset = 0; offset < 9; offset++)
                check_mask(start, len, offset);
        }
    }
}

TEST(offsets_beyond_32_bits_turn_the_key_right)
{
    for (uint64_t offset = UINT64_MAX - 4; offset != 0; offset++)
        check_mask(3, 21, offset);
    check_mask(0, 50, (uint64_t)UINT32_MAX + 2);
}

TEST(masking_in_pieces_equals_masking_whole)
{
    for (size_t cut = 0; cut <= 64; cut++) {
        uint8_t whole[64], pieces[64];
        for (size_t i = 0; i < sizeof whole; i++)
            whole[i] = pieces[i] = (uint8_t)(i * 31);
        mw_mask(whole, sizeof whole, key, 0);
        mw_mask(pieces, cut, key, 0);
        mw_mask(pieces + cut, sizeof pieces - cut, key, cut);
        assert_memory_equal(whole, pieces, sizeof whole);
    }
}

/* RFC 6455 5.7 */
TEST(masked_hello_of_the_standard_reads_hello)
{
    uint8_t bytes[] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    mw_mask(bytes, sizeof bytes, key, 0);
    assert_memory_equal(bytes, "Hello", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_alignment_offset_and_length_is_masked_right),
        CASE(offsets_beyond_32_bits_turn_the_key_right),
        CASE(masking_in_pieces_equals_masking_whole),
        CASE(masked_hello_of_the_standard_reads_hello),
    };
    return RUN(tests);
}
