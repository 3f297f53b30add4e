/* One is new, one has gone; docs/scripting.md has another number of one and no row of another. */
#define MW_BOUND_LIST(X) \
    X(TIMERS, 1000) \
    X(WAITING_CALLS, 10000) \
    X(TOPICS, 10000) \
    X(SUBSCRIPTIONS, 100) \
    X(TOPIC_BYTES, 256) \
    X(KEY_BYTES, 64) \
    X(HISTORY, 10000) \
    X(HISTORY_TTL_S, 86400) \
    X(PRESENCE_BYTES, 1024) \
    X(MEMBERS, 10000) \
    X(CALL_MESSAGES, 100000) \
    X(CALL_BYTES, 67108864) \
    X(LOG_LINES_PER_S, 1000) \
    X(LOG_LINE_BYTES, 16384) \
    X(REFUSAL_BYTES, 512) \
    X(JSON_DEPTH, 100) \
    X(NEW_ONE, 5)
