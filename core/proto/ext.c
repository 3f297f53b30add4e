/*
 * The grammar of Sec-WebSocket-Extensions and the bargain of permessage-deflate. Called by
 * handshake and by the server's upgrade; keeps no state, sees no frame.
 *
 *     extension-list = 1#extension
 *     extension      = token *( ";" token [ "=" ( token | quoted-string ) ] )
 */
#include "core/proto/ext.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"

#define HEADER    "sec-websocket-extensions"
#define EXTENSION "permessage-deflate"

/* RFC 7692 7.1.2: windows of 256 bytes to 32 KiB; zlib's raw streams begin with 512. */
#define LEAST_BITS     8
#define MOST_BITS      15
#define LEAST_OUR_BITS 9

/* ---- the grammar ---- */

enum param { SERVER_NO_TAKEOVER, CLIENT_NO_TAKEOVER, SERVER_BITS, CLIENT_BITS, PARAM_COUNT };

static const struct {
    const char *name;
    bool may_be_bare, may_have_bits;
} params[PARAM_COUNT] = {
    [SERVER_NO_TAKEOVER] = { "server_no_context_takeover", true, false },
    [CLIENT_NO_TAKEOVER] = { "client_no_context_takeover", true, false },
    [SERVER_BITS] = { "server_max_window_bits", false, true },
    [CLIENT_BITS] = { "client_max_window_bits", true, true },
};

/* One extension of the list. */
struct element {
    bool is_deflate;
    bool is_bad; /* holds a parameter that is unknown, repeated or has a value it must not have */
    bool given[PARAM_COUNT];
    uint8_t bits[PARAM_COUNT]; /* 0: without a value */
};

/* Walks the elements of all headers as if they were one list (RFC 9110 5.3). */
struct walk {
    const struct mw_http_head *head;
    size_t next_header;
    struct mw_view rest;
};

enum found { FOUND, NOTHING_LEFT, MALFORMED };

static void skip_blanks(struct mw_view *rest)
{
    while (rest->len && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = mw_view_from(*rest, 1);
}

static bool take_byte(struct mw_view *rest, char byte)
{
    skip_blanks(rest);
    if (rest->len == 0 || rest->data[0] != byte)
        return false;
    *rest = mw_view_from(*rest, 1);
    return true;
}

static bool take_token(struct mw_view *rest, struct mw_view *token)
{
    size_t len = 0;
    skip_blanks(rest);
    while (len < rest->len && mw_is_token(mw_view(rest->data + len, 1)))
        len++;
    *token = mw_view(rest->data, len);
    *rest = mw_view_from(*rest, len);
    return len > 0;
}

/* What a value can mean to us fits in here; a longer one keeps its length and is none of ours. */
struct value {
    bool given;
    size_t len;
    char text[4];
};

static void put_value(struct value *value, char byte)
{
    if (value->len < sizeof value->text)
        value->text[value->len] = byte;
    value->len++;
}

/* RFC 6455 9.1: what a quoted string holds must be a token once the backslashes are gone. */
static bool take_quoted(struct mw_view *rest, struct value *value)
{
    size_t i = 0;
    for (; i < rest->len && rest->data[i] != '"'; i++) {
        i += rest->data[i] == '\\';
        if (i >= rest->len || !mw_is_token(mw_view(rest->data + i, 1)))
            return false;
        put_value(value, rest->data[i]);
    }
    bool closed = i < rest->len;
    *rest = mw_view_from(*rest, i + 1);
    return closed && value->len > 0;
}

static bool take_value(struct mw_view *rest, struct value *value)
{
    *value = (struct value){ 0 };
    if (!take_byte(rest, '='))
        return true;
    value->given = true;
    if (take_byte(rest, '"'))
        return take_quoted(rest, value);
    struct mw_view token;
    if (!take_token(rest, &token))
        return false;
    for (size_t i = 0; i < token.len; i++)
        put_value(value, token.data[i]);
    return true;
}

/* RFC 7692 7.1.2: a decimal number without leading zeros. */
static bool parse_bits(const struct value *value, uint8_t *bits)
{
    uint64_t number;
    if (value->len > 2 || value->text[0] == '0')
        return false;
    if (!mw_parse_u64(mw_view(value->text, value->len), LEAST_BITS, MOST_BITS, &number))
        return false;
    *bits = (uint8_t)number;
    return true;
}

static bool note_param(struct element *element, struct mw_view name, const struct value *value)
{
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        if (!mw_view_is(name, params[i].name))
            continue;
        if (element->given[i])
            return false;
        element->given[i] = true;
        if (!value->given)
            return params[i].may_be_bare;
        return params[i].may_have_bits && parse_bits(value, &element->bits[i]);
    }
    return false;
}

static enum found take_element(struct mw_view *rest, struct element *element)
{
    struct mw_view name;
    struct value value;
    *element = (struct element){ 0 };
    if (!take_token(rest, &name))
        return MALFORMED;
    element->is_deflate = mw_view_is(name, EXTENSION);
    while (take_byte(rest, ';')) {
        if (!take_token(rest, &name) || !take_value(rest, &value))
            return MALFORMED;
        if (!note_param(element, name, &value))
            element->is_bad = true;
    }
    skip_blanks(rest);
    return rest->len == 0 || take_byte(rest, ',') ? FOUND : MALFORMED;
}

static bool next_header(struct walk *walk)
{
    while (walk->next_header < walk->head->header_count) {
        const struct mw_header *header = &walk->head->headers[walk->next_header++];
        if (mw_view_is(header->name, HEADER)) {
            walk->rest = header->value;
            return true;
        }
    }
    return false;
}

/* Empty elements are passed over (RFC 9110 5.6.1.2). */
static enum found next_element(struct walk *walk, struct element *element)
{
    for (;;) {
        while (take_byte(&walk->rest, ','))
            continue;
        if (walk->rest.len > 0)
            return take_element(&walk->rest, element);
        if (!next_header(walk))
            return NOTHING_LEFT;
    }
}

bool mw_ext_is_wellformed(const struct mw_http_head *head)
{
    struct walk walk = { .head = head };
    struct element element;
    enum found found = FOUND;
    while (found == FOUND)
        found = next_element(&walk, &element);
    return found == NOTHING_LEFT;
}

/* ---- the bargain ---- */

static uint8_t at_most(uint8_t bits, uint8_t most)
{
    return bits && bits < most ? bits : most;
}

static bool can_be_kept(const struct element *offer)
{
    bool too_small = offer->given[SERVER_BITS] && offer->bits[SERVER_BITS] < LEAST_OUR_BITS;
    return offer->is_deflate && !offer->is_bad && !too_small;
}

static struct mw_ext_deflate terms_for(const struct element *offer, bool takeover)
{
    bool is_unbounded = !offer->given[CLIENT_BITS];
    return (struct mw_ext_deflate){
        .on = true,
        .server_no_takeover = !takeover || offer->given[SERVER_NO_TAKEOVER],
        .client_no_takeover = !takeover || is_unbounded || offer->given[CLIENT_NO_TAKEOVER],
        /* Said where it was asked for; a smaller window than was said harms nobody. */
        .server_bits =
            offer->given[SERVER_BITS] ? at_most(offer->bits[SERVER_BITS], MW_EXT_WINDOW_BITS) : 0,
        /* RFC 7692 7.1.2.2: only where it was offered. */
        .client_bits = is_unbounded ? 0 : at_most(offer->bits[CLIENT_BITS], MW_EXT_WINDOW_BITS),
    };
}

void mw_ext_pick(const struct mw_http_head *head, bool takeover, struct mw_ext_deflate *terms)
{
    struct walk walk = { .head = head };
    struct element offer;
    *terms = (struct mw_ext_deflate){ 0 };
    while (next_element(&walk, &offer) == FOUND) {
        if (can_be_kept(&offer)) {
            *terms = terms_for(&offer, takeover);
            return;
        }
    }
}

void mw_ext_write(char out[MW_EXT_TEXT_MAX], const struct mw_ext_deflate *terms)
{
    char server_bits[32] = "", client_bits[32] = "";
    out[0] = '\0';
    if (!terms->on)
        return;
    if (terms->server_bits)
        snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%u",
                 terms->server_bits);
    if (terms->client_bits == MOST_BITS)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits");
    else if (terms->client_bits)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%u",
                 terms->client_bits);
    int len = snprintf(out, MW_EXT_TEXT_MAX, "%s%s%s%s%s", EXTENSION,
                       terms->server_no_takeover ? "; server_no_context_takeover" : "",
                       terms->client_no_takeover ? "; client_no_context_takeover" : "", server_bits,
                       client_bits);
    mw_assert(len > 0 && len < MW_EXT_TEXT_MAX);
    (void)len;
}

/* ---- the client's side ---- */

/* RFC 7692 7.1.1.1, 7.1.2.1, 7.1.2.2: what was asked for is granted, what needs an offer had one.
 */
static bool answers(const struct element *answer, const struct mw_ext_deflate *offer)
{
    if (!answer->is_deflate || answer->is_bad || !offer->on)
        return false;
    if (offer->server_no_takeover && !answer->given[SERVER_NO_TAKEOVER])
        return false;
    if (offer->server_bits &&
        (!answer->given[SERVER_BITS] || answer->bits[SERVER_BITS] > offer->server_bits))
        return false;
    if (!answer->given[CLIENT_BITS])
        return true;
    return offer->client_bits && answer->bits[CLIENT_BITS];
}

int mw_ext_check(const struct mw_http_head *head, const struct mw_ext_deflate *offer,
                 struct mw_ext_deflate *terms)
{
    struct walk walk = { .head = head };
    struct element answer, second;
    *terms = (struct mw_ext_deflate){ 0 };
    enum found found = next_element(&walk, &answer);
    if (found == NOTHING_LEFT)
        return MW_OK;
    if (found == MALFORMED || next_element(&walk, &second) != NOTHING_LEFT)
        return MW_ERR_PROTOCOL;
    if (!answers(&answer, offer))
        return MW_ERR_PROTOCOL;
    uint8_t ours = offer->client_bits; /* a promise that the answer may only make narrower */
    if (answer.given[CLIENT_BITS])
        ours = at_most(ours, answer.bits[CLIENT_BITS]);
    *terms = (struct mw_ext_deflate){
        .on = true,
        .server_no_takeover = answer.given[SERVER_NO_TAKEOVER],
        .client_no_takeover = offer->client_no_takeover || answer.given[CLIENT_NO_TAKEOVER],
        .server_bits = answer.bits[SERVER_BITS],
        .client_bits = ours,
    };
    return MW_OK;
}
