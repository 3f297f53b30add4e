/*
 * One WebSocket connection from our end: name, address, TCP, TLS, handshake, then struct mw_conn in
 * the client's role, and at the end all that is known about it. Proxies of the environment
 * (HTTP_PROXY) are not asked: what is tested is the path itself.
 *
 *   RESOLVE --> CONNECT --> SECURE --> UPGRADE --> OPEN --> ended
 *      `----------`-----------`----------`----------------------^     SECURE: wss alone
 *
 * Events come from the loop, one at a time, never from inside a command. Every command may be
 * given from inside every event. `ended` is the last event and comes once for each client that
 * start has given, unless it is freed before.
 */
#ifndef MW_OUTBOUND_WS_CLIENT_H
#define MW_OUTBOUND_WS_CLIENT_H

#include "core/io/dial.h"
#include "core/outbound/outbound.h"
#include "core/outbound/ws_url.h"
#include "core/proto/http.h"
#include "core/session/conn.h"

struct mw_ws_client;

enum mw_ws_step {
    MW_WS_RESOLVE,
    MW_WS_CONNECT,
    MW_WS_SECURE,
    MW_WS_UPGRADE, /* from the request to the end of the answer's head */
    MW_WS_OPEN,
    MW_WS_STEPS,
};

/* What went wrong, as a name for programs (--json) and a sentence for people. */
#define MW_WS_FAULT_LIST(X) \
    X(none, "nothing went wrong") \
    X(cancelled, "it was given up from this side") \
    X(no_memory, "there was no memory") \
    X(no_address, "the name has no address") \
    X(no_connection, "no address took the connection") \
    X(tls, "TLS could not be agreed on") \
    X(cut, "the connection was cut") \
    X(timeout, "the time for this step was over") \
    X(not_http, "what answered does not speak HTTP") \
    X(refused, "the server answered with another status than 101") \
    X(bad_answer, "the answer breaks a rule of the handshake")

enum mw_ws_fault {
#define MW_WS_FAULT(name, text) MW_WS_FAULT_##name,
    MW_WS_FAULT_LIST(MW_WS_FAULT)
#undef MW_WS_FAULT
};

/* A frame as it came, before anything judges it. */
struct mw_ws_frame {
    uint8_t opcode; /* as on the wire: 3-7 and B-F too */
    bool fin, masked;
    uint8_t rsv;      /* RSV1 4, RSV2 2, RSV3 1 */
    uint8_t head_len; /* bytes of its header */
    uint64_t len;     /* of its payload */
};

/* What the server has answered, once its head is there. */
struct mw_ws_answer {
    unsigned status;
    const struct mw_header *headers; /* names in lower case, in the order of arrival */
    size_t header_count;
    struct mw_view server;   /* its Server header; empty without */
    struct mw_view protocol; /* the subprotocol; empty without */
    struct mw_ext_deflate deflate;
    struct mw_view body; /* of a refusal: its first bytes, MW_WS_BODY_MAX at most */
    /* Of a refusal: its JSON "retry" where we have sent it, else Retry-After. */
    struct mw_advice advice;
};
#define MW_WS_BODY_MAX 4096

/* How the way went so far. */
struct mw_ws_path {
    uint64_t took_us[MW_WS_STEPS];           /* of each step; OPEN: for how long it was open */
    bool passed[MW_WS_STEPS];                /* that step is behind it; OPEN: never */
    enum mw_ws_step step;                    /* it is at now, or has ended at */
    const struct mw_dial_address *addresses; /* all that the name has, and how each did */
    size_t address_count;
    const struct mw_dial_address *address; /* that it is connected to; NULL: none yet */
    bool is_secure;
    struct mw_tls_facts tls;        /* where SECURE is passed */
    const struct mw_tls_peer *peer; /* the server's certificate, good or bad; NULL: none was seen */
    const struct mw_ws_answer *answer; /* NULL: none was read */
};

struct mw_ws_ended {
    enum mw_ws_fault fault;     /* none: it was open */
    const char *text;           /* more closely: "the certificate has expired"; static */
    unsigned code;              /* 1006 where it was never open, 1015 where TLS failed */
    enum mw_cause cause;        /* of an open one; what `server` and `client` mean there is turned
                                   round: SERVER is who decided here, this side */
    enum mw_who who;            /* who ended it, as people say it: CLIENT is this side */
    bool opened, ours, clean;   /* ours: by mw_ws_client_close or abort */
    struct mw_view reason;      /* whole, as it came */
    struct mw_view said;        /* ... without the advice */
    struct mw_advice advice;    /* of the reason, or of the refusal */
    enum mw_rule rule;          /* that the server broke */
    struct mw_view bytes;       /* of the frame header that broke it */
    struct mw_view first_bytes; /* not_http: of what came instead; at most 64 */
    mw_ms uptime_ms, silent_ms; /* silent: since the last byte came */
    uint64_t messages_sent, messages_received;
    unsigned pings_unanswered;
};

/* All views and pointers live until the call returns. Any may be NULL, but `ended`. */
struct mw_ws_client_events {
    /* A step is passed: mw_ws_client_path tells how. */
    void (*passed)(void *owner, enum mw_ws_step step);
    void (*opened)(void *owner, const struct mw_ws_answer *answer);
    void (*message)(void *owner, enum mw_opcode opcode, struct mw_view data);
    /* All of one read before what they lead to; of control frames the payload too. */
    void (*frame)(void *owner, const struct mw_ws_frame *frame, struct mw_view payload);
    /* The server's ping; it has been answered. */
    void (*ping)(void *owner, struct mw_view payload);
    /* rtt_us: of the ping with this payload; MW_NEVER: nobody had asked. */
    void (*pong)(void *owner, struct mw_view payload, uint64_t rtt_us);
    /* The queue has room again after a send was dropped or it was more than half full. */
    void (*drained)(void *owner);
    void (*ended)(void *owner, const struct mw_ws_ended *ended);
};

struct mw_ws_client_setup {
    struct mw_outbound *outbound;
    struct mw_view url;              /* ws:// or wss://; http and https are taken for them */
    const struct mw_header *headers; /* more header lines; Host here goes before the URL's */
    size_t header_count;
    const struct mw_view *protocols;
    size_t protocol_count;
    struct mw_view origin;   /* empty: none is sent */
    bool compression;        /* permessage-deflate is offered */
    bool insecure;           /* any certificate will do; what is wrong with it is still told */
    int family;              /* 0, 4, 6: as mw_dial_setup */
    mw_ms connect_wait_ms;   /* for each address; 0: 5000 */
    mw_ms handshake_wait_ms; /* from connected to opened; 0: 10000 */
    const struct mw_limits_ms *limits; /* borrowed for its life; NULL: mw_ws_client_limits */
    const struct mw_ws_client_events *events;
    void *owner;
};

/* No rate, age or idle limit, 64 MiB a message, no pings of its own. Static. */
const struct mw_limits_ms *mw_ws_client_limits(void);

/*
 * Gives a client; everything but limits, outbound, events and owner is copied. MW_ERR_BAD_ARG with
 * a sentence in `why` (URL, a header that is none, one that the handshake itself makes, PEM);
 * MW_ERR_NOMEM, MW_ERR_IO.
 */
int mw_ws_client_start(const struct mw_ws_client_setup *setup, struct mw_ws_client **out,
                       char why[256]);
/*
 * Lets go of it: no event comes any more, what is left of it leaves with the loop. An open
 * connection is cut. NULL is allowed; also from inside an event, and after `ended`, where it is
 * the owner's to do.
 */
void mw_ws_client_free(struct mw_ws_client *client);

/* ---- commands: MW_ERR_CLOSED where it is not open (any more) ---- */

/* Whole message. MW_ERR_DROPPED: the queue is above its limit; MW_ERR_NOMEM, MW_ERR_BAD_UTF8. */
int mw_ws_client_send(struct mw_ws_client *client, enum mw_opcode opcode, struct mw_view payload);
/*
 * One frame of a message that the owner cuts itself: TEXT or BINARY first, then CONTINUATION, the
 * last one with fin. Never compressed. Pings may go in between, whole messages may not.
 */
int mw_ws_client_send_frame(struct mw_ws_client *client, enum mw_opcode opcode, bool fin,
                            struct mw_view payload);
/* payload: at most MW_CONTROL_MAX bytes. Of so many unanswered pings the time is kept: 8. */
int mw_ws_client_ping(struct mw_ws_client *client, struct mw_view payload);
/*
 * code 0: none is sent. MW_ERR_BAD_CODE: this one must not be sent; MW_ERR_BAD_UTF8. `ended`
 * follows when the server has answered, or by MW_CONN_CLOSE_WAIT_MS. Before it is open: gives up.
 */
int mw_ws_client_close(struct mw_ws_client *client, unsigned code, struct mw_view reason);
/* At once and without a word; `ended` follows. */
void mw_ws_client_abort(struct mw_ws_client *client);
/* While not reading nothing comes in, and the server feels it. */
void mw_ws_client_read(struct mw_ws_client *client, bool on);

/* ---- what is known ---- */

/* Until the next event. */
const struct mw_ws_path *mw_ws_client_path(const struct mw_ws_client *client);
const struct mw_ws_url *mw_ws_client_url(const struct mw_ws_client *client);
bool mw_ws_client_is_open(const struct mw_ws_client *client);
/* Bytes that wait to be sent here, and those that the kernel holds as well. */
size_t mw_ws_client_queued(const struct mw_ws_client *client);
size_t mw_ws_client_untaken(const struct mw_ws_client *client);

/* "dns", "tcp", "tls", "http", "open". "refused". Static. */
const char *mw_ws_step_name(enum mw_ws_step step);
const char *mw_ws_fault_name(enum mw_ws_fault fault);
const char *mw_ws_fault_text(enum mw_ws_fault fault);

#endif
