/* Private to topic.c and topic_history.c: a topic in the store. */
#ifndef MW_HUB_SHARED_TOPIC_H
#define MW_HUB_SHARED_TOPIC_H

#include "core/hub/topic.h"

#include <uthash.h>

struct mw_shared_topic {
    UT_hash_handle hh;
    struct mw_topics_stripe *stripe;
    uint64_t base;       /* its offset before the first publication */
    uint64_t offset;     /* of the last one */
    uint64_t present;    /* bit n: worker n has members */
    struct mw_link kept; /* its history, the oldest first; without a hole up to `offset` */
    size_t kept_count;
    struct mw_topic_rule rule;
    unsigned rule_generation; /* of `rule` */
    bool orphan;              /* could not be put into the table */
    size_t bytes;             /* of this block */
    size_t name_len;
    const char *name; /* behind the parts */
    struct mw_audience parts[];
};

/* All of these under the lock of the topic's stripe. */

/* Looks whether its rule has changed; cuts what is too much or has expired. */
void mw_history_tidy(struct mw_topics *topics, struct mw_shared_topic *topic, mw_ms now_ms);
/* Keeps a reference. */
void mw_history_put(struct mw_topics *topics, struct mw_shared_topic *topic,
                    struct mw_publication *publication, mw_ms now_ms);
void mw_history_clear(struct mw_topics *topics, struct mw_shared_topic *topic);

/* Frees it where nothing holds it any more; then it is gone. */
void mw_shared_topic_end_if_unused(struct mw_topics *topics, struct mw_shared_topic *topic);

/* Without any lock: the oldest messages go until all histories have room again. */
void mw_history_evict(struct mw_topics *topics);

#endif
