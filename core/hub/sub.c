/*
 * Topics of one worker. A membership is on two lists: the array of its topic (its index is known,
 * so it is swapped out in O(1)) and the chain of its subscriber. A topic exists exactly as long as
 * somebody is in it. Called by server/host_real.
 */
#include "core/hub/sub.h"

/*
 * uthash takes its memory from the hub that is in scope, and reports its lack instead of leaving.
 */
#define uthash_malloc(size)          mw_alloc(hub->mem, size)
#define uthash_free(block, size)     mw_free(hub->mem, block, size)
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->orphan = true)
#include <uthash.h>

struct mw_membership {
    struct mw_topic *topic;
    struct mw_subscriber *sub;
    struct mw_membership *prev, *next; /* of the subscriber */
    size_t index;                      /* in topic->members */
};

struct mw_topic {
    UT_hash_handle hh;
    struct mw_membership **members;
    size_t count, cap;
    size_t name_len;
    struct mw_hub_party *party; /* who made it, and whose memory it is */
    bool orphan;                /* could not be put into the table */
    char name[];
};

void mw_hub_init(struct mw_hub *hub, struct mw_mem *mem)
{
    *hub = (struct mw_hub){ .mem = mem };
}

void mw_hub_free(struct mw_hub *hub)
{
    mw_assert(!hub->topics);
    hub->topics = 0;
}

void mw_subscriber_init(struct mw_subscriber *sub, void *owner, struct mw_hub_party *party)
{
    *sub = (struct mw_subscriber){ .owner = owner, .party = party };
}

static struct mw_topic *find_topic(struct mw_hub *hub, struct mw_view name)
{
    struct mw_topic *topic = 0;
    HASH_FIND(hh, hub->topics, name.data, name.len, topic);
    return topic;
}

static void topic_release(struct mw_topic *topic)
{
    struct mw_hub_party *party = topic->party;
    mw_free(party->mem, topic->members, topic->cap * sizeof(struct mw_membership *));
    mw_free(party->mem, topic, sizeof *topic + topic->name_len);
    party->topics--;
}

static struct mw_topic *make_topic(struct mw_hub *hub, struct mw_hub_party *party,
                                   struct mw_view name)
{
    struct mw_topic *topic = mw_alloc_zero(party->mem, sizeof *topic + name.len);
    if (!topic)
        return 0;
    topic->party = party;
    party->topics++;
    topic->name_len = name.len;
    memcpy(topic->name, name.data, name.len);
    HASH_ADD_KEYPTR(hh, hub->topics, topic->name, name.len, topic);
    if (topic->orphan) {
        topic_release(topic);
        return 0;
    }
    return topic;
}

static void end_if_empty(struct mw_hub *hub, struct mw_topic *topic)
{
    if (topic->count > 0)
        return;
    HASH_DEL(hub->topics, topic);
    topic_release(topic);
}

static int make_room(struct mw_topic *topic)
{
    if (topic->count < topic->cap)
        return MW_OK;
    size_t cap = topic->cap ? topic->cap * 2 : 4, size = sizeof(struct mw_membership *);
    struct mw_membership **members =
        mw_realloc(topic->party->mem, topic->members, topic->cap * size, cap * size);
    if (!members)
        return MW_ERR_NOMEM;
    topic->members = members;
    topic->cap = cap;
    return MW_OK;
}

/* By the shorter way: a room may be large, the rooms of one connection are few. */
static struct mw_membership *find_member(const struct mw_subscriber *sub,
                                         const struct mw_topic *topic)
{
    struct mw_membership *member = sub->first;
    while (member && member->topic != topic)
        member = member->next;
    return member;
}

static int add_member(struct mw_topic *topic, struct mw_subscriber *sub)
{
    struct mw_membership *member = mw_alloc(sub->party->mem, sizeof *member);
    if (!member)
        return MW_ERR_NOMEM;
    if (make_room(topic)) {
        mw_free(sub->party->mem, member, sizeof *member);
        return MW_ERR_NOMEM;
    }
    *member = (struct mw_membership){ topic, sub, 0, sub->first, topic->count };
    if (sub->first)
        sub->first->prev = member;
    sub->first = member;
    sub->count++;
    topic->members[topic->count++] = member;
    return 1;
}

int mw_hub_join(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view name)
{
    if (name.len == 0 || name.len > MW_BOUND_TOPIC_BYTES)
        return MW_ERR_BAD_ARG;
    struct mw_topic *topic = find_topic(hub, name);
    if (topic && find_member(sub, topic))
        return 0;
    if (sub->count >= MW_BOUND_SUBSCRIPTIONS)
        return MW_ERR_FULL;
    if (!topic && sub->party->topics >= MW_BOUND_TOPICS)
        return MW_ERR_QUOTA;
    if (!topic)
        topic = make_topic(hub, sub->party, name);
    if (!topic)
        return MW_ERR_NOMEM;
    int result = add_member(topic, sub);
    end_if_empty(hub, topic);
    return result;
}

static void remove_member(struct mw_hub *hub, struct mw_membership *member)
{
    struct mw_topic *topic = member->topic;
    struct mw_subscriber *sub = member->sub;
    struct mw_membership *last = topic->members[--topic->count];
    topic->members[member->index] = last;
    last->index = member->index;
    if (member->prev)
        member->prev->next = member->next;
    else
        sub->first = member->next;
    if (member->next)
        member->next->prev = member->prev;
    sub->count--;
    mw_free(sub->party->mem, member, sizeof *member);
    end_if_empty(hub, topic);
}

int mw_hub_leave(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view name)
{
    struct mw_topic *topic = find_topic(hub, name);
    struct mw_membership *member = topic ? find_member(sub, topic) : 0;
    if (!member)
        return 0;
    remove_member(hub, member);
    return 1;
}

void mw_hub_leave_all(struct mw_hub *hub, struct mw_subscriber *sub)
{
    while (sub->first)
        remove_member(hub, sub->first);
}

struct mw_view mw_subscriber_topic(const struct mw_subscriber *sub, size_t n)
{
    const struct mw_membership *member = sub->first;
    while (member && n-- > 0)
        member = member->next;
    return member ? mw_view(member->topic->name, member->topic->name_len) : mw_view(0, 0);
}

struct mw_audience mw_hub_audience(struct mw_hub *hub, struct mw_view name)
{
    struct mw_topic *topic = find_topic(hub, name);
    return topic ? (struct mw_audience){ topic->members, topic->count }
                 : (struct mw_audience){ 0, 0 };
}

void *mw_audience_owner(const struct mw_audience *audience, size_t n)
{
    return audience->members[n]->sub->owner;
}

size_t mw_hub_topic_count(const struct mw_hub *hub)
{
    return HASH_COUNT(hub->topics);
}

bool mw_hub_validate(const struct mw_hub *hub)
{
    for (const struct mw_topic *topic = hub->topics; topic; topic = topic->hh.next) {
        if (topic->count == 0 || topic->count > topic->cap)
            return false;
        for (size_t i = 0; i < topic->count; i++) {
            const struct mw_membership *member = topic->members[i];
            if (member->topic != topic || member->index != i)
                return false;
        }
    }
    return true;
}
