/* The commands of the control channel that are about connections and counters: why, closes,
 * metrics, close. */
#ifndef MW_SERVER_ADMIN_WHY_H
#define MW_SERVER_ADMIN_WHY_H

#include "core/server/admin.h"
#include "core/server/inquiry.h"

/* `ctx` is a struct mw_admin_parts; each takes the call. */
void mw_admin_why(void *ctx, struct mw_admin_call *call);
void mw_admin_closes(void *ctx, struct mw_admin_call *call);
void mw_admin_metrics(void *ctx, struct mw_admin_call *call);
void mw_admin_close_conn(void *ctx, struct mw_admin_call *call);

/* An inquiry has come back from the worker; takes it. */
void mw_admin_why_mail(struct mw_inquiry *inquiry);

#endif
