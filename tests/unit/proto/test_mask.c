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

/* What is not ASCII stands at `wide`, or nowhere where that is len. */
static void check_mask_ascii(size_t start, size_t len, uint64_t offset, size_t wide)
{
    uint8_t bytes[320], expected[320];
    for (size_t i = 0; i < sizeof bytes; i++)
        expected[i] = i >= start && i < start + len ? (uint8_t)(i * 7 & 0x7F) : GUARD;
    if (wide < len)
        expected[start + wide] |= 0x80;
    memcpy(bytes, expected, sizeof bytes);
    for (size_t i = 0; i < len; i++)
        bytes[start + i] ^= key[(i + offset) % 4];
    size_t ascii = mw_mask_ascii(bytes + start, len, key, offset);
    if (memcmp(bytes, expected, sizeof bytes) != 0)
        fail_msg("%zu bytes at %zu, offset %d, wide %zu", len, start, (int)offset, wide);
    bool is_right = wide < len ? ascii <= wide && wide - ascii < 64 : ascii == len;
    if (!is_right)
        fail_msg("%zu of %zu bytes are ASCII, wide %zu", ascii, len, wide);
}

TEST(what_is_ascii_is_seen_at_every_alignment_and_length)
{
    for (size_t start = 0; start < 16; start++) {
        for (size_t len = 0; len < 300; len++) {
            check_mask_ascii(start, len, start + len, len);
            if (len > 0)
                check_mask_ascii(start, len, len, len - 1);
        }
    }
}

TEST(what_is_not_ascii_is_seen_wherever_it_stands)
{
    for (size_t len = 1; len < 300; len += 7) {
        for (size_t wide = 0; wide < len; wide++)
            check_mask_ascii(wide % 16, len, wide, wide);
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
        CASE(what_is_ascii_is_seen_at_every_alignment_and_length),
        CASE(what_is_not_ascii_is_seen_wherever_it_stands),
        CASE(masked_hello_of_the_standard_reads_hello),
    };
    return RUN(tests);
}
