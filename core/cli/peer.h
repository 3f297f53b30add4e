/* Who is at the other end of a Unix socket, and which process owns a socket: by /proc. */
#ifndef MW_CLI_PEER_H
#define MW_CLI_PEER_H

#include "moonwire/types.h"

/* "moonwire (pid 4711)" for a connected Unix socket; "another process" where it cannot be told. */
void mw_peer_name(int fd, char out[128]);

/* The same for the process that has the socket of this inode open, of those that we may look at. */
void mw_socket_owner_name(uint64_t inode, char out[128]);

#endif
