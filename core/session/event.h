/* What the driver can pull from a connection, and how a connection ended. */
#ifndef MW_SESSION_EVENT_H
#define MW_SESSION_EVENT_H

#include "core/proto/close.h"
#include "core/proto/frame.h"
#include "core/session/cause.h"

enum mw_event_kind {
    MW_EVENT_MORE,    /* nothing to tell until more bytes, time or writes come */
    MW_EVENT_MESSAGE, /* opcode and data */
    MW_EVENT_ASIDE,   /* the same, of the sideband: dealt with, and only to be counted as work */
    MW_EVENT_PONG,    /* the answer to our ping; rtt is new */
    MW_EVENT_DRAIN,   /* the send queue is below half of its limit after having been above that */
    MW_EVENT_DECIDE,  /* this side ends it: mw_conn_decide says how. Told until it has */
    MW_EVENT_CLOSED,  /* the end; once, and the last one. mw_conn_ending tells how */
};

struct mw_event {
    enum mw_event_kind kind;
    enum mw_opcode opcode;
    struct mw_view data; /* until the next call of mw_conn_next */
};

struct mw_conn_end {
    enum mw_cause cause;
    unsigned code; /* as reported: 1005 and 1006 included */
    bool clean;    /* both Close frames were seen */
    enum mw_rule rule;
    uint8_t reason_len, bytes_len;
    char reason[MW_CLOSE_REASON_MAX];
    struct mw_advice advice; /* of who began it: for who decides what the Close frame says */
    uint8_t bytes[MW_FRAME_HEAD_MAX]; /* of the offending frame header */
};

#endif
