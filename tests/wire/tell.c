/* Events as lines of text, so that a difference can be read. */
#include "core/base/digest.h"
#include "tests/wire/wire_case.h"

#define SHOWN_WHOLE 64

static bool is_plain(struct mw_view bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] < ' ' || bytes.data[i] > '~')
            return false;
    }
    return true;
}

void wire_tell_bytes(struct mw_buf *out, struct mw_view bytes)
{
    if (bytes.len > SHOWN_WHOLE) {
        mw_buf_putf(out, " %zu bytes, hash %016llx", bytes.len,
                    (unsigned long long)mw_hash64(bytes, 0));
        return;
    }
    if (is_plain(bytes)) {
        mw_buf_putf(out, " \"%.*s\"", (int)bytes.len, bytes.len ? bytes.data : "");
        return;
    }
    for (size_t i = 0; i < bytes.len; i++)
        mw_buf_putf(out, " %02X", (uint8_t)bytes.data[i]);
}

void wire_tell_message(struct mw_buf *out, enum mw_opcode opcode, struct mw_view data)
{
    mw_buf_put_text(out, opcode == MW_OPCODE_TEXT ? "text" : "binary");
    wire_tell_bytes(out, data);
    mw_buf_put_byte(out, '\n');
}

void wire_tell_aside(struct mw_buf *out, struct mw_view data)
{
    mw_buf_put_text(out, "aside");
    wire_tell_bytes(out, data);
    mw_buf_put_byte(out, '\n');
}

void wire_tell_end(struct mw_buf *out, const struct wire_end *end)
{
    mw_buf_putf(out, "end %s %u %s%s", end->cause, end->code, end->clean ? "clean " : "",
                end->rule);
    wire_tell_bytes(out, end->reason);
    if (end->header.len) {
        mw_buf_put_text(out, " at");
        wire_tell_bytes(out, end->header);
    }
    mw_buf_put_byte(out, '\n');
}
