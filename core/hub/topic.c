/*
 * The store of topics. Never delivers: it knows names, counts and references, and each worker walks
 * its own members. Called by hub/sub.
 */
#include "core/hub/topic.h"

#include "core/base/check.h"

/*
 * uthash takes its memory from the stripe that is in scope, and reports its lack instead of
 * leaving.
 */
#define uthash_malloc(size)          mw_alloc(&stripe->mem, size)
#define uthash_free(block, size)     mw_free(&stripe->mem, block, size)
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->orphan = true)
#include "core/hub/shared_topic.h"

/* ---- the store ---- */

static void init_stripe(struct mw_topics_stripe *stripe)
{
    mw_lock_init(&stripe->lock);
    mw_mem_init(&stripe->mem, NULL, 0);
    mw_list_init(&stripe->history);
    atomic_init(&stripe->oldest_ms, MW_NEVER);
}

void mw_topics_init(struct mw_topics *topics, const struct mw_topics_setup *setup)
{
    mw_assert(setup->workers >= 1 && setup->workers <= MW_TOPICS_WORKERS);
    memset(topics, 0, sizeof *topics);
    topics->workers = setup->workers;
    topics->max_history_bytes = setup->max_history_bytes;
    for (unsigned i = 0; i < setup->workers; i++)
        mw_inbox_init(&topics->inboxes[i], i);
    mw_topic_rules_init(&topics->rules);
    atomic_init(&topics->highest, setup->first_offset);
    atomic_init(&topics->history_bytes, 0);
    atomic_init(&topics->sweep_ms, 0);
    for (size_t i = 0; i < MW_TOPICS_STRIPES; i++)
        init_stripe(&topics->stripes[i]);
}

static size_t free_stripe(struct mw_topics *topics, struct mw_topics_stripe *stripe)
{
    while (stripe->topics) {
        struct mw_shared_topic *topic = stripe->topics;
        mw_assert(!topic->present);
        mw_history_clear(topics, topic);
        mw_shared_topic_end_if_unused(topics, topic);
    }
    mw_lock_free(&stripe->lock);
    return stripe->mem.bytes;
}

size_t mw_topics_free(struct mw_topics *topics)
{
    size_t left = 0;
    if (topics->workers == 0)
        return 0;
    for (unsigned i = 0; i < topics->workers; i++)
        mw_inbox_free(&topics->inboxes[i]);
    for (size_t i = 0; i < MW_TOPICS_STRIPES; i++)
        left += free_stripe(topics, &topics->stripes[i]);
    mw_topic_rules_free(&topics->rules);
    topics->workers = 0;
    return left + topics->rules.mem.bytes + atomic_load(&topics->history_bytes);
}

/* ---- topics ---- */

static unsigned hash_of(struct mw_view name)
{
    unsigned hash;
    HASH_VALUE(name.data, name.len, hash);
    return hash;
}

/* The low bits choose the bucket within the stripe. */
static struct mw_topics_stripe *stripe_of(struct mw_topics *topics, unsigned hash)
{
    return &topics->stripes[hash >> 16 & (MW_TOPICS_STRIPES - 1)];
}

static struct mw_shared_topic *find(struct mw_topics_stripe *stripe, struct mw_view name,
                                    unsigned hash)
{
    struct mw_shared_topic *topic = NULL;
    HASH_FIND_BYHASHVALUE(hh, stripe->topics, name.data, name.len, hash, topic);
    return topic;
}

static uint64_t highest_offset(struct mw_topics *topics)
{
    return atomic_load_explicit(&topics->highest, memory_order_relaxed);
}

static struct mw_shared_topic *make(struct mw_topics *topics, struct mw_topics_stripe *stripe,
                                    struct mw_view name, unsigned hash)
{
    struct mw_shared_topic *topic;
    size_t head = sizeof *topic + topics->workers * sizeof topic->parts[0];
    topic = mw_alloc_zero(&stripe->mem, head + name.len);
    if (!topic)
        return NULL;
    char *to = (char *)topic + head;
    memcpy(to, name.data, name.len);
    topic->name = to;
    topic->name_len = name.len;
    topic->bytes = head + name.len;
    topic->stripe = stripe;
    topic->base = topic->offset = highest_offset(topics) + 1;
    mw_list_init(&topic->kept);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, stripe->topics, topic->name, topic->name_len, hash, topic);
    if (topic->orphan) {
        mw_free(&stripe->mem, topic, topic->bytes);
        return NULL;
    }
    return topic;
}

static void raise_highest(struct mw_topics *topics, uint64_t offset)
{
    uint64_t highest = highest_offset(topics);
    while (highest < offset &&
           !atomic_compare_exchange_weak_explicit(&topics->highest, &highest, offset,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void mw_shared_topic_end_if_unused(struct mw_topics *topics, struct mw_shared_topic *topic)
{
    struct mw_topics_stripe *stripe = topic->stripe;
    if (topic->present || topic->kept_count > 0)
        return;
    if (topic->offset > topic->base) /* else its next life may begin there as well */
        raise_highest(topics, topic->offset);
    HASH_DEL(stripe->topics, topic);
    mw_free(&stripe->mem, topic, topic->bytes);
}

/* ---- members ---- */

struct mw_shared_topic *mw_topics_enter(struct mw_topics *topics, struct mw_view name)
{
    unsigned hash = hash_of(name);
    struct mw_topics_stripe *stripe = stripe_of(topics, hash);
    mw_lock_take(&stripe->lock);
    struct mw_shared_topic *topic = find(stripe, name, hash);
    if (!topic)
        topic = make(topics, stripe, name, hash);
    if (!topic)
        mw_lock_give(&stripe->lock);
    return topic;
}

void mw_shared_topic_lock(struct mw_shared_topic *topic)
{
    mw_lock_take(&topic->stripe->lock);
}

void mw_topics_leave(struct mw_topics *topics, struct mw_shared_topic *topic)
{
    struct mw_topics_stripe *stripe = topic->stripe;
    mw_shared_topic_end_if_unused(topics, topic);
    mw_lock_give(&stripe->lock);
}

void mw_shared_topic_set_part(struct mw_shared_topic *topic, unsigned worker,
                              struct mw_audience part)
{
    uint64_t bit = (uint64_t)1 << worker;
    topic->parts[worker] = part;
    topic->present = part.count > 0 ? topic->present | bit : topic->present & ~bit;
}

struct mw_audience mw_shared_topic_part(const struct mw_shared_topic *topic, unsigned worker)
{
    return topic->parts[worker];
}

uint64_t mw_shared_topic_offset(const struct mw_shared_topic *topic)
{
    return topic->offset;
}

/* ---- publishing ---- */

static uint64_t others_of(const struct mw_shared_topic *topic, unsigned worker)
{
    return topic->present & ~((uint64_t)1 << worker);
}

static bool have_room(struct mw_topics *topics, uint64_t workers)
{
    for (; workers; workers &= workers - 1) {
        if (mw_inbox_is_full(&topics->inboxes[__builtin_ctzll(workers)]))
            return false;
    }
    return true;
}

static void post_to(struct mw_topics *topics, const struct mw_shared_topic *topic, uint64_t workers,
                    struct mw_publication *publication)
{
    publication->receivers = 0;
    for (unsigned i = 0; i < topics->workers; i++)
        publication->receivers += topic->parts[i].count;
    for (; workers; workers &= workers - 1)
        mw_inbox_post(&topics->inboxes[__builtin_ctzll(workers)], publication);
}

static int publish(struct mw_topics *topics, struct mw_shared_topic *topic, unsigned worker,
                   struct mw_publication *publication, mw_ms now_ms, struct mw_published *told)
{
    mw_history_tidy(topics, topic, now_ms);
    uint64_t others = others_of(topic, worker);
    bool is_kept = topic->rule.history > 0;
    told->is_somewhere = is_kept || topic->present;
    if (!told->is_somewhere)
        return MW_OK;
    if ((is_kept || others) && !publication)
        return MW_ERR_AGAIN;
    if (!have_room(topics, others))
        return MW_ERR_QUOTA;
    told->offset = ++topic->offset;
    told->is_kept = is_kept;
    if (publication) {
        publication->offset = told->offset;
        post_to(topics, topic, others, publication);
    }
    if (is_kept)
        mw_history_put(topics, topic, publication, now_ms);
    /* What stands there came before; what will be posted comes after. */
    mw_inbox_take(&topics->inboxes[worker]);
    return MW_OK;
}

int mw_topics_publish(struct mw_topics *topics, struct mw_view name, unsigned worker,
                      struct mw_publication *publication, mw_ms now_ms, struct mw_published *told)
{
    int err = MW_OK;
    unsigned hash = hash_of(name);
    struct mw_topics_stripe *stripe = stripe_of(topics, hash);
    *told = (struct mw_published){ .offset = 0 };
    mw_lock_take(&stripe->lock);
    struct mw_shared_topic *topic = find(stripe, name, hash);
    if (!topic && mw_topic_rules_find(&topics->rules, name).history > 0) {
        topic = make(topics, stripe, name, hash);
        err = topic ? MW_OK : MW_ERR_NOMEM;
    }
    if (topic) {
        err = publish(topics, topic, worker, publication, now_ms, told);
        mw_shared_topic_end_if_unused(topics, topic);
    }
    mw_lock_give(&stripe->lock);
    mw_history_evict(topics);
    return err;
}

/* ---- for metrics and tests ---- */

size_t mw_topics_history_bytes(struct mw_topics *topics)
{
    return atomic_load_explicit(&topics->history_bytes, memory_order_relaxed);
}

size_t mw_topics_count(struct mw_topics *topics)
{
    size_t count = 0;
    for (size_t i = 0; i < MW_TOPICS_STRIPES; i++) {
        struct mw_topics_stripe *stripe = &topics->stripes[i];
        mw_lock_take(&stripe->lock);
        count += HASH_COUNT(stripe->topics);
        mw_lock_give(&stripe->lock);
    }
    return count;
}

static bool topic_is_sound(const struct mw_topics *topics, const struct mw_shared_topic *topic)
{
    uint64_t next = topic->offset + 1 - topic->kept_count;
    size_t count = 0;
    for (const struct mw_link *link = topic->kept.next; link != &topic->kept; link = link->next) {
        const struct mw_publication *kept = MW_OWNER(link, struct mw_publication, in_topic);
        if (kept->offset != next++ || kept->kept_by != topic)
            return false;
        count++;
    }
    for (unsigned i = 0; i < topics->workers; i++) {
        if ((topic->parts[i].count > 0) != (topic->present >> i & 1))
            return false;
    }
    return count == topic->kept_count && (topic->present || count > 0) &&
           topic->offset >= topic->base;
}

bool mw_topics_validate(struct mw_topics *topics)
{
    bool is_sound = true;
    for (size_t i = 0; i < MW_TOPICS_STRIPES; i++) {
        struct mw_topics_stripe *stripe = &topics->stripes[i];
        mw_lock_take(&stripe->lock);
        for (const struct mw_shared_topic *topic = stripe->topics; topic; topic = topic->hh.next)
            is_sound = is_sound && topic_is_sound(topics, topic);
        mw_lock_give(&stripe->lock);
    }
    return is_sound;
}
