/*
 * Rules of topics: an array of rows, walked for each topic once per change. Set by route commits on
 * every worker, which all say the same; so a set that changes nothing is none.
 */
#include "core/hub/topic_rules.h"

#include "core/base/str.h"

struct mw_topic_rule_row {
    struct mw_view script, prefix; /* owned, in one block */
    bool is_open;                  /* ends in '*': anything may follow */
    struct mw_topic_rule rule;
};

void mw_topic_rules_init(struct mw_topic_rules *rules)
{
    *rules = (struct mw_topic_rules){ .count = 0 };
    atomic_init(&rules->generation, 1);
    atomic_init(&rules->are_some, false);
    mw_lock_init(&rules->lock);
    mw_mem_init(&rules->mem, NULL, 0);
}

static void free_row(struct mw_topic_rules *rules, struct mw_topic_rule_row *row)
{
    mw_free(&rules->mem, (char *)row->script.data, row->script.len + row->prefix.len);
}

static void free_rows(struct mw_topic_rules *rules, struct mw_topic_rule_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_row(rules, &rows[i]);
    mw_free(&rules->mem, rows, count * sizeof *rows);
}

void mw_topic_rules_free(struct mw_topic_rules *rules)
{
    free_rows(rules, rules->rows, rules->count);
    rules->rows = NULL;
    rules->count = 0;
    mw_lock_free(&rules->lock);
}

static bool make_row(struct mw_topic_rules *rules, struct mw_view script,
                     const struct mw_topic_spec *spec, struct mw_topic_rule_row *row)
{
    struct mw_view prefix = spec->pattern;
    bool is_open = prefix.len > 0 && prefix.data[prefix.len - 1] == '*';
    prefix.len -= is_open;
    char *text = mw_alloc(&rules->mem, script.len + prefix.len);
    if (!text)
        return false;
    memcpy(text, script.data, script.len);
    memcpy(text + script.len, prefix.data, prefix.len);
    *row = (struct mw_topic_rule_row){
        .script = mw_view(text, script.len),
        .prefix = mw_view(text + script.len, prefix.len),
        .is_open = is_open,
        .rule = { spec->history, (mw_ms)spec->ttl_s * 1000 },
    };
    return true;
}

static bool is_same(const struct mw_topic_rule_row *row, const struct mw_topic_spec *spec)
{
    struct mw_view pattern = spec->pattern;
    return pattern.len == row->prefix.len + row->is_open &&
           memcmp(pattern.data, row->prefix.data, row->prefix.len) == 0 &&
           row->is_open == (pattern.data[pattern.len - 1] == '*') &&
           row->rule.history == spec->history && row->rule.ttl_ms == (mw_ms)spec->ttl_s * 1000;
}

/* The rows of a script stand together, in the order of its list. */
static bool says_so_already(const struct mw_topic_rules *rules, struct mw_view script,
                            const struct mw_topic_spec *specs, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const struct mw_topic_rule_row *row = &rules->rows[i];
        if (!mw_view_equal(row->script, script))
            continue;
        if (n == count || !is_same(row, &specs[n]))
            return false;
        n++;
    }
    return n == count;
}

static size_t count_others(const struct mw_topic_rules *rules, struct mw_view script)
{
    size_t others = 0;
    for (size_t i = 0; i < rules->count; i++)
        others += !mw_view_equal(rules->rows[i].script, script);
    return others;
}

/* Moves the rows of others to `rows` and frees those of the script. */
static void move_others(struct mw_topic_rules *rules, struct mw_view script,
                        struct mw_topic_rule_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (mw_view_equal(rules->rows[i].script, script))
            free_row(rules, &rules->rows[i]);
        else
            rows[n++] = rules->rows[i];
    }
    mw_free(&rules->mem, rules->rows, rules->count * sizeof *rows);
}

static int replace(struct mw_topic_rules *rules, struct mw_view script,
                   const struct mw_topic_spec *specs, size_t count)
{
    size_t others = count_others(rules, script), all = others + count;
    struct mw_topic_rule_row *rows = mw_alloc(&rules->mem, all * sizeof *rows);
    if (all > 0 && !rows)
        return MW_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (make_row(rules, script, &specs[i], &rows[others + i]))
            continue;
        for (size_t made = 0; made < i; made++)
            free_row(rules, &rows[others + made]);
        mw_free(&rules->mem, rows, all * sizeof *rows);
        return MW_ERR_NOMEM;
    }
    move_others(rules, script, rows);
    rules->rows = rows;
    rules->count = all;
    atomic_store_explicit(&rules->are_some, all > 0, memory_order_release);
    atomic_fetch_add_explicit(&rules->generation, 1, memory_order_release);
    return MW_OK;
}

int mw_topic_rules_set(struct mw_topic_rules *rules, struct mw_view script,
                       const struct mw_topic_spec *specs, size_t count)
{
    int err = MW_OK;
    mw_lock_take(&rules->lock);
    if (!says_so_already(rules, script, specs, count))
        err = replace(rules, script, specs, count);
    mw_lock_give(&rules->lock);
    return err;
}

static bool begins_with(struct mw_view text, struct mw_view prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

/* How well it fits: 0 not at all, else more for longer ones, and for those without a star. */
static size_t fit(const struct mw_topic_rule_row *row, struct mw_view topic)
{
    if (!begins_with(topic, row->prefix))
        return 0;
    if (row->is_open)
        return 2 * row->prefix.len + 1;
    return topic.len == row->prefix.len ? 2 * row->prefix.len + 2 : 0;
}

struct mw_topic_rule mw_topic_rules_find(struct mw_topic_rules *rules, struct mw_view topic)
{
    struct mw_topic_rule rule = { 0 };
    size_t best = 0;
    mw_lock_take(&rules->lock);
    for (size_t i = 0; i < rules->count; i++) {
        const struct mw_topic_rule_row *row = &rules->rows[i];
        size_t fits = fit(row, topic);
        if (fits > best)
            rule = row->rule;
        if (fits == best && fits > 0) {
            rule.history = rule.history > row->rule.history ? rule.history : row->rule.history;
            rule.ttl_ms = rule.ttl_ms > row->rule.ttl_ms ? rule.ttl_ms : row->rule.ttl_ms;
        }
        best = fits > best ? fits : best;
    }
    mw_lock_give(&rules->lock);
    return rule;
}
