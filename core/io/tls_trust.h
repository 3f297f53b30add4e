/* The authorities that this machine trusts. */
#ifndef MW_IO_TLS_TRUST_H
#define MW_IO_TLS_TRUST_H

#include "core/base/buf.h"

/*
 * Reads the bundle of the file that SSL_CERT_FILE names, or else of the first place where systems
 * keep it, into `out`. Blocks for the time of it. MW_ERR_NOMEM; MW_ERR_NOT_FOUND or MW_ERR_IO with
 * a sentence in `why`.
 */
int mw_tls_trust_load(struct mw_buf *out, char why[256]);

#endif
