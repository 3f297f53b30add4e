/* What a refused request is told of its cause and of coming back (refusal.def). */
#ifndef MW_SESSION_REFUSAL_H
#define MW_SESSION_REFUSAL_H

#include "core/proto/http_out.h"

/* For `error`, the short name of a refusal. The cause is a static text. */
struct mw_http_told mw_refusal_told(unsigned status, const char *error);

#endif
