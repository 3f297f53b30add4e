/*
 * Topics of one worker. A membership is on two lists: the array of its topic (its index is known,
 * so it is swapped out in O(1)) and the chain of its subscriber. A topic exists exactly as long as
 * somebody is in it. Called by server/host_real and server/fanout.
 *
 * The array of a topic that is shared is written under the store's lock only, and read without it
 * by this worker, which is the only one to write.
 */
#include "core/hub/sub.h"

#include "core/hub/membership.h"

/*
 * uthash takes its memory from the hub that is in scope, and reports its lack instead of leaving.
 */
#define uthash_malloc(size)          mw_alloc(hub->mem, size)
#define uthash_free(block, size)     mw_free(hub->mem, block, size)
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->orphan = true)
#include <uthash.h>

struct mw_topic {
    UT_hash_handle hh;
    struct mw_audience_place *members;
    size_t count, cap;
    size_t name_len;
    struct mw_hub_party *party;     /* who made it, and whose memory it is */
    struct mw_shared_topic *shared; /* the same in the store; NULL: it is not there */
    unsigned rule_generation;       /* of the rules when it was last asked whether it must be */
    bool orphan;                    /* could not be put into the table */
    char name[];
};

void mw_hub_init(struct mw_hub *hub, struct mw_mem *mem, struct mw_topics *store, unsigned worker)
{
    *hub = (struct mw_hub){ .mem = mem, .store = store, .worker = worker };
}

void mw_hub_free(struct mw_hub *hub)
{
    mw_assert(!hub->topics);
    hub->topics = 0;
}

void mw_subscriber_init(struct mw_subscriber *sub, void *owner, mw_id id,
                        struct mw_hub_party *party)
{
    *sub = (struct mw_subscriber){ .owner = owner, .id = id, .party = party };
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
    mw_free(party->mem, topic->members, topic->cap * sizeof topic->members[0]);
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
    size_t cap = topic->cap ? topic->cap * 2 : 4, size = sizeof topic->members[0];
    struct mw_audience_place *members =
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

/* ---- the store ---- */

static struct mw_view name_of(const struct mw_topic *topic)
{
    return mw_view(topic->name, topic->name_len);
}

/* The members are others now; gives the lock back. */
static void unlock(struct mw_hub *hub, struct mw_topic *topic)
{
    struct mw_shared_topic *shared = topic->shared;
    if (!shared)
        return;
    mw_shared_topic_set_part(shared, hub->worker,
                             (struct mw_audience){ topic->members, topic->count });
    if (topic->count == 0)
        topic->shared = 0;
    mw_topics_leave(hub->store, shared);
}

static bool has_rules(struct mw_hub *hub)
{
    return !mw_topic_rules_are_none(&hub->store->rules);
}

static bool has_rule(struct mw_hub *hub, struct mw_view name)
{
    return mw_topic_rules_find(&hub->store->rules, name).history > 0;
}

static bool is_settled(struct mw_hub *hub, const struct mw_topic *topic)
{
    return topic->shared || topic->rule_generation == mw_topic_rules_generation(&hub->store->rules);
}

/*
 * Takes the lock of a topic that is shared, and puts it into the store where it belongs there:
 * which is looked up once, and again when the rules have changed. It stays there until its last
 * member has left. MW_ERR_NOMEM: there is no lock to give back.
 */
static int lock(struct mw_hub *hub, struct mw_topic *topic)
{
    unsigned generation = mw_topic_rules_generation(&hub->store->rules);
    if (topic->shared)
        mw_shared_topic_lock(topic->shared);
    else if (topic->rule_generation != generation &&
             (hub->store->workers > 1 || has_rule(hub, name_of(topic)))) {
        topic->shared = mw_topics_enter(hub->store, name_of(topic));
        if (!topic->shared)
            return MW_ERR_NOMEM;
    }
    topic->rule_generation = generation;
    return MW_OK;
}

/* ---- joining ---- */

static struct mw_msg *make_presence(struct mw_hub_party *party, struct mw_view json)
{
    struct mw_msg *presence = mw_msg_new(NULL, json.len);
    if (!presence)
        return 0;
    memcpy(mw_msg_payload(presence), json.data, json.len);
    mw_mem_lend(party->mem, NULL, mw_msg_bytes(presence));
    return presence;
}

static void drop_presence(struct mw_hub_party *party, struct mw_msg *presence)
{
    if (!presence)
        return;
    mw_mem_hand_back(party->mem, NULL, mw_msg_bytes(presence));
    mw_msg_drop(presence);
}

/* Under the lock, as everything that changes members. */
static int add_member(struct mw_topic *topic, struct mw_subscriber *sub, struct mw_msg *presence)
{
    struct mw_membership *member = mw_alloc(sub->party->mem, sizeof *member);
    if (!member)
        return MW_ERR_NOMEM;
    if (make_room(topic)) {
        mw_free(sub->party->mem, member, sizeof *member);
        return MW_ERR_NOMEM;
    }
    *member = (struct mw_membership){
        .topic = topic,
        .sub = sub,
        .next = sub->first,
        .index = topic->count,
        .joined = topic->shared ? mw_shared_topic_offset(topic->shared) : 0,
        .presence = presence,
    };
    if (sub->first)
        sub->first->prev = member;
    sub->first = member;
    sub->count++;
    topic->members[topic->count++] = (struct mw_audience_place){ sub->owner, member };
    return 1;
}

/* What is missed of the wish; without history there is nothing to replay. */
static int replay(struct mw_hub *hub, const struct mw_topic *topic, const struct mw_join *how,
                  struct mw_topic_replay *told)
{
    if (topic->shared)
        return mw_shared_topic_replay(hub->store, topic->shared, &how->replay, hub->mem, told);
    *told = (struct mw_topic_replay){ .is_whole = !how->replay.has_since && how->replay.last == 0 };
    return MW_OK;
}

static int join(struct mw_hub *hub, struct mw_topic *topic, struct mw_subscriber *sub,
                const struct mw_join *how, struct mw_msg *presence, struct mw_topic_replay *told)
{
    int result = lock(hub, topic);
    if (result)
        return result;
    if (how)
        result = replay(hub, topic, how, told);
    if (!result) {
        result = add_member(topic, sub, presence);
        if (result < 0 && how)
            mw_topic_replay_free(told, hub->mem);
    }
    unlock(hub, topic);
    return result;
}

/* It has had all since it joined, and gets nothing twice. */
static int join_again(struct mw_hub *hub, struct mw_membership *member, const struct mw_join *how,
                      struct mw_msg *presence, struct mw_topic_replay *told)
{
    struct mw_topic *topic = member->topic;
    struct mw_topic_wish nothing = { .now_ms = how->replay.now_ms };
    const struct mw_join again = { .replay = nothing };
    struct mw_msg *old = how->has_presence ? member->presence : 0;
    if (lock(hub, topic))
        return MW_ERR_NOMEM;
    (void)replay(hub, topic, &again, told); /* of nothing: needs no memory */
    if (how->has_presence)
        member->presence = presence;
    unlock(hub, topic);
    drop_presence(member->sub->party, old);
    told->is_whole =
        how->replay.has_since ? how->replay.since >= member->joined : how->replay.last == 0;
    return 0;
}

static int find_or_make(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view name,
                        struct mw_topic **out)
{
    *out = find_topic(hub, name);
    if (!*out && sub->party->topics >= MW_BOUND_TOPICS)
        return MW_ERR_QUOTA;
    if (!*out)
        *out = make_topic(hub, sub->party, name);
    return *out ? MW_OK : MW_ERR_NOMEM;
}

static int join_new(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view name,
                    const struct mw_join *how, struct mw_msg *presence,
                    struct mw_topic_replay *told)
{
    struct mw_topic *topic;
    if (sub->count >= MW_BOUND_SUBSCRIPTIONS)
        return MW_ERR_FULL;
    int result = find_or_make(hub, sub, name, &topic);
    if (result)
        return result;
    result = join(hub, topic, sub, how, presence, told);
    end_if_empty(hub, topic);
    return result;
}

int mw_hub_join(struct mw_hub *hub, struct mw_subscriber *sub, struct mw_view name,
                const struct mw_join *how, struct mw_topic_replay *told)
{
    struct mw_msg *presence = 0;
    if (name.len == 0 || name.len > MW_BOUND_TOPIC_BYTES)
        return MW_ERR_BAD_ARG;
    struct mw_topic *topic = find_topic(hub, name);
    struct mw_membership *member = topic ? find_member(sub, topic) : 0;
    if (how && how->has_presence && !(presence = make_presence(sub->party, how->presence)))
        return MW_ERR_NOMEM;
    int result = 0;
    if (!member)
        result = join_new(hub, sub, name, how, presence, told);
    else if (how)
        result = join_again(hub, member, how, presence, told);
    if (result < 0)
        drop_presence(sub->party, presence);
    return result;
}

/* ---- leaving ---- */

static void take_out(struct mw_membership *member)
{
    struct mw_topic *topic = member->topic;
    struct mw_audience_place last = topic->members[--topic->count];
    topic->members[member->index] = last;
    last.member->index = member->index;
}

static void remove_member(struct mw_hub *hub, struct mw_membership *member)
{
    struct mw_topic *topic = member->topic;
    struct mw_subscriber *sub = member->sub;
    if (topic->shared)
        mw_shared_topic_lock(topic->shared);
    take_out(member);
    unlock(hub, topic);
    if (member->prev)
        member->prev->next = member->next;
    else
        sub->first = member->next;
    if (member->next)
        member->next->prev = member->prev;
    sub->count--;
    drop_presence(sub->party, member->presence);
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

/* ---- publishing ---- */

int mw_hub_publish(struct mw_hub *hub, struct mw_view name, struct mw_publication *publication,
                   mw_ms now_ms, struct mw_published *told)
{
    struct mw_topic *topic = find_topic(hub, name);
    *told = (struct mw_published){ .is_somewhere = topic };
    if (topic && !is_settled(hub, topic)) {
        if (lock(hub, topic))
            return MW_ERR_NOMEM;
        unlock(hub, topic);
    }
    bool is_ours_alone = topic ? !topic->shared : hub->store->workers == 1 && !has_rules(hub);
    int err = MW_OK;
    if (!is_ours_alone)
        err = mw_topics_publish(hub->store, name, hub->worker, publication, now_ms, told);
    if (topic)
        told->audience = (struct mw_audience){ topic->members, topic->count };
    return err;
}

struct mw_inbox *mw_hub_inbox(struct mw_hub *hub)
{
    return &hub->store->inboxes[hub->worker];
}

struct mw_view mw_subscriber_topic(const struct mw_subscriber *sub, size_t n)
{
    const struct mw_membership *member = sub->first;
    while (member && n-- > 0)
        member = member->next;
    return member ? name_of(member->topic) : mw_view(0, 0);
}

struct mw_audience mw_hub_audience(struct mw_hub *hub, struct mw_view name)
{
    struct mw_topic *topic = find_topic(hub, name);
    return topic ? (struct mw_audience){ topic->members, topic->count }
                 : (struct mw_audience){ 0, 0 };
}

bool mw_audience_wants(const struct mw_audience *audience, size_t n, uint64_t offset)
{
    return offset > audience->places[n].member->joined;
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
            const struct mw_membership *member = topic->members[i].member;
            if (member->topic != topic || member->index != i ||
                topic->members[i].owner != member->sub->owner)
                return false;
        }
    }
    return true;
}
