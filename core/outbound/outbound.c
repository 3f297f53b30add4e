/* What clients share. Makes TLS only where the first one asks for it: most never do. */
#include "core/outbound/outbound.h"

#include "core/io/tls_trust.h"

/* Windows and compressors that clients may keep between messages. */
#define DEFLATE_BYTES (64u << 20)

int mw_outbound_init(struct mw_outbound *outbound, struct mw_loop *loop, struct mw_view ca)
{
    uint64_t seed;
    struct mw_mem *mem = mw_loop_mem(loop);
    *outbound = (struct mw_outbound){ .loop = loop, .ca = ca };
    if (mw_random_bytes(&seed, sizeof seed))
        return MW_ERR_IO;
    mw_rng_seed(&outbound->rng, seed);
    mw_conn_pool_init(&outbound->pool, mem);
    mw_deflate_pool_init(&outbound->deflate, mem, DEFLATE_BYTES);
    return MW_OK;
}

void mw_outbound_free(struct mw_outbound *outbound)
{
    if (!outbound || !outbound->loop)
        return;
    mw_conn_pool_free(&outbound->pool);
    mw_deflate_pool_free(&outbound->deflate);
    mw_tls_loop_free(outbound->tls);
    mw_tls_ctx_release(outbound->contexts[0]);
    mw_tls_ctx_release(outbound->contexts[1]);
    *outbound = (struct mw_outbound){ .loop = NULL };
}

/* What is wrong with a certificate is told without verifying, too, where there is a bundle. */
static int make_ctx(struct mw_outbound *outbound, bool insecure, struct mw_tls_ctx **out,
                    char why[256])
{
    struct mw_mem *mem = mw_loop_mem(outbound->loop);
    struct mw_buf bundle;
    mw_buf_init(&bundle, mem, 0);
    int err = outbound->ca.len ? MW_OK : mw_tls_trust_load(&bundle, why);
    if (insecure && err && err != MW_ERR_NOMEM)
        err = MW_OK;
    const struct mw_tls_client_setup setup = {
        .ca = outbound->ca.len ? outbound->ca : mw_buf_view(&bundle),
        .insecure = insecure,
        .least = MW_TLS_1_2,
    };
    if (!err)
        err = mw_tls_ctx_new_client(mem, &setup, out, why);
    mw_buf_free(&bundle);
    return err == MW_ERR_NOT_FOUND || err == MW_ERR_IO ? MW_ERR_BAD_ARG : err;
}

int mw_outbound_tls(struct mw_outbound *outbound, bool insecure, struct mw_tls_ctx **out,
                    char why[256])
{
    struct mw_tls_ctx **ctx = &outbound->contexts[insecure];
    if (!outbound->tls)
        outbound->tls = mw_tls_loop_new(outbound->loop);
    if (!outbound->tls)
        return MW_ERR_NOMEM;
    int err = *ctx ? MW_OK : make_ctx(outbound, insecure, ctx, why);
    if (!err)
        *out = mw_tls_ctx_hold(*ctx);
    return err;
}
