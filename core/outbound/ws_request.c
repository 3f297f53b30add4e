/*
 * What a client asks for. Checks what people give for a header before it becomes one: no line can
 * be forged, and nothing of the handshake's own be said twice.
 */
#include "core/outbound/ws_request.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/str.h"
#include "moonwire/version.h"

static const char *const own_headers[] = {
    "connection",
    "content-length",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
};

static int refuse(char why[256], struct mw_view name, const char *what)
{
    (void)snprintf(why, 256, "%.*s: %s", (int)(name.len < 80 ? name.len : 80), name.data, what);
    return MW_ERR_BAD_ARG;
}

int mw_ws_key_make(char out[MW_WS_KEY_LEN + 1])
{
    char bytes[16];
    int err = mw_random_bytes(bytes, sizeof bytes);
    if (!err)
        mw_base64(mw_view(bytes, sizeof bytes), out);
    return err;
}

static bool is_value(struct mw_view value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_own(struct mw_view name)
{
    for (size_t i = 0; i < MW_COUNT(own_headers); i++) {
        if (mw_view_is_nocase(name, own_headers[i]))
            return true;
    }
    return false;
}

static int put_header(struct mw_buf *out, struct mw_view name, struct mw_view value, char why[256])
{
    if (!mw_is_token(name))
        return refuse(why, name, "that is no name of a header; write 'Name: value'");
    if (!is_value(value))
        return refuse(why, name, "a header's value has no line breaks or control characters");
    return mw_buf_putf(out, "%.*s: %.*s\r\n", (int)name.len, name.data, (int)value.len, value.data);
}

static int put_headers(struct mw_buf *out, const struct mw_ws_client_setup *setup,
                       struct mw_view *host, bool *has_agent, char why[256])
{
    int err = MW_OK;
    for (size_t i = 0; i < setup->header_count && !err; i++) {
        const struct mw_header *header = &setup->headers[i];
        *has_agent |= mw_view_is_nocase(header->name, "user-agent");
        if (is_own(header->name))
            return refuse(why, header->name, "the handshake makes this header itself");
        if (mw_view_is_nocase(header->name, "host") && is_value(header->value))
            *host = header->value;
        else
            err = put_header(out, header->name, header->value, why);
    }
    return err;
}

static bool is_repeated(const struct mw_ws_client_setup *setup, size_t i)
{
    for (size_t before = 0; before < i; before++) {
        if (mw_view_equal(setup->protocols[before], setup->protocols[i]))
            return true;
    }
    return false;
}

static int put_protocols(struct mw_buf *out, const struct mw_ws_client_setup *setup, char why[256])
{
    int err = MW_OK;
    for (size_t i = 0; i < setup->protocol_count && !err; i++) {
        struct mw_view name = setup->protocols[i];
        if (!mw_is_token(name))
            return refuse(why, name, "a subprotocol is one word (RFC 6455 4.1)");
        if (is_repeated(setup, i))
            return refuse(why, name, "a subprotocol is offered once (RFC 6455 4.1)");
        err = mw_buf_putf(out, "%s%.*s", i ? ", " : "Sec-WebSocket-Protocol: ", (int)name.len,
                          name.data);
    }
    return err || !setup->protocol_count ? err : mw_buf_put_text(out, "\r\n");
}

static int put_extra(struct mw_buf *out, const struct mw_ws_client_setup *setup,
                     struct mw_view *host, const struct mw_ext_deflate *offer, char why[256])
{
    char extension[MW_EXT_TEXT_MAX];
    bool has_agent = false;
    mw_ext_write(extension, offer);
    int err = put_headers(out, setup, host, &has_agent, why);
    if (!err && !has_agent)
        err = mw_buf_put_text(out, "User-Agent: moonwire/" MOONWIRE_VERSION "\r\n");
    if (!err && setup->origin.len)
        err = put_header(out, mw_view_text("Origin"), setup->origin, why);
    if (!err)
        err = put_protocols(out, setup, why);
    if (!err && offer->on)
        err = mw_buf_putf(out, "Sec-WebSocket-Extensions: %s\r\n", extension);
    return err;
}

int mw_ws_request_put(struct mw_buf *out, const struct mw_ws_client_setup *setup,
                      const struct mw_ws_url *url, const char *key,
                      const struct mw_ext_deflate *offer, char why[256])
{
    struct mw_buf extra;
    struct mw_view host = mw_view_text(url->authority);
    mw_buf_init(&extra, out->mem, 0);
    why[0] = '\0';
    int err = put_extra(&extra, setup, &host, offer, why);
    const char *lines = err ? NULL : mw_buf_cstr(&extra);
    if (lines)
        err = mw_ws_request(out, host, mw_view_text(url->target), key, lines);
    else if (!err)
        err = MW_ERR_NOMEM;
    mw_buf_free(&extra);
    return err;
}
