/*
 * Who is in a topic, on all workers: a copy, since they come and go. Sorted by id; of more than
 * MW_BOUND_MEMBERS the first ones.
 */
#ifndef MW_HUB_MEMBERS_H
#define MW_HUB_MEMBERS_H

#include "core/hub/sub.h"

struct mw_member {
    mw_id id;
    struct mw_msg *presence; /* a reference; its payload is JSON; NULL: it says nothing */
};

struct mw_members {
    struct mw_member *list;
    size_t count, cap;
    size_t total; /* of all there are */
};

/* The list is freed with the hub's memory. MW_ERR_NOMEM. */
int mw_hub_members(struct mw_hub *hub, struct mw_view topic, struct mw_members *out);
void mw_members_free(struct mw_members *members, struct mw_mem *mem);

#endif
