/* What went wrong with TLS: for people a sentence, for the peer an alert. Only core/io/tls.c. */
#ifndef MW_IO_TLS_FAULT_H
#define MW_IO_TLS_FAULT_H

#include "core/io/tls.h"
#include "core/io/tls_mbed.h"

/* What mbedTLS has no code for. */
enum mw_tls_fault_own {
    MW_TLS_FAULT_HTTP = 1,
    MW_TLS_FAULT_NOT_TLS,
    MW_TLS_FAULT_HELLO_TOO_LONG,
    MW_TLS_FAULT_TOO_EARLY,
    MW_TLS_FAULT_TOO_SLOW,
    MW_TLS_FAULT_CLIENT_CERT,
    MW_TLS_FAULT_CLIENT_CERT_USE,
    MW_TLS_FAULT_SIGNATURE,    /* a server's, of TLS 1.2, that mbedTLS does not verify */
    MW_TLS_FAULT_ALERT = 1000, /* and the number of the alert by which the peer refused */
};

struct mw_tls_fault {
    const char *what; /* static */
    int alert;        /* RFC 8446 6; -1: none, the peer knows already */
};

/* What a client did. `code`: of mbedTLS, or one of our own. */
struct mw_tls_fault mw_tls_fault_of(int code, enum mw_tls_version least);

/* What a server did; peer: its certificate, NULL where none was seen. */
struct mw_tls_fault mw_tls_fault_of_server(int code, const struct mw_tls_peer *peer);

#endif
