/*
 * Messages of one connection that wait for its handler, in order: while a handler has yielded,
 * control frames go on being answered and a few messages are taken in, so that a peer's ping is not
 * missed. Owns nothing while empty.
 */
#ifndef MW_SESSION_BACKLOG_H
#define MW_SESSION_BACKLOG_H

#include "core/base/buf.h"

/* Above it reading stops: the peer is slowed down by TCP. One message may overshoot. */
#define MW_BACKLOG_BYTES 65536

struct mw_backlog {
    struct mw_buf records;
    size_t front; /* bytes of records that were taken */
};

void mw_backlog_init(struct mw_backlog *backlog, struct mw_mem *mem);
void mw_backlog_free(struct mw_backlog *backlog);

static inline bool mw_backlog_is_empty(const struct mw_backlog *backlog)
{
    return backlog->records.len == backlog->front;
}
static inline bool mw_backlog_is_full(const struct mw_backlog *backlog)
{
    return backlog->records.len - backlog->front >= MW_BACKLOG_BYTES;
}

/* Copies; ends the view of the last take. MW_ERR_NOMEM. */
int mw_backlog_put(struct mw_backlog *backlog, enum mw_opcode kind, struct mw_view data);
/* The oldest one, until the next put or take; false: none. */
bool mw_backlog_take(struct mw_backlog *backlog, enum mw_opcode *kind, struct mw_view *data);

#endif
