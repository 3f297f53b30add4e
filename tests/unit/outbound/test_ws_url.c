/* What people type for the address of a WebSocket. */
#include "core/outbound/ws_url.h"

#include "tests/unit/unit.h"

static const struct {
    const char *text, *host, *authority, *target;
    bool is_secure;
    uint16_t port;
} good[] = {
    { "ws://moon", "moon", "moon", "/", false, 80 },
    { "wss://moon/", "moon", "moon", "/", true, 443 },
    { "WSS://moon:443/a", "moon", "moon", "/a", true, 443 },
    { "ws://moon:443/a", "moon", "moon:443", "/a", false, 443 },
    { "http://moon:80/a?b=c", "moon", "moon", "/a?b=c", false, 80 },
    { "https://moon?x", "moon", "moon", "/?x", true, 443 },
    { "localhost:8080/chat", "localhost", "localhost:8080", "/chat", false, 8080 },
    { "ws://[::1]:9/a/../b", "::1", "[::1]:9", "/a/../b", false, 9 },
    { "wss://[2001:db8::1]", "2001:db8::1", "[2001:db8::1]", "/", true, 443 },
    { "  ws://moon/%20  ", "moon", "moon", "/%20", false, 80 },
};

static const char *const bad[] = {
    "",          "ws://",          "ftp://moon/",         "ws://moon:0/",  "ws://moon:65536/",
    "ws://:80/", "ws://u@moon/",   "ws://moon/a#b",       "ws://moon/a b", "ws://mo on/",
    "ws://[::1", "ws://[::1]80/",  "ws://::1/",           "ws:///a",       "ws://moon:x/",
    "ws://a,b/", "ws://moon/\xc3", "wss://moon/\r\nX: y",
};

TEST(a_url_is_read_as_it_is_meant)
{
    struct mw_mem mem;
    char why[256];
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(good); i++) {
        struct mw_ws_url url;
        print_message("    %s\n", good[i].text);
        assert_int_equal(mw_ws_url_parse(&mem, mw_view_text(good[i].text), &url, why), MW_OK);
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.authority, good[i].authority);
        assert_string_equal(url.target, good[i].target);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.is_secure, good[i].is_secure);
        mw_ws_url_free(&mem, &url);
    }
    assert_mem_empty(&mem);
}

TEST(what_is_none_is_refused_with_a_sentence)
{
    struct mw_mem mem;
    mw_mem_init(&mem, NULL, 0);
    for (size_t i = 0; i < MW_COUNT(bad); i++) {
        struct mw_ws_url url;
        char why[256];
        print_message("    %s\n", bad[i]);
        assert_int_equal(mw_ws_url_parse(&mem, mw_view_text(bad[i]), &url, why), MW_ERR_BAD_ARG);
        assert_true(strlen(why) > 20);
    }
    assert_mem_empty(&mem);
}

TEST(a_name_in_letters_of_its_language_is_told_how_it_is_written)
{
    struct mw_mem mem;
    struct mw_ws_url url;
    char why[256];
    mw_mem_init(&mem, NULL, 0);
    assert_int_equal(mw_ws_url_parse(&mem,
                                     mw_view_text("ws://b\xc3\xbc"
                                                  "cher.example/"),
                                     &url, why),
                     MW_ERR_BAD_ARG);
    assert_non_null(strstr(why, "xn--"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_url_is_read_as_it_is_meant),
        CASE(what_is_none_is_refused_with_a_sentence),
        CASE(a_name_in_letters_of_its_language_is_told_how_it_is_written),
    };
    return RUN(cases);
}
