/*
 * Histories: each topic's publications on a ring of links in the order of their offsets, and all of
 * a stripe's on another in the order of time. What is old is found without a timer: a topic that is
 * touched drops its own, a sweep now and then those of quiet ones, and where all histories together
 * are too large the oldest go, wherever they are.
 */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/hub/shared_topic.h"

/* A sweep looks at so many stripes; all of them have had their turn after eight. */
#define SWEEP_STRIPES 8

static struct mw_publication *oldest_of(const struct mw_link *kept)
{
    return mw_list_is_empty(kept) ? NULL : MW_OWNER(kept->next, struct mw_publication, in_topic);
}

static void note_oldest(struct mw_topics_stripe *stripe)
{
    mw_ms oldest_ms = MW_NEVER;
    if (!mw_list_is_empty(&stripe->history))
        oldest_ms = MW_OWNER(stripe->history.next, struct mw_publication, in_stripe)->at_ms;
    atomic_store_explicit(&stripe->oldest_ms, oldest_ms, memory_order_relaxed);
}

/* The topic's own block counts as long as it keeps anything: its name is of somebody's choice. */
static void count_bytes(struct mw_topics *topics, const struct mw_shared_topic *topic,
                        const struct mw_publication *publication, bool is_put)
{
    size_t bytes = mw_publication_bytes(publication);
    if (topic->kept_count == 0)
        bytes += topic->bytes;
    if (is_put)
        atomic_fetch_add_explicit(&topics->history_bytes, bytes, memory_order_relaxed);
    else
        atomic_fetch_sub_explicit(&topics->history_bytes, bytes, memory_order_relaxed);
}

void mw_history_put(struct mw_topics *topics, struct mw_shared_topic *topic,
                    struct mw_publication *publication, mw_ms now_ms)
{
    count_bytes(topics, topic, publication, true);
    publication->at_ms = now_ms;
    publication->kept_by = topic;
    topic->kept_count++;
    mw_list_push(&topic->kept, &publication->in_topic);
    mw_list_push(&topic->stripe->history, &publication->in_stripe);
    note_oldest(topic->stripe);
    mw_publication_keep(publication);
}

static void drop_oldest(struct mw_topics *topics, struct mw_shared_topic *topic)
{
    struct mw_publication *publication = oldest_of(&topic->kept);
    mw_list_remove(&publication->in_topic);
    mw_list_remove(&publication->in_stripe);
    topic->kept_count--;
    publication->kept_by = NULL;
    note_oldest(topic->stripe);
    count_bytes(topics, topic, publication, false);
    mw_publication_drop(publication);
}

void mw_history_clear(struct mw_topics *topics, struct mw_shared_topic *topic)
{
    while (topic->kept_count > 0)
        drop_oldest(topics, topic);
}

static bool has_expired(const struct mw_shared_topic *topic, mw_ms now_ms)
{
    return now_ms >= mw_ms_add(oldest_of(&topic->kept)->at_ms, topic->rule.ttl_ms);
}

void mw_history_tidy(struct mw_topics *topics, struct mw_shared_topic *topic, mw_ms now_ms)
{
    unsigned generation = mw_topic_rules_generation(&topics->rules);
    if (topic->rule_generation != generation) {
        topic->rule = mw_topic_rules_find(&topics->rules, mw_view(topic->name, topic->name_len));
        topic->rule_generation = generation;
    }
    while (topic->kept_count > topic->rule.history ||
           (topic->kept_count > 0 && has_expired(topic, now_ms)))
        drop_oldest(topics, topic);
}

/* ---- replay ---- */

void mw_topic_replay_free(struct mw_topic_replay *replay, struct mw_mem *mem)
{
    for (size_t i = 0; i < replay->count; i++)
        mw_publication_drop(replay->list[i]);
    mw_free(mem, replay->list, replay->cap * sizeof replay->list[0]);
    *replay = (struct mw_topic_replay){ .offset = replay->offset, .is_whole = replay->is_whole };
}

/* How many of the newest are wished for and fit. */
static size_t count_wished(const struct mw_shared_topic *topic, const struct mw_topic_wish *wish,
                           uint64_t since, bool *is_cut)
{
    size_t count = 0, bytes = 0;
    const struct mw_link *link = topic->kept.prev;
    for (; link != &topic->kept; link = link->prev) {
        const struct mw_publication *kept = MW_OWNER(link, struct mw_publication, in_topic);
        if (wish->has_since ? kept->offset <= since : count == wish->last)
            break;
        bytes += mw_publication_wire_bytes(kept);
        *is_cut = bytes > wish->max_bytes;
        if (*is_cut)
            break;
        count++;
    }
    return count;
}

static void fill(const struct mw_shared_topic *topic, struct mw_topic_replay *out)
{
    const struct mw_link *link = topic->kept.prev;
    for (size_t i = out->cap; i-- > 0; link = link->prev)
        out->list[i] = mw_publication_keep(MW_OWNER(link, struct mw_publication, in_topic));
    out->count = out->cap;
}

int mw_shared_topic_replay(struct mw_topics *topics, struct mw_shared_topic *topic,
                           const struct mw_topic_wish *wish, struct mw_mem *mem,
                           struct mw_topic_replay *out)
{
    bool is_cut = false;
    *out = (struct mw_topic_replay){ .is_whole = !wish->has_since && wish->last == 0 };
    mw_history_tidy(topics, topic, wish->now_ms);
    if (topic->rule.history == 0)
        return MW_OK;
    /* Of another life of the topic, all there is comes after. */
    bool is_ours = wish->since >= topic->base && wish->since <= topic->offset;
    uint64_t since = is_ours ? wish->since : 0;
    size_t count = count_wished(topic, wish, since, &is_cut);
    if (count > 0) {
        out->list = mw_alloc(mem, count * sizeof out->list[0]);
        if (!out->list)
            return MW_ERR_NOMEM;
        out->cap = count;
        fill(topic, out);
    }
    out->offset = topic->offset;
    uint64_t before = topic->offset - count; /* of the one before the first that is replayed */
    out->is_whole = wish->has_since ? is_ours && before == since
                                    : count == wish->last || (!is_cut && before == topic->base);
    return MW_OK;
}

/* ---- what nobody touches ---- */

static struct mw_topics_stripe *stripe_with_oldest(struct mw_topics *topics)
{
    struct mw_topics_stripe *found = NULL;
    mw_ms least_ms = MW_NEVER;
    for (size_t i = 0; i < MW_TOPICS_STRIPES; i++) {
        struct mw_topics_stripe *stripe = &topics->stripes[i];
        mw_ms at_ms = atomic_load_explicit(&stripe->oldest_ms, memory_order_relaxed);
        if (at_ms < least_ms) {
            least_ms = at_ms;
            found = stripe;
        }
    }
    return found;
}

static void evict_from(struct mw_topics *topics, struct mw_topics_stripe *stripe)
{
    mw_lock_take(&stripe->lock);
    if (!mw_list_is_empty(&stripe->history)) { /* another worker may have been here */
        struct mw_shared_topic *topic =
            MW_OWNER(stripe->history.next, struct mw_publication, in_stripe)->kept_by;
        drop_oldest(topics, topic);
        mw_shared_topic_end_if_unused(topics, topic);
    }
    mw_lock_give(&stripe->lock);
}

void mw_history_evict(struct mw_topics *topics)
{
    while (mw_topics_history_bytes(topics) > topics->max_history_bytes) {
        struct mw_topics_stripe *stripe = stripe_with_oldest(topics);
        if (!stripe)
            return;
        evict_from(topics, stripe);
    }
}

static void sweep_stripe(struct mw_topics *topics, struct mw_topics_stripe *stripe, mw_ms now_ms)
{
    mw_lock_take(&stripe->lock);
    struct mw_shared_topic *next, *topic = stripe->topics;
    for (; topic; topic = next) {
        next = topic->hh.next;
        mw_history_tidy(topics, topic, now_ms);
        mw_shared_topic_end_if_unused(topics, topic);
    }
    mw_lock_give(&stripe->lock);
}

mw_ms mw_topics_sweep(struct mw_topics *topics, mw_ms now_ms)
{
    mw_ms due_ms = atomic_load_explicit(&topics->sweep_ms, memory_order_acquire);
    if (mw_topics_history_bytes(topics) == 0)
        return MW_NEVER;
    /* Whoever moves it on sweeps; the next one sees what this one has written. */
    if (now_ms >= due_ms && atomic_compare_exchange_strong(&topics->sweep_ms, &due_ms, MW_NEVER)) {
        unsigned from = topics->sweep_stripe;
        for (unsigned i = 0; i < SWEEP_STRIPES; i++)
            sweep_stripe(topics, &topics->stripes[(from + i) % MW_TOPICS_STRIPES], now_ms);
        topics->sweep_stripe = (from + SWEEP_STRIPES) % MW_TOPICS_STRIPES;
        atomic_store_explicit(&topics->sweep_ms, now_ms + MW_TOPICS_SWEEP_MS, memory_order_release);
    }
    return mw_topics_history_bytes(topics) > 0 ? now_ms + MW_TOPICS_SWEEP_MS : MW_NEVER;
}
