/* Private to sub.c and members.c: who is in which topic. */
#ifndef MW_HUB_MEMBERSHIP_H
#define MW_HUB_MEMBERSHIP_H

#include "core/hub/sub.h"

struct mw_membership {
    struct mw_topic *topic;
    struct mw_subscriber *sub;
    struct mw_membership *prev, *next; /* of the subscriber */
    size_t index;                      /* in the topic's members */
    uint64_t joined;                   /* offset of the topic then: what came later is for it */
    struct mw_msg *presence;           /* JSON; crosses threads; NULL: it says nothing */
};

#endif
