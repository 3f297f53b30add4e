/*
 * A heap keeps the smallest ids while all members are walked once, under the topic's lock: the time
 * for which others wait is that of one look at each.
 */
#include "core/hub/members.h"

#include "core/hub/membership.h"

/* The largest id stands first; puts the one at `at` into its place below it. */
static void sift_down(struct mw_member *heap, size_t count, size_t at)
{
    for (;;) {
        size_t largest = at, child = 2 * at + 1;
        if (child < count && heap[child].id > heap[largest].id)
            largest = child;
        if (child + 1 < count && heap[child + 1].id > heap[largest].id)
            largest = child + 1;
        if (largest == at)
            return;
        struct mw_member moved = heap[at];
        heap[at] = heap[largest];
        heap[largest] = moved;
        at = largest;
    }
}

static void make_heap(struct mw_members *members)
{
    for (size_t at = members->count / 2; at-- > 0;)
        sift_down(members->list, members->count, at);
}

static void sort_heap(struct mw_members *members)
{
    for (size_t end = members->count; end > 1; end--) {
        struct mw_member largest = members->list[0];
        members->list[0] = members->list[end - 1];
        members->list[end - 1] = largest;
        sift_down(members->list, end - 1, 0);
    }
}

static void look_at(struct mw_members *members, const struct mw_membership *member)
{
    struct mw_member one = { member->sub->id, member->presence };
    if (members->count < members->cap) {
        members->list[members->count++] = one;
        if (members->count == members->cap)
            make_heap(members);
    } else if (one.id < members->list[0].id) {
        members->list[0] = one;
        sift_down(members->list, members->count, 0);
    }
}

/* Under the lock. */
static int copy(struct mw_hub *hub, const struct mw_audience *parts, size_t count,
                struct mw_members *out)
{
    for (size_t i = 0; i < count; i++)
        out->total += parts[i].count;
    out->cap = out->total < MW_BOUND_MEMBERS ? out->total : MW_BOUND_MEMBERS;
    if (out->cap == 0)
        return MW_OK;
    out->list = mw_alloc(hub->mem, out->cap * sizeof out->list[0]);
    if (!out->list)
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < parts[i].count; n++)
            look_at(out, parts[i].places[n].member);
    }
    for (size_t i = 0; i < out->count; i++) {
        if (out->list[i].presence)
            (void)mw_msg_keep(out->list[i].presence);
    }
    return MW_OK;
}

int mw_hub_members(struct mw_hub *hub, struct mw_view name, struct mw_members *out)
{
    struct mw_audience own = mw_hub_audience(hub, name), parts[MW_TOPICS_WORKERS];
    *out = (struct mw_members){ .total = 0 };
    struct mw_shared_topic *topic = 0;
    int err;
    if (hub->store->workers > 1 && !(topic = mw_topics_enter(hub->store, name)))
        return MW_ERR_NOMEM;
    if (topic) {
        for (unsigned i = 0; i < hub->store->workers; i++)
            parts[i] = mw_shared_topic_part(topic, i);
        err = copy(hub, parts, hub->store->workers, out);
        mw_topics_leave(hub->store, topic);
    } else {
        err = copy(hub, &own, 1, out);
    }
    sort_heap(out);
    return err;
}

void mw_members_free(struct mw_members *members, struct mw_mem *mem)
{
    for (size_t i = 0; i < members->count; i++)
        mw_msg_drop(members->list[i].presence);
    mw_free(mem, members->list, members->cap * sizeof members->list[0]);
    *members = (struct mw_members){ .total = members->total };
}
