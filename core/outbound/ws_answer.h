/* What a server has answered to a handshake, whether it is a yes, and when to ask again if not. */
#ifndef MW_OUTBOUND_WS_ANSWER_H
#define MW_OUTBOUND_WS_ANSWER_H

#include "core/outbound/ws_client.h"
#include "core/proto/handshake.h"

/* Views into `head`; the body is still to come. */
void mw_ws_answer_read(struct mw_ws_answer *answer, const struct mw_http_head *head);

/*
 * NULL: it is a yes, and *terms holds what was agreed on; else what is wrong. `terms` comes in as
 * the offer; protocols: those that were offered. Static.
 */
const char *mw_ws_answer_check(struct mw_ws_answer *answer, const struct mw_http_head *head,
                               const char *key, const struct mw_view *protocols, size_t count,
                               struct mw_ext_deflate *terms);

/*
 * Of a refusal: the "retry" of a body that we have made, else Retry-After, a third more as the
 * spread, for it is told to everybody alike. Of no kind where neither is there.
 */
struct mw_advice mw_ws_answer_advice(struct mw_mem *mem, const struct mw_ws_answer *answer,
                                     mw_ms now_unix_ms);

#endif
