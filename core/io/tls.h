/*
 * TLS 1.2 and 1.3 as a stream over a stream, both roles. A stream like any other for its owner:
 * reading and writing may begin at once, the handshake runs by itself once the hello is there.
 *
 * Handshakes are dear (a millisecond of the processor), so a loop does a bounded amount of them per
 * turn and leaves the rest to the next: connections that are open are served in between. A
 * connection that only waits holds no record buffers (33 KB with stock settings).
 */
#ifndef MW_IO_TLS_H
#define MW_IO_TLS_H

#include "core/io/loop.h"
#include "core/io/stream.h"
#include "core/io/tls_ctx.h"

/* What the TLS streams of one loop share: buffers, and the queue of handshakes. */
struct mw_tls_loop;

/* NULL: no memory. */
struct mw_tls_loop *mw_tls_loop_new(struct mw_loop *loop);
/* When the last stream has closed. NULL is allowed. */
void mw_tls_loop_free(struct mw_tls_loop *tls);

/*
 * Takes a stream that nobody is attached to, and gives the one on top of it; holds ctx. `first` are
 * bytes that were read from it already. NULL: no memory, and the stream below is closed.
 */
struct mw_stream *mw_tls_accept(struct mw_tls_loop *tls, struct mw_tls_ctx *ctx,
                                struct mw_stream *below, struct mw_view first);

/*
 * The same as the client of `host`, a name or a numeric address, with a context of
 * mw_tls_ctx_new_client. That the handshake is over can be told by the first `written` or `read`.
 */
struct mw_stream *mw_tls_connect(struct mw_tls_loop *tls, struct mw_tls_ctx *ctx,
                                 struct mw_stream *below, const char *host);

/* The certificate that a client was shown, whether it took it or not. */
struct mw_tls_peer {
    struct mw_tls_about about;
    char issuer[256];
    char alpn[16];      /* the protocol that was agreed on; "" for none */
    unsigned chain_len; /* certificates that were looked at */
    bool is_trusted;    /* none of these: */
    bool is_expired, is_not_yet, is_other_name, is_self_signed, is_unknown, is_revoked, is_weak;
    bool is_misused; /* it says what it is for, and that is not servers */
};
/* Of a stream of mw_tls_connect: NULL before it came. Until the stream is freed. */
const struct mw_tls_peer *mw_tls_peer(const struct mw_stream *stream);

struct mw_tls_stats {
    size_t streams, handshaking, queued; /* now; queued: a hello is there, its turn not yet */
    size_t record_buffers;               /* pairs that exist, in use or kept for the next */
    uint64_t full, resumed, failed;      /* handshakes so far */
};
void mw_tls_loop_stats(const struct mw_tls_loop *tls, struct mw_tls_stats *out);

#endif
