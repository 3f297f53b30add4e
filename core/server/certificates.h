/*
 * Certificates while the server runs, on its thread: made from the files that the options name,
 * watched, and made anew when they change. A broken change leaves the old ones serving.
 */
#ifndef MW_SERVER_CERTIFICATES_H
#define MW_SERVER_CERTIFICATES_H

#include "core/io/loop.h"
#include "core/server/crew.h"

struct mw_certificates;

struct mw_certificates_setup {
    struct mw_loop *loop; /* the server's */
    const struct mw_config *config;
    struct mw_log *log;
};

/*
 * Reads and makes the first ones; everything is borrowed for its life. MW_OK; MW_ERR_NOMEM;
 * MW_ERR_BAD_ARG where they are no good, which has been logged.
 */
int mw_certificates_open(const struct mw_certificates_setup *setup, struct mw_certificates **out);

/* What the workers begin with. Until the next change. */
struct mw_tls_ctx *mw_certificates_context(const struct mw_certificates *certificates);

/* Watches from now on; the workers get what changes. MW_ERR_NOMEM, MW_ERR_IO. */
int mw_certificates_watch(struct mw_certificates *certificates, struct mw_crew *crew);

/* Looks now, whether or not anything was seen to change. NULL is allowed. */
void mw_certificates_now(struct mw_certificates *certificates);

/* A change has come back from the workers. */
void mw_certificates_mail(struct mw_certificates *certificates, struct mw_tls_swap *swap);

/* Frees it, or as soon as a change that is on its way is back. NULL is allowed. */
void mw_certificates_close(struct mw_certificates *certificates);

#endif
