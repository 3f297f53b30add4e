/*
 * Who of this worker hears which topic. Subscribers are known by their owner; fan-out is an array
 * walk per topic, subscribing and leaving are O(1) in the number of subscribers. Pure: whoever
 * publishes walks the topic and sends.
 */
#ifndef MW_HUB_SUB_H
#define MW_HUB_SUB_H

#include "core/base/list.h"
#include "core/base/mem.h"
#include "moonwire/bounds.h"

struct mw_topic;
struct mw_membership;

struct mw_hub {
    struct mw_mem *mem;
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
    struct mw_hub_party *party;
    struct mw_membership *first;
    uint32_t count;
};

void mw_hub_init(struct mw_hub *hub, struct mw_mem *mem);
/* After every subscriber has left. */
void mw_hub_free(struct mw_hub *hub);

void mw_subscriber_init(struct mw_subscriber *sub, void *owner, struct mw_hub_party *party);

/*
 * 1 joined, 0 was in it already; MW_ERR_BAD_ARG (1..256 bytes), MW_ERR_FULL (the connection has its
 * MW_BOUND_SUBSCRIPTIONS), MW_ERR_QUOTA (the party has its MW_BOUND_TOPICS), MW_ERR_NOMEM: nothing
 * changed.
 */
int mw_hub_join(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view topic);
/* 1 left, 0 was not in it. */
int mw_hub_leave(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view topic);
void mw_hub_leave_all(struct mw_hub *hub, struct mw_subscriber *sub);

/* The n-th topic of a subscriber, in no order; empty past the last. Until it joins or leaves. */
struct mw_view mw_subscriber_topic(const struct mw_subscriber *sub, size_t n);

/* The owners subscribed to a topic, in no order; borrowed until somebody joins or leaves. */
struct mw_audience {
    struct mw_membership *const *members;
    size_t count;
};
struct mw_audience mw_hub_audience(struct mw_hub *hub, struct mw_view topic);
void *mw_audience_owner(const struct mw_audience *audience, size_t n);

size_t mw_hub_topic_count(const struct mw_hub *hub);
bool mw_hub_validate(const struct mw_hub *hub);

#endif
