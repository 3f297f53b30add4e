/*
 * Sec-WebSocket-Extensions: the grammar against a regular expression written off RFC 6455 9.1, and
 * both sides of the bargain against each other: what a server of ours answers, a client of ours
 * takes.
 *
 * Input: two bytes for a client's offer, then lines: each is the value of one such header.
 */
#include <regex.h>

#include "core/proto/ext.h"
#include "tests/fuzz/fuzz.h"

#define MAX_HEADERS 8

struct headers {
    struct mw_http_head head;
    struct mw_header list[MAX_HEADERS];
};

static void add_header(struct headers *headers, struct mw_view value)
{
    struct mw_header *header = &headers->list[headers->head.header_count++];
    *header = (struct mw_header){ MW_VIEW("sec-websocket-extensions"), mw_view_trim(value) };
    headers->head.headers = headers->list;
}

/* One header with this value, or none where it is empty. */
static const struct mw_http_head *with(struct headers *headers, const char *value)
{
    *headers = (struct headers){ 0 };
    if (*value)
        add_header(headers, mw_view_text(value));
    return &headers->head;
}

/* ---- the grammar ---- */

#define BLANKS  "[ \t]*"
#define TOKEN   "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#define QUOTED  "\"(\\\\?[!#$%&'*+.^_`|~0-9A-Za-z-])+\""
#define VALUE   "(" BLANKS "=" BLANKS "(" TOKEN "|" QUOTED "))?"
#define ELEMENT TOKEN "(" BLANKS ";" BLANKS TOKEN VALUE ")*" BLANKS
#define LIST    "^" BLANKS "(" ELEMENT ")?(," BLANKS "(" ELEMENT ")?)*$"

static bool is_list(struct mw_view value)
{
    static regex_t list;
    static bool made;
    if (!made)
        CHECK(regcomp(&list, LIST, REG_EXTENDED | REG_NOSUB) == 0);
    made = true;
    if (memchr(value.data, '\0', value.len))
        return false;
    char *text = malloc(value.len + 1);
    CHECK(text != NULL);
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    bool fits = regexec(&list, text, 0, NULL, 0) == 0;
    free(text);
    return fits;
}

static void check_grammar(const struct mw_http_head *head)
{
    bool wellformed = true;
    for (size_t i = 0; i < head->header_count; i++)
        wellformed = wellformed && is_list(head->headers[i].value);
    CHECK(mw_ext_is_wellformed(head) == wellformed);
}

/* ---- the bargain ---- */

static bool is_window(uint8_t bits)
{
    return bits == 0 || (bits >= 8 && bits <= 15);
}

/* Whatever was offered: what is answered can be kept here, and a client that offered it takes it.
 */
static void check_server(const struct mw_http_head *head, bool takeover)
{
    const struct mw_ext_deflate anything = { .on = true, .client_bits = 15 };
    struct mw_ext_deflate terms, taken;
    struct headers headers;
    char text[MW_EXT_TEXT_MAX];
    mw_ext_pick(head, takeover, &terms);
    mw_ext_write(text, &terms);
    CHECK(terms.on == (text[0] != '\0'));
    if (!terms.on)
        return;
    CHECK(takeover || (terms.server_no_takeover && terms.client_no_takeover));
    CHECK(terms.server_bits <= MW_EXT_WINDOW_BITS && terms.client_bits <= MW_EXT_WINDOW_BITS);
    CHECK(terms.server_bits == 0 || terms.server_bits >= 9);
    CHECK(is_window(terms.client_bits));
    CHECK(terms.client_bits || terms.client_no_takeover); /* no 32 KiB are kept for anyone */
    CHECK(mw_ext_is_wellformed(with(&headers, text)));
    CHECK(mw_ext_check(&headers.head, &anything, &taken) == MW_OK);
    CHECK(taken.on && taken.server_bits == terms.server_bits);
    CHECK(taken.server_no_takeover == terms.server_no_takeover);
    CHECK(taken.client_no_takeover == terms.client_no_takeover);
}

/* An answer that nobody of ours has written: what a client takes of it keeps to its offer. */
static void check_client(const struct mw_http_head *head, const struct mw_ext_deflate *offer)
{
    struct mw_ext_deflate terms;
    if (mw_ext_check(head, offer, &terms) != MW_OK || !terms.on)
        return;
    CHECK(mw_ext_is_wellformed(head));
    CHECK(terms.server_no_takeover || !offer->server_no_takeover);
    CHECK(terms.client_no_takeover || !offer->client_no_takeover);
    CHECK(is_window(terms.server_bits) && is_window(terms.client_bits));
    CHECK(!offer->server_bits || (terms.server_bits && terms.server_bits <= offer->server_bits));
    CHECK(mw_ext_bits(terms.client_bits) <= mw_ext_bits(offer->client_bits));
}

static struct mw_ext_deflate take_offer(struct mw_view *input)
{
    uint8_t flags = take_byte(input), bits = take_byte(input);
    return (struct mw_ext_deflate){
        .on = !(flags & 8),
        .server_no_takeover = flags & 1,
        .client_no_takeover = flags & 2,
        .server_bits = (bits & 15) >= 9 ? bits & 15 : 0,
        .client_bits = bits >> 4 >= 8 ? bits >> 4 : 0,
    };
}

/* Our client's offer, our server's answer, our client's check. */
static void check_both(const struct mw_ext_deflate *offer, bool takeover)
{
    struct mw_ext_deflate answered, taken;
    struct headers headers;
    char text[MW_EXT_TEXT_MAX];
    mw_ext_write(text, offer);
    mw_ext_pick(with(&headers, text), takeover, &answered);
    CHECK(answered.on == offer->on);
    mw_ext_write(text, &answered);
    CHECK(mw_ext_check(with(&headers, text), offer, &taken) == MW_OK);
    CHECK(mw_ext_bits(taken.client_bits) <= mw_ext_bits(answered.client_bits));
    CHECK(taken.server_bits == answered.server_bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view input = mw_view(copy, size);
    bool takeover = size % 2;
    struct headers headers = { 0 };
    struct mw_ext_deflate offer = take_offer(&input);
    while (input.len > 0 && headers.head.header_count < MAX_HEADERS)
        add_header(&headers, take_line(&input));
    check_grammar(&headers.head);
    check_server(&headers.head, takeover);
    check_client(&headers.head, &offer);
    check_both(&offer, takeover);
    free(copy);
    return 0;
}
