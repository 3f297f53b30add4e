/* From struct mw_ip to what the kernel takes. Called by knock, and by the load generator. */
#include "core/io/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

socklen_t mw_sockaddr_put(struct sockaddr_storage *out, const struct mw_ip *ip, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    *out = (struct sockaddr_storage){ 0 };
    if (ip->len == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, ip->bytes, 4);
        return sizeof *v4;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, ip->bytes, 16);
    return sizeof *v6;
}

int mw_sockaddr_bind_source(int fd, const struct mw_ip *from)
{
    struct sockaddr_storage address;
    int on = 1;
    if (from->len == 0)
        return 0;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socklen_t len = mw_sockaddr_put(&address, from, 0);
    return bind(fd, (const struct sockaddr *)&address, len) == 0 ? 0 : errno;
}
