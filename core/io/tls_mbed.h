/*
 * What the TLS files of core/io share of mbedTLS. Nobody else includes this.
 *
 * Threads use one context at a time without a lock of ours, so the library must bring its own.
 */
#ifndef MW_IO_TLS_MBED_H
#define MW_IO_TLS_MBED_H

#include <mbedtls/ssl.h>

#include "core/base/ip.h"
#include "core/io/tls_ctx.h"

#if MBEDTLS_VERSION_NUMBER < 0x03060000
#error "mbedTLS 3.6 or newer is needed"
#endif
#if !defined(MBEDTLS_THREADING_C) || !defined(MBEDTLS_SSL_PROTO_TLS1_3)
#error "mbedTLS was built without threads or without TLS 1.3"
#endif

/* Randomness for mbedTLS: the system's. Any thread. */
int mw_tls_random(void *unused, unsigned char *out, size_t len);

/* ---- tls_ctx.c ---- */

/* Borrows, for as long as the context is held. */
const mbedtls_ssl_config *mw_tls_ctx_config(const struct mw_tls_ctx *ctx);
enum mw_tls_version mw_tls_ctx_least(const struct mw_tls_ctx *ctx);
void mw_tls_about(const mbedtls_x509_crt *leaf, struct mw_tls_about *out);

/* What is heard of a hello. The user data of a session points to it while it shakes hands. */
struct mw_tls_hello {
    char name[256]; /* SNI; "" without, or where it is no host name */
};

/* ---- tls_names.c ---- */

/* Whether the certificate is for the host `name` (RFC 6125 6.4: SAN, else CN; "*." one label). */
bool mw_tls_names_fit(const mbedtls_x509_crt *leaf, struct mw_view name);
/* Whether b is for one at least of the hosts that a is for. */
bool mw_tls_names_share(const mbedtls_x509_crt *a, const mbedtls_x509_crt *b);
/* Whether it is for this address (RFC 6125 leaves names alone to that). */
bool mw_tls_names_have_ip(const mbedtls_x509_crt *leaf, const struct mw_ip *ip);
/* All of them and its addresses, ", " between, cut where longer. */
void mw_tls_names_list(const mbedtls_x509_crt *leaf, char *out, size_t max_bytes);

/* ---- tls_pair.c ---- */

struct mw_tls_loaded {
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
};

void mw_tls_loaded_init(struct mw_tls_loaded *pair);
void mw_tls_loaded_free(struct mw_tls_loaded *pair);
/* MW_OK, or as mw_tls_ctx_new; the pair is to be freed either way. */
int mw_tls_pair_load(struct mw_mem *mem, const struct mw_tls_pair *from, struct mw_tls_loaded *pair,
                     char why[256]);
/* Certificates of those who sign clients' ones. */
int mw_tls_ca_load(struct mw_mem *mem, struct mw_view pem, mbedtls_x509_crt *ca, char why[256]);

/* ... of servers' ones: of a bundle, those that can be read. One at least can. */
int mw_tls_bundle_load(struct mw_mem *mem, struct mw_view pem, mbedtls_x509_crt *ca, char why[256]);

/* ---- tls_tickets.c ---- */

struct mw_tls_tickets *mw_tls_tickets_hold(struct mw_tls_tickets *tickets);
void mw_tls_tickets_use(struct mw_tls_tickets *tickets, mbedtls_ssl_config *config);

#endif
