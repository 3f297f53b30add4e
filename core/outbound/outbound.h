/*
 * What the clients of one loop share: spare memory for queues and compression, randomness, TLS.
 * One is enough for any number of clients.
 */
#ifndef MW_OUTBOUND_OUTBOUND_H
#define MW_OUTBOUND_OUTBOUND_H

#include "core/base/rng.h"
#include "core/io/loop.h"
#include "core/io/tls.h"
#include "core/proto/deflate.h"
#include "core/session/conn_pool.h"

struct mw_outbound {
    struct mw_loop *loop; /* borrowed */
    struct mw_rng rng;
    /* private */
    struct mw_conn_pool pool;
    struct mw_deflate_pool deflate;
    struct mw_tls_loop *tls;        /* NULL until the first wss:// */
    struct mw_tls_ctx *contexts[2]; /* that verifies, and that does not; NULL until used */
    struct mw_view ca;              /* of the setup */
};

/*
 * ca: PEM of those who sign servers' certificates, borrowed for its life; empty: the system's, or
 * those in the file that SSL_CERT_FILE names. Read with the first wss:// that verifies.
 */
int mw_outbound_init(struct mw_outbound *outbound, struct mw_loop *loop, struct mw_view ca);
/* When every client is gone from the loop (mw_loop_finish). */
void mw_outbound_free(struct mw_outbound *outbound);

/*
 * For ws_client: makes sure that there is TLS, and gives a reference to a context that verifies or
 * does not. MW_ERR_NOMEM; MW_ERR_BAD_ARG with a sentence: no authorities are to be found.
 */
int mw_outbound_tls(struct mw_outbound *outbound, bool insecure, struct mw_tls_ctx **out,
                    char why[256]);

#endif
