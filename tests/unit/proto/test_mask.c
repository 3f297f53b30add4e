/* mask: against one byte at a time, at every alignment, offset and short length. */
#include "tests/unit/proto/test.h"

#include "core/proto/mask.h"

#define GUARD 0x5A

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

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

static void every_alignment_offset_and_length_is_masked_right(void **state)
{
    (void)state;
    for (size_t start = 0; start < 16; start++) {
        for (size_t len = 0; len < 100; len++) {
            for (uint64_t offset = 0; offset < 9; offset++)
                check_mask(start, len, offset);
        }
    }
}

static void offsets_beyond_32_bits_turn_the_key_right(void **state)
{
    (void)state;
    for (uint64_t offset = UINT64_MAX - 4; offset != 0; offset++)
        check_mask(3, 21, offset);
    check_mask(0, 50, (uint64_t)UINT32_MAX + 2);
}

static void masking_in_pieces_equals_masking_whole(void **state)
{
    (void)state;
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
static void masked_hello_of_the_standard_reads_hello(void **state)
{
    (void)state;
    uint8_t bytes[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};
    mw_mask(bytes, sizeof bytes, key, 0);
    assert_memory_equal(bytes, "Hello", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alignment_offset_and_length_is_masked_right),
        cmocka_unit_test(offsets_beyond_32_bits_turn_the_key_right),
        cmocka_unit_test(masking_in_pieces_equals_masking_whole),
        cmocka_unit_test(masked_hello_of_the_standard_reads_hello),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
