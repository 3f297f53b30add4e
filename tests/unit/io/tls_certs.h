/*
 * Certificates for tests, made when they run: nobody's key is in the tree. What cannot be made
 * fails the test.
 */
#ifndef MW_TESTS_UNIT_IO_TLS_CERTS_H
#define MW_TESTS_UNIT_IO_TLS_CERTS_H

#include <mbedtls/pk.h>

#include "core/io/tls_ctx.h"
#include "tests/unit/unit.h"

struct cert {
    char chain[4096], key[2048]; /* PEM */
    mbedtls_pk_context pk;
    char subject[64];
};

enum key_kind { KEY_EC, KEY_EC384, KEY_RSA, KEY_RSA1024 };
enum cert_use { USE_SERVER, USE_CLIENT, USE_AUTHORITY };

struct cert_wish {
    const char *subject;       /* "CN=moon" */
    const char *hosts[4];      /* of the SAN, to the first NULL; an IPv4 address "4:127.0.0.1" */
    const struct cert *issuer; /* NULL: signs itself */
    enum key_kind kind;
    enum cert_use use;
    int from_days, to_days; /* from now; 0, 0: a day ago until tomorrow */
};

/* Gives; cert_free. RSA keys are made once a program, because they take a while. */
void cert_make(struct cert *cert, const struct cert_wish *wish);
void cert_free(struct cert *cert);

struct mw_tls_pair cert_pair(const struct cert *cert);

#endif
