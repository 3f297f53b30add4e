#include "core/base/digest.h"

#include <stdio.h>

#include "core/base/rng.h"
#include "tests/unit/unit.h"

TEST(sha1_gives_the_digests_of_the_standard)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    };
    for (size_t i = 0; i < MW_COUNT(rows); i++) {
        uint8_t digest[MW_SHA1_BYTES];
        char hex[2 * MW_SHA1_BYTES + 1];
        assert_int_equal(mw_sha1(mw_view_text(rows[i].text), digest), MW_OK);
        for (size_t j = 0; j < MW_SHA1_BYTES; j++)
            snprintf(hex + 2 * j, 3, "%02x", digest[j]);
        assert_string_equal(hex, rows[i].hex);
    }
}

/* RFC 6455 1.3 */
TEST(the_handshake_of_the_rfc_gives_its_accept_value)
{
    uint8_t digest[MW_SHA1_BYTES];
    char accept[MW_BASE64_LEN(MW_SHA1_BYTES) + 1];
    struct mw_view key =
        mw_view_text("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    assert_int_equal(mw_sha1(key, digest), MW_OK);
    mw_base64(mw_view((const char *)digest, sizeof(digest)), accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* RFC 4648 10 */
static const struct {
    const char *plain, *text;
} vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
    { "\xFB\xFF\xBF", "+/+/" },
};

TEST(base64_gives_the_texts_of_the_rfc_and_reads_them_back)
{
    for (size_t i = 0; i < MW_COUNT(vectors); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t len = strlen(vectors[i].plain);
        assert_int_equal(MW_BASE64_LEN(len), strlen(vectors[i].text));
        mw_base64(mw_view_text(vectors[i].plain), text);
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(mw_base64_decode(mw_view_text(text), bytes, sizeof(bytes)), len);
        assert_memory_equal(bytes, vectors[i].plain, len);
        assert_int_equal(mw_base64_decode(mw_view_text(text), bytes, len), len);
        if (len > 0)
            assert_int_equal(mw_base64_decode(mw_view_text(text), bytes, len - 1), MW_ERR_BAD_ARG);
    }
    char empty[1] = { 'x' };
    mw_base64(mw_view(NULL, 0), empty);
    assert_int_equal(empty[0], '\0');
}

TEST(base64_that_is_not_exactly_what_encoding_gives_is_refused)
{
    static const char *const texts[] = {
        "Z",        "Zg",        "Zg=",      "Zg===",    "=",        "====",         "A===",
        "Zm9v=",    "Zm9vZg",    " Zg==",    "Zg== ",    "Zm9v\n",   "Zm9v\r\n",     "Zm\n9v12",
        "Zm 9v123", "Zm9v\tZm9", "Zg==Zg==", "Z===",     "Z=g=",     "Zh==",         "Zm9=",
        "Zm9-",     "Zm9_",      "Zm9\x80",  "Zm9v    ", "    Zm9v", "\r\n\r\nZm9v", "Zg=g",
    };
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        uint8_t bytes[16];
        int got = mw_base64_decode(mw_view_text(texts[i]), bytes, sizeof(bytes));
        if (got != MW_ERR_BAD_ARG)
            fail_msg("\"%s\" was accepted", texts[i]);
    }
    uint8_t bytes[16];
    assert_int_equal(mw_base64_decode(mw_view("Zm\0v", 4), bytes, sizeof(bytes)), MW_ERR_BAD_ARG);
}

TEST(any_bytes_come_back_from_base64)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 5);
    for (int i = 0; i < 2000; i++) {
        char plain[100], text[MW_BASE64_LEN(100) + 1];
        uint8_t back[100];
        size_t len = mw_rng_below(&rng, sizeof(plain) + 1);
        for (size_t j = 0; j < len; j++)
            plain[j] = (char)mw_rng_next(&rng);
        mw_base64(mw_view(plain, len), text);
        assert_int_equal(strlen(text), MW_BASE64_LEN(len));
        assert_int_equal(mw_base64_decode(mw_view_text(text), back, sizeof(back)), len);
        assert_memory_equal(back, plain, len);
    }
}

/* The test vectors of the authors of FNV. */
TEST(hashes_are_fnv_1a_and_can_be_chained)
{
    assert_true(mw_hash64(mw_view_text(""), 0) == UINT64_C(0xCBF29CE484222325));
    assert_true(mw_hash64(mw_view_text("a"), 0) == UINT64_C(0xAF63DC4C8601EC8C));
    assert_true(mw_hash64(mw_view_text("foobar"), 0) == UINT64_C(0x85944171F73967E8));
    uint64_t chained = mw_hash64(mw_view_text("bar"), mw_hash64(mw_view_text("foo"), 0));
    assert_true(chained == mw_hash64(mw_view_text("foobar"), 0));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(sha1_gives_the_digests_of_the_standard),
        CASE(the_handshake_of_the_rfc_gives_its_accept_value),
        CASE(base64_gives_the_texts_of_the_rfc_and_reads_them_back),
        CASE(base64_that_is_not_exactly_what_encoding_gives_is_refused),
        CASE(any_bytes_come_back_from_base64),
        CASE(hashes_are_fnv_1a_and_can_be_chained),
    };
    return RUN(cases);
}
