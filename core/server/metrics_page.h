/* Metrics over HTTP, for whoever collects them: at the path of the option metrics.path. */
#ifndef MW_SERVER_METRICS_PAGE_H
#define MW_SERVER_METRICS_PAGE_H

#include "core/server/client.h"

/* As mw_health_answer. */
bool mw_metrics_page(struct mw_client *client, struct mw_view path);

#endif
