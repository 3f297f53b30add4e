/* A numeric address as the socket calls take it, and the address from which a socket connects. */
#ifndef MW_IO_SOCKADDR_H
#define MW_IO_SOCKADDR_H

#include <sys/socket.h>

#include "core/base/ip.h"

/* `ip` is IPv4 or IPv6. Gives the bytes that are used of `out`. */
socklen_t mw_sockaddr_put(struct sockaddr_storage *out, const struct mw_ip *ip, uint16_t port);

/*
 * Before connect. The port is chosen with the other end in view, else each source had its ports
 * only once. Where `from` is none nothing is done. 0, or the errno.
 */
int mw_sockaddr_bind_source(int fd, const struct mw_ip *from);

#endif
