/* ip: texts of addresses and networks, each against what it must become. */
#include "core/base/ip.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

/* ---- addresses ---- */

/* NULL: not an address. */
static const struct {
    struct mw_view text;
    const char *shortest;
} addresses[] = {
    { MW_VIEW("203.0.113.7"), "203.0.113.7" },
    { MW_VIEW("0.0.0.0"), "0.0.0.0" },
    { MW_VIEW("255.255.255.255"), "255.255.255.255" },
    { MW_VIEW("::"), "::" },
    { MW_VIEW("::1"), "::1" },
    { MW_VIEW("2001:DB8::A"), "2001:db8::a" },
    { MW_VIEW("2001:0db8:0000:0000:0001:0000:0000:0001"), "2001:db8::1:0:0:1" },
    { MW_VIEW("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1" },
    { MW_VIEW("::ffff:192.0.2.1"), "192.0.2.1" },
    { MW_VIEW("0000:0000:0000:0000:0000:ffff:192.168.100.228"), "192.168.100.228" },
    { MW_VIEW("::FFFF:c000:0201"), "192.0.2.1" },
    { MW_VIEW("::fffe:192.0.2.1"), "::fffe:c000:201" },
    { MW_VIEW("64:ff9b::192.0.2.1"), "64:ff9b::c000:201" },
    { MW_VIEW(""), NULL },
    { MW_VIEW("1"), NULL },
    { MW_VIEW("1.2.3"), NULL },
    { MW_VIEW("1.2.3.4."), NULL },
    { MW_VIEW("1.2.3.256"), NULL },
    { MW_VIEW("01.2.3.4"), NULL },
    { MW_VIEW("0x1.2.3.4"), NULL },
    { MW_VIEW("1.2.3.4 "), NULL },
    { MW_VIEW(" 1.2.3.4"), NULL },
    { MW_VIEW("1.2.3.4:80"), NULL },
    { MW_VIEW("1.2.3.4\0"), NULL },
    { MW_VIEW("1.2.3.4\0x"), NULL },
    { MW_VIEW("\0"), NULL },
    { MW_VIEW("[::1]"), NULL },
    { MW_VIEW("::1%eth0"), NULL },
    { MW_VIEW("::1::"), NULL },
    { MW_VIEW(":1"), NULL },
    { MW_VIEW("1:2:3:4:5:6:7"), NULL },
    { MW_VIEW("1:2:3:4:5:6:7:8:9"), NULL },
    { MW_VIEW("12345::"), NULL },
    { MW_VIEW("::g"), NULL },
    { MW_VIEW("localhost"), NULL },
    { MW_VIEW("0000:0000:0000:0000:0000:ffff:192.168.100.2288"), NULL },
    { MW_VIEW("00000000000000000000000000000000000000000000000"), NULL },
};

static bool parse(struct mw_view text, struct mw_ip *ip)
{
    char *copy = malloc(text.len ? text.len : 1); /* so that a read behind it is seen */
    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    bool is_address = mw_ip_parse(mw_view(copy, text.len), ip);
    free(copy);
    return is_address;
}

TEST(addresses_are_read_strictly_and_written_shortest)
{
    for (size_t i = 0; i < MW_COUNT(addresses); i++) {
        struct mw_ip ip = { 0 }, again;
        char text[MW_IP_TEXT_LEN];
        const char *expected = addresses[i].shortest;
        bool is_address = parse(addresses[i].text, &ip);
        if (is_address != (expected != NULL))
            fail_msg("%s: %d", addresses[i].text.data, is_address);
        if (!expected)
            continue;
        mw_ip_text(&ip, text);
        assert_string_equal(text, expected);
        assert_true(parse(mw_view_text(text), &again));
        assert_true(mw_ip_equal(&ip, &again));
    }
}

TEST(bytes_become_an_address_by_their_number)
{
    static const uint8_t bytes[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 1, 2, 3 };
    char text[MW_IP_TEXT_LEN];
    struct mw_ip ip = mw_ip_of(bytes, 16);
    mw_ip_text(&ip, text);
    assert_string_equal(text, "10.1.2.3");
    ip = mw_ip_of(bytes + 12, 4);
    mw_ip_text(&ip, text);
    assert_string_equal(text, "10.1.2.3");
    for (size_t len = 0; len < 16; len++) {
        ip = mw_ip_of(bytes, len);
        assert_int_equal(ip.len, len == 4 ? 4 : 0);
    }
    ip = mw_ip_of(bytes, 0);
    mw_ip_text(&ip, text);
    assert_string_equal(text, "");
}

/* ---- networks ---- */

/* in, out: an address inside and one outside, or NULL. All NULL: not a network. */
static const struct {
    const char *net, *in, *out;
} nets[] = {
    { "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
    { "10.0.0.0/8", "10.0.0.0", "9.255.255.255" },
    { "172.16.0.0/12", "172.31.255.255", "172.32.0.0" },
    { "192.0.2.0/31", "192.0.2.1", "192.0.2.2" },
    { "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
    { "192.0.2.7", "192.0.2.7", "192.0.2.6" },
    { "192.0.2.7", "::ffff:192.0.2.7", "::c000:207" },
    { "0.0.0.0/0", "255.255.255.255", "::" },
    { "128.0.0.0/1", "128.0.0.0", "127.255.255.255" },
    { "::1", "::1", "::2" },
    { "::/0", "ffff::", "0.0.0.0" },
    { "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
    { "2001:db8::8/125", "2001:db8::f", "2001:db8::10" },
    { "fe80::/10", "febf::1", "fec0::" },
    { "::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0" },
    { "::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2" },
    { "::ffff:0:0/96", "1.2.3.4", "::1" },
    { "10.0.0.1/8", NULL, NULL },
    { "128.0.0.0/0", NULL, NULL },
    { "10.0.0.0/33", NULL, NULL },
    { "10.0.0.0/08", NULL, NULL },
    { "10.0.0.0/00", NULL, NULL },
    { "10.0.0.0/", NULL, NULL },
    { "10.0.0.0/+8", NULL, NULL },
    { "10.0.0.0/ 8", NULL, NULL },
    { "10.0.0.0/8/8", NULL, NULL },
    { "10.0.0.0/255.0.0.0", NULL, NULL },
    { "10.0.0.0/4294967304", NULL, NULL },
    { "/8", NULL, NULL },
    { "", NULL, NULL },
    { "10/8", NULL, NULL },
    { "::/129", NULL, NULL },
    { "::1/127", NULL, NULL },
    { "::ffff:0:0/95", NULL, NULL },
    { "::ffff:10.0.0.1/104", NULL, NULL },
    { "example.com", NULL, NULL },
};

static bool holds(const struct mw_net *net, const char *address)
{
    struct mw_ip ip;
    assert_true(mw_ip_parse(mw_view_text(address), &ip));
    return mw_net_holds(net, &ip);
}

TEST(networks_hold_what_begins_with_their_bits)
{
    for (size_t i = 0; i < MW_COUNT(nets); i++) {
        struct mw_net net;
        bool is_net = mw_net_parse(mw_view_text(nets[i].net), &net);
        if (is_net != (nets[i].in != NULL))
            fail_msg("%s: %d", nets[i].net, is_net);
        if (!is_net)
            continue;
        if (!holds(&net, nets[i].in))
            fail_msg("%s does not hold %s", nets[i].net, nets[i].in);
        if (holds(&net, nets[i].out))
            fail_msg("%s holds %s", nets[i].net, nets[i].out);
    }
}

TEST(no_network_holds_no_address)
{
    struct mw_net net;
    const struct mw_ip none = { 0 };
    assert_true(mw_net_parse(mw_view_text("0.0.0.0/0"), &net));
    assert_false(mw_net_holds(&net, &none));
    net = (struct mw_net){ 0 };
    assert_false(mw_net_holds(&net, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(addresses_are_read_strictly_and_written_shortest),
        CASE(bytes_become_an_address_by_their_number),
        CASE(networks_hold_what_begins_with_their_bits),
        CASE(no_network_holds_no_address),
    };
    return RUN(tests);
}
