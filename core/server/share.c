/*
 * Counting and picking. Called by fair.c, which knows what a turn and a script are.
 *
 * `used` orders the queue. Who comes anew is brought forward to the clock: having been quiet is not
 * saved up, or the others would wait for as long as it was quiet.
 */
#include "core/server/share.h"

void mw_share_init(struct mw_share *share)
{
    *share = (struct mw_share){ .max_ticks = MW_SHARE_TICKS, .max_calls = MW_SHARE_CALLS };
    mw_list_init(&share->queue);
}

void mw_share_place_init(struct mw_share_place *place)
{
    *place = (struct mw_share_place){ 0 };
    mw_list_init(&place->link);
}

void mw_share_at(struct mw_share *share, uint64_t turn, unsigned tick)
{
    if (share->turn == turn)
        return;
    share->late = mw_share_is_spent(share, tick);
    share->turn = turn;
    share->begun_tick = tick;
    share->calls = 0;
}

bool mw_share_is_spent(const struct mw_share *share, unsigned tick)
{
    return tick - share->begun_tick >= share->max_ticks || share->calls >= share->max_calls;
}

bool mw_share_may_call(const struct mw_share *share, const struct mw_share_place *place,
                       unsigned tick)
{
    if (mw_share_is_spent(share, tick))
        return false;
    if (share->running)
        return share->running == place;
    return !share->late && mw_list_is_empty(&share->queue);
}

static void bring_forward(const struct mw_share *share, struct mw_share_place *place)
{
    if (place->used < share->clock)
        place->used = share->clock;
}

void mw_share_charge(struct mw_share *share, struct mw_share_place *place, unsigned ticks)
{
    bring_forward(share, place);
    place->used += 1 + (uint64_t)ticks * MW_SHARE_CALLS_OF_TICK;
    share->calls++;
}

void mw_share_wait(struct mw_share *share, struct mw_share_place *place)
{
    if (mw_list_is_linked(&place->link))
        return;
    bring_forward(share, place);
    mw_list_push(&share->queue, &place->link);
}

void mw_share_leave(struct mw_share_place *place)
{
    mw_list_remove(&place->link);
}

struct mw_share_place *mw_share_next(struct mw_share *share)
{
    struct mw_share_place *least = NULL;
    for (struct mw_link *link = share->queue.next; link != &share->queue; link = link->next) {
        struct mw_share_place *place = MW_OWNER(link, struct mw_share_place, link);
        if (!least || place->used < least->used) /* of equal ones, who has come first */
            least = place;
    }
    if (!least)
        return NULL;
    mw_list_remove(&least->link);
    share->clock = least->used;
    share->running = least;
    return least;
}

void mw_share_done(struct mw_share *share)
{
    share->running = NULL;
}
