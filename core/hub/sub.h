/*
 * Who of this worker hears which topic: the worker's view of the topics. Subscribers are known by
 * their owner; fan-out is an array walk per topic, subscribing and leaving are O(1) in the number
 * of subscribers. Pure: whoever publishes walks the topic and sends.
 *
 * A topic that concerns others too, since there are several workers or it has a history, stands in
 * the store (topic.h) as well, and its members are changed under the store's lock: other workers
 * read who they are. With one worker a topic without a rule is here alone and costs no lock.
 */
#ifndef MW_HUB_SUB_H
#define MW_HUB_SUB_H

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/hub/topic.h"
#include "moonwire/bounds.h"

struct mw_topic;

struct mw_hub {
    struct mw_mem *mem;
    struct mw_topics *store; /* borrowed */
    unsigned worker;         /* its number there */
    struct mw_topic *topics; /* private: hash by name */
};

/*
 * Those who answer together for what they make the hub hold: the connections of one script. A topic
 * is its party's who made it, until it ends, whoever is in it by then; so a party lives until its
 * account is empty.
 */
struct mw_hub_party {
    struct mw_mem *mem; /* below the hub's, or the hub's */
    size_t topics;      /* that it has made and that still exist */
};

/* The topics of one connection; lives inside it. */
struct mw_subscriber {
    void *owner; /* what the fan-out hands out; borrowed */
    mw_id id;    /* by which other workers know it; never changed while it is in a topic */
    struct mw_hub_party *party;
    struct mw_membership *first;
    uint32_t count;
};

void mw_hub_init(struct mw_hub *hub, struct mw_mem *mem, struct mw_topics *store, unsigned worker);
/* After every subscriber has left. */
void mw_hub_free(struct mw_hub *hub);

void mw_subscriber_init(struct mw_subscriber *sub, void *owner, mw_id id,
                        struct mw_hub_party *party);

/* How to join, where that is more than to hear what comes. */
struct mw_join {
    struct mw_topic_wish replay;
    bool has_presence;
    struct mw_view presence; /* JSON */
};

/*
 * 1 joined, 0 was in it already; MW_ERR_BAD_ARG (1..256 bytes), MW_ERR_FULL (the connection has its
 * MW_BOUND_SUBSCRIPTIONS), MW_ERR_QUOTA (the party has its MW_BOUND_TOPICS), MW_ERR_NOMEM: nothing
 * changed. With `how` (NULL: nothing special) *told is filled: what is in it comes before all that
 * the subscriber is given from now on, and is freed by mw_topic_replay_free with the hub's memory.
 * Who is in the topic already is given nothing again, and says something else about itself.
 */
int mw_hub_join(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view topic,
                const struct mw_join *how, struct mw_topic_replay *told);
/* 1 left, 0 was not in it. */
int mw_hub_leave(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view topic);
void mw_hub_leave_all(struct mw_hub *hub, struct mw_subscriber *sub);

/* The n-th topic of a subscriber, in no order; empty past the last. Until it joins or leaves. */
struct mw_view mw_subscriber_topic(const struct mw_subscriber *sub, size_t n);

/*
 * Publishes, up to the own members: those get it from the caller, behind all that mw_inbox_next
 * gives. Everything else as mw_topics_publish.
 */
int mw_hub_publish(struct mw_hub *hub, struct mw_view topic, struct mw_publication *publication,
                   mw_ms now_ms, struct mw_published *told);
struct mw_inbox *mw_hub_inbox(struct mw_hub *hub);

/* The owners subscribed to a topic, in no order; borrowed until somebody joins or leaves. */
struct mw_audience mw_hub_audience(struct mw_hub *hub, struct mw_view topic);
static inline void *mw_audience_owner(const struct mw_audience *audience, size_t n)
{
    return audience->places[n].owner;
}
/* Whether a publication that came by the inbox is for this one: it has joined before. */
bool mw_audience_wants(const struct mw_audience *audience, size_t n, uint64_t offset);

size_t mw_hub_topic_count(const struct mw_hub *hub);
bool mw_hub_validate(const struct mw_hub *hub);

#endif
