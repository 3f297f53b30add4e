/* forwarded: chains of proxies, each against the address that may be believed. */
#include "core/proto/forwarded.h"

#include "tests/unit/unit.h"

#define PEER "10.0.0.1"

static const char *const trusted_texts[] = { "10.0.0.0/8", "2001:db8:1::/48" };

/* Up to three headers, "F" and "X" for the two names, in the order of arrival. */
struct line {
    char name;
    const char *value;
};

/* Read is the header of the first line. */
static void find_client(const struct line *lines, size_t count, char out[MW_IP_TEXT_LEN])
{
    struct mw_header headers[4];
    struct mw_net trusted[MW_COUNT(trusted_texts)];
    enum mw_forwarded_by by = count > 0 && lines[0].name == 'F' ? MW_FORWARDED_BY_FORWARDED
                                                                : MW_FORWARDED_BY_X_FORWARDED_FOR;
    struct mw_ip peer, client;
    for (size_t i = 0; i < MW_COUNT(trusted); i++)
        assert_true(mw_net_parse(mw_view_text(trusted_texts[i]), &trusted[i]));
    for (size_t i = 0; i < count; i++) {
        const char *name = lines[i].name == 'F' ? "forwarded" : "x-forwarded-for";
        headers[i] = (struct mw_header){ mw_view_text(name), mw_view_text(lines[i].value) };
    }
    headers[count] = (struct mw_header){ MW_VIEW("x-forwarded-proto"), MW_VIEW("9.9.9.9") };
    const struct mw_http_head head = { .headers = headers, .header_count = count + 1 };
    assert_true(mw_ip_parse(mw_view_text(PEER), &peer));
    mw_forwarded_client(&head, by, trusted, MW_COUNT(trusted), &peer, &client);
    mw_ip_text(&client, out);
}

/* ---- one line ---- */

static const struct {
    struct line line;
    const char *client;
} single[] = {
    /* the forms of a node */
    { { 'F', "for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "FOR=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "for=\"1.2.3.4\"" }, "1.2.3.4" },
    { { 'F', "for=\"1.2.3.4:80\"" }, "1.2.3.4" },
    { { 'F', "for=\"1.2.3.4:_hidden\"" }, "1.2.3.4" },
    { { 'F', "for=\"[2001:db8::7]\"" }, "2001:db8::7" },
    { { 'F', "for=\"[2001:db8::7]:65535\"" }, "2001:db8::7" },
    { { 'F', "for=\"[::ffff:1.2.3.4]\"" }, "1.2.3.4" },
    { { 'F', "for=\"\\1.2\\.3.4\"" }, "1.2.3.4" },
    { { 'F', "for=unknown" }, PEER },
    { { 'F', "for=_hidden" }, PEER },
    { { 'F', "for=\"_hidden:80\"" }, PEER },
    { { 'F', "for=example.com" }, PEER },
    /* parameters */
    { { 'F', "proto=https;for=1.2.3.4;by=10.0.0.9" }, "1.2.3.4" },
    { { 'F', "by=\"a;b,for=6.6.6.6\";for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "by=\"a\\\";for=6.6.6.6\";for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', ";;for=1.2.3.4;" }, "1.2.3.4" },
    { { 'F', "for=1.2.3.4 ; proto=http" }, "1.2.3.4" },
    { { 'F', "secret=\"\";for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "proto=https" }, PEER },
    { { 'F', "forx=1.2.3.4" }, PEER },
    /* lists, from the right */
    { { 'F', "for=1.2.3.4, for=5.6.7.8" }, "5.6.7.8" },
    { { 'F', "for=1.2.3.4, for=10.1.1.1" }, "1.2.3.4" },
    { { 'F', "for=1.2.3.4,for=10.1.1.1,for=\"[2001:db8:1::5]\"" }, "1.2.3.4" },
    { { 'F', "for=10.3.3.3, for=10.2.2.2" }, "10.3.3.3" },
    { { 'F', "for=1.2.3.4, , ,for=10.1.1.1,," }, "1.2.3.4" },
    { { 'F', "for=1.2.3.4, for=unknown, for=10.1.1.1" }, "10.1.1.1" },
    { { 'F', "for=1.2.3.4, proto=http, for=10.1.1.1" }, "10.1.1.1" },
    { { 'F', "for=1.2.3.4, for=\"10.2.2.2, 3.3.3.3\", for=10.1.1.1" }, "10.1.1.1" },
    /* what the left says never changes what the right says */
    { { 'F', "for=\"6.6.6.6, for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "for=\"6.6.6.6, for=10.1.1.1" }, "10.1.1.1" },
    { { 'F', "for=\", for=\"[2001:db8::7]:80\"" }, "2001:db8::7" },
    { { 'F', "for=6.6.6.6\\, for=\"1.2.3.4\"" }, "1.2.3.4" },
    { { 'F', "for=\"6.6.6.6\\\", for=\"1.2.3.4\"" }, "1.2.3.4" },
    { { 'F', "for=\"6.6.6.6\\\\\", for=\"10.1.1.1\"" }, "10.1.1.1" },
    { { 'F', "\\\\\\\"\"\", for=1.2.3.4" }, "1.2.3.4" },
    { { 'F', "for=\"\\\"" }, PEER },
    { { 'F', "for=\"\\" }, PEER },
    { { 'F', "\"" }, PEER },
    /* malformed */
    { { 'F', "" }, PEER },
    { { 'F', " , " }, PEER },
    { { 'F', "for" }, PEER },
    { { 'F', "for=" }, PEER },
    { { 'F', "=1.2.3.4" }, PEER },
    { { 'F', "1.2.3.4" }, PEER },
    { { 'F', "for =1.2.3.4" }, PEER },
    { { 'F', "for= 1.2.3.4" }, PEER },
    { { 'F', "for=1.2.3.4;for=1.2.3.4" }, PEER },
    { { 'F', "for=\"\";for=1.2.3.4" }, PEER },
    { { 'F', "for=1.2.3.4;x" }, PEER },
    { { 'F', "for=1.2.3.4;x=\"" }, PEER },
    { { 'F', "for=1.2.3.4 x=y" }, PEER },
    { { 'F', "for=\"1.2.3.4\"x" }, PEER },
    { { 'F', "for=1.2.3.4:80" }, PEER },
    { { 'F', "for=[2001:db8::7]" }, PEER },
    { { 'F', "for=\"2001:db8::7\"" }, PEER },
    { { 'F', "for=\"[1.2.3.4]\"" }, PEER },
    { { 'F', "for=\"[2001:db8::7\"" }, PEER },
    { { 'F', "for=\"[2001:db8::7]x\"" }, PEER },
    { { 'F', "for=\"[2001:db8::7]:\"" }, PEER },
    { { 'F', "for=\"[]\"" }, PEER },
    { { 'F', "for=\"1.2.3.4:\"" }, PEER },
    { { 'F', "for=\"1.2.3.4:65536\"" }, PEER },
    { { 'F', "for=\"1.2.3.4:000080\"" }, PEER },
    { { 'F', "for=\"1.2.3.4:_\"" }, PEER },
    { { 'F', "for=\"1.2.3.4:x\"" }, PEER },
    { { 'F', "for=01.2.3.4" }, PEER },
    /* without a standard */
    { { 'X', "1.2.3.4" }, "1.2.3.4" },
    { { 'X', "1.2.3.4:4711" }, "1.2.3.4" },
    { { 'X', "2001:db8::7" }, "2001:db8::7" },
    { { 'X', "[2001:db8::7]" }, "2001:db8::7" },
    { { 'X', "[2001:db8::7]:80" }, "2001:db8::7" },
    { { 'X', "::ffff:1.2.3.4" }, "1.2.3.4" },
    { { 'X', "1.2.3.4, 5.6.7.8" }, "5.6.7.8" },
    { { 'X', "1.2.3.4,10.1.1.1" }, "1.2.3.4" },
    { { 'X', "1.2.3.4 ,, 10.1.1.1 ," }, "1.2.3.4" },
    { { 'X', "10.3.3.3, 10.1.1.1" }, "10.3.3.3" },
    { { 'X', "1.2.3.4, unknown, 10.1.1.1" }, "10.1.1.1" },
    { { 'X', "1.2.3.4, 10.1.1.1x" }, PEER },
    { { 'X', "\"6.6.6.6, 1.2.3.4" }, "1.2.3.4" },
    { { 'X', "\"1.2.3.4\"" }, PEER },
    { { 'X', "for=1.2.3.4" }, PEER },
    { { 'X', "1.2.3.4 5.6.7.8" }, PEER },
    { { 'X', "1.2.3.4:" }, PEER },
    { { 'X', "1.2.3.4:99999" }, PEER },
    { { 'X', "[2001:db8::7]:x" }, PEER },
    { { 'X', "" }, PEER },
};

TEST(the_farthest_address_that_may_be_believed_is_the_client)
{
    for (size_t i = 0; i < MW_COUNT(single); i++) {
        char client[MW_IP_TEXT_LEN];
        find_client(&single[i].line, 1, client);
        if (strcmp(client, single[i].client) != 0)
            fail_msg("%s: %s instead of %s", single[i].line.value, client, single[i].client);
    }
}

/* ---- several lines ---- */

static const struct {
    struct line lines[3];
    size_t count;
    const char *client;
} several[] = {
    { { { 0 } }, 0, PEER },
    { { { 'F', "for=1.2.3.4" }, { 'F', "for=10.1.1.1" } }, 2, "1.2.3.4" },
    { { { 'F', "for=10.1.1.1" }, { 'F', "for=1.2.3.4" } }, 2, "1.2.3.4" },
    { { { 'F', "for=1.2.3.4" }, { 'F', "" }, { 'F', "for=10.1.1.1" } }, 3, "1.2.3.4" },
    { { { 'F', "for=1.2.3.4" }, { 'F', "x" }, { 'F', "for=10.1.1.1" } }, 3, "10.1.1.1" },
    { { { 'F', "for=\"6.6.6.6" }, { 'F', "for=10.1.1.1" } }, 2, "10.1.1.1" },
    { { { 'X', "1.2.3.4, 10.2.2.2" }, { 'X', "10.1.1.1" } }, 2, "1.2.3.4" },
    /* the header that the proxies do not write is the client's own */
    { { { 'X', "5.5.5.5" }, { 'F', "for=6.6.6.6" } }, 2, "5.5.5.5" },
    { { { 'F', "for=1.2.3.4" }, { 'X', "6.6.6.6" } }, 2, "1.2.3.4" },
    { { { 'F', "for=unknown" }, { 'X', "6.6.6.6" } }, 2, PEER },
    { { { 'X', "unknown" }, { 'F', "for=6.6.6.6" } }, 2, PEER },
};

TEST(several_lines_are_one_list_and_the_other_header_is_not_read)
{
    for (size_t i = 0; i < MW_COUNT(several); i++) {
        char client[MW_IP_TEXT_LEN];
        find_client(several[i].lines, several[i].count, client);
        if (strcmp(client, several[i].client) != 0)
            fail_msg("no. %zu: %s instead of %s", i, client, several[i].client);
    }
}

TEST(without_a_trusted_network_the_nearest_entry_is_the_client)
{
    static const struct mw_header headers[] = { { MW_VIEW("x-forwarded-for"),
                                                  MW_VIEW("1.2.3.4, 10.1.1.1") } };
    const struct mw_http_head head = { .headers = headers, .header_count = 1 };
    struct mw_ip peer, client;
    char text[MW_IP_TEXT_LEN];
    assert_true(mw_ip_parse(mw_view_text(PEER), &peer));
    mw_forwarded_client(&head, MW_FORWARDED_BY_X_FORWARDED_FOR, NULL, 0, &peer, &client);
    mw_ip_text(&client, text);
    assert_string_equal(text, "10.1.1.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_farthest_address_that_may_be_believed_is_the_client),
        CASE(several_lines_are_one_list_and_the_other_header_is_not_read),
        CASE(without_a_trusted_network_the_nearest_entry_is_the_client),
    };
    return RUN(tests);
}
