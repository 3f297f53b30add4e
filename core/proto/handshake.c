/*
 * The opening handshake: what a request must say to become a WebSocket, what the answer says, and
 * the same from the client's side. Works on whole heads; reads no bytes, keeps no state. Called by
 * the server's driver and by clients.
 */
#include "core/proto/handshake.h"

#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/str.h"

/* RFC 6455 1.3 */
#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_BYTES  16

/*
 * Offers are compared with each other: without a bound a head full of them would cost millions of
 * comparisons.
 */
#define MAX_OFFERS 64

/* ---- what a request must say (RFC 6455 4.2.1) ---- */

#define VERSION_LINES "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"

static const struct mw_ws_refusal
    bad_method = { 405, "bad_method", "RFC 6455 4.2.1: the request of a WebSocket is a GET",
                   "Allow: GET\r\n" },
    bad_version = { 505, "bad_version",
                    "RFC 6455 4.2.1: a WebSocket needs HTTP/1.1; a proxy in between may be "
                    "speaking HTTP/1.0",
                    NULL },
    bad_host = { 400, "bad_host", "RFC 6455 4.2.1: the request has one Host header", NULL },
    bad_upgrade = { 400, "bad_upgrade", "RFC 6455 4.2.1: Upgrade names websocket", NULL },
    bad_connection = { 400, "bad_connection",
                       "RFC 6455 4.2.1: Connection names Upgrade; a proxy in between may have "
                       "removed it",
                       NULL },
    bad_ws_version = { 426, "bad_websocket_version",
                       "RFC 6455 4.2.1: Sec-WebSocket-Version is given once, as 13",
                       VERSION_LINES },
    bad_key = { 400, "bad_key",
                "RFC 6455 4.2.1: Sec-WebSocket-Key is given once, as the base64 of 16 bytes",
                NULL },
    bad_origin = { 400, "bad_origin", "RFC 6454 7.3: Origin is given once, or not at all", NULL },
    has_body = { 400, "has_body", "RFC 6455 4.1: the request of a WebSocket has no body", NULL },
    bad_protocol = { 400, "bad_protocol",
                     "RFC 6455 4.1: Sec-WebSocket-Protocol lists tokens, each of them once", NULL },
    many_protocols = { 400, "too_many_protocols",
                       "Sec-WebSocket-Protocol lists more than 64 tokens", NULL },
    bad_extensions = { 400, "bad_extensions",
                       "RFC 6455 9.1: Sec-WebSocket-Extensions is a list of names and parameters",
                       NULL };

bool mw_ws_is_upgrade(const struct mw_http_head *head)
{
    return mw_http_has_token(head, "upgrade", "websocket");
}

static bool is_given_once(const struct mw_http_head *head, const char *name, struct mw_view *value)
{
    size_t count;
    *value = mw_http_header(head, name, &count);
    return count == 1;
}

static bool host_is_right(const struct mw_http_head *head)
{
    struct mw_view host;
    return is_given_once(head, "host", &host) && host.len > 0;
}

static bool version_is_right(const struct mw_http_head *head)
{
    struct mw_view version;
    return is_given_once(head, "sec-websocket-version", &version) && mw_view_is(version, "13");
}

/* Whose it may be is decided above; of two nobody could say which one counts. */
static bool origin_is_right(const struct mw_http_head *head)
{
    size_t count;
    mw_http_header(head, "origin", &count);
    return count <= 1;
}

static bool key_is_right(const struct mw_http_head *head)
{
    struct mw_view key;
    uint8_t bytes[KEY_BYTES];
    return is_given_once(head, "sec-websocket-key", &key) &&
           mw_base64_decode(key, bytes, sizeof bytes) == KEY_BYTES;
}

/* ---- Sec-WebSocket-Protocol ---- */

/* Walks the tokens of all headers of one name as if they were one list (RFC 9110 5.3). */
struct token_walk {
    const struct mw_http_head *head;
    const char *name;
    size_t next_header;
    struct mw_view rest;
};

static struct token_walk walk_tokens(const struct mw_http_head *head, const char *name)
{
    return (struct token_walk){ head, name, 0, { NULL, 0 } };
}

/* Empty elements are passed over (RFC 9110 5.6.1.2). */
static bool next_token(struct token_walk *walk, struct mw_view *token)
{
    for (;;) {
        while (mw_view_split(&walk->rest, ',', token)) {
            *token = mw_view_trim(*token);
            if (token->len > 0)
                return true;
        }
        if (walk->next_header == walk->head->header_count)
            return false;
        const struct mw_header *header = &walk->head->headers[walk->next_header++];
        if (mw_view_is(header->name, walk->name))
            walk->rest = header->value;
    }
}

static bool holds(const struct mw_view *list, size_t count, struct mw_view token)
{
    for (size_t i = 0; i < count; i++) {
        if (mw_view_equal(list[i], token))
            return true;
    }
    return false;
}

/* RFC 6455 4.1 no. 10 */
static const struct mw_ws_refusal *check_protocols(const struct mw_http_head *head)
{
    struct mw_view offers[MAX_OFFERS], offer;
    size_t count = 0, headers;
    struct token_walk walk = walk_tokens(head, "sec-websocket-protocol");
    while (next_token(&walk, &offer)) {
        if (!mw_is_token(offer) || holds(offers, count, offer))
            return &bad_protocol;
        if (count == MAX_OFFERS)
            return &many_protocols;
        offers[count++] = offer;
    }
    mw_http_header(head, "sec-websocket-protocol", &headers);
    return headers > 0 && count == 0 ? &bad_protocol : NULL;
}

static const struct mw_ws_refusal *find_refusal(const struct mw_http_head *head)
{
    if (!mw_view_is(head->method, "GET"))
        return &bad_method;
    if (head->major != 1 || head->minor < 1)
        return &bad_version;
    if (!host_is_right(head))
        return &bad_host;
    if (!mw_ws_is_upgrade(head))
        return &bad_upgrade;
    if (!mw_http_has_token(head, "connection", "upgrade"))
        return &bad_connection;
    if (!version_is_right(head))
        return &bad_ws_version;
    if (!key_is_right(head))
        return &bad_key;
    if (!origin_is_right(head))
        return &bad_origin;
    if (head->has_body)
        return &has_body;
    return mw_ext_is_wellformed(head) ? check_protocols(head) : &bad_extensions;
}

int mw_ws_check_request(const struct mw_http_head *head, struct mw_ws_refusal *refusal)
{
    const struct mw_ws_refusal *found = find_refusal(head);
    if (!found)
        return MW_OK;
    *refusal = *found;
    return MW_ERR_PROTOCOL;
}

static bool is_offered(const struct mw_http_head *head, struct mw_view protocol)
{
    struct mw_view offer;
    struct token_walk walk = walk_tokens(head, "sec-websocket-protocol");
    while (next_token(&walk, &offer)) {
        if (mw_view_equal(offer, protocol))
            return true;
    }
    return false;
}

int mw_ws_pick_protocol(const struct mw_http_head *head, const struct mw_view *mine, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_offered(head, mine[i]))
            return (int)i;
    }
    return -1;
}

/* ---- origins (RFC 6454) ---- */

/* host[:port] as its two parts; a default port is written out. */
struct authority {
    struct mw_view host;
    uint64_t port;
};

static bool parse_authority(struct mw_view text, uint64_t default_port, struct authority *out)
{
    size_t bracket = mw_view_find(text, ']', 0); /* colons of an IPv6 address are inside brackets */
    size_t colon = mw_view_find(text, ':', bracket < text.len ? bracket : 0);
    out->host = mw_view(text.data, colon);
    out->port = default_port;
    struct mw_view port = mw_view_from(text, colon + 1);
    if (out->host.len == 0)
        return false;
    return port.len == 0 || mw_parse_u64(port, 0, 65535, &out->port);
}

static const struct {
    const char *prefix;
    uint64_t port;
} schemes[] = { { "http://", 80 }, { "https://", 443 }, { "ws://", 80 }, { "wss://", 443 } };

/* The part behind "scheme://" and the port that the scheme means; false for schemes without one. */
static bool split_origin(struct mw_view origin, struct mw_view *authority, uint64_t *port)
{
    for (size_t i = 0; i < MW_COUNT(schemes); i++) {
        size_t len = strlen(schemes[i].prefix);
        if (origin.len > len && mw_view_is_nocase(mw_view(origin.data, len), schemes[i].prefix)) {
            *authority = mw_view_from(origin, len);
            *port = schemes[i].port;
            return true;
        }
    }
    return false;
}

bool mw_ws_origin_is_same(const struct mw_http_head *head)
{
    size_t count;
    struct mw_view origin = mw_http_header(head, "origin", &count), host, text;
    if (count == 0)
        return true;
    struct authority theirs, ours;
    uint64_t port;
    if (count > 1 || !is_given_once(head, "host", &host) || !split_origin(origin, &text, &port))
        return false;
    if (!parse_authority(text, port, &theirs) || !parse_authority(host, port, &ours))
        return false;
    return theirs.port == ours.port && mw_view_equal_nocase(theirs.host, ours.host);
}

bool mw_ws_origin_is_listed(const struct mw_http_head *head, const struct mw_view *list,
                            size_t count)
{
    size_t headers;
    struct mw_view origin = mw_http_header(head, "origin", &headers);
    if (headers == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (mw_view_is(list[i], "*") || (headers == 1 && mw_view_equal_nocase(list[i], origin)))
            return true;
    }
    return false;
}

/* ---- the answer ---- */

int mw_ws_accept(struct mw_view key, char out[MW_WS_ACCEPT_LEN + 1])
{
    char text[MW_WS_KEY_LEN + sizeof KEY_SUFFIX - 1];
    uint8_t digest[MW_SHA1_BYTES];
    if (key.len != MW_WS_KEY_LEN)
        return MW_ERR_BAD_ARG;
    memcpy(text, key.data, MW_WS_KEY_LEN);
    memcpy(text + MW_WS_KEY_LEN, KEY_SUFFIX, sizeof KEY_SUFFIX - 1);
    int err = mw_sha1(mw_view(text, sizeof text), digest);
    if (!err)
        mw_base64(mw_view((const char *)digest, sizeof digest), out);
    return err;
}

int mw_ws_answer(struct mw_buf *out, const struct mw_http_head *request, struct mw_view protocol,
                 const struct mw_ext_deflate *terms)
{
    char accept[MW_WS_ACCEPT_LEN + 1], extensions[MW_EXT_TEXT_MAX];
    int err = mw_ws_accept(mw_http_header(request, "sec-websocket-key", NULL), accept);
    if (err)
        return err;
    mw_assert(protocol.len == 0 || mw_is_token(protocol));
    mw_ext_write(extensions, terms);
    /* Piece by piece: printf took 5 400 instructions of each handshake. */
    const struct mw_view pieces[] = {
        mw_view_text("HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: "),
        mw_view_text(accept),
        mw_view_text(protocol.len ? "\r\nSec-WebSocket-Protocol: " : ""),
        protocol,
        mw_view_text(terms->on ? "\r\nSec-WebSocket-Extensions: " : ""),
        mw_view_text(extensions),
        mw_view_text("\r\n\r\n"),
    };
    size_t len = 0;
    for (size_t i = 0; i < MW_COUNT(pieces); i++)
        len += pieces[i].len;
    err = mw_buf_reserve(out, len);
    for (size_t i = 0; !err && i < MW_COUNT(pieces); i++)
        err = mw_buf_put_view(out, pieces[i]);
    return err ? MW_ERR_NOMEM : MW_OK;
}

/* ---- the client's side (RFC 6455 4.1) ---- */

int mw_ws_request(struct mw_buf *out, struct mw_view host, struct mw_view target, const char *key,
                  const char *extra)
{
    int err = mw_buf_putf(out,
                          "GET %.*s HTTP/1.1\r\n"
                          "Host: %.*s\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: %s\r\n"
                          "%s\r\n",
                          (int)target.len, target.data, (int)host.len, host.data, key,
                          extra ? extra : "");
    return err ? MW_ERR_NOMEM : MW_OK;
}

static bool accept_is_right(const struct mw_http_head *head, const char *key)
{
    char expected[MW_WS_ACCEPT_LEN + 1];
    struct mw_view accept;
    if (mw_ws_accept(mw_view_text(key), expected) != MW_OK)
        return false;
    return is_given_once(head, "sec-websocket-accept", &accept) && mw_view_is(accept, expected);
}

/* The text of what is wrong, *error its short name; NULL: all is well. */
static const char *check_answer(const struct mw_http_head *head, const char *key,
                                struct mw_ext_deflate *terms, const char **error)
{
    const struct mw_ext_deflate offer = *terms;
    size_t protocols;
    mw_http_header(head, "sec-websocket-protocol", &protocols);
    *error = "bad_status";
    if (head->status != 101)
        return "RFC 6455 4.1: the server did not answer with 101";
    *error = "bad_upgrade";
    if (!mw_ws_is_upgrade(head))
        return "RFC 6455 4.1: Upgrade of the answer names websocket";
    *error = "bad_connection";
    if (!mw_http_has_token(head, "connection", "upgrade"))
        return "RFC 6455 4.1: Connection of the answer names Upgrade";
    *error = "bad_accept";
    if (!accept_is_right(head, key))
        return "RFC 6455 4.1: Sec-WebSocket-Accept is not the answer to the key that was sent";
    *error = "bad_extension";
    if (mw_ext_check(head, &offer, terms) != MW_OK)
        return "RFC 6455 4.1: the server uses an extension as it was not offered";
    *error = "bad_protocol";
    return protocols > 1 ? "RFC 6455 4.1: the server picked more than one subprotocol" : NULL;
}

int mw_ws_check_answer(const struct mw_http_head *head, const char *key,
                       struct mw_ext_deflate *terms, struct mw_ws_refusal *refusal)
{
    const char *error, *text = check_answer(head, key, terms, &error);
    if (!text)
        return MW_OK;
    *refusal = (struct mw_ws_refusal){ head->status, error, text, NULL };
    return MW_ERR_PROTOCOL;
}
