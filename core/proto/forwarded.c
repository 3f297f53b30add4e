/*
 * The chain of addresses in front of a trusted proxy. Decides by the text alone whom the proxies
 * name; never judges whether the peer may speak for others.
 *
 * Each proxy adds its entry at the end, so the end is what trusted ones wrote and the beginning
 * what anybody may have written. The lists are therefore cut and read from the right: nothing on
 * the left, an open quote for example, changes how an entry further right is read.
 */
#include "core/proto/forwarded.h"

#include "core/base/str.h"

/* ---- entries of a list, from the last to the first ---- */

struct walk {
    const struct mw_http_head *head;
    const char *name;
    bool has_quotes;    /* commas within quotes are no ends */
    size_t next_header; /* one behind the header that comes next */
    struct mw_view rest;
};

/* RFC 9110 5.6.4: within quotes a backslash takes the meaning from the byte behind it. */
static bool is_escaped(struct mw_view text, size_t at)
{
    size_t backslashes = 0;
    while (at > backslashes && text.data[at - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/* Where the last entry of the list begins. An open quote takes in all that is before it. */
static size_t start_of_last(struct mw_view list, bool has_quotes)
{
    bool in_quotes = false;
    for (size_t at = list.len; at > 0; at--) {
        char byte = list.data[at - 1];
        if (byte == ',' && !in_quotes)
            return at;
        if (has_quotes && byte == '"' && !(in_quotes && is_escaped(list, at - 1)))
            in_quotes = !in_quotes;
    }
    return 0;
}

static bool next_line(struct walk *walk)
{
    while (walk->next_header > 0) {
        const struct mw_header *header = &walk->head->headers[--walk->next_header];
        if (mw_view_is(header->name, walk->name)) {
            walk->rest = header->value;
            return true;
        }
    }
    return false;
}

/* Empty entries are passed over (RFC 9110 5.6.1.2). */
static bool next_entry(struct walk *walk, struct mw_view *entry)
{
    for (;;) {
        while (walk->rest.len > 0) {
            size_t start = start_of_last(walk->rest, walk->has_quotes);
            *entry = mw_view_trim(mw_view_from(walk->rest, start));
            walk->rest.len = start > 0 ? start - 1 : 0;
            if (entry->len > 0)
                return true;
        }
        if (!next_line(walk))
            return false;
    }
}

/* ---- an entry to an address ---- */

/* RFC 7239 6.3: a port may be hidden as well. */
static bool is_port(struct mw_view port)
{
    uint64_t number;
    if (port.len > 1 && port.data[0] == '_')
        return true;
    return port.len <= 5 && mw_parse_u64(port, 0, 65535, &number);
}

/* "v4", "v4:port", "[v6]", "[v6]:port" (RFC 7239 6); no other node has an address. */
static bool read_node(struct mw_view node, struct mw_ip *out)
{
    bool is_bracketed = node.len > 0 && node.data[0] == '[';
    size_t end = mw_view_find(node, is_bracketed ? ']' : ':', 0);
    struct mw_view ip =
        is_bracketed ? mw_view_from(mw_view(node.data, end), 1) : mw_view(node.data, end);
    struct mw_view behind = mw_view_from(node, is_bracketed ? end + 1 : end);
    bool has_colon = mw_view_find(ip, ':', 0) < ip.len;
    if (is_bracketed != has_colon || (is_bracketed && end == node.len))
        return false;
    if (behind.len > 0 && (behind.data[0] != ':' || !is_port(mw_view_from(behind, 1))))
        return false;
    return mw_ip_parse(ip, out);
}

/* X-Forwarded-For has no standard: some write a bare "v6", which nothing can follow. */
static bool read_plain(struct mw_view entry, struct mw_ip *out)
{
    return mw_ip_parse(entry, out) || read_node(entry, out);
}

/* ---- parameters of one entry of Forwarded (RFC 7239 4) ---- */

/* A value without its quotes, cut where it is longer than any node that names an address. */
struct value {
    char bytes[128];
    size_t len;
};

static void put(struct value *value, char byte)
{
    if (value->len < sizeof value->bytes)
        value->bytes[value->len++] = byte;
}

/* Takes a quoted string off *rest; false where it has no end. */
static bool take_quoted(struct mw_view *rest, struct value *out)
{
    for (size_t at = 1; at < rest->len; at++) {
        if (rest->data[at] == '"') {
            *rest = mw_view_from(*rest, at + 1);
            return true;
        }
        if (rest->data[at] == '\\' && ++at == rest->len)
            return false;
        put(out, rest->data[at]);
    }
    return false;
}

static bool take_token(struct mw_view *rest, struct value *out)
{
    struct mw_view token = mw_view_trim(mw_view(rest->data, mw_view_find(*rest, ';', 0)));
    for (size_t i = 0; i < token.len; i++)
        put(out, token.data[i]);
    *rest = mw_view_from(*rest, token.len);
    return mw_is_token(token);
}

/* "name=value" off *rest, which begins with it; false: malformed. */
static bool take_pair(struct mw_view *rest, struct mw_view *name, struct value *value)
{
    size_t equals = mw_view_find(*rest, '=', 0);
    *name = mw_view(rest->data, equals);
    *rest = mw_view_from(*rest, equals + 1);
    value->len = 0;
    if (!mw_is_token(*name) || rest->len == 0)
        return false;
    return rest->data[0] == '"' ? take_quoted(rest, value) : take_token(rest, value);
}

/*
 * The next parameter, if any, up to the semicolon behind it; what is `for` goes to *node. Blanks
 * around semicolons are against the grammar, and usual.
 */
static bool take_parameter(struct mw_view *rest, struct value *node, size_t *nodes)
{
    struct mw_view name;
    struct value value;
    if (rest->data[0] != ';') {
        if (!take_pair(rest, &name, &value))
            return false;
        if (mw_view_is_nocase(name, "for")) {
            *node = value;
            (*nodes)++;
        }
        *rest = mw_view_trim(*rest);
        if (rest->len > 0 && rest->data[0] != ';')
            return false;
    }
    *rest = mw_view_trim(mw_view_from(*rest, 1));
    return true;
}

/* The address behind for=, which is there once. */
static bool read_forwarded(struct mw_view entry, struct mw_ip *out)
{
    struct value node = { .len = 0 };
    size_t nodes = 0;
    while (entry.len > 0) {
        if (!take_parameter(&entry, &node, &nodes))
            return false;
    }
    return nodes == 1 && read_node(mw_view(node.bytes, node.len), out);
}

/* ---- the chain ---- */

static bool is_trusted(const struct mw_net *trusted, size_t count, const struct mw_ip *ip)
{
    for (size_t i = 0; i < count; i++) {
        if (mw_net_holds(&trusted[i], ip))
            return true;
    }
    return false;
}

/* How each header is called and read. */
static const struct {
    const char *name;
    bool (*read)(struct mw_view entry, struct mw_ip *out);
    bool has_quotes;
} ways[] = {
    [MW_FORWARDED_BY_X_FORWARDED_FOR] = { "x-forwarded-for", read_plain, false },
    [MW_FORWARDED_BY_FORWARDED] = { "forwarded", read_forwarded, true },
};

void mw_forwarded_client(const struct mw_http_head *head, enum mw_forwarded_by by,
                         const struct mw_net *trusted, size_t trusted_count,
                         const struct mw_ip *peer, struct mw_ip *client)
{
    struct walk walk = { .head = head,
                         .name = ways[by].name,
                         .has_quotes = ways[by].has_quotes,
                         .next_header = head->header_count };
    struct mw_view entry;
    struct mw_ip next;
    *client = *peer;
    while (next_entry(&walk, &entry) && ways[by].read(entry, &next)) {
        *client = next;
        if (!is_trusted(trusted, trusted_count, &next))
            return;
    }
}
