/* Reads header lines and subprotocols. What the handshake itself makes the client refuses. */
#include "core/cli/handshake_args.h"

#include <stdio.h>

#include "core/base/str.h"
#include "core/cli/settings.h"
#include "core/server/server.h"

static int bad(const char *why, const char *value)
{
    char text[300];
    snprintf(text, sizeof text, "%s, not \"%.200s\"", why, value);
    return mw_cli_fail(MW_EXIT_USAGE, "", text);
}

/* NAME: VALUE; there is room for the name. */
static int read_header(struct mw_handshake_args *handshake, const char *text)
{
    struct mw_view line = mw_view_text(text);
    size_t colon = mw_view_find(line, ':', 0), start = handshake->names.len;
    if (colon == line.len || !mw_is_token(mw_view(text, colon)))
        return bad("a header is NAME: VALUE", text);
    for (size_t at = 0; at < colon; at++) {
        char c = text[at];
        (void)mw_buf_put_byte(&handshake->names, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    handshake->headers[handshake->header_count++] = (struct mw_header){
        .name = mw_view(handshake->names.data + start, colon),
        .value = mw_view_trim(mw_view_from(line, colon + 1)),
    };
    return MW_EXIT_OK;
}

/* Room for all names at once: views into them must not move. */
static int read_headers(struct mw_handshake_args *handshake, const struct mw_arg_list *lines)
{
    size_t bytes = 0;
    int code = MW_EXIT_OK;
    for (size_t i = 0; i < lines->count; i++)
        bytes += strlen(lines->items[i]);
    if (mw_buf_reserve(&handshake->names, bytes))
        return mw_cli_fail(MW_EXIT_FAILED, "", "out of memory");
    for (size_t i = 0; !code && i < lines->count; i++)
        code = read_header(handshake, lines->items[i]);
    return code;
}

static int read_protocols(struct mw_handshake_args *handshake, const struct mw_arg_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        handshake->protocols[i] = mw_view_text(names->items[i]);
        if (!mw_is_token(handshake->protocols[i]))
            return bad("a subprotocol is one word", names->items[i]);
    }
    handshake->protocol_count = names->count;
    return MW_EXIT_OK;
}

int mw_handshake_args_read(struct mw_handshake_args *handshake, struct mw_mem *mem,
                           const struct mw_args *args)
{
    *handshake = (struct mw_handshake_args){ .header_count = 0 };
    mw_buf_init(&handshake->names, mem, 0);
    int code = read_headers(handshake, &args->headers);
    return code ? code : read_protocols(handshake, &args->protocols);
}

void mw_handshake_args_free(struct mw_handshake_args *handshake)
{
    mw_buf_free(&handshake->names);
}
