/*
 * Advice in the reason of a Close frame: `text;retry=no`, `text;retry=MS`, `text;retry=MS-MS`, each
 * optionally followed by `;resume=no`. At most 123 bytes with the text (RFC 6455 5.5), the text cut
 * on a code point and the advice kept whole. Pure; both roles.
 */
#ifndef MW_SESSION_ADVICE_H
#define MW_SESSION_ADVICE_H

#include "core/proto/close.h"
#include "moonwire/advice.h"

struct mw_close_policy;

/*
 * Writes text (valid UTF-8) and advice; returns the length. Advice of no kind: the text alone, cut
 * at 123 bytes.
 */
size_t mw_advice_put(char out[MW_CLOSE_REASON_MAX], struct mw_view text,
                     const struct mw_advice *advice);

/*
 * Reads what stands at the end of a reason. Returns the length of the text before it; what is no
 * advice in every byte is text, and *advice of no kind.
 */
size_t mw_advice_read(struct mw_view reason, struct mw_advice *advice);

/* What a client does that is told nothing but the code. */
struct mw_advice mw_advice_of_policy(const struct mw_close_policy *policy);

/* It says something that the code alone does not. */
bool mw_advice_tells_more(const struct mw_advice *advice, unsigned code);

/*
 * What has to stand behind a text: the advice where it tells more than the code, and where the end
 * of the text itself would be taken for advice (a script may hand on what a user wrote); then that
 * of the code's policy where there is none. Else of no kind.
 */
struct mw_advice mw_advice_to_put(struct mw_view text, const struct mw_advice *advice,
                                  unsigned code);

#endif
