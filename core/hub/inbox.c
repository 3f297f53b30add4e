/*
 * The inbox of a worker. Knows no mailbox: how a worker is woken is told to it. Its lock is the
 * innermost one but the mailbox's.
 */
#include "core/hub/inbox.h"

#include "core/base/check.h"

void mw_inbox_init(struct mw_inbox *inbox, unsigned worker)
{
    *inbox = (struct mw_inbox){ .worker = worker };
    atomic_init(&inbox->bytes, 0);
    mw_lock_init(&inbox->lock);
    inbox->end = &inbox->first;
    inbox->taken_end = &inbox->taken;
}

void mw_inbox_free(struct mw_inbox *inbox)
{
    struct mw_publication *publication;
    mw_inbox_take(inbox);
    while ((publication = mw_inbox_next(inbox)))
        mw_publication_drop(publication);
    mw_lock_free(&inbox->lock);
}

void mw_inbox_on_post(struct mw_inbox *inbox, void (*wake)(void *ctx), void *ctx)
{
    inbox->wake = wake;
    inbox->ctx = ctx;
}

void mw_inbox_post(struct mw_inbox *inbox, struct mw_publication *publication)
{
    mw_assert(inbox->worker < publication->workers);
    struct mw_inbox_place *place = &publication->places[inbox->worker];
    mw_publication_keep(publication);
    atomic_fetch_add_explicit(&inbox->bytes, mw_publication_bytes(publication),
                              memory_order_relaxed);
    place->next = NULL;
    mw_lock_take(&inbox->lock);
    *inbox->end = place;
    inbox->end = &place->next;
    if (!inbox->is_woken && inbox->wake) {
        inbox->is_woken = true;
        inbox->wake(inbox->ctx);
    }
    mw_lock_give(&inbox->lock);
}

void mw_inbox_woken(struct mw_inbox *inbox)
{
    mw_lock_take(&inbox->lock);
    inbox->is_woken = false;
    mw_lock_give(&inbox->lock);
}

void mw_inbox_take(struct mw_inbox *inbox)
{
    mw_lock_take(&inbox->lock);
    if (inbox->first) {
        *inbox->taken_end = inbox->first;
        inbox->taken_end = inbox->end;
        inbox->first = NULL;
        inbox->end = &inbox->first;
    }
    mw_lock_give(&inbox->lock);
}

struct mw_publication *mw_inbox_next(struct mw_inbox *inbox)
{
    struct mw_inbox_place *place = inbox->taken;
    if (!place)
        return NULL;
    inbox->taken = place->next;
    if (!inbox->taken)
        inbox->taken_end = &inbox->taken;
    atomic_fetch_sub_explicit(&inbox->bytes, mw_publication_bytes(place->publication),
                              memory_order_relaxed);
    return place->publication;
}
