/*
 * Handshakes that were refused a moment ago, for clients that are told nothing but 1006: who named
 * a mark (session/sideband.h) may ask what the answer said. A worker's, which writes it; read by
 * all, for who asks may have come to another one, so it has a lock. Fixed in size, and made with
 * the first of them. Whoever sends many marks pushes out those of others, no more.
 */
#ifndef MW_SERVER_REFUSED_H
#define MW_SERVER_REFUSED_H

#include "core/base/lock.h"
#include "core/proto/http_out.h"
#include "core/session/sideband.h"
#include "moonwire/bounds.h"

#define MW_REFUSED_ENTRIES 256
#define MW_REFUSED_MS      60000 /* known for so long: a client asks at once or never */

/* An answer. */
struct mw_refused_said {
    unsigned status;
    const char *error; /* static */
    struct mw_view text;
    struct mw_http_told told; /* the cause is a static text */
};

struct mw_refused_ring;

struct mw_refused {
    struct mw_mem *mem;           /* borrowed */
    struct mw_lock lock;          /* guards what follows */
    struct mw_refused_ring *ring; /* NULL: nobody was refused yet */
};

void mw_refused_init(struct mw_refused *refused, struct mw_mem *mem);
void mw_refused_free(struct mw_refused *refused);

/*
 * What was said to a handshake with this mark; empty: nothing is kept. Copies mark and text, which
 * is cut to MW_BOUND_REFUSAL_BYTES. Without memory it is forgotten.
 */
void mw_refused_put(struct mw_refused *refused, struct mw_view mark,
                    const struct mw_refused_said *said, mw_ms now_ms);

/* Any thread: what was said last to this mark; its text is in `text`. False: nobody knows. */
bool mw_refused_find(struct mw_refused *refused, struct mw_view mark, mw_ms now_ms,
                     struct mw_refused_said *said, char text[MW_BOUND_REFUSAL_BYTES]);

#endif
