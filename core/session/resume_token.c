/*
 * Tokens of sessions as text and as bytes. Called by the server when a client asks for a session or
 * comes back; knows neither connections nor what is kept for them.
 */
#include "core/session/resume_token.h"

#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/rng.h"

#define ID_BYTES    8
#define TOKEN_BYTES (ID_BYTES + MW_RESUME_SECRET_BYTES)

_Static_assert(MW_BASE64_LEN(TOKEN_BYTES) == MW_RESUME_TOKEN_LEN, "without padding");

/* The alphabet of URLs (RFC 4648 5) differs in two characters. */
static void exchange(char *text, const char from[2], const char to[2])
{
    for (size_t i = 0; i < MW_RESUME_TOKEN_LEN; i++) {
        if (text[i] == from[0])
            text[i] = to[0];
        else if (text[i] == from[1])
            text[i] = to[1];
    }
}

bool mw_resume_token_read(struct mw_view text, struct mw_resume_token *token)
{
    char standard[MW_RESUME_TOKEN_LEN];
    uint8_t bytes[TOKEN_BYTES];
    if (text.len != sizeof standard || memchr(text.data, '+', text.len) ||
        memchr(text.data, '/', text.len))
        return false;
    memcpy(standard, text.data, sizeof standard);
    exchange(standard, "-_", "+/");
    if (mw_base64_decode(mw_view(standard, sizeof standard), bytes, sizeof bytes) != TOKEN_BYTES)
        return false;
    token->id = 0;
    for (size_t i = 0; i < ID_BYTES; i++)
        token->id = token->id << 8 | bytes[i];
    memcpy(token->secret, bytes + ID_BYTES, sizeof token->secret);
    return true;
}

int mw_resume_tokens_init(struct mw_resume_tokens *tokens, mw_id id)
{
    *tokens = (struct mw_resume_tokens){ .id = id };
    return mw_random_bytes(tokens->now, sizeof tokens->now);
}

static bool is_same(const uint8_t a[MW_RESUME_SECRET_BYTES],
                    const uint8_t b[MW_RESUME_SECRET_BYTES])
{
    volatile uint8_t differs = 0; /* so that no compiler leaves early */
    for (size_t i = 0; i < MW_RESUME_SECRET_BYTES; i++)
        differs = (uint8_t)(differs | (a[i] ^ b[i]));
    return differs == 0;
}

enum mw_resume_match mw_resume_tokens_match(const struct mw_resume_tokens *tokens,
                                            const struct mw_resume_token *token, bool heard)
{
    bool now = is_same(tokens->now, token->secret);
    bool before = is_same(tokens->before, token->secret) && tokens->has_before && !heard;
    if (tokens->id != token->id)
        return MW_RESUME_UNKNOWN;
    if (now)
        return MW_RESUME_NOW;
    return before ? MW_RESUME_BEFORE : MW_RESUME_UNKNOWN;
}

int mw_resume_tokens_renew(struct mw_resume_tokens *tokens, enum mw_resume_match match)
{
    uint8_t fresh[MW_RESUME_SECRET_BYTES];
    mw_assert(match != MW_RESUME_UNKNOWN);
    if (match == MW_RESUME_BEFORE)
        return MW_OK;
    int err = mw_random_bytes(fresh, sizeof fresh);
    if (err)
        return err;
    memcpy(tokens->before, tokens->now, sizeof tokens->before);
    memcpy(tokens->now, fresh, sizeof tokens->now);
    tokens->has_before = true;
    return MW_OK;
}

void mw_resume_tokens_text(const struct mw_resume_tokens *tokens, char out[MW_RESUME_TOKEN_LEN + 1])
{
    uint8_t bytes[TOKEN_BYTES];
    for (size_t i = 0; i < ID_BYTES; i++)
        bytes[i] = (uint8_t)(tokens->id >> (56 - 8 * i));
    memcpy(bytes + ID_BYTES, tokens->now, sizeof tokens->now);
    mw_base64(mw_view((const char *)bytes, sizeof bytes), out);
    exchange(out, "+/", "-_");
}
