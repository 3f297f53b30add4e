/* url: forms of targets, and that each place has one path. */
#include "core/proto/url.h"

#include "tests/unit/proto/notation.h"

static const struct {
    const char *target, *path, *query; /* path NULL: refused */
} targets[] = {
    { "/", "/", "" },
    { "/a/b", "/a/b", "" },
    { "/a?b=c", "/a", "b=c" },
    { "/a?", "/a", "" },
    { "/a?b?c", "/a", "b?c" },
    { "/?a/b", "/", "a/b" },
    { "//a", "//a", "" },
    { "/%2e", "/%2e", "" },
    { "http://host/a?b", "/a", "b" },
    { "HTTP://host:80/a", "/a", "" },
    { "ws://[::1]/a", "/a", "" },
    { "wss://host", "/", "" },
    { "https://host?a/b", "/", "a/b" },
    { "", NULL, NULL },
    { "a", NULL, NULL },
    { "*", NULL, NULL },
    { "?a", NULL, NULL },
    { "host:80", NULL, NULL },
    { "ftp://host/a", NULL, NULL },
    { "http:///a", NULL, NULL },
    { "http://", NULL, NULL },
    { "http://user@host/a", NULL, NULL },
    { "http://user:word@host/a", NULL, NULL },
    { "http://a,b/", NULL, NULL },
    { "http://host:port/", NULL, NULL },
    { "http://[::1/", NULL, NULL },
    { "/a#b", NULL, NULL },
    { "/a?b#c", NULL, NULL },
    { "/a b", NULL, NULL },
    { "/a\tb", NULL, NULL },
    { "/\x7F", NULL, NULL },
    { "/\xC3\xA4", NULL, NULL },
};

TEST(targets_are_split_or_refused)
{
    for (size_t i = 0; i < MW_COUNT(targets); i++) {
        size_t len = strlen(targets[i].target);
        char *exact = exact_copy(targets[i].target, len);
        struct mw_target target;
        int err = mw_target_split(mw_view(exact, len), &target);
        if (err != (targets[i].path ? MW_OK : MW_ERR_BAD_ARG))
            fail_msg("\"%s\": %d", targets[i].target, err);
        if (!err) {
            assert_view(target.path, targets[i].path);
            assert_view(target.query, targets[i].query);
        }
        free(exact);
    }
}

TEST(an_absolute_form_names_its_authority)
{
    static const struct {
        const char *target, *authority;
    } cases[] = {
        { "http://host:80/a", "host:80" }, { "ws://[::1]", "[::1]" }, { "wss://host?a/b", "host" },
        { "/http://host/", "" },           { "//host/", "" },
    };
    for (size_t i = 0; i < MW_COUNT(cases); i++) {
        struct mw_target target;
        assert_int_equal(mw_target_split(mw_view_text(cases[i].target), &target), MW_OK);
        assert_view(target.authority, cases[i].authority);
    }
}

TEST(an_authority_is_a_host_and_perhaps_a_port)
{
    static const char *const good[] = {
        "",      "a",        "a.b-c_d~e",    "a:80",    "a:",       "a:65535", "127.0.0.1",
        "[::1]", "[::1]:80", "[2001:DB8::]", "xn--4ca", "a%C3%A4b", ":80",     "a!$&'()*+;=",
    };
    static const char *const bad[] = {
        "a b",       "a,b",    "a@b",     "a/b",        "a?b",      "a#b",    "a:b", "a:80:80",
        "a:65536",   "a:-1",   "a:+1",    "::1",        "[::1",     "::1]",   "[]",  "[a]",
        "[1.2.3.4]", "[::1]x", "[::1]:x", "[::1%25lo]", "[v1.a]",   "a[::1]", "a%",  "a%z0",
        "a\"b",      "a<b",    "a\\b",    "a|b",        "\xC3\xA4", "a\x7F",  "a\t",
    };
    for (size_t i = 0; i < MW_COUNT(good); i++)
        if (!mw_is_authority(mw_view_text(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < MW_COUNT(bad); i++)
        if (mw_is_authority(mw_view_text(bad[i])))
            fail_msg("%s", bad[i]);
    assert_false(mw_is_authority(mw_view("a\0b", 3)));
}

static const struct {
    const char *raw, *path; /* NULL: refused */
} paths[] = {
    { "/", "/" },
    { "/a", "/a" },
    { "/a/", "/a/" },
    { "/a/b", "/a/b" },
    { "//", "/" },
    { "//a", "/a" },
    { "/a//b", "/a/b" },
    { "/a//", "/a/" },
    { "/.", "/" },
    { "/./", "/" },
    { "/./a", "/a" },
    { "/a/.", "/a/" },
    { "/a/./b", "/a/b" },
    { "/a/..", "/" },
    { "/a/../", "/" },
    { "/a/../b", "/b" },
    { "/a/b/..", "/a/" },
    { "/a/b/../..", "/" },
    { "/a/b/../c", "/a/c" },
    { "/a//../b", "/b" },
    { "/...", "/..." },
    { "/.a", "/.a" },
    { "/a..", "/a.." },
    { "/..a/b", "/..a/b" },
    { "/%61", "/a" },
    { "/a%20b", "/a b" },
    { "/a+b", "/a+b" },
    { "/%C3%A4", "/\xC3\xA4" },
    { "/%c3%a4", "/\xC3\xA4" },
    { "/a%2Fb", "/a/b" },
    { "/%2e", "/" },
    { "/a/%2E%2e/b", "/b" },
    { "/a/.%2e/b", "/b" },
    { "/%252e%252e", "/%2e%2e" },
    { "/a%2F%2E%2E%2Fb", "/b" },
    { "", NULL },
    { "a", NULL },
    { "%2Fa", "/a" },
    { "/..", NULL },
    { "/../a", NULL },
    { "/a/../..", NULL },
    { "/a/../../b", NULL },
    { "/%2e%2e/", NULL },
    { "/%2e%2e%2fa", NULL },
    { "/./..", NULL },
    { "//..", NULL },
    { "/%00", NULL },
    { "/a%00.html", NULL },
    { "/%", NULL },
    { "/%4", NULL },
    { "/%zz", NULL },
    { "/%FF", NULL },
    { "/%C0%AF", NULL },
    { "/%ED%A0%80", NULL },
    { "/%C3", NULL },
};

/* Gives a block of exactly raw.len bytes, so that a sanitizer sees one byte too many. */
static long normalise(struct mw_view raw, char **out)
{
    *out = malloc(raw.len ? raw.len : 1);
    char *exact = exact_copy(raw.data, raw.len);
    long len = mw_path_normalise(mw_view(exact, raw.len), *out);
    free(exact);
    return len;
}

TEST(each_place_has_one_path)
{
    for (size_t i = 0; i < MW_COUNT(paths); i++) {
        char *out;
        long len = normalise(mw_view_text(paths[i].raw), &out);
        const char *path = paths[i].path;
        bool right = path ? len == (long)strlen(path) && memcmp(out, path, (size_t)len) == 0
                          : len == MW_ERR_BAD_ARG;
        if (!right)
            fail_msg("\"%s\": %ld \"%.*s\"", paths[i].raw, len, len > 0 ? (int)len : 0, out);
        free(out);
    }
}

/* Every path of up to 7 of these characters: what comes out is normal, and stays as it is. */
TEST(a_normal_path_has_no_dots_and_stays_as_it_is)
{
    static const char letters[] = "/.a%2";
    char raw[8] = "/";
    size_t seen = 0;
    for (size_t n = 0; n < 5 * 5 * 5 * 5 * 5 * 5; n++) {
        size_t rest = n;
        for (size_t i = 1; i < 7; i++, rest /= 5)
            raw[i] = letters[rest % 5];
        char *once, *twice;
        long len = normalise(mw_view_text(raw), &once);
        if (len > 0 && !memchr(once, '%', (size_t)len)) {
            seen++;
            assert_in_range(len, 1, 7);
            assert_int_equal(once[0], '/');
            long again = normalise(mw_view(once, (size_t)len), &twice);
            assert_int_equal(again, len);
            assert_memory_equal(once, twice, (size_t)len);
            free(twice);
            char text[10] = { 0 };
            memcpy(text, once, (size_t)len);
            text[len] = '/';
            assert_null(strstr(text, "/./"));
            assert_null(strstr(text, "/../"));
        }
        free(once);
    }
    assert_in_range(seen, 500, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(targets_are_split_or_refused),
        CASE(an_absolute_form_names_its_authority),
        CASE(an_authority_is_a_host_and_perhaps_a_port),
        CASE(each_place_has_one_path),
        CASE(a_normal_path_has_no_dots_and_stays_as_it_is),
    };
    return RUN(tests);
}
