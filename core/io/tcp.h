/* A stream over TCP. Made by mw_listener; nobody else needs to know it. */
#ifndef MW_IO_TCP_H
#define MW_IO_TCP_H

#include "core/io/loop.h"
#include "core/io/stream.h"

/*
 * Takes a connected, non-blocking socket and gives a stream; TCP_NODELAY is set. NULL (socket
 * closed): no memory or no loop resources.
 */
struct mw_stream *mw_tcp_adopt(struct mw_loop *loop, int socket);

#endif
