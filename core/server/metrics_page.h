/* Metrics over HTTP, for whoever collects them: at the path of the option metrics.path. */
#ifndef MW_SERVER_METRICS_PAGE_H
#define MW_SERVER_METRICS_PAGE_H

#include "core/server/client.h"

/* As mw_health_answer; the answer comes when all workers have added theirs. */
bool mw_metrics_page(struct mw_client *client, struct mw_view path);

struct mw_inquiry;
/* What was asked has come back to the worker whose client asked; takes it. */
void mw_metrics_page_mail(struct mw_inquiry *inquiry);

#endif
