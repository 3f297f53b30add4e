/* What is told of certificates in the log. */
#ifndef MW_SERVER_CERTIFICATE_SAY_H
#define MW_SERVER_CERTIFICATE_SAY_H

#include "core/io/tls_ctx.h"
#include "core/server/log.h"

/* From so many days before its end on a certificate is warned about. */
#define MW_CERTIFICATE_WARN_DAYS 14

/* A line for each certificate; `what` is "certificates reloaded". */
void mw_certificate_say(struct mw_log *log, const char *what, const struct mw_tls_ctx *ctx);
/* A warning for each that is over, nearly over, or not valid yet. */
void mw_certificate_warn(struct mw_log *log, const struct mw_tls_ctx *ctx, mw_ms unix_ms);
/* `others_serve`: the ones from before go on serving. */
void mw_certificate_say_refused(struct mw_log *log, const char *why, bool others_serve);
void mw_certificate_say_throw_away(struct mw_log *log, const char *fingerprint);

#endif
