/*
 * By what a client shows that a session is its own: 16 random bytes behind the session's id, as 32
 * characters of base64url. A new token is told with each hello, and the one before stays valid
 * until the client has shown that it got that hello, which a cut may have eaten. Pure but for the
 * system's randomness.
 */
#ifndef MW_SESSION_RESUME_TOKEN_H
#define MW_SESSION_RESUME_TOKEN_H

#include "moonwire/types.h"

#define MW_RESUME_TOKEN_LEN    32 /* characters */
#define MW_RESUME_SECRET_BYTES 16

/* A token as a client has sent it. */
struct mw_resume_token {
    mw_id id; /* whose it says it is */
    uint8_t secret[MW_RESUME_SECRET_BYTES];
};

/* False: it is none. */
bool mw_resume_token_read(struct mw_view text, struct mw_resume_token *token);

/* What the session of this id takes. */
struct mw_resume_tokens {
    mw_id id;
    bool has_before;
    uint8_t now[MW_RESUME_SECRET_BYTES];    /* what the last hello told */
    uint8_t before[MW_RESUME_SECRET_BYTES]; /* what the one before that told */
};

/* MW_OK; MW_ERR_IO: there is no randomness, so there can be no session. */
int mw_resume_tokens_init(struct mw_resume_tokens *tokens, mw_id id);

enum mw_resume_match {
    MW_RESUME_UNKNOWN,
    MW_RESUME_NOW,    /* the client has got the last hello */
    MW_RESUME_BEFORE, /* it has not */
};

/*
 * `heard`: the client has shown that it got the last hello (mw_replay.heard), so only what that
 * told is taken. Takes the same time whatever is in the token.
 */
enum mw_resume_match mw_resume_tokens_match(const struct mw_resume_tokens *tokens,
                                            const struct mw_resume_token *token, bool heard);
/*
 * The client is back with a token that matched: what the next hello tells. Whose hello was lost is
 * told the same token once more: of two attempts that overtake each other on their way, each then
 * knows one that is taken. MW_ERR_IO: nothing was changed, and the last hello's may be told again.
 */
int mw_resume_tokens_renew(struct mw_resume_tokens *tokens, enum mw_resume_match match);

/* For the hello; NUL-terminated. Never for a log. */
void mw_resume_tokens_text(const struct mw_resume_tokens *tokens,
                           char out[MW_RESUME_TOKEN_LEN + 1]);

#endif
