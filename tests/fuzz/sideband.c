/*
 * What a client asks for in its URL and says in its asides: a mark is one, a session is asked for
 * behind a mark alone, a token that is read is the text that it was, and what is hidden is hidden.
 * The input is a request's target, and, as a whole message, an aside of a known mark.
 */
#include "core/session/sideband.h"

#include "tests/fuzz/fuzz.h"

static const char mark[] = "0123456789abcdefABCDEF";

static void check_token(struct mw_view target, const struct mw_sideband_ask *ask)
{
    char again[MW_RESUME_TOKEN_LEN + 1];
    struct mw_resume_tokens tokens = { .id = ask->token.id };
    const char *text = ask->mark.data + ask->mark.len + 1;
    memcpy(tokens.now, ask->token.secret, sizeof tokens.now);
    mw_resume_tokens_text(&tokens, again);
    CHECK(text + MW_RESUME_TOKEN_LEN < target.data + target.len);
    CHECK(memcmp(text, again, MW_RESUME_TOKEN_LEN) == 0 && text[MW_RESUME_TOKEN_LEN] == '.');
    CHECK(ask->count <= MW_SIDEBAND_COUNT_MAX);
}

static void check_ask(struct mw_view target)
{
    struct mw_sideband_ask ask = mw_sideband_ask(target);
    CHECK(mw_view_equal(ask.mark, mw_sideband_mark(target)));
    CHECK(ask.mark.len == 0 || mw_sideband_is_mark(ask.mark));
    CHECK(!ask.session || ask.mark.len);
    CHECK(!ask.back || ask.session);
    if (ask.session)
        CHECK(ask.mark.data[ask.mark.len] == '.');
    if (ask.back)
        check_token(target, &ask);
}

static void check_hidden(struct mw_view query)
{
    char *room = malloc(query.len + 1);
    CHECK(room != NULL);
    struct mw_view hidden = mw_sideband_hide(query, room), pair;
    CHECK(hidden.len <= query.len);
    while (mw_view_split(&hidden, '&', &pair))
        CHECK(!mw_view_starts_with(pair, "moonwire=") && !mw_view_is(pair, "moonwire"));
    free(room);
}

static void check_aside(struct mw_view text)
{
    struct mw_sideband sideband;
    mw_sideband_init(&sideband, mw_view_text(mark));
    enum mw_aside aside = mw_sideband_read(&sideband, MW_OPCODE_TEXT, text);
    CHECK((aside == MW_ASIDE_NONE) == !mw_view_starts_with(text, mark));
    CHECK(mw_sideband_read(&sideband, MW_OPCODE_BINARY, text) == MW_ASIDE_NONE);
    mw_ms quiet_ms = mw_sideband_quiet_ms(&sideband, text);
    CHECK(aside != MW_ASIDE_QUIET || (quiet_ms > 0 && quiet_ms <= MW_SIDEBAND_QUIET_MAX_S * 1000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(mw_view((const char *)data, size));
    struct mw_view input = mw_view(copy, size);
    check_ask(input);
    check_hidden(input);
    check_aside(input);
    free(copy);
    return 0;
}
