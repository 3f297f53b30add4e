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
    mw_ms opened_unix_ms;
    uint16_t path_len, protocol_len;
    struct mw_ext_deflate deflate; /* what is agreed on with the answer */
    bool has_sideband : 1;         /* the client has named a mark */
    uint8_t param_count : 7;
    struct mw_param params[]; /* behind them the sideband, if there is one, and all texts */
};

/* NULL: there is none. */
static inline struct mw_sideband *mw_facts_sideband(struct mw_facts *facts)
{
    return facts->has_sideband ? (struct mw_sideband *)(facts->params + facts->param_count) : 0;
}

static inline size_t mw_facts_texts_at(const struct mw_facts *facts)
{
    return facts->param_count * sizeof(struct mw_param) +
           (facts->has_sideband ? sizeof(struct mw_sideband) : 0);
}
static inline struct mw_view mw_facts_path(const struct mw_facts *facts)
{
    return mw_view((const char *)facts->params + mw_facts_texts_at(facts), facts->path_len);
}
/* Empty: none was agreed on. */
static inline struct mw_view mw_facts_protocol(const struct mw_facts *facts)
{
    return mw_view(mw_facts_path(facts).data + facts->path_len, facts->protocol_len);
}

/* Of the block. */
static inline size_t mw_facts_size(const struct mw_facts *facts)
{
    size_t size = sizeof(*facts) + mw_facts_texts_at(facts) + facts->path_len + facts->protocol_len;
    for (size_t i = 0; i < facts->param_count; i++)
        size += facts->params[i].name.len + facts->params[i].value.len;
    return size;
}

_Static_assert(sizeof(struct mw_facts) == 16, "each connection has one");

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

/* What requests need, and a handshake until it is accepted. */
struct mw_requests {
    struct mw_http_conn conn;
    struct mw_ip peer;            /* who has sent the bytes; client->ip may be further behind */
    struct mw_static *body;       /* of the response that is being sent */
    struct mw_comeback *comeback; /* in OPENING, of who comes back to a session; else NULL */
    struct mw_decided *decided;   /* in OPENING: by a handler that had yielded; else NULL */
    bool awaits;                  /* a response that other workers have a part in */
};

/* What the peer has said and nobody has heard yet. */
struct mw_unheard {
    struct mw_backlog backlog;
    struct mw_buf held; /* bytes that were read and could not be used yet */
};

/*
 * As many of these are idle as there are connections: what is needed only while something happens
 * is a block of its own.
 */
struct mw_client {
    struct mw_worker *worker;
    struct mw_stream *stream; /* NULL: in AWAY, and after it */
    mw_id id;
    uint8_t phase;        /* enum mw_client_phase */
    bool asked : 1;       /* the app knows of it and must be told of its end */
    bool unasked : 1;     /* others go first: on_open has not been called yet */
    bool accepted : 1;    /* on_open has said yes */
    bool busy : 1;        /* a handler of this connection waits */
    bool stalled : 1;     /* nothing more is pulled until what waits has gone on */
    bool drained : 1;     /* on_drain waits */
    bool open_failed : 1; /* on_open had yielded and then failed */
    uint8_t open_fault;   /* enum mw_fault_kind: why it failed */
    bool ended : 1;       /* the peer has finished sending */
    bool half_closed : 1; /* so have we */
    bool cut_soon : 1;    /* at the end of this turn, for what it keeps waiting */
    bool is_leaving : 1;  /* for another worker, at the end of this turn (handover.h) */
    bool came_over : 1;   /* ... from another one: it stays */
    uint8_t leaves_for;   /* the worker's number, while is_leaving */
    bool ending : 1;      /* the peer has closed; what it said before is still being delivered */
    bool is_in : 1;       /* it counts for the limits of the process: admit.h */
    bool is_last : 1;     /* it has one of the last descriptors */
    struct mw_ip ip;      /* the client's, perhaps from further behind */
    uint32_t dropped;     /* bytes, since the alarm of the linger was set; stops growing */
    uint32_t in_flight;   /* bytes that the stream holds; 0: a write may be made */
    uint32_t untaken;     /* as the stream said last */
    union {
        mw_ms ending_due_ms; /* of `ending`, or of one that waits for a decision; 0: neither */
        mw_ms linger_end_ms; /* in LINGER: no longer than that */
    };
    struct mw_alarm alarm;
    struct mw_turn_task settle;
    struct mw_link waiting; /* of route->fair.clients */
    struct mw_route *route;
    struct mw_ip_count *ip_count;   /* of the route, while `asked`; NULL: not counted */
    struct mw_ip_count *process_ip; /* of the process, while `is_in`; NULL: not counted */

    struct mw_requests *http; /* until accepted */

    struct mw_conn conn; /* from OPENING on */
    struct mw_facts *facts;
    struct mw_session *session;       /* NULL: it cannot come back */
    struct mw_subscriber *subscriber; /* NULL: it was never in a topic */
    struct mw_unheard *unheard;       /* NULL: nothing */
};

/* Its address, in `room`. */
static inline struct mw_view mw_client_ip(const struct mw_client *client, char room[MW_IP_TEXT_LEN])
{
    mw_ip_text(&client->ip, room);
    return mw_view_text(room);
}

/* NULL is allowed. */
void mw_client_free_decided(struct mw_worker *worker, struct mw_decided *decided);

/* Makes the block where there is none. NULL: no memory. */
struct mw_unheard *mw_client_keep_unheard(struct mw_client *client);
/* Lets go of the block if nothing is in it. */
void mw_client_rest_unheard(struct mw_client *client);
/* ... whatever is in it. */
void mw_client_forget_unheard(struct mw_client *client);
/* Every message of its has been given to the script. */
static inline bool mw_client_is_heard(const struct mw_client *client)
{
    return !client->unheard || mw_backlog_is_empty(&client->unheard->backlog);
}

/* The clients of a worker, in no order: the one behind *at (0: the first), NULL at the end. */
struct mw_client *mw_client_next(const struct mw_worker *worker, mw_id *at);
/*
 * The same, of a route alone. Looks at all of the worker's: it is asked when a script is removed,
 * paused or built anew, and a list for that would be 16 bytes of each connection. The caller holds
 * the route, which else may go with its last client.
 */
struct mw_client *mw_client_next_of(const struct mw_route *route, mw_id *at);

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
