/*
 * Bounds of what one script may hold or do on one worker, beside its memory and its CPU time. Fixed
 * numbers: none of them is a matter of taste that a setting would serve. Who goes beyond one gets
 * an error at the call that says which, how many, and what to do. docs/scripting.md ("Limits")
 * shows the same rows.
 */
#ifndef MOONWIRE_BOUNDS_H
#define MOONWIRE_BOUNDS_H

#define MW_BOUND_LIST(X) \
    X(TIMERS, 1000)          /* that run; who has more has lost count of them */ \
    X(WAITING_CALLS, 10000)  /* calls that sleep; each keeps a coroutine and its message */ \
    X(TOPICS, 10000)         /* that the script's connections were the first to enter */ \
    X(SUBSCRIPTIONS, 100)    /* of one connection */ \
    X(TOPIC_BYTES, 256)      /* of a topic's name */ \
    X(KEY_BYTES, 64)         /* of the key of a message that the next one replaces */ \
    X(HISTORY, 10000)        /* messages that a topic keeps */ \
    X(HISTORY_TTL_S, 86400)  /* seconds for which it keeps them */ \
    X(PRESENCE_BYTES, 1024)  /* of what a subscriber says about itself, as JSON */ \
    X(MEMBERS, 10000)        /* that are listed of a topic; all are counted */ \
    X(CALL_MESSAGES, 100000) /* sent by one call until it ends or waits; each receiver is one */ \
    X(CALL_BYTES, 67108864)  /* the same in bytes; what is published counts once */ \
    X(LOG_LINES_PER_S, 1000) /* and as many at once; the others are counted */ \
    X(LOG_LINE_BYTES, 16384) /* of message and fields of one line */ \
    X(REFUSAL_BYTES, 512)    /* of the text with which on_open refuses */ \
    X(JSON_DEPTH, 100)       /* each level costs C stack */ \
    X(JSON_BYTES, 16777216)  /* written; a text that is larger has another purpose */

enum {
#define MW_BOUND_ENUM(name, number) MW_BOUND_##name = (number),
    MW_BOUND_LIST(MW_BOUND_ENUM)
#undef MW_BOUND_ENUM
};

#endif
