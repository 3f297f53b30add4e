/*
 * Which topics have a history: M.topics of all scripts. The longest pattern that fits a topic
 * counts; of equal ones in two scripts the larger numbers. Any thread; guarded by its own lock, and
 * a number tells who has looked once whether to look again.
 */
#ifndef MW_HUB_TOPIC_RULES_H
#define MW_HUB_TOPIC_RULES_H

#include <stdatomic.h>

#include "core/base/lock.h"
#include "core/base/mem.h"
#include "moonwire/app.h"

struct mw_topic_rule {
    uint32_t history; /* messages; 0: none is kept */
    mw_ms ttl_ms;
};

struct mw_topic_rule_row;

struct mw_topic_rules {
    atomic_uint generation; /* raised by each change */
    atomic_bool are_some;   /* there is any row */
    struct mw_lock lock;    /* guards what follows */
    struct mw_mem mem;
    struct mw_topic_rule_row *rows; /* private */
    size_t count;
};

void mw_topic_rules_init(struct mw_topic_rules *rules);
void mw_topic_rules_free(struct mw_topic_rules *rules);

/* In place of what the script had. Copies. MW_ERR_NOMEM: what it had stays. */
int mw_topic_rules_set(struct mw_topic_rules *rules, struct mw_view script,
                       const struct mw_topic_spec *specs, size_t count);

/* Of a topic; all zero: it has none. */
struct mw_topic_rule mw_topic_rules_find(struct mw_topic_rules *rules, struct mw_view topic);

static inline unsigned mw_topic_rules_generation(struct mw_topic_rules *rules)
{
    return atomic_load_explicit(&rules->generation, memory_order_acquire);
}

static inline bool mw_topic_rules_are_none(struct mw_topic_rules *rules)
{
    return !atomic_load_explicit(&rules->are_some, memory_order_acquire);
}

#endif
