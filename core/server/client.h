/*
 * One client of a worker: the stream, the machine on top of it, what the server remembers about it.
 *
 *   HTTP --upgrade--> OPENING --on_open accepted--> OPEN --end--> LINGER --> GONE
 *    |  (requests)       `--refused--------------------------------^          ^
 *    `--answered, no keep-alive------------------------------------^          |
 *                     OPEN --cut by the network--> AWAY --time is over--------'
 *                       ^---the client is back------'
 *
 * Freed in one place, the stream's closed event; where it has no stream any more, at the end of the
 * turn in which it is GONE. Outside its worker a client is its id.
 */
#ifndef MW_SERVER_CLIENT_H
#define MW_SERVER_CLIENT_H

#include "core/base/ip.h"
#include "core/hub/sub.h"
#include "core/io/loop.h"
#include "core/io/stream.h"
#include "core/server/route.h"
#include "core/session/backlog.h"
#include "core/session/conn.h"
#include "core/session/http_conn.h"

enum mw_client_phase {
    MW_CLIENT_HTTP,
    MW_CLIENT_OPENING,
    MW_CLIENT_OPEN,
    MW_CLIENT_AWAY, /* has no stream, and may come back: away.h */
    MW_CLIENT_LINGER,
    MW_CLIENT_GONE,
};

/*
 * How long a closing connection is read and dropped once everything has left, so that the peer
 * really sees the code, and again for each such span in which at least so many bytes came: a reset
 * would take the code from who reads only when its upload is done, while one who drips gains
 * nothing. Before that: how long it may take nothing. And the whole of it.
 */
#define MW_LINGER_MS           2000
#define MW_LINGER_UPLOAD_BYTES 1024
#define MW_LINGER_STALL_MS     10000
#define MW_LINGER_MAX_MS       60000

/* What is known of a WebSocket's handshake: one block, made at the upgrade. */
struct mw_facts {
    size_t size; /* of the block */
    struct mw_view path, protocol;
    struct mw_ext_deflate deflate; /* what is agreed on with the answer */
    bool has_sideband;             /* the client has named a mark */
    mw_ms opened_unix_ms;
    size_t param_count;
    struct mw_param params[]; /* ... behind them the sideband, where there is one */
};

/* NULL: there is none. */
static inline struct mw_sideband *mw_facts_sideband(struct mw_facts *facts)
{
    return facts->has_sideband ? (struct mw_sideband *)(facts->params + facts->param_count) : 0;
}

/* How a handler that had yielded in on_open has decided. */
struct mw_decided {
    size_t size; /* of the block */
    struct mw_verdict verdict;
    char reason[];
};

/* A stream whose door is open, and what is known of it by then. */
struct mw_arrival {
    struct mw_stream *stream; /* given */
    struct mw_ip from;        /* who has sent the bytes, or the PROXY header's word */
    char *first;              /* bytes that were read already; borrowed, and may be changed */
    size_t first_len;
    mw_ms at_ms;    /* of the accept */
    bool is_last;   /* one of the last descriptors: for a question, not to stay */
    bool came_over; /* from another worker, with all of a handshake's head */
};

struct mw_client {
    struct mw_worker *worker;
    struct mw_stream *stream; /* NULL: in AWAY, and after it */
    mw_id id;
    uint8_t phase;      /* enum mw_client_phase */
    bool asked;         /* the app knows of it and must be told of its end */
    bool unasked;       /* others go first: on_open has not been called yet */
    bool accepted;      /* on_open has said yes */
    bool busy;          /* a handler of this connection waits */
    bool stalled;       /* nothing more is pulled until what waits has gone on */
    bool drained;       /* on_drain waits */
    bool open_failed;   /* on_open had yielded and then failed */
    uint8_t open_fault; /* enum mw_fault_kind: why it failed */
    bool ended;         /* the peer has finished sending */
    bool half_closed;   /* so have we */
    bool cut_soon;      /* at the end of this turn, for what it keeps waiting */
    bool is_leaving;    /* for another worker, at the end of this turn (handover.h) */
    bool came_over;     /* ... from another one: it stays */
    uint8_t leaves_for; /* the worker's number, while is_leaving */
    bool ending;        /* the peer has closed; what it said before is still being delivered */
    bool is_in;         /* it counts for the limits of the process: admit.h */
    bool is_last;       /* it has one of the last descriptors */
    struct mw_ip peer;  /* as it arrived */
    char ip[MW_STREAM_ADDRESS_LEN]; /* the client's, perhaps from further behind */
    size_t in_flight;               /* bytes that the stream holds; 0: a write may be made */
    size_t untaken;                 /* as the stream said last */
    size_t dropped;                 /* bytes, since the alarm of the linger was set */
    mw_ms ending_due_ms; /* of `ending`, or of one that waits for a decision; 0: neither */
    mw_ms linger_end_ms; /* no longer than that */
    struct mw_alarm alarm;
    struct mw_turn_task settle;
    struct mw_link in_worker, in_route;
    struct mw_link waiting; /* of route->fair.clients */
    struct mw_route *route;
    struct mw_ip_count *ip_count;   /* of the route, while `asked`; NULL: not counted */
    struct mw_ip_count *process_ip; /* of the process, while `is_in`; NULL: not counted */

    struct mw_http_conn *http; /* until accepted */
    struct mw_static *body;    /* of the response that is being sent */
    bool awaits;               /* ... or of one that other workers have a part in */

    struct mw_conn conn; /* from OPENING on */
    struct mw_facts *facts;
    struct mw_decided *decided;
    struct mw_session *session;   /* NULL: it cannot come back */
    struct mw_comeback *comeback; /* in OPENING, of who comes back to a session; else NULL */
    struct mw_subscriber subscriber;
    struct mw_backlog backlog;
    struct mw_buf held; /* bytes that were read and could not be used yet */
};

/* For the door: takes the stream. Without memory it is closed. */
void mw_client_accept(struct mw_worker *worker, const struct mw_arrival *arrival);
/* ... of one to whom nothing but this is said. */
void mw_client_refuse(struct mw_worker *worker, const struct mw_arrival *arrival,
                      const struct mw_http_refusal *why);
/* Output and whatever else is due are looked after at the end of this turn. */
void mw_client_settle_later(struct mw_client *client);
/*
 * Writes; what the kernel does not take stays in flight. False: the stream is broken, an `end`
 * follows.
 */
bool mw_client_write(struct mw_client *client, const struct mw_view *vectors, size_t count,
                     size_t *taken);
/* Since this was asked last the peer has taken something of what is in flight. */
bool mw_client_advances(struct mw_client *client);
/* Writes what is left, half-closes, then reads and drops for MW_LINGER_MS or an upload's time. */
void mw_client_linger(struct mw_client *client);
/* Closes the stream now; the client is freed by the loop. Not for one that the app knows of. */
void mw_client_drop(struct mw_client *client, bool reset);
/* The same for whomever: on_close still runs, from the same place as ever. */
void mw_client_cut(struct mw_client *client);
/* The stream is closed, and is nobody's any more; the client stays. */
void mw_client_lose_stream(struct mw_client *client);
/* The stream of one client, with where it comes from, becomes that of another that has none. */
void mw_client_give_stream(struct mw_client *from, struct mw_client *to);

#endif
