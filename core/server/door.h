/*
 * What stands between the accept of a connection and a client: the PROXY header of a proxy of ours,
 * then TLS. Most are through it with their first bytes.
 */
#ifndef MW_SERVER_DOOR_H
#define MW_SERVER_DOOR_H

#include "core/io/stream.h"

struct mw_worker;

/* From the accept to the end of a PROXY header, or to the first byte of TLS. */
#define MW_DOOR_MS 10000

/* For the listener: takes the stream; a client follows, or the stream is closed. */
void mw_door_accept(void *worker, struct mw_stream *stream);

/* Who stands there has so long for its first bytes, and is then gone. */
void mw_door_hurry_all(struct mw_worker *worker, mw_ms span_ms);
/* Nobody who stands there gets in any more. */
void mw_door_close_all(struct mw_worker *worker);

#endif
