/* Numeric IP addresses and networks. IPv4 within IPv6 (::ffff:a.b.c.d) counts as IPv4. */
#ifndef MW_BASE_IP_H
#define MW_BASE_IP_H

#include "moonwire/types.h"

#define MW_IP_TEXT_LEN 46 /* INET6_ADDRSTRLEN: the longest text and its NUL */

struct mw_ip {
    uint8_t len; /* 4 or 16; 0: none */
    uint8_t bytes[16];
};

struct mw_net {
    struct mw_ip base; /* bits after `bits` are 0 */
    uint8_t bits;
};

/* Of 4 or 16 bytes in the order of the network; of any other number: none. */
struct mw_ip mw_ip_of(const uint8_t *bytes, size_t len);
/* "203.0.113.7", "2001:db8::1"; no brackets, zone or port. False: not an address. */
bool mw_ip_parse(struct mw_view text, struct mw_ip *out);
/* The shortest form (RFC 5952), NUL-terminated; "" for none. */
void mw_ip_text(const struct mw_ip *ip, char out[MW_IP_TEXT_LEN]);
bool mw_ip_equal(const struct mw_ip *a, const struct mw_ip *b);

/* "10.0.0.0/8", "::1"; an address alone is a network of one. False: none, or bits are set behind.
 */
bool mw_net_parse(struct mw_view text, struct mw_net *out);
/* "::/0" holds every IPv6 address and no IPv4 address. */
bool mw_net_holds(const struct mw_net *net, const struct mw_ip *ip);

#endif
