/*
 * Heads and short bodies of HTTP/1.1 responses into a buffer. Values are checked: no header can be
 * forged by CR or LF.
 */
#ifndef MW_PROTO_HTTP_OUT_H
#define MW_PROTO_HTTP_OUT_H

#include "core/base/buf.h"
#include "core/base/json.h"
#include "core/proto/http.h"
#include "moonwire/advice.h"

/* "Not Found"; "Unknown" for a status without a registered phrase (RFC 9110 15). Static. */
const char *mw_http_phrase(unsigned status);

/*
 * A response head, piece by piece: start puts the status line, Date and Server; the fields follow;
 * end puts the empty line. MW_OK, MW_ERR_NOMEM, or MW_ERR_BAD_ARG for a value with a control
 * character.
 */
int mw_http_start(struct mw_buf *out, unsigned status, mw_ms unix_ms);
int mw_http_field(struct mw_buf *out, const char *name, struct mw_view value);
int mw_http_field_number(struct mw_buf *out, const char *name, uint64_t value);
int mw_http_end(struct mw_buf *out);

/*
 * The head of a request once more: whoever reads it finds the same. Never longer than what was read
 * but for an absolute target's Host. MW_ERR_NOMEM.
 */
int mw_http_put_request(struct mw_buf *out, const struct mw_http_head *head);

/* What a refusal says of coming back. */
struct mw_http_told {
    const char *cause;      /* of cause.def, or NULL */
    struct mw_advice retry; /* RETURN: Retry-After (RFC 9110 10.2.3) as well */
};

/* "cause":name or null, "retry":false or {"after":S,"spread":S}, into an open object. */
void mw_http_write_told(struct mw_json_writer *json, const struct mw_http_told *told);

/*
 * A whole refusal: {"error":"...","detail":"...","status":N} as application/json, with `connection`
 * as the value of Connection (NULL: without), plus `extra` (whole header lines with CRLF, or NULL).
 * With `told` (NULL: nothing) also "cause" and "retry". `detail` may hold any bytes. MW_OK, or
 * MW_ERR_NOMEM: nothing was put.
 */
int mw_http_refuse(struct mw_buf *out, unsigned status, const char *error, struct mw_view detail,
                   const char *connection, const char *extra, const struct mw_http_told *told,
                   mw_ms unix_ms);

#endif
