/*
 * An intrusive ring: objects carry their own link, so putting them on a list cannot fail. A link
 * that is on no list points to itself.
 */
#ifndef MW_BASE_LIST_H
#define MW_BASE_LIST_H

#include <stdbool.h>

#include "core/base/check.h"

struct mw_link {
    struct mw_link *prev, *next;
};

static inline void mw_list_init(struct mw_link *link)
{
    link->prev = link->next = link;
}

static inline bool mw_list_is_empty(const struct mw_link *list)
{
    return list->next == list;
}

/* For a link: is it on a list? */
static inline bool mw_list_is_linked(const struct mw_link *link)
{
    return link->next != link;
}

/* Puts `link`, which is on no list, before `place`: at the end where `place` is the list's head. */
static inline void mw_list_push(struct mw_link *place, struct mw_link *link)
{
    mw_assert(!mw_list_is_linked(link));
    link->prev = place->prev;
    link->next = place;
    place->prev->next = link;
    place->prev = link;
}

/* Takes it off its list; harmless when it is on none. */
static inline void mw_list_remove(struct mw_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    mw_list_init(link);
}

/* Moves all of `from` into the empty `to`: what callbacks may change is taken off first. */
static inline void mw_list_take(struct mw_link *to, struct mw_link *from)
{
    mw_list_init(to);
    if (mw_list_is_empty(from))
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to;
    to->prev->next = to;
    mw_list_init(from);
}

/* The first link taken off the list, or NULL. */
static inline struct mw_link *mw_list_pop(struct mw_link *list)
{
    struct mw_link *first = list->next;
    if (first == list)
        return 0;
    mw_list_remove(first);
    return first;
}

#endif
