/*
 * What TLS needs besides its connections: certificates with their keys, whom to trust, which
 * versions; of a server, or of a client. Immutable once made, counted, and shared by threads; a
 * change of certificates is a new context, and what is open keeps the old one. Tickets outlive
 * contexts, so that clients can resume across a change. Nothing of the library shows.
 */
#ifndef MW_IO_TLS_CTX_H
#define MW_IO_TLS_CTX_H

#include "core/base/mem.h"

struct mw_tls_ctx;
struct mw_tls_tickets;

/* Whether a client is asked for a certificate (RFC 8446 4.3.2). */
enum mw_tls_client {
    MW_TLS_CLIENT_NONE,
    MW_TLS_CLIENT_OPTIONAL, /* one that is shown must be good */
    MW_TLS_CLIENT_REQUIRED,
};

enum mw_tls_version { MW_TLS_1_2, MW_TLS_1_3 };

/* One certificate, leaf first, then its chain, and its private key: PEM. */
struct mw_tls_pair {
    const char *chain_name, *key_name; /* how errors call them: the files' names */
    struct mw_view chain, key;
};

struct mw_tls_setup {
    /* By SNI the first whose names fit, of each kind of key; the first of all where none does. */
    const struct mw_tls_pair *pairs;
    size_t pair_count; /* 1 at least */
    enum mw_tls_version least;
    enum mw_tls_client client;
    struct mw_view client_ca;       /* PEM: who signs certificates of clients */
    struct mw_tls_tickets *tickets; /* NULL: no resumption; holds a reference */
};

/*
 * Gives a context with one reference; everything is copied. Threads share it, so it is in
 * mw_shared_bytes; `mem` gives what making it needs meanwhile. MW_ERR_NOMEM, or MW_ERR_BAD_ARG with
 * a sentence in `why` that names the pair and what to do (no PEM, key of another certificate, an
 * encrypted key, a key too short ...).
 */
int mw_tls_ctx_new(struct mw_mem *mem, const struct mw_tls_setup *setup, struct mw_tls_ctx **out,
                   char why[256]);

struct mw_tls_client_setup {
    /*
     * PEM: who signs certificates of servers. What of it cannot be read is passed over, as bundles
     * hold signers of every kind; one at least can, unless `insecure`.
     */
    struct mw_view ca;
    bool insecure; /* any certificate will do; what is wrong with it is told all the same */
    enum mw_tls_version least;
};

/* The same for clients. MW_ERR_NOMEM, or MW_ERR_BAD_ARG with a sentence in `why`. */
int mw_tls_ctx_new_client(struct mw_mem *mem, const struct mw_tls_client_setup *setup,
                          struct mw_tls_ctx **out, char why[256]);

/* Any thread. */
struct mw_tls_ctx *mw_tls_ctx_hold(struct mw_tls_ctx *ctx);
/* Any thread. NULL is allowed. */
void mw_tls_ctx_release(struct mw_tls_ctx *ctx);

/* What a certificate says about itself, for the log. Texts are printable. */
struct mw_tls_about {
    char subject[256],
        names[256]; /* names: those of its SAN, ", " between them, cut where longer */
    int64_t begins_unix_s, expires_unix_s;
};
/* Of pair `index`; false past the last. */
bool mw_tls_ctx_about(const struct mw_tls_ctx *ctx, size_t index, struct mw_tls_about *out);

/*
 * Keys of session tickets, changed by themselves every `lifetime_s` (at most a week). Threads share
 * them. NULL: no memory. Counted.
 */
struct mw_tls_tickets *mw_tls_tickets_new(unsigned lifetime_s);
/* Any thread. NULL is allowed. */
void mw_tls_tickets_release(struct mw_tls_tickets *tickets);

/*
 * A certificate of its own making for localhost, 127.0.0.1 and ::1 (ECDSA P-256, self-signed,
 * valid for `days` from an hour ago), PEM with a NUL, and its SHA-256 as "AB:CD:...". For trying
 * things out: nobody trusts it. MW_ERR_NOMEM, which stands for whatever else fails there as well.
 */
int mw_tls_throw_away(int64_t now_unix_s, unsigned days, char chain[2048], char key[512],
                      char fingerprint[96]);

#endif
