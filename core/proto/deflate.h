/*
 * The payloads of permessage-deflate (RFC 7692 7.2): messages to raw DEFLATE and back, each
 * without the four bytes of an empty block that both sides know. No frames, no negotiation.
 *
 * What costs memory is lent: a connection that has sent or received nothing compressed owns
 * nothing. A compressor that keeps its window between messages stays with its connection until the
 * pool is over its cap; then the one that was used least recently is taken away, and its connection
 * begins anew with its next message, which is every sender's right. A decompressor is lent for one
 * message; between messages a connection keeps no more than the window that was agreed on.
 *
 * Windows of what came cannot be taken away: the peer refers to them. So they count first, in what
 * is kept and already when they are promised; has_room is asked before one is.
 */
#ifndef MW_PROTO_DEFLATE_H
#define MW_PROTO_DEFLATE_H

#include "core/base/buf.h"
#include "core/base/list.h"

/* Windows of compressors, as base-2 logarithms: what zlib can do with raw streams. */
#define MW_DEFLATE_BITS_MIN 9
#define MW_DEFLATE_BITS_MAX 15

struct mw_compressor;
struct mw_decompressor;

/* What the connections of a worker share. */
struct mw_deflate_pool {
    struct mw_mem *mem;
    size_t max_bytes;      /* that connections may keep between messages */
    size_t kept_bytes;     /* that they keep now: windows of what came, and compressors */
    size_t promised_bytes; /* by which the windows may grow at most, those of now included */
    struct mw_link kept;   /* the compressors, the least recently used first */
    struct mw_compressor *shared[MW_DEFLATE_BITS_MAX + 1]; /* by window; for single messages */
    struct mw_decompressor *spare;
    size_t spare_count;
};

void mw_deflate_pool_init(struct mw_deflate_pool *pool, struct mw_mem *mem, size_t max_bytes);
/* Every deflater and inflater is free by now. */
void mw_deflate_pool_free(struct mw_deflate_pool *pool);

/* One more window of 2^bits bytes may be promised: all of them fit below the cap. */
bool mw_deflate_pool_has_room(const struct mw_deflate_pool *pool, uint8_t bits);

/* ---- out ---- */

/* A connection's sending side. All zero: it does not compress. */
struct mw_deflater {
    struct mw_deflate_pool *pool; /* borrowed */
    struct mw_compressor *own;    /* with takeover, once used and not taken away */
    uint8_t bits;
    bool takeover;
};

void mw_deflater_init(struct mw_deflater *deflater, struct mw_deflate_pool *pool, uint8_t bits,
                      bool takeover);
void mw_deflater_free(struct mw_deflater *deflater);

/*
 * Appends the payload of a message to `out`. With takeover the next message refers to this one, so
 * it must be sent, or forgotten. MW_ERR_NOMEM: `out` is as it was, and the message may go plain.
 */
int mw_deflater_run(struct mw_deflater *deflater, struct mw_view message, struct mw_buf *out);

/* What was made last is not sent: nothing refers to what came before. */
void mw_deflater_forget(struct mw_deflater *deflater);

/* ---- in ---- */

/* A connection's receiving side. All zero: it understands nothing compressed. */
struct mw_inflater {
    struct mw_deflate_pool *pool;   /* borrowed */
    struct mw_decompressor *stream; /* while a message is unfinished */
    struct mw_buf history;          /* the last bytes of earlier messages, one window at most */
    bool takeover;
};

/* With takeover it is promised a window of 2^bits bytes. */
void mw_inflater_init(struct mw_inflater *inflater, struct mw_deflate_pool *pool, uint8_t bits,
                      bool takeover);
/* Lets go of what it holds, and of the promise; understands nothing any more. May be called again.
 */
void mw_inflater_free(struct mw_inflater *inflater);

/*
 * Appends to `out` what a piece of a message's payload gives, as far as that can be told, and never
 * beyond out->max_bytes. Which bytes `out` has got before an error does not depend on how the
 * payload was cut. MW_ERR_PROTOCOL: this is no DEFLATE; MW_ERR_FULL: there is more than
 * out->max_bytes; MW_ERR_NOMEM. After an error the inflater is only freed.
 */
int mw_inflater_feed(struct mw_inflater *inflater, struct mw_view piece, struct mw_buf *out);

/* The payload has ended; `out` is the whole message now. Errors as above. */
int mw_inflater_end(struct mw_inflater *inflater, struct mw_buf *out);

/* ---- files ---- */

/*
 * Appends `bytes` as a whole gzip file (RFC 1952) without name and time, as small as it gets: for
 * what is compressed once and sent often. MW_ERR_NOMEM: `out` is as it was.
 */
int mw_gzip(struct mw_view bytes, struct mw_buf *out);

bool mw_inflater_validate(const struct mw_inflater *inflater);

#endif
