/*
 * What happens to `moonwire connect`, as one thing with two forms: for people and for programs.
 * Both are pure; connect_screen says where they go.
 */
#ifndef MW_CLI_CONNECT_EVENT_H
#define MW_CLI_CONNECT_EVENT_H

#include "core/explain/lang.h"
#include "core/outbound/ws_client.h"
#include "core/session/reconnect.h"

/* X(name): how --jsonl calls it. */
#define MW_CONNECT_EVENT_LIST(X) \
    X(open) \
    X(sent) \
    X(message) \
    X(ping) /* of the server */ \
    X(pong) \
    X(hello) /* of a server of ours that was asked for an id */ \
    X(closed) \
    X(failed) /* it was never open */ \
    X(next) \
    X(stats) \
    X(error) /* of what was typed */

enum mw_connect_event_kind {
#define MW_CONNECT_EVENT(name) MW_CONNECT_##name,
    MW_CONNECT_EVENT_LIST(MW_CONNECT_EVENT)
#undef MW_CONNECT_EVENT
};

/* Of one connection; whole messages and the bytes in them. */
struct mw_connect_counts {
    uint64_t sent, sent_bytes, received, received_bytes;
    uint64_t queued_bytes; /* not sent yet */
    uint64_t open_us;
};

struct mw_connect_event {
    enum mw_connect_event_kind kind;
    uint64_t at_us;        /* since the program began */
    uint64_t after_us;     /* message: since the last one was sent; pong: the way there and back;
                              MW_NEVER: there is none */
    enum mw_opcode opcode; /* sent, message */
    struct mw_view data;   /* sent, message, ping, pong; hello: an id; error: a sentence */
    struct mw_view url;    /* closed, failed */
    const struct mw_ws_path *path;          /* open, closed, failed */
    const struct mw_ws_ended *ended;        /* closed, failed */
    const struct mw_connect_counts *counts; /* closed, stats */
    const char *id;                         /* closed; "": not told */
    const struct mw_reconnect_step *step;   /* next */
    bool again;                             /* failed: as before, so in short */
};

/* For whom. */
struct mw_connect_look {
    bool is_terminal; /* where messages go: they get a mark and a time, and are cut where huge */
    bool ascii, bold, verbose;
    unsigned cells;
    enum mw_lang lang;
};

/* Lines. Nothing for what is not told of. MW_ERR_NOMEM. */
int mw_connect_people(struct mw_buf *out, const struct mw_connect_event *event,
                      const struct mw_connect_look *look);

/* An object and a line's end. MW_ERR_NOMEM. */
int mw_connect_json(struct mw_buf *out, const struct mw_connect_event *event);

/* closed and failed, for people. MW_ERR_NOMEM. */
int mw_connect_verdict(struct mw_buf *out, const struct mw_connect_event *event,
                       const struct mw_connect_look *look);

/* ---- shared by the forms ---- */

/* "0.3 ms", "12 ms", "5.2 s", "12 min", "3 h". */
int mw_connect_put_span(struct mw_buf *out, uint64_t us);
/* "come back in 1.0 s to 5.0 s, and do not ask to resume"; nothing where nothing is advised. */
int mw_connect_put_advice(struct mw_buf *out, const struct mw_advice *advice);
/* "0a 0b": the first `most` bytes of them. */
int mw_connect_put_hex(struct mw_buf *out, struct mw_view bytes, size_t most);
/* "open", "message". Static. */
const char *mw_connect_event_name(enum mw_connect_event_kind kind);
/* "the server", "this side", "the network". Static. */
const char *mw_connect_who(enum mw_who who);

#endif
