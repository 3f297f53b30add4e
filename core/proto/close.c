/*
 * Close bodies, and which codes may be on the wire (close_catalog.def); what an end
 * means and which code answers it is decided above, in session.
 */
#include "core/proto/close.h"

#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/proto/close_catalog.h"

/* Of codes that are never on the wire; the first row that reaches a code is its own. */
static const struct {
    unsigned last;
    const char *refusal;
} refusals[] = {
    { 999, "codes below 1000 are not used (RFC 6455 7.4.2)" },
    { 1004, "1004 is reserved and has no meaning yet (RFC 6455 7.4.1)" },
    { 1005, "1005 is never sent: it says that the Close frame had no code (RFC 6455 7.4.1)" },
    { 1006, "1006 is never sent: it says that no Close frame came (RFC 6455 7.4.1)" },
    { 1015, "1015 is never sent: it says that the TLS handshake failed (RFC 6455 7.4.1)" },
    { 2999, "1016 to 2999 are reserved for the protocol and its extensions (RFC 6455 7.4.2)" },
};

static const char refused_above[] =
    "codes from 5000 on do not exist; 4000 to 4999 are yours to use (RFC 6455 7.4.2)";

const char *mw_close_code_refusal(unsigned code)
{
    if (mw_close_row(code)->sender != MW_CLOSE_BY_NOBODY)
        return NULL;
    for (size_t i = 0; i < MW_COUNT(refusals); i++) {
        if (code <= refusals[i].last)
            return refusals[i].refusal;
    }
    return refused_above;
}

const char *mw_close_code_name(unsigned code)
{
    return mw_close_row(code)->name;
}

/* RFC 6455 5.5.1, 7.4: the rule that the body breaks, with *out filled where it breaks none. */
static enum mw_rule read_body(struct mw_view body, struct mw_close *out)
{
    if (body.len == 0) {
        *out = (struct mw_close){ MW_CLOSE_NO_STATUS, mw_view("", 0) };
        return MW_RULE_NONE;
    }
    if (body.len == 1)
        return MW_RULE_CLOSE_ONE_BYTE;
    unsigned code = (unsigned)(uint8_t)body.data[0] << 8 | (uint8_t)body.data[1];
    if (!mw_close_code_is_sendable(code))
        return MW_RULE_CLOSE_CODE;
    struct mw_view reason = mw_view(body.data + 2, body.len - 2);
    if (!mw_utf8_valid(reason))
        return MW_RULE_CLOSE_UTF8;
    *out = (struct mw_close){ code, reason };
    return MW_RULE_NONE;
}

int mw_close_decode(struct mw_view body, struct mw_close *out, enum mw_rule *rule)
{
    *rule = read_body(body, out);
    return *rule ? MW_ERR_PROTOCOL : MW_OK;
}

size_t mw_close_encode(uint8_t out[125], unsigned code, struct mw_view reason)
{
    if (code == MW_CLOSE_NO_STATUS)
        return 0;
    mw_assert(mw_close_code_is_sendable(code));
    out[0] = (uint8_t)(code >> 8);
    out[1] = (uint8_t)code;
    reason = mw_utf8_cut(reason, MW_CLOSE_REASON_MAX);
    if (reason.len > 0)
        memcpy(out + 2, reason.data, reason.len);
    return 2 + reason.len;
}
