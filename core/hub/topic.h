/*
 * The topics of the process: what all workers share of them. Of each one here: its offset, which
 * counts publications; its history, where a rule gives it one; and which workers have members, with
 * who they are. With one worker only topics with a rule are here (hub/sub knows the others).
 *
 * Any thread. Topics are spread over stripes, each with its lock; a publication gets its offset,
 * its place in the history and its places in the inboxes under that lock, so every worker sees a
 * topic in the same order. Locks are taken in this order: stripe, then inbox or rules.
 *
 * Offsets are below 2^53. A topic that is made anew begins above all that was ever used here, and
 * the first above `first_offset`, which is a time: an offset of another life of the topic, or of an
 * earlier run, is none of this one's.
 */
#ifndef MW_HUB_TOPIC_H
#define MW_HUB_TOPIC_H

#include "core/hub/inbox.h"
#include "core/hub/topic_rules.h"

/* A power of two; so many that workers seldom wait for each other. */
#define MW_TOPICS_STRIPES 64
/* Beyond, `present` has no bit. */
#define MW_TOPICS_WORKERS 64

struct mw_membership;

/* One who is in a topic. The owner stands here so that a fan-out looks at nothing between. */
struct mw_audience_place {
    void *owner;
    struct mw_membership *member;
};

/* Subscribers of a topic on one worker, in no order; borrowed until somebody joins or leaves. */
struct mw_audience {
    const struct mw_audience_place *places;
    size_t count;
};

struct mw_topics_stripe {
    struct mw_lock lock; /* guards what follows, and the topics of this stripe */
    struct mw_mem mem;
    struct mw_shared_topic *topics; /* hash by name */
    struct mw_link history;         /* publications of all of them, the oldest first */
    _Atomic mw_ms oldest_ms;        /* of these, also read without the lock; MW_NEVER: none */
};

struct mw_topics {
    unsigned workers; /* 0: not open */
    struct mw_inbox inboxes[MW_TOPICS_WORKERS];
    struct mw_topic_rules rules;
    size_t max_history_bytes; /* may be set as long as nobody publishes */

    /* private */
    _Atomic uint64_t highest; /* offset of all topics that are no more */
    atomic_size_t history_bytes;
    _Atomic mw_ms sweep_ms; /* the next one */
    unsigned sweep_stripe;  /* ... begins there; whoever sweeps has it */
    struct mw_topics_stripe stripes[MW_TOPICS_STRIPES];
};

struct mw_topics_setup {
    unsigned workers;         /* 1..MW_TOPICS_WORKERS */
    uint64_t first_offset;    /* unix time in µs */
    size_t max_history_bytes; /* of all histories */
};

void mw_topics_init(struct mw_topics *topics, const struct mw_topics_setup *setup);
/*
 * When no worker runs any more and all members have left. Returns the bytes that are left: 0. May
 * be called again.
 */
size_t mw_topics_free(struct mw_topics *topics);

/* ---- members: for hub/sub ---- */

/*
 * The topic, with its lock taken; made where there is none. NULL: no memory, and no lock. It exists
 * as long as the lock is held or the worker has members in it.
 */
struct mw_shared_topic *mw_topics_enter(struct mw_topics *topics, struct mw_view name);
void mw_shared_topic_lock(struct mw_shared_topic *topic);
/* Gives the lock back; the topic may be gone then. */
void mw_topics_leave(struct mw_topics *topics, struct mw_shared_topic *topic);
/* Under the lock: these are the worker's members now. Others read them, under the lock. */
void mw_shared_topic_set_part(struct mw_shared_topic *topic, unsigned worker,
                              struct mw_audience part);
/* Under the lock: the members on a worker. */
struct mw_audience mw_shared_topic_part(const struct mw_shared_topic *topic, unsigned worker);
uint64_t mw_shared_topic_offset(const struct mw_shared_topic *topic);

/* ---- publishing ---- */

struct mw_published {
    bool is_somewhere; /* false: no member and no history, nothing was done */
    bool is_kept;      /* in the history */
    uint64_t offset;
    struct mw_audience audience; /* the own members; set by mw_hub_publish */
};

/*
 * Publishes to a topic from a worker: history, inboxes of the other workers that have members. The
 * worker delivers it to its own members afterwards, behind all that its inbox gives then.
 * `publication` may be NULL: MW_ERR_AGAIN says that one is needed, and nothing was done.
 * MW_ERR_QUOTA: another worker's inbox is full; MW_ERR_NOMEM; nothing was done.
 */
int mw_topics_publish(struct mw_topics *topics, struct mw_view name, unsigned worker,
                      struct mw_publication *publication, mw_ms now_ms, struct mw_published *told);

/* ---- history ---- */

/* What of a history is wanted, at most so many bytes as they leave. */
struct mw_topic_wish {
    bool has_since;
    uint64_t since; /* what came after this offset */
    uint32_t last;  /* without since: so many */
    size_t max_bytes;
    mw_ms now_ms;
};

struct mw_topic_replay {
    uint64_t offset;              /* of the last publication; 0: the topic has no history */
    bool is_whole;                /* all that was wished for is there */
    struct mw_publication **list; /* oldest first, each with a reference */
    size_t count, cap;
};

/*
 * Under the lock. Cuts what is too much or not there any more from the old end, so that no hole is
 * before what comes next. The list is the caller's, of `mem`. MW_ERR_NOMEM.
 */
int mw_shared_topic_replay(struct mw_topics *topics, struct mw_shared_topic *topic,
                           const struct mw_topic_wish *wish, struct mw_mem *mem,
                           struct mw_topic_replay *out);
void mw_topic_replay_free(struct mw_topic_replay *replay, struct mw_mem *mem);

/* Between two sweeps: every topic has its turn within eight of them. */
#define MW_TOPICS_SWEEP_MS 1000

/*
 * From time to time, by any worker: drops some of what has expired and forgets topics. Returns when
 * to ask again; MW_NEVER: no history holds anything.
 */
mw_ms mw_topics_sweep(struct mw_topics *topics, mw_ms now_ms);

/* Bytes of all histories; topics in the store. For metrics and tests. */
size_t mw_topics_history_bytes(struct mw_topics *topics);
size_t mw_topics_count(struct mw_topics *topics);
bool mw_topics_validate(struct mw_topics *topics);

#endif
