/*
 * A stream on its way from one loop to another, which may be another thread's: nothing of it
 * belongs to a thread meanwhile, and its bytes are shared ones (mem.h).
 */
#ifndef MW_IO_PARCEL_H
#define MW_IO_PARCEL_H

#include "core/io/stream.h"
#include "core/io/tls.h"

struct mw_tls_stream;

struct mw_parcel {
    int socket;                /* -1: nothing is in it */
    struct mw_tls_stream *tls; /* that stood on it; NULL: none */
    size_t tls_sizes[2];       /* private to TLS */
    /*
     * Of what the owner had in flight the last so many bytes did not leave. They do not travel: who
     * wants them sent writes them again on the other side.
     */
    size_t unsent_bytes;
};

/*
 * Like a close, but the connection goes on, in the parcel: with TLS its session, what was read and
 * not decrypted, what was encrypted and has not left. Of events only `closed` follows. From the
 * loop, and not from inside of an event of this stream's.
 *
 * On an error nothing has changed. MW_ERR_CLOSED: it is broken or finished, or its handshake is not
 * over, or it is of a kind that stays where it is.
 */
static inline int mw_stream_pack(struct mw_stream *stream, struct mw_parcel *out)
{
    return stream->ops->pack ? stream->ops->pack(stream, out) : MW_ERR_CLOSED;
}

/*
 * Gives the stream on this loop, without an owner and not reading. What had been told of its end is
 * told again. The parcel is empty afterwards; NULL: no memory or no loop resources, and the
 * connection is closed. `tls`: of the same loop; NULL where the parcel has no TLS.
 */
struct mw_stream *mw_stream_unpack(struct mw_parcel *parcel, struct mw_loop *loop,
                                   struct mw_tls_loop *tls);

/* Any thread: closes what is in it without a word. */
void mw_parcel_drop(struct mw_parcel *parcel);

#endif
