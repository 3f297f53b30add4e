/*
 * Addresses, networks, and who stands behind the proxies. Addresses are read as the system reads
 * them; the client is the peer, or is named in a header, and nobody on the way to it is foreign.
 *
 * Input: a line with the peer, one with trusted networks and blanks between them; then lines, each
 * a header: those that begin with '+' are X-Forwarded-For, the others Forwarded.
 */
#include "core/proto/forwarded.h"

#include <arpa/inet.h>

#include "tests/fuzz/fuzz.h"

#define MAX_HEADERS 6
#define MAX_NETS    6

/* ---- addresses and networks ---- */

static bool is_mapped(const uint8_t bytes[16])
{
    static const uint8_t prefix[12] = { [10] = 0xFF, [11] = 0xFF };
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

/* What the system makes of a text without a NUL: 4 or 16 bytes, or 0. */
static size_t system_reads(struct mw_view text, uint8_t out[16])
{
    char copy[100];
    if (text.len >= sizeof copy || memchr(text.data, '\0', text.len))
        return 0;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, out) == 1)
        return 4;
    return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

static void check_address(struct mw_view text)
{
    uint8_t bytes[16];
    struct mw_ip ip, again;
    char written[MW_IP_TEXT_LEN];
    bool is_one = mw_ip_parse(text, &ip);
    size_t len = text.len ? system_reads(text, bytes) : 0;
    CHECK(is_one == (len > 0));
    if (!is_one)
        return;
    bool mapped = len == 16 && is_mapped(bytes);
    CHECK(ip.len == (mapped ? 4 : len));
    CHECK(memcmp(ip.bytes, mapped ? bytes + 12 : bytes, ip.len) == 0);
    mw_ip_text(&ip, written);
    CHECK(mw_ip_parse(mw_view_text(written), &again) && mw_ip_equal(&ip, &again));
}

static bool bit(const struct mw_ip *ip, unsigned at)
{
    return ip->bytes[at / 8] >> (7 - at % 8) & 1;
}

static bool shares(const struct mw_net *net, const struct mw_ip *ip)
{
    bool same = net->base.len == ip->len;
    for (unsigned at = 0; same && at < net->bits; at++)
        same = bit(&net->base, at) == bit(ip, at);
    return same;
}

static void check_network(const struct mw_net *net, const struct mw_ip *peer)
{
    CHECK(net->base.len == 4 || net->base.len == 16);
    CHECK(net->bits <= net->base.len * 8);
    for (unsigned at = net->bits; at < net->base.len * 8u; at++)
        CHECK(!bit(&net->base, at));
    CHECK(mw_net_holds(net, &net->base));
    for (unsigned at = 0; at < net->base.len * 8u; at++) {
        struct mw_ip neighbour = net->base;
        neighbour.bytes[at / 8] = (uint8_t)(neighbour.bytes[at / 8] ^ 0x80 >> at % 8);
        CHECK(mw_net_holds(net, &neighbour) == (at >= net->bits));
    }
    if (peer->len)
        CHECK(mw_net_holds(net, peer) == shares(net, peer));
}

/* ---- the chain ---- */

struct trusted {
    struct mw_net nets[MAX_NETS];
    size_t count;
};

static struct trusted take_trusted(struct mw_view line, const struct mw_ip *peer)
{
    struct trusted trusted = { .count = 0 };
    struct mw_view word;
    while (trusted.count < MAX_NETS && mw_view_split(&line, ' ', &word)) {
        check_address(word);
        if (!mw_net_parse(word, &trusted.nets[trusted.count]))
            continue;
        check_network(&trusted.nets[trusted.count], peer);
        trusted.count++;
    }
    return trusted;
}

struct headers {
    struct mw_http_head head;
    struct mw_header list[MAX_HEADERS];
};

static void take_headers(struct mw_view input, struct headers *out)
{
    *out = (struct headers){ .head = { .headers = out->list } };
    while (input.len > 0 && out->head.header_count < MAX_HEADERS) {
        struct mw_view line = take_line(&input);
        struct mw_header *header = &out->list[out->head.header_count++];
        bool is_plain = line.len > 0 && line.data[0] == '+';
        header->name = mw_view_text(is_plain ? "x-forwarded-for" : "forwarded");
        struct mw_view value = mw_view_trim(is_plain ? mw_view_from(line, 1) : line);
        header->value = mw_view(exact_copy(value), value.len);
    }
}

/* The header of the first line is the one that is read; the other one decides nothing. */
static enum mw_forwarded_by by_first(const struct headers *headers)
{
    bool is_plain =
        headers->head.header_count == 0 || mw_view_is(headers->list[0].name, "x-forwarded-for");
    return is_plain ? MW_FORWARDED_BY_X_FORWARDED_FOR : MW_FORWARDED_BY_FORWARDED;
}

static void free_headers(struct headers *headers)
{
    for (size_t i = 0; i < headers->head.header_count; i++)
        free((char *)headers->list[i].value.data);
}

static bool holds(const struct trusted *trusted, const struct mw_ip *ip)
{
    bool held = false;
    for (size_t i = 0; i < trusted->count; i++)
        held = held || mw_net_holds(&trusted->nets[i], ip);
    return held;
}

/* Whom nobody trusts decides nothing: what stands before the client changes nothing. */
static void check_left_side(struct headers *headers, const struct trusted *trusted,
                            const struct mw_ip *peer, const struct mw_ip *client)
{
    struct mw_ip again;
    struct mw_header *first = &headers->list[0];
    if (headers->head.header_count == 0 || holds(trusted, client) || mw_ip_equal(client, peer))
        return;
    bool is_plain = mw_view_is(first->name, "x-forwarded-for");
    struct mw_view evil = mw_view_text(is_plain ? "6.6.6.6, " : "for=6.6.6.6, ");
    char *longer = malloc(evil.len + first->value.len);
    CHECK(longer != NULL);
    memcpy(longer, evil.data, evil.len);
    memcpy(longer + evil.len, first->value.data, first->value.len);
    size_t len = evil.len + first->value.len;
    free((char *)first->value.data);
    first->value = mw_view(longer, len);
    mw_forwarded_client(&headers->head, by_first(headers), trusted->nets, trusted->count, peer,
                        &again);
    CHECK(mw_ip_equal(&again, client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view input = mw_view(copy, size), line = take_line(&input);
    struct mw_ip peer = { 0 }, client;
    struct headers headers;
    check_address(line);
    if (!mw_ip_parse(line, &peer))
        mw_ip_parse(mw_view_text("10.0.0.1"), &peer);
    struct trusted trusted = take_trusted(take_line(&input), &peer);
    take_headers(input, &headers);
    mw_forwarded_client(&headers.head, by_first(&headers), trusted.nets, trusted.count, &peer,
                        &client);
    CHECK(client.len == 4 || client.len == 16);
    CHECK(client.len == 4 || !is_mapped(client.bytes));
    if (headers.head.header_count == 0)
        CHECK(mw_ip_equal(&client, &peer));
    check_left_side(&headers, &trusted, &peer, &client);
    free_headers(&headers);
    free(copy);
    return 0;
}
