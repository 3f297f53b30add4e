/*
 * A connection before (or without) its upgrade: heads of requests one after the other, left-over
 * bytes, and what is still to be answered. Pure: bytes in, requests pulled, responses put.
 *
 *   HEAD --request--> BUSY --answered--> HEAD (keep-alive) or DONE
 *     `--refused-----------------------> DONE (the refusal waits in `out`)
 */
#ifndef MW_SESSION_HTTP_CONN_H
#define MW_SESSION_HTTP_CONN_H

#include "core/base/buf.h"
#include "core/proto/http.h"
#include "core/proto/http_out.h"

/* From the accept to a whole request head; and between two requests of a kept connection. */
#define MW_HTTP_HEAD_MS 10000
#define MW_HTTP_KEEP_MS 15000

enum mw_http_phase { MW_HTTP_PHASE_HEAD, MW_HTTP_PHASE_BUSY, MW_HTTP_PHASE_DONE };

enum mw_http_event {
    MW_HTTP_MORE,
    MW_HTTP_GOT_REQUEST, /* mw_http_conn_head is whole; answer it, then call answered */
    MW_HTTP_REFUSED,     /* the refusal is in `out`; nothing more is read */
};

struct mw_http_conn {
    enum mw_http_phase phase;
    mw_ms due_ms;      /* of the head */
    bool keep_alive;   /* the last request allows another one */
    bool out_sent;     /* `out` has been given to the stream: cleared when that has let go of it */
    struct mw_buf in;  /* fed and not yet used */
    struct mw_buf out; /* heads and short bodies to be sent */
    struct mw_http_reader *reader;
    struct mw_http_refusal refusal; /* why, after REFUSED */
};

/* MW_ERR_NOMEM: nothing to free. */
int mw_http_conn_init(struct mw_http_conn *http, struct mw_mem *mem, mw_ms now_ms);
void mw_http_conn_free(struct mw_http_conn *http);

/* Copies what came. MW_ERR_NOMEM, MW_ERR_FULL (a client that pipelines without reading): close. */
int mw_http_conn_feed(struct mw_http_conn *http, struct mw_view bytes);
enum mw_http_event mw_http_conn_next(struct mw_http_conn *http, mw_ms unix_ms);

/* Bytes of a request have come, and it is not answered. */
bool mw_http_conn_has_begun(const struct mw_http_conn *http);

/* Of the request that is being answered. */
const struct mw_http_head *mw_http_conn_head(const struct mw_http_conn *http);
/* The target of the request that is read, as far as it can be told (mw_http_reader_target). */
struct mw_view mw_http_conn_target(const struct mw_http_conn *http);

/*
 * What came behind the head: the first bytes of the next request, or of the frames after an
 * upgrade.
 */
static inline struct mw_view mw_http_conn_rest(const struct mw_http_conn *http)
{
    return mw_buf_view(&http->in);
}

/*
 * Begins an answer in `out`: mw_http_start, and Connection where the client has to be told (RFC
 * 9112 9.3: that this answer is the last one, or to HTTP/1.0 that it is not). MW_ERR_NOMEM.
 */
int mw_http_conn_start(struct mw_http_conn *http, unsigned status, mw_ms unix_ms);

/*
 * Puts a refusal (see mw_http_refuse) instead of whatever is in `out`; without its body in answer
 * to HEAD. It is the last answer, unless the request was sound and without a body or an upgrade,
 * and only asked for what there is not. MW_ERR_NOMEM: the client sees the stream's end only.
 */
int mw_http_conn_refuse(struct mw_http_conn *http, unsigned status, const char *error,
                        struct mw_view detail, const char *extra, const struct mw_http_told *told,
                        mw_ms unix_ms);

/* The response has left; next() may find another request already. */
void mw_http_conn_answered(struct mw_http_conn *http, mw_ms now_ms);

/* Whatever comes is refused for this: the answer is put, and the phase is DONE. */
void mw_http_conn_turn_away(struct mw_http_conn *http, const struct mw_http_refusal *why,
                            mw_ms unix_ms);

/* The time for a head is over: a 408 is put where a request had begun, and the phase is DONE. */
void mw_http_conn_time_out(struct mw_http_conn *http, mw_ms unix_ms);

#endif
