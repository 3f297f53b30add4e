/*
 * HTTP text where a frame should begin: a client that takes the stream for a kept-alive one, or a
 * proxy that writes its error page into it. Named, because "reserved bits" helps nobody who has to
 * find that proxy.
 */
#ifndef MW_PROTO_STRAY_HTTP_H
#define MW_PROTO_STRAY_HTTP_H

#include "moonwire/types.h"

/* The longest word that is looked for; shorter than any header of a frame can be. */
#define MW_STRAY_HTTP_MAX 8

enum mw_stray {
    MW_STRAY_NO,
    MW_STRAY_MAYBE, /* more bytes can tell, MW_STRAY_HTTP_MAX are enough */
    MW_STRAY_YES,
};

/*
 * Whether HTTP/1 or 2 begins so: a method and its space, or a version. *shown is how many bytes
 * show it. No such text begins with a byte that begins a frame, whatever was agreed on (every one
 * has RSV1 and a reserved or a control opcode, or RSV3): so who asks after a frame was refused
 * refuses nothing more, and who waits for MAYBE to end keeps no frame waiting.
 */
enum mw_stray mw_stray_http(const uint8_t *bytes, size_t len, size_t *shown);

#endif
