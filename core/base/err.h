/* Names and texts of enum mw_err, from its one list. */
#ifndef MW_BASE_ERR_H
#define MW_BASE_ERR_H

#include "moonwire/types.h"

/* "NOMEM"; "OK" for 0; "UNKNOWN" for a number that is none. Static text. */
const char *mw_err_name(int err);
const char *mw_err_text(int err);

#endif
