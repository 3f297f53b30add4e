/* frame: every first two bytes for both roles, lengths at their borders, encode against decode. */
#include "core/proto/frame.h"
#include "tests/unit/proto/notation.h"

static int decode(const uint8_t *bytes, size_t len, enum mw_role role, struct mw_frame_head *head,
                  enum mw_rule *rule)
{
    char *exact = exact_copy(bytes, len);
    int size = mw_frame_decode((const uint8_t *)exact, len, role, false, head, rule);
    free(exact);
    return size;
}

/* ---- every first two bytes, judged by the words of the standard ---- */

static enum mw_rule expected_of_first(unsigned first)
{
    unsigned opcode = first & 15;
    if ((first >> 4 & 7) != 0)
        return MW_RULE_RSV;
    if ((opcode >= 3 && opcode <= 7) || opcode >= 11)
        return MW_RULE_OPCODE;
    if (opcode >= 8 && first < 128)
        return MW_RULE_CONTROL_FRAGMENTED;
    return MW_RULE_NONE;
}

static enum mw_rule expected_of_two(unsigned first, unsigned second, enum mw_role role)
{
    enum mw_rule rule = expected_of_first(first);
    if (rule)
        return rule;
    if (role == MW_ROLE_SERVER && second < 128)
        return MW_RULE_UNMASKED;
    if (role == MW_ROLE_CLIENT && second >= 128)
        return MW_RULE_MASKED;
    return (first & 15) >= 8 && second % 128 > 125 ? MW_RULE_CONTROL_TOO_LONG : MW_RULE_NONE;
}

/* RFC 7692 6: what RSV1 makes of a first byte where it has a meaning. */
static enum mw_rule expected_with_deflate(unsigned first)
{
    if ((first & 0x40) == 0 || (first & 0x30) != 0)
        return expected_of_first(first);
    enum mw_rule rule = expected_of_first(first & ~0x40u);
    if (rule == MW_RULE_OPCODE)
        return rule;
    if ((first & 15) >= 8)
        return MW_RULE_RSV1_CONTROL;
    return (first & 15) == 0 ? MW_RULE_RSV1_CONTINUATION : rule;
}

TEST(RSV1_has_a_meaning_where_compression_was_agreed_on)
{
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t bytes[2] = { (uint8_t)first, 0 };
        struct mw_frame_head head;
        enum mw_rule rule = MW_RULE_NONE;
        int size = mw_frame_decode(bytes, 2, MW_ROLE_CLIENT, true, &head, &rule);
        assert_int_equal(rule, expected_with_deflate(first));
        assert_int_equal(size, rule ? MW_ERR_PROTOCOL : 2);
        if (!rule)
            assert_int_equal(head.compressed, (first & 0x40) != 0);
    }
}

static void check_two(unsigned first, unsigned second, enum mw_role role)
{
    const uint8_t bytes[2] = { (uint8_t)first, (uint8_t)second };
    struct mw_frame_head head;
    enum mw_rule rule = MW_RULE_NONE;

    int size = decode(bytes, 1, role, &head, &rule);
    assert_int_equal(rule, expected_of_first(first));
    assert_int_equal(size, rule ? MW_ERR_PROTOCOL : 0);

    size = decode(bytes, 2, role, &head, &rule);
    assert_int_equal(rule, expected_of_two(first, second, role));
    bool whole = !rule && role == MW_ROLE_CLIENT && second < 126;
    assert_int_equal(size, rule ? MW_ERR_PROTOCOL : whole ? 2 : 0);
    if (!whole)
        return;
    assert_int_equal(head.fin, first >= 128);
    assert_int_equal(head.opcode, first & 15);
    assert_int_equal(head.len, second);
    assert_false(head.masked);
}

TEST(every_first_two_bytes_are_judged_as_the_standard_says)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            check_two(first, second, MW_ROLE_SERVER);
            check_two(first, second, MW_ROLE_CLIENT);
        }
    }
}

/* ---- lengths ---- */

/* `shown_at`: bytes after which the answer is known; every shorter piece must ask for more. */
static const struct length_case {
    const char *bytes;
    int size;
    size_t shown_at;
    enum mw_rule rule;
    uint64_t len;
} length_cases[] = {
    { "82 7D", 2, 2, MW_RULE_NONE, 125 },
    { "82 7E 00 00", MW_ERR_PROTOCOL, 4, MW_RULE_LENGTH_NOT_MINIMAL, 0 },
    { "82 7E 00 7D", MW_ERR_PROTOCOL, 4, MW_RULE_LENGTH_NOT_MINIMAL, 0 },
    { "82 7E 00 7E", 4, 4, MW_RULE_NONE, 126 },
    { "82 7E 00 7F", 4, 4, MW_RULE_NONE, 127 },
    { "82 7E 01 00", 4, 4, MW_RULE_NONE, 256 },
    { "82 7E FF FF", 4, 4, MW_RULE_NONE, 65535 },
    { "82 7F 00 00 00 00 00 00 00 00", MW_ERR_PROTOCOL, 8, MW_RULE_LENGTH_NOT_MINIMAL, 0 },
    { "82 7F 00 00 00 00 00 00 FF FF", MW_ERR_PROTOCOL, 8, MW_RULE_LENGTH_NOT_MINIMAL, 0 },
    { "82 7F 00 00 00 00 00 01 00 00", 10, 10, MW_RULE_NONE, 65536 },
    { "82 7F 00 00 00 01 00 00 00 00", 10, 10, MW_RULE_NONE, 4294967296 },
    { "82 7F 7F FF FF FF FF FF FF FF", 10, 10, MW_RULE_NONE, INT64_MAX },
    { "82 7F 80 00 00 00 00 00 00 00", MW_ERR_PROTOCOL, 3, MW_RULE_LENGTH_TOP_BIT, 0 },
    { "82 7F FF FF FF FF FF FF FF FF", MW_ERR_PROTOCOL, 3, MW_RULE_LENGTH_TOP_BIT, 0 },
};

TEST(lengths_are_judged_with_the_byte_that_shows_them)
{
    for (size_t i = 0; i < MW_COUNT(length_cases); i++) {
        const struct length_case *c = &length_cases[i];
        uint8_t bytes[MW_FRAME_HEAD_MAX];
        size_t total = bytes_of(c->bytes, bytes, sizeof bytes);
        for (size_t len = 0; len <= total; len++) {
            struct mw_frame_head head = { 0 };
            enum mw_rule rule = MW_RULE_NONE;
            int size = decode(bytes, len, MW_ROLE_CLIENT, &head, &rule);
            bool shown = len >= c->shown_at;
            if (size != (shown ? c->size : 0) || rule != (shown ? c->rule : MW_RULE_NONE))
                fail_msg("%s after %zu bytes: %d %s", c->bytes, len, size, mw_rule_name(rule));
            if (size > 0)
                assert_int_equal(head.len, c->len);
        }
    }
}

/* ---- there and back ---- */

static const uint64_t lengths[] = { 0,     1,         125,        126,        127,      65535,
                                    65536, INT32_MAX, UINT32_MAX, 4294967296, INT64_MAX };
static const uint8_t key[4] = { 0xDE, 0xAD, 0x00, 0x01 };

static void check_round_trip(enum mw_opcode opcode, bool fin, uint64_t len, bool masked)
{
    uint8_t bytes[MW_FRAME_HEAD_MAX];
    enum mw_role to = masked ? MW_ROLE_SERVER : MW_ROLE_CLIENT;
    size_t size = mw_frame_encode(bytes, opcode, fin, len, masked ? key : NULL);
    struct mw_frame_head head;
    enum mw_rule rule;
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(decode(bytes, cut, to, &head, &rule), 0);
    assert_int_equal(decode(bytes, size, to, &head, &rule), size);
    assert_int_equal(head.size, size);
    assert_int_equal(head.opcode, opcode);
    assert_int_equal(head.fin, fin);
    assert_int_equal(head.masked, masked);
    assert_int_equal(head.len, len);
    if (masked)
        assert_memory_equal(head.mask, key, 4);
}

TEST(what_is_encoded_decodes_to_the_same)
{
    for (size_t i = 0; i < MW_COUNT(lengths); i++) {
        for (int flags = 0; flags < 4; flags++) {
            check_round_trip(MW_OPCODE_TEXT, flags & 1, lengths[i], flags & 2);
            check_round_trip(MW_OPCODE_BINARY, flags & 1, lengths[i], flags & 2);
            check_round_trip(MW_OPCODE_CONTINUATION, flags & 1, lengths[i], flags & 2);
            if (lengths[i] <= MW_CONTROL_MAX) {
                check_round_trip(MW_OPCODE_CLOSE, true, lengths[i], flags & 2);
                check_round_trip(MW_OPCODE_PING, true, lengths[i], flags & 2);
                check_round_trip(MW_OPCODE_PONG, true, lengths[i], flags & 2);
            }
        }
    }
}

TEST(bytes_behind_the_header_are_left_alone)
{
    const uint8_t bytes[] = { 0x81, 0x02, 'h', 'i', 0xFF, 0xFF };
    struct mw_frame_head head;
    enum mw_rule rule;
    assert_int_equal(decode(bytes, sizeof bytes, MW_ROLE_CLIENT, &head, &rule), 2);
    assert_int_equal(head.len, 2);
}

/* The examples of RFC 6455 5.7. */
TEST(examples_of_the_standard_decode)
{
    static const struct {
        const char *bytes;
        enum mw_role role;
        enum mw_opcode opcode;
        bool fin;
        uint64_t len;
        int size;
    } examples[] = {
        { "81 05", MW_ROLE_CLIENT, MW_OPCODE_TEXT, true, 5, 2 },
        { "81 85 37 fa 21 3d", MW_ROLE_SERVER, MW_OPCODE_TEXT, true, 5, 6 },
        { "01 03", MW_ROLE_CLIENT, MW_OPCODE_TEXT, false, 3, 2 },
        { "80 02", MW_ROLE_CLIENT, MW_OPCODE_CONTINUATION, true, 2, 2 },
        { "89 05", MW_ROLE_CLIENT, MW_OPCODE_PING, true, 5, 2 },
        { "8a 85 37 fa 21 3d", MW_ROLE_SERVER, MW_OPCODE_PONG, true, 5, 6 },
        { "82 7E 0100", MW_ROLE_CLIENT, MW_OPCODE_BINARY, true, 256, 4 },
        { "82 7F 0000000000010000", MW_ROLE_CLIENT, MW_OPCODE_BINARY, true, 65536, 10 },
    };
    for (size_t i = 0; i < MW_COUNT(examples); i++) {
        uint8_t bytes[MW_FRAME_HEAD_MAX];
        size_t len = bytes_of(examples[i].bytes, bytes, sizeof bytes);
        struct mw_frame_head head;
        enum mw_rule rule;
        assert_int_equal(decode(bytes, len, examples[i].role, &head, &rule), examples[i].size);
        assert_int_equal(head.opcode, examples[i].opcode);
        assert_int_equal(head.fin, examples[i].fin);
        assert_int_equal(head.len, examples[i].len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(RSV1_has_a_meaning_where_compression_was_agreed_on),
        CASE(every_first_two_bytes_are_judged_as_the_standard_says),
        CASE(lengths_are_judged_with_the_byte_that_shows_them),
        CASE(what_is_encoded_decodes_to_the_same),
        CASE(bytes_behind_the_header_are_left_alone),
        CASE(examples_of_the_standard_decode),
    };
    return RUN(tests);
}
