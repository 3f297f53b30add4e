/* A stream over TCP. Made by mw_listener; nobody else needs to know it. */
#ifndef MW_IO_TCP_H
#define MW_IO_TCP_H

#include "core/io/loop.h"
#include "core/io/stream.h"

/*
 * Takes a connected, non-blocking socket and gives a stream. NULL (socket closed): no memory or no
 * room in the kernel.
 */
struct mw_stream *mw_tcp_adopt(struct mw_loop *loop, int socket);
/*
 * Sets TCP_NODELAY. On Linux who is accepted has it from the socket that listens, which so needs it
 * once and for all: one call of the system less per connection.
 */
void mw_tcp_hurry(int socket);

#endif
