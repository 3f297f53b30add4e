/*
 * Takes a parcel apart again, on another loop or for nothing. What goes into one is said by tcp.c
 * and tls_parcel.c.
 */
#include "core/io/parcel.h"

#include <unistd.h>

#include "core/base/check.h"
#include "core/io/tcp.h"
#include "core/io/tls_stream.h"

struct mw_stream *mw_stream_unpack(struct mw_parcel *parcel, struct mw_loop *loop,
                                   struct mw_tls_loop *tls)
{
    mw_assert(parcel->socket >= 0 && (tls || !parcel->tls));
    struct mw_stream *stream = mw_tcp_adopt(loop, parcel->socket);
    parcel->socket = -1;
    if (stream && parcel->tls)
        stream = mw_tls_unpack(tls, parcel, stream);
    else if (!stream && parcel->tls)
        mw_tls_drop_packed(parcel->tls);
    parcel->tls = NULL;
    return stream;
}

void mw_parcel_drop(struct mw_parcel *parcel)
{
    if (parcel->tls)
        mw_tls_drop_packed(parcel->tls);
    parcel->tls = NULL;
    if (parcel->socket >= 0)
        close(parcel->socket);
    parcel->socket = -1;
}
