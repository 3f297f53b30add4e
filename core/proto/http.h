/*
 * Heads of HTTP/1.1 requests and responses over llhttp, strict, into storage with fixed limits. The
 * body is not read: the reader stops right behind the head and says how many bytes were the head's.
 */
#ifndef MW_PROTO_HTTP_H
#define MW_PROTO_HTTP_H

#include "core/base/mem.h"
#include "moonwire/app.h"

#define MW_HTTP_MAX_HEAD    16384 /* bytes: above it 431; browsers with many cookies stay below */
#define MW_HTTP_MAX_TARGET  8192  /* bytes: above it 414 */
#define MW_HTTP_MAX_HEADERS 100   /* above it 431 */

enum mw_http_kind { MW_HTTP_REQUEST, MW_HTTP_RESPONSE };

struct mw_http_head {
    struct mw_view method, target; /* of a request */
    unsigned status;               /* of a response */
    unsigned major, minor;
    /*
     * Names in lower case, values trimmed, in order of arrival. Where the target is an absolute
     * form, the value of Host is its authority (RFC 9112 3.2.2).
     */
    const struct mw_header *headers;
    size_t header_count;
    bool keep_alive; /* by version and Connection */
    bool has_body;   /* a Content-Length above 0 or a Transfer-Encoding was announced */
};

/* Why a head was refused: what to answer with. */
struct mw_http_refusal {
    unsigned status;   /* 400, 414, 431, 501, 505 */
    const char *error; /* "bad_request": a short name. Static */
    const char *text;  /* a sentence. Static */
};

struct mw_http_reader;

/* NULL: no memory. */
struct mw_http_reader *mw_http_reader_new(struct mw_mem *mem, enum mw_http_kind kind);
void mw_http_reader_free(struct mw_http_reader *reader);

/*
 * Feeds bytes. MW_OK: the head is whole and *used of these bytes belonged to it (the rest is the
 * body's or the next protocol's). MW_ERR_AGAIN: all were used, more are needed. MW_ERR_PROTOCOL:
 * *refusal says what to answer; MW_ERR_NOMEM. After these two the reader is only asked for the
 * target, and freed. The answer is the same for every cut of the bytes: the fault that comes first
 * is named.
 */
int mw_http_reader_feed(struct mw_http_reader *reader, struct mw_view bytes, size_t *used,
                        struct mw_http_refusal *refusal);

/* After MW_OK, until reset or free. */
const struct mw_http_head *mw_http_reader_head(const struct mw_http_reader *reader);

/* A request's target as soon as the first line is whole, also of a head that was refused. */
struct mw_view mw_http_reader_target(const struct mw_http_reader *reader);

/* Nothing has arrived since new or reset, or only empty lines before a request. */
bool mw_http_reader_is_fresh(const struct mw_http_reader *reader);

/* Ready for the next head of the connection. */
void mw_http_reader_reset(struct mw_http_reader *reader);

/* The first header of this (lower-case) name and the number of such headers. */
struct mw_view mw_http_header(const struct mw_http_head *head, const char *name, size_t *count);

/*
 * True when any header of this name holds the token in its comma-separated list, in any letter
 * case.
 */
bool mw_http_has_token(const struct mw_http_head *head, const char *name, const char *token);

#endif
