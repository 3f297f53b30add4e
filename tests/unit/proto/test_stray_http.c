/* stray_http: words at every length, and that none of them can be a frame. */
#include "core/proto/stray_http.h"

#include "core/proto/frame.h"
#include "tests/unit/unit.h"

static const char *const texts[] = {
    "GET /",     "HEAD /",  "POST /",  "PUT /",          "DELETE /",     "CONNECT a",
    "OPTIONS *", "TRACE /", "PATCH /", "PRI * HTTP/2.0", "HTTP/1.1 400", "HTTP/2 200",
};

static enum mw_stray look(const char *text, size_t len, size_t *shown)
{
    return mw_stray_http((const uint8_t *)text, len, shown);
}

TEST(a_text_is_in_doubt_up_to_the_byte_that_shows_it)
{
    for (size_t i = 0; i < MW_COUNT(texts); i++) {
        size_t shown = 0, whole = strlen(texts[i]);
        assert_int_equal(look(texts[i], whole, &shown), MW_STRAY_YES);
        assert_in_range(shown, 4, MW_STRAY_HTTP_MAX);
        for (size_t len = 1; len < shown; len++)
            assert_int_equal(look(texts[i], len, &whole), MW_STRAY_MAYBE);
    }
}

TEST(other_bytes_are_none)
{
    static const char *const none[] = { "get /", "GETS", "HTTQ", " GET", "A", "B", "ZZ", "PRI /" };
    size_t shown;
    assert_int_equal(look("", 0, &shown), MW_STRAY_NO);
    for (size_t i = 0; i < MW_COUNT(none); i++)
        assert_int_equal(look(none[i], strlen(none[i]), &shown), MW_STRAY_NO);
}

/* Else traffic that is right would be held back or refused. */
TEST(no_byte_that_begins_a_frame_begins_a_text)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned deflate = 0; deflate < 2; deflate++) {
            struct mw_frame_head head;
            enum mw_rule rule = MW_RULE_NONE;
            uint8_t byte = (uint8_t)first;
            size_t shown;
            int size = mw_frame_decode(&byte, 1, MW_ROLE_SERVER, deflate, &head, &rule);
            if (size == 0)
                assert_int_equal(mw_stray_http(&byte, 1, &shown), MW_STRAY_NO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_text_is_in_doubt_up_to_the_byte_that_shows_it),
        CASE(other_bytes_are_none),
        CASE(no_byte_that_begins_a_frame_begins_a_text),
    };
    return RUN(cases);
}
