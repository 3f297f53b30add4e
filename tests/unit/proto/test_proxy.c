/*
 * proxy: good and broken headers of both versions. Each beginning of each header is read alone, in
 * a block of exactly its size: the answer comes at one byte, and stays the same behind it.
 */
#include "core/proto/proxy.h"

#include <stdio.h>

#include "tests/unit/proto/notation.h"

/* ---- what was read, as text ---- */

struct answer {
    char text[160];
    size_t at; /* the length of the shortest beginning that had it */
};

static void tell_head(char *out, size_t room, const struct mw_proxy_head *head)
{
    char from[MW_IP_TEXT_LEN], to[MW_IP_TEXT_LEN];
    mw_ip_text(&head->from, from);
    mw_ip_text(&head->to, to);
    if (head->from.len == 0)
        snprintf(out, room, "none");
    else
        snprintf(out, room, "%s %u > %s %u", from, head->from_port, to, head->to_port);
}

/* False: more bytes are needed. */
static bool read_beginning(const uint8_t *bytes, size_t len, struct answer *answer)
{
    struct mw_proxy_head head;
    const char *why = NULL;
    memset(&head, 0xAA, sizeof head);
    char *copy = exact_copy(bytes, len);
    long took = mw_proxy_read(mw_view(copy, len), &head, &why);
    free(copy);
    answer->at = len;
    if (took == MW_ERR_PROTOCOL)
        snprintf(answer->text, sizeof answer->text, "%s", why);
    else if (took > 0) {
        tell_head(answer->text, sizeof answer->text, &head);
        answer->at = (size_t)took;
    } else {
        assert_int_equal(took, MW_ERR_AGAIN);
        assert_int_equal(head.from.len, 0xAA);
        return false;
    }
    return true;
}

/* The answer of the shortest beginning that has one; all longer ones say the same. */
static struct answer read_every_beginning(const char *name, const uint8_t *bytes, size_t len)
{
    struct answer first = { "more", len }, later;
    bool answered = false;
    for (size_t n = 0; n <= len; n++) {
        if (!read_beginning(bytes, n, &later)) {
            if (answered)
                fail_msg("%s: of %zu bytes it wants more again", name, n);
            continue;
        }
        if (answered && (strcmp(first.text, later.text) != 0 || later.at < first.at))
            fail_msg("%s: \"%s\", then of %zu bytes \"%s\"", name, first.text, n, later.text);
        if (!answered)
            first = later;
        answered = true;
    }
    return first;
}

static void expect(const char *name, struct answer seen, const char *expected, size_t at)
{
    if (!strstr(seen.text, expected) || seen.at != at)
        fail_msg("%s:\n  said     \"%s\" at %zu\n  expected \"%s\" at %zu", name, seen.text,
                 seen.at, expected, at);
}

/* ---- version 1 ---- */

#define LONG_V6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define DOTTED  "0000:0000:0000:0000:0000:ffff:255.255.255.255"
#define TEN     "0123456789"
#define LONGEST "PROXY UNKNOWN " LONG_V6 " " LONG_V6 " 65535 65535\r\n"

_Static_assert(sizeof LONGEST - 1 == MW_PROXY_V1_MAX, "the longest line there is");

/* A whole line; what follows it is another one's. */
static const struct {
    const char *line, *said;
} good_lines[] = {
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 65535\r\n", "1.2.3.4 1 > 5.6.7.8 65535" },
    { "PROXY TCP4 255.255.255.255 0.0.0.0 0 0\r\n", "255.255.255.255 0 > 0.0.0.0 0" },
    { "PROXY TCP6 2001:db8::1 ::1 4711 443\r\n", "2001:db8::1 4711 > ::1 443" },
    { "PROXY TCP6 2001:DB8::1 :: 4711 443\r\n", "2001:db8::1 4711 > :: 443" },
    { "PROXY TCP6 " LONG_V6 " " LONG_V6 " 65535 65535\r\n", LONG_V6 " 65535 > " LONG_V6 " 65535" },
    { "PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n", "1.2.3.4 1 > ::1 2" },
    { "PROXY TCP6 " DOTTED " ::1 1 2\r\n", "255.255.255.255 1 > ::1 2" },
    { "PROXY UNKNOWN\r\n", "none" },
    { "PROXY UNKNOWN \r\n", "none" },
    { "PROXY UNKNOWN any \r thing \n at \r\r\n", "none" },
    { LONGEST, "none" },
};

TEST(lines_are_read_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(good_lines); i++) {
        char bytes[300];
        size_t len = strlen(good_lines[i].line);
        snprintf(bytes, sizeof bytes, "%sGET / HTTP/1.1\r\n\r\n", good_lines[i].line);
        struct answer seen =
            read_every_beginning(good_lines[i].line, (const uint8_t *)bytes, strlen(bytes));
        expect(good_lines[i].line, seen, good_lines[i].said, len);
    }
}

/* `decided` bytes are enough to say so: the text up to the bar. */
static const struct {
    const char *line, *said;
} bad_lines[] = {
    { "G|ET / HTTP/1.1\r\n", "does not begin" },
    { "p|roxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin" },
    { " |PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin" },
    { "PROXY\t|TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin" },
    { "PROXY\r|\n", "does not begin" },
    { "PROXY  |TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY t|cp4 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY TCP5| 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY TCP | 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY TCP44| 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY TCP4\t|1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY TCP4\r|\n", "family" },
    { "PROXY UD|P4 1.2.3.4 5.6.7.8 1 2\r\n", "family" },
    { "PROXY UNKNOWNS|\r\n", "family" },
    { "PROXY UNKNOWN\n|\r\n", "family" },
    { "PROXY TCP4  |1.2.3.4 5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 1.2.3.4  |5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 1.2.3.256 |5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 01.2.3.4 |5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 1.2.3 |5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 1234567890123456| 5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 :|:1 ::1 1 2\r\n", "address" },
    { "PROXY TCP4 l|ocalhost 5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP4 1.2.3.4\r|\n", "address" },
    { "PROXY TCP6 1.2.3.4 |5.6.7.8 1 2\r\n", "address" },
    { "PROXY TCP6 ::1 5.6.7.8 |1 2\r\n", "address" },
    { "PROXY TCP6 [|::1] ::1 1 2\r\n", "address" },
    { "PROXY TCP6 ::1%|lo ::1 1 2\r\n", "address" },
    { "PROXY TCP6 ::1::2 |::1 1 2\r\n", "address" },
    { "PROXY TCP6 00000000:0000:0000:0000:0000:ffff:255.255.255.|255 ::1 1 2\r\n", "address" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8  |1 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 +|1 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 -|1 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 00| 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 08|0 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 65536| 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 99999|99999 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r|\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1\r|\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 0x|1 2\r\n", "port" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 |\r\n", "does not end" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n|", "does not end" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r|\n", "does not end" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rG|ET /", "does not end" },
    { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 |3\r\n", "does not end" },
    { "PROXY TCP6 " DOTTED " " DOTTED " 6553|5 65535\r\n", "longer than 107" },
    { "PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "012|3456\r\n", "longer than 107" },
    { "PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "01\r|\n", "longer than 107" },
    { "PROXY TCP6 " LONG_V6 " " DOTTED " 12345 123\r|\n", "longer than 107" },
};

TEST(broken_lines_are_refused_on_the_byte_that_breaks_them)
{
    for (size_t i = 0; i < MW_COUNT(bad_lines); i++) {
        char bytes[300];
        const char *line = bad_lines[i].line;
        size_t decided = strcspn(line, "|");
        snprintf(bytes, sizeof bytes, "%.*s%s", (int)decided, line, line + decided + 1);
        struct answer seen = read_every_beginning(line, (const uint8_t *)bytes, strlen(bytes));
        expect(line, seen, bad_lines[i].said, decided);
    }
}

TEST(a_byte_of_zero_breaks_a_line)
{
    static const struct mw_view lines[] = { MW_VIEW("PROXY\0TCP4"), MW_VIEW("PROXY TCP4 1.2\0.3"),
                                            MW_VIEW("PROXY TCP4 1.2.3.4 1.2.3.4 \0") };
    static const size_t decided[] = { 6, 15, 28 };
    for (size_t i = 0; i < MW_COUNT(lines); i++) {
        struct answer seen =
            read_every_beginning(lines[i].data, (const uint8_t *)lines[i].data, lines[i].len);
        expect(lines[i].data, seen, "", decided[i]);
    }
}

/* ---- version 2 ---- */

#define SIGNATURE "0d0a0d0a 00 0d0a 'QUIT' 0a "
#define TCP4      "01020304 05060708 1267 01bb "
#define V6_FROM   "20010db8 00000000 00000000 00000001 "
#define V6_TO     "00000000 00000000 00000000 00000001 "
#define MAPPED    "00000000 00000000 0000ffff 0a000001 "
#define ZEROS_12  "000000000000000000000000 "
#define ZEROS_36  ZEROS_12 ZEROS_12 ZEROS_12
#define ZEROS_216 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36 ZEROS_36
#define ZEROS_520 ZEROS_216 ZEROS_216 ZEROS_36 ZEROS_36 ZEROS_12 "00000000"

static const struct {
    const char *name, *header, *said;
} good_v2[] = {
    { "TCP4", SIGNATURE "21 11 000c " TCP4, "1.2.3.4 4711 > 5.6.7.8 443" },
    { "TCP6", SIGNATURE "21 21 0024 " V6_FROM V6_TO "0000 ffff", "2001:db8::1 0 > ::1 65535" },
    { "IPv4 within TCP6", SIGNATURE "21 21 0024 " MAPPED V6_TO "0001 0002", "10.0.0.1 1 > ::1 2" },
    { "LOCAL", SIGNATURE "20 00 0000", "none" },
    { "LOCAL with addresses", SIGNATURE "20 11 000c " TCP4, "none" },
    { "LOCAL of a family that is none", SIGNATURE "20 ff 0003 aabbcc", "none" },
    { "LOCAL with a wrong sum", SIGNATURE "20 11 0013 " TCP4 "03 0004 00000000", "none" },
    { "unspecified", SIGNATURE "21 00 0000", "none" },
    { "unspecified with bytes", SIGNATURE "21 00 0002 ffff", "none" },
    { "UDP4", SIGNATURE "21 12 000c " ZEROS_12, "none" },
    { "UDP6", SIGNATURE "21 22 0024 " ZEROS_36, "none" },
    { "UNIX stream", SIGNATURE "21 31 00d8 " ZEROS_216, "none" },
    { "UNIX datagram", SIGNATURE "21 32 00d8 " ZEROS_216, "none" },
    { "a TLV", SIGNATURE "21 11 0012 " TCP4 "01 0003 'h2c'", "1.2.3.4 4711 > 5.6.7.8 443" },
    { "an empty TLV", SIGNATURE "21 11 000f " TCP4 "04 0000", "1.2.3.4 4711 > 5.6.7.8 443" },
    { "TLVs of any type", SIGNATURE "21 11 0017 " TCP4 "ee 0001 00 20 0004 00000000",
      "1.2.3.4 4711 > 5.6.7.8 443" },
    { "as long as may be", SIGNATURE "20 00 0208 " ZEROS_520, "none" },
    { "a checksum", SIGNATURE "21 11 0013 " TCP4 "03 0004 SUM", "1.2.3.4 4711 > 5.6.7.8 443" },
    { "a checksum between others",
      SIGNATURE "21 21 0033 " V6_FROM V6_TO "0001 0002 04 0001 00 03 0004 SUM 01 0001 41",
      "2001:db8::1 1 > ::1 2" },
    { "a checksum of UDP", SIGNATURE "21 12 0013 " TCP4 "03 0004 SUM", "none" },
};

/* Bit by bit as RFC 3720 B.4 has it, highest bit first: not the way of the code. */
static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX, turned = 0;
    for (size_t i = 0; i < len * 8; i++) {
        uint32_t bit = (uint32_t)bytes[i / 8] >> i % 8 & 1;
        crc = crc << 1 ^ ((crc >> 31 ^ bit) ? 0x1EDC6F41u : 0);
    }
    for (int bit = 0; bit < 32; bit++)
        turned |= (crc >> bit & 1) << (31 - bit);
    return ~turned;
}

/* Reads the notation; "SUM" in it becomes the right checksum. */
static size_t header_of(const char *notation, uint8_t *out, size_t max)
{
    char text[4096];
    const char *sum = strstr(notation, "SUM");
    if (!sum)
        return bytes_of(notation, out, max);
    snprintf(text, sizeof text, "%.*s00000000%s", (int)(sum - notation), notation, sum + 3);
    size_t len = bytes_of(text, out, max);
    text[sum - notation] = '\0';
    size_t at = bytes_of(text, out, max);
    uint32_t crc = crc32c(out, len);
    for (size_t i = 0; i < 4; i++)
        out[at + i] = (uint8_t)(crc >> (24 - 8 * i));
    return len;
}

TEST(the_checksum_of_this_test_is_the_one_of_the_standard)
{
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xE3069283u);
}

TEST(binary_headers_are_read_the_same_at_every_cut)
{
    for (size_t i = 0; i < MW_COUNT(good_v2); i++) {
        uint8_t bytes[MW_PROXY_V2_MAX + 4];
        size_t len = header_of(good_v2[i].header, bytes, MW_PROXY_V2_MAX);
        memset(bytes + len, 'G', 4); /* another one's */
        struct answer seen = read_every_beginning(good_v2[i].name, bytes, len + 4);
        expect(good_v2[i].name, seen, good_v2[i].said, len);
    }
}

static const struct {
    const char *name, *header, *said;
    size_t decided; /* bytes that are enough to say so */
} bad_v2[] = {
    { "another signature", "0d0a0d0a 00 0d0a 'QUIT' 0d 21", "does not begin", 12 },
    { "an empty line before a request", "0d0a 'GET / HTTP/1.1'", "does not begin", 3 },
    { "version 1 in the binary form", SIGNATURE "11 11 000c", "version", 13 },
    { "version 3", SIGNATURE "31 11 000c", "version", 13 },
    { "command 2", SIGNATURE "22 11 000c", "version", 13 },
    { "command 15", SIGNATURE "2f 11 000c", "version", 13 },
    { "no transport", SIGNATURE "21 10 000c", "no such family", 14 },
    { "no family", SIGNATURE "21 01 000c", "no such family", 14 },
    { "transport 3", SIGNATURE "21 13 000c", "no such family", 14 },
    { "family 4", SIGNATURE "21 41 000c", "no such family", 14 },
    { "too long", SIGNATURE "21 11 0209 " TCP4, "longer than 536", 16 },
    { "far too long", SIGNATURE "20 00 ffff " TCP4, "longer than 536", 16 },
    { "TCP4 too short", SIGNATURE "21 11 000b " TCP4, "shorter", 16 },
    { "TCP6 too short", SIGNATURE "21 21 0023 " V6_FROM, "shorter", 16 },
    { "UDP4 too short", SIGNATURE "21 12 0000", "shorter", 16 },
    { "UNIX too short", SIGNATURE "21 31 00d7", "shorter", 16 },
    { "a byte that is no TLV", SIGNATURE "21 11 000d " TCP4 "04", "TLV", 28 },
    { "two bytes that are no TLV", SIGNATURE "21 11 000e " TCP4 "0400", "TLV", 28 },
    { "a TLV longer than the rest", SIGNATURE "21 11 0010 " TCP4 "04 0002 00 00", "TLV", 31 },
    { "a second TLV too long", SIGNATURE "21 11 0013 " TCP4 "04 0000 04 0002 00 00", "TLV", 34 },
    { "UDP with a TLV too long", SIGNATURE "21 12 000f " TCP4 "04 0001", "TLV", 31 },
    { "a short checksum", SIGNATURE "21 11 0012 " TCP4 "03 0003 000000", "checksum is given", 31 },
    { "two checksums", SIGNATURE "21 11 001a " TCP4 "03 0004 00000000 03 0004 00000000",
      "checksum is given", 38 },
    { "a wrong checksum", SIGNATURE "21 11 0013 " TCP4 "03 0004 00000000", "checksum is wrong",
      35 },
    { "a wrong checksum before a TLV", SIGNATURE "21 11 0016 " TCP4 "03 0004 00000000 04 0000",
      "checksum is wrong", 38 },
};

TEST(broken_binary_headers_are_refused_with_the_field_that_breaks_them)
{
    for (size_t i = 0; i < MW_COUNT(bad_v2); i++) {
        uint8_t bytes[MW_PROXY_V2_MAX];
        size_t len = bytes_of(bad_v2[i].header, bytes, sizeof bytes);
        struct answer seen = read_every_beginning(bad_v2[i].name, bytes, len);
        expect(bad_v2[i].name, seen, bad_v2[i].said, bad_v2[i].decided);
    }
}

TEST(each_flipped_bit_is_seen_by_the_checksum)
{
    uint8_t bytes[64];
    size_t len = header_of(SIGNATURE "21 11 0013 " TCP4 "03 0004 SUM", bytes, sizeof bytes);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bool is_in_the_frame = bit / 8 < 16 || (bit / 8 >= 28 && bit / 8 < 31);
        if (is_in_the_frame) /* a length or a type: another rule may speak first */
            continue;
        struct answer seen;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(read_beginning(bytes, len, &seen));
        assert_non_null(strstr(seen.text, "checksum is wrong"));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* ---- both ---- */

TEST(a_beginning_is_recognised_as_far_as_one_can_see)
{
    static const struct {
        struct mw_view bytes;
        bool may;
    } cases[] = {
        { MW_VIEW(""), false },           { MW_VIEW("P"), true },
        { MW_VIEW("PROXY"), true },       { MW_VIEW("PROXY TCP4"), true },
        { MW_VIEW("POST / "), false },    { MW_VIEW("PROXYX"), false },
        { MW_VIEW("\r\n\r\n"), true },    { MW_VIEW("\r\n\r\n\0\r\nQUIT\n"), true },
        { MW_VIEW("\r\nGET / "), false }, { MW_VIEW("\r\n\r\n\0\r\nQUIT\n\x21"), true },
        { MW_VIEW("\x16"), false },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++)
        assert_int_equal(mw_proxy_may_begin(cases[i].bytes), cases[i].may);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_are_read_the_same_at_every_cut),
        CASE(broken_lines_are_refused_on_the_byte_that_breaks_them),
        CASE(a_byte_of_zero_breaks_a_line),
        CASE(the_checksum_of_this_test_is_the_one_of_the_standard),
        CASE(binary_headers_are_read_the_same_at_every_cut),
        CASE(broken_binary_headers_are_refused_with_the_field_that_breaks_them),
        CASE(each_flipped_bit_is_seen_by_the_checksum),
        CASE(a_beginning_is_recognised_as_far_as_one_can_see),
    };
    return RUN(tests);
}
