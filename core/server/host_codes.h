/* What both hosts say of close codes: the rows and words of core/explain, for scripts. */
#ifndef MW_SERVER_HOST_CODES_H
#define MW_SERVER_HOST_CODES_H

#include "moonwire/host.h"

/* As in host.h. */
bool mw_host_code_facts(size_t n, struct mw_code_facts *out);
int mw_host_explain(void *host_app, unsigned code, unsigned other,
                    int (*put)(void *ctx, struct mw_view text), void *ctx);

#endif
