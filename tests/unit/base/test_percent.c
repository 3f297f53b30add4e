/* percent: what is encoded comes back, and stands for nothing but itself. */
#include "core/base/percent.h"

#include "tests/unit/unit.h"

TEST(a_path_is_encoded_but_for_its_slashes)
{
    static const struct {
        const char *path, *text;
    } paths[] = {
        { "/", "/" },
        { "/docs/a-b_c.d~9Z", "/docs/a-b_c.d~9Z" },
        { "/with space", "/with%20space" },
        { "/\\host", "/%5Chost" },
        { "/a?b#c%d", "/a%3Fb%23c%25d" },
        { "/\xC3\xBC", "/%C3%BC" },
        { "/\r\nX: y", "/%0D%0AX%3A%20y" },
        { "", "" },
    };
    for (size_t i = 0; i < MW_COUNT(paths); i++) {
        char out[64];
        size_t len = mw_percent_encode_path(mw_view_text(paths[i].path), out);
        assert_view(mw_view(out, len), paths[i].text);
    }
}

TEST(every_byte_comes_back)
{
    char path[256], text[3 * sizeof path], back[sizeof text];
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = (char)i;
    size_t len = mw_percent_encode_path(mw_view(path, sizeof path), text);
    assert_int_equal(mw_percent_decode(mw_view(text, len), false, back), sizeof path);
    assert_memory_equal(back, path, sizeof path);
}

TEST(a_bad_escape_is_refused_and_plus_is_a_blank_where_it_is_one)
{
    char out[16];
    static const char *const bad[] = { "%", "%1", "a%4", "%g0", "%0g", "%%41" };
    for (size_t i = 0; i < MW_COUNT(bad); i++)
        assert_int_equal(mw_percent_decode(mw_view_text(bad[i]), false, out), MW_ERR_BAD_ARG);
    assert_int_equal(mw_percent_decode(mw_view_text("a+%2B"), true, out), 3);
    assert_memory_equal(out, "a +", 3);
    assert_int_equal(mw_percent_decode(mw_view_text("a+%2B"), false, out), 3);
    assert_memory_equal(out, "a++", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_path_is_encoded_but_for_its_slashes),
        CASE(every_byte_comes_back),
        CASE(a_bad_escape_is_refused_and_plus_is_a_blank_where_it_is_one),
    };
    return RUN(tests);
}
