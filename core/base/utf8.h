/*
 * UTF-8 by RFC 3629, streaming: no overlong forms, no surrogates, nothing above U+10FFFF. Fails on
 * the first byte that cannot be right (RFC 6455 8.1 asks to fail as soon as that is known).
 */
#ifndef MW_BASE_UTF8_H
#define MW_BASE_UTF8_H

#include "moonwire/types.h"

/* Zero starts a text. */
struct mw_utf8 {
    uint8_t need;      /* continuation bytes still missing */
    uint8_t low, high; /* range of the next continuation byte where need > 0 */
};

/*
 * Feeds bytes. MW_OK, or MW_ERR_BAD_UTF8 with *bad_at (if not NULL) set to the index of the byte
 * that cannot be right; the state is unchanged then.
 */
int mw_utf8_feed(struct mw_utf8 *state, const char *bytes, size_t len, size_t *bad_at);

/* True where a text may end here. */
static inline bool mw_utf8_is_whole(const struct mw_utf8 *state)
{
    return state->need == 0;
}

/* A whole text in one call. */
bool mw_utf8_valid(struct mw_view text);

/*
 * Bytes of the longest prefix that is whole and valid. *bad_len: how many bytes behind it make one
 * broken sequence, 0 where all of `text` is valid. For readers that replace what is broken by
 * U+FFFD.
 */
size_t mw_utf8_valid_len(struct mw_view text, size_t *bad_len);

/* The longest prefix of at most max_bytes that ends on a code point (of valid text). */
struct mw_view mw_utf8_cut(struct mw_view text, size_t max_bytes);

#endif
