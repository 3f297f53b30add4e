/* Media types by file suffix. */
#ifndef MW_PROTO_MIME_H
#define MW_PROTO_MIME_H

#include "moonwire/types.h"

/* "text/html; charset=utf-8"; "application/octet-stream" for what is not in the table. Static. */
const char *mw_mime_of(struct mw_view file_name);

#endif
