/*
 * Port 2: what a script engine asks of the server. Implemented by the real host
 * (core/server/host_real.c) and by the simulated one (core/sim/sim_host.c). Functions return MW_OK
 * or a MW_ERR_*, never jump, and never call back into the engine. All are called from the worker's
 * thread.
 *
 * The first argument is the `host_app` of the app's setup: it says which script of which worker
 * asks. A connection of another script answers MW_ERR_GONE.
 */
#ifndef MOONWIRE_HOST_H
#define MOONWIRE_HOST_H

#include "moonwire/advice.h"
#include "moonwire/types.h"

struct mw_fault;
struct mw_verdict;

enum mw_log_level { MW_LOG_DEBUG, MW_LOG_INFO, MW_LOG_WARN, MW_LOG_ERROR };

/* A field of a log line; the value is JSON text. */
struct mw_log_field {
    struct mw_view key;
    struct mw_view json;
};

enum mw_conn_state {
    MW_CONN_STATE_OPENING, /* on_open has not decided yet */
    MW_CONN_STATE_OPEN,
    MW_CONN_STATE_AWAY,    /* cut by the network; it may come back, and what is sent is kept */
    MW_CONN_STATE_CLOSING, /* a Close frame was queued or seen */
    MW_CONN_STATE_CLOSED,
};

struct mw_param {
    struct mw_view name, value;
};

/* Facts about a connection; views live until its end (until `close` of app.h has returned). */
struct mw_conn_info {
    struct mw_view path; /* percent-decoded */
    struct mw_view ip;   /* in `ip_room`: as long as this struct, and not of a copy of it */
    char ip_room[48];
    struct mw_view protocol; /* empty: none was agreed on */
    const struct mw_param *params;
    size_t param_count;
    mw_ms opened_unix_ms;
    double rtt_s;        /* < 0: not known yet */
    size_t queued_bytes; /* waiting to be sent */
    uint64_t dropped;    /* messages that a policy did not send */
    uint64_t replaced;   /* ... and those that a newer one of their key has replaced */
    enum mw_conn_state state;
    bool accepted; /* by `open` of app.h, or its late word; stays so until `close` has returned */
    bool resumed;  /* it has been away and is back, or is about to be */
};

/* What becomes of a message where limits.queue has no room for it. */
enum mw_policy {
    MW_POLICY_CLOSE,  /* the connection ends with cause slow_consumer: nothing is lost unseen */
    MW_POLICY_DROP,   /* it is dropped; the connection stays */
    MW_POLICY_LATEST, /* one with the same key that has not begun to leave is replaced, else DROP */
};

/* How one message is sent, where that is not how the route does it. Ends with the call. */
struct mw_send_how {
    enum mw_policy policy;
    struct mw_view key; /* of LATEST: 1..MW_BOUND_KEY_BYTES bytes; else empty */
};

/* How a connection joins a topic, where that is more than to hear what comes. Ends with the call.
 */
struct mw_subscribe_how {
    bool has_since;
    uint64_t since; /* is sent what came after this offset */
    uint32_t last;  /* ... or the last so many; 0: nothing */
    bool has_presence;
    struct mw_view presence; /* JSON: what others are told about it, 1..MW_BOUND_PRESENCE_BYTES */
};

struct mw_subscribed {
    uint64_t offset; /* of the topic's last message; 0: it keeps none */
    bool is_whole;   /* all that was wished for was sent */
    uint32_t replayed;
};

/*
 * What the catalogue says of a close code that has a name of its own, not one of a range. Texts are
 * static.
 */
struct mw_code_facts {
    unsigned code;
    const char *name, *title, *description; /* "going away", "Going Away", sentences */
    bool is_sendable;
    bool retry, resume;         /* what a client does that is told nothing else */
    uint32_t least_ms, most_ms; /* of its first return; 0 where it stays away */
};

struct mw_host {
    /*
     * Queues a whole message: text must be UTF-8 (MW_ERR_BAD_UTF8). Before the 101 is sent it waits
     * for it. MW_ERR_GONE or MW_ERR_CLOSED: the connection is (nearly) over. MW_ERR_DROPPED: over
     * limits.queue; with MW_POLICY_CLOSE the connection will be ended with cause slow_consumer.
     * MW_ERR_QUOTA: what waits on behalf of the script fills its share; this message was dropped.
     * MW_ERR_NOMEM. `how` NULL: as the route's limits.policy says.
     */
    int (*send)(void *host_app, mw_id conn, enum mw_opcode kind, struct mw_view data,
                const struct mw_send_how *how);

    /*
     * Starts the closing handshake behind what is queued; a reason is cut at 123 bytes on a code
     * point. The advice (NULL: none) stands behind it where it tells more than the code; without
     * one the engine's `advise` is asked. MW_ERR_GONE, MW_ERR_CLOSED, MW_ERR_BAD_CODE,
     * MW_ERR_BAD_UTF8.
     */
    int (*close)(void *host_app, mw_id conn, unsigned code, struct mw_view reason,
                 const struct mw_advice *advice);

    /*
     * Why a code must not be sent ("1006 is never sent: it says that no Close frame came"), or
     * NULL: it may.
     */
    const char *(*code_refusal)(unsigned code);

    /* The n-th of those codes, in order; false past the last. */
    bool (*code_facts)(size_t n, struct mw_code_facts *out);

    /*
     * Gives the explanation of a code, or of two that differ, to `put` (which keeps a copy), in
     * English. MW_ERR_NOMEM, or what `put` answered.
     */
    int (*explain)(void *host_app, unsigned code, unsigned other,
                   int (*put)(void *ctx, struct mw_view text), void *ctx);

    int (*ping)(void *host_app, mw_id conn);
    int (*info)(void *host_app, mw_id conn, struct mw_conn_info *out);

    /*
     * 1 = changed, 0 = it was so already, or MW_ERR_GONE, MW_ERR_BAD_ARG (a topic is 1..256 bytes),
     * MW_ERR_NOMEM, MW_ERR_FULL (subscriptions of the connection), MW_ERR_QUOTA (topics of the
     * script, or what waits on its behalf). With `how` (NULL: nothing special) *told is set unless
     * an error is answered; what is replayed is queued before anything newer of the topic, and who
     * is in it already gets nothing again.
     */
    int (*subscribe)(void *host_app, mw_id conn, struct mw_view topic,
                     const struct mw_subscribe_how *how, struct mw_subscribed *told);
    int (*unsubscribe)(void *host_app, mw_id conn, struct mw_view topic);

    /*
     * The n-th topic (from 0) of a connection, in no order; false past the last. Until the next
     * change.
     */
    bool (*topic_at)(void *host_app, mw_id conn, size_t n, struct mw_view *topic);

    /*
     * To every subscriber of the topic but `except` (0: nobody). Number of local receivers, or
     * MW_ERR_BAD_ARG, MW_ERR_BAD_UTF8, MW_ERR_NOMEM, MW_ERR_QUOTA. `how` NULL: as the routes of the
     * receivers say. *offset is the message's own where the topic keeps messages, else 0; whoever
     * joins later may ask for what came after it. QUOTA also where another worker lags far behind.
     */
    long (*publish)(void *host_app, struct mw_view topic, enum mw_opcode kind, struct mw_view data,
                    mw_id except, const struct mw_send_how *how, uint64_t *offset);

    /*
     * Who is in a topic, on all workers, sorted by id, the first MW_BOUND_MEMBERS of them; *total
     * counts all. Gives them one by one to `put`, with their presence (JSON, or empty), which must
     * copy. MW_ERR_NOMEM, MW_ERR_BAD_ARG, or what `put` answered.
     */
    int (*members)(void *host_app, struct mw_view topic,
                   int (*put)(void *ctx, mw_id id, struct mw_view presence), void *ctx,
                   size_t *total);

    /*
     * The id may be of a connection on another worker: `send` and `close` take it, hand the matter
     * over and answer MW_OK, whatever becomes of it there (MW_ERR_DROPPED: too much is on its way).
     */
    bool (*is_elsewhere)(void *host_app, mw_id conn);

    /*
     * During engine->message, where the call of on_message has ended well: the next message of the
     * same connection, if it may be handled now; that is a call of its own, and the answer of
     * engine->message is the one to the last. False: none, and the one before was the last, which
     * has its answer, MW_APP_DONE. `data` lives until this is called again, or until the engine
     * returns, as that of engine->message lives until the first of these calls. NULL: there is
     * never one.
     */
    bool (*next_message)(void *host_app, mw_id conn, enum mw_opcode *kind, struct mw_view *data);

    /*
     * The text of the message that is being handled stands at `copy`, too, unchanged, for as long
     * as its call runs or until it waits: `send` need not judge it again. NULL: nobody asks.
     */
    void (*heard)(void *host_app, struct mw_view copy);

    /*
     * Walks the script's connections whose on_open accepted: start with 0; 0 at the end. Safe
     * against changes.
     */
    mw_id (*next_conn)(void *host_app, mw_id after);

    /*
     * A handler that waited has ended. `verdict` is for on_open and on_resume (was_open; NULL with
     * it means: failed), else NULL.
     */
    void (*finished)(void *host_app, mw_id conn, bool was_open, const struct mw_verdict *verdict);

    /*
     * For an engine that is about to call the script of its own accord, before each such call but
     * the first of a tick: false where others have to get their turn, or the script is paused. What
     * is left then waits for a later tick, for which wake_at may ask at once.
     */
    bool (*may_call)(void *host_app);

    /*
     * Asks for app.tick at this monotonic moment; replaces the last wish; MW_NEVER takes it back.
     */
    void (*wake_at)(void *host_app, mw_ms at_ms);
    mw_ms (*monotonic_ms)(void *host_app); /* now, not of the turn */
    mw_ms (*unix_ms)(void *host_app);

    /*
     * `conn` may be 0, `version` too. One record is one line; lines beyond a rate are counted only.
     */
    void (*log)(void *host_app, enum mw_log_level level, unsigned version, mw_id conn,
                struct mw_view message, const struct mw_log_field *fields, size_t field_count);
    void (*fault)(void *host_app, const struct mw_fault *fault);

    /* Unpredictable bytes (or the seed's, in a simulation). */
    int (*random)(void *host_app, void *out, size_t len);
};

#endif
