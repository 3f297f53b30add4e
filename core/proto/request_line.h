/*
 * The beginning of a request: empty lines that are passed over, and the request line (RFC 9112 2.2
 * and 3). What is no HTTP/1.1 at all is named here: TLS, HTTP/2, a PROXY header, any other bytes.
 */
#ifndef MW_PROTO_REQUEST_LINE_H
#define MW_PROTO_REQUEST_LINE_H

#include "core/base/buf.h"
#include "core/proto/http.h"

enum mw_line_phase {
    MW_LINE_START, /* of a line, which may still be an empty one */
    MW_LINE_EMPTY_END,
    MW_LINE_METHOD,
    MW_LINE_TARGET,
    MW_LINE_VERSION,
    MW_LINE_CR,
    MW_LINE_LF,
    MW_LINE_DONE,
};

/* All zero: nothing has come. */
struct mw_request_line {
    enum mw_line_phase phase;
    unsigned empty_lines;
    size_t method_len, target_len; /* of what stands in the text, one behind the other */
    size_t version_len;            /* bytes of "HTTP/1.x" that have come */
    unsigned minor;                /* of version 1 */
};

/*
 * Reads as far as the line goes, *used bytes; method and target are put to `text`, which is empty
 * at first and nobody else's until the line is done. MW_OK: it is. MW_ERR_AGAIN: all were used.
 * MW_ERR_PROTOCOL with *refusal, on the first byte that cannot be right, whatever the cut.
 * MW_ERR_NOMEM.
 */
int mw_request_line_feed(struct mw_request_line *line, struct mw_view bytes, struct mw_buf *text,
                         size_t *used, const struct mw_http_refusal **refusal);

#endif
