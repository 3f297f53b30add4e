/*
 * A crowd of clients that is cut off at one moment: when each tries to come back, by its policy,
 * and how a server takes it that can do so many handshakes a second. Virtual time, the rows of
 * close_catalog and the slots of a drain; the same seed gives the same run.
 */
#ifndef MW_SIM_HERD_H
#define MW_SIM_HERD_H

#include "core/base/mem.h"

/* What cuts them off: name, code that they see, for how long no server is there, in words. */
#define MW_HERD_EVENT_LIST(X) \
    X(drain, 1001, 0, "a drain, to another server") \
    X(crash, 1006, 2000, "a crash, the server is back after 2 s")

enum mw_herd_event {
#define MW_HERD_EVENT(name, code, down_ms, text) MW_HERD_##name,
    MW_HERD_EVENT_LIST(MW_HERD_EVENT)
#undef MW_HERD_EVENT
        MW_HERD_EVENTS
};

/* With v = least * growth^tries of the code's row, at most its cap. */
#define MW_HERD_POLICY_LIST(X) \
    X(no_jitter, "no jitter")       /* v */ \
    X(full_jitter, "full jitter")   /* 0 to v */ \
    X(decorrelated, "decorrelated") /* least to three times the one before */ \
    X(slots, "return slots")        /* the client that we ship: as told, else session/reconnect */

enum mw_herd_policy {
#define MW_HERD_POLICY(name, text) MW_HERD_BY_##name,
    MW_HERD_POLICY_LIST(MW_HERD_POLICY)
#undef MW_HERD_POLICY
        MW_HERD_POLICIES
};

/* Whoever is not back by then is left out. */
#define MW_HERD_MAX_S 7200

struct mw_herd_setup {
    size_t clients;
    uint64_t seed;
    uint64_t rate_per_s;     /* as drain.rate */
    uint64_t capacity_per_s; /* handshakes; the rest is refused and tries again */
};

struct mw_herd_run {
    uint32_t *arrivals; /* of each second: handshakes that were begun */
    size_t seconds;     /* to the last arrival */
    uint32_t peak;      /* the most of one second */
    uint64_t attempts;
    size_t back;   /* clients that were taken */
    mw_ms back_ms; /* the last of them */
};

/* MW_ERR_NOMEM: nothing to free. */
int mw_herd_simulate(struct mw_mem *mem, const struct mw_herd_setup *setup,
                     enum mw_herd_event event, enum mw_herd_policy policy, struct mw_herd_run *run);
void mw_herd_free(struct mw_mem *mem, struct mw_herd_run *run);

/* "drain", "a drain, ..."; "return_slots", "return slots". Static. */
const char *mw_herd_event_name(enum mw_herd_event event);
const char *mw_herd_event_text(enum mw_herd_event event);
const char *mw_herd_policy_name(enum mw_herd_policy policy);
const char *mw_herd_policy_text(enum mw_herd_policy policy);

#endif
