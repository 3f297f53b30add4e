/*
 * The table that a script returns: `local M = { ... }`, `function M.on_open`, `return M`. Finds its
 * keys wherever they are set, and says whether there may be others.
 */
#include "core/base/str.h"
#include "lua/lint/rule.h"

static struct mw_module_key *key_at(const struct mw_lint *l, size_t i)
{
    return (struct mw_module_key *)(void *)l->keys.data + i;
}

static uint32_t *handler_at(const struct mw_lint *l, uint32_t function)
{
    return (uint32_t *)(void *)l->handlers.data + function;
}

static void add_key(struct mw_lint *l, mw_node_at place, struct mw_view name, mw_node_at value)
{
    uint32_t at = mw_lint_array_add(&l->keys, l->job->mem);
    if (at == UINT32_MAX)
        l->err = MW_ERR_NOMEM;
    else
        *key_at(l, at) = (struct mw_module_key){ name, place, value };
}

/* ---- the return at the end ---- */

/* The last one of the file itself is the one that counts; an earlier one leaves in a branch. */
static void find_return(struct mw_lint *l)
{
    for (mw_node_at at = (mw_node_at)l->tree.nodes.count - 1; at > 0; at--) {
        const struct mw_node *node = mw_tree_node(&l->tree, at);
        if (node->kind == MW_NODE_RETURN && node->function == 0) {
            l->module_return = at;
            l->returned = node->a;
            break;
        }
    }
    const struct mw_node *value = mw_tree_node(&l->tree, l->returned);
    if (l->returned && value->kind == MW_NODE_NAME)
        l->module = value->local;
}

/* ---- keys ---- */

static void read_table(struct mw_lint *l, mw_node_at table)
{
    mw_node_at field = mw_tree_node(&l->tree, table)->a;
    for (; field && !l->err; field = mw_tree_node(&l->tree, field)->next) {
        const struct mw_node *node = mw_tree_node(&l->tree, field);
        struct mw_view name = mw_lint_text(l, node->a);
        if (name.data)
            add_key(l, node->a, name, node->b);
        else if (node->a)
            l->has_other_keys = true;
    }
}

static bool is_module(const struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    return l->module && node->kind == MW_NODE_NAME && node->local == l->module;
}

static void read_assignment(struct mw_lint *l, const struct mw_node *assign)
{
    mw_node_at value = assign->b, target = assign->a;
    for (; target && !l->err; target = mw_tree_node(&l->tree, target)->next) {
        const struct mw_node *node = mw_tree_node(&l->tree, target);
        if (node->kind == MW_NODE_INDEX && is_module(l, node->a)) {
            struct mw_view name = mw_lint_text(l, node->b);
            if (name.data)
                add_key(l, node->b, name, value);
            else
                l->has_other_keys = true;
        }
        value = value ? mw_tree_node(&l->tree, value)->next : 0;
    }
}

/* Each mention of M but `M.key` and the return may lead to a place where it gets other keys. */
static void count_mentions(struct mw_lint *l)
{
    size_t all = 0, harmless = 1;
    for (mw_node_at at = 1; at < l->tree.nodes.count; at++) {
        const struct mw_node *node = mw_tree_node(&l->tree, at);
        all += is_module(l, at);
        harmless +=
            (node->kind == MW_NODE_INDEX || node->kind == MW_NODE_METHOD) && is_module(l, node->a);
    }
    if (all > harmless || mw_tree_local(&l->tree, l->module)->writes)
        l->has_other_keys = true;
}

static mw_node_at table_of(const struct mw_lint *l)
{
    const struct mw_local *local = mw_tree_local(&l->tree, l->module);
    if (!l->module)
        return l->returned;
    return local->kind == MW_LOCAL_PLAIN ? mw_lint_nth(l, local->values, local->place) : 0;
}

/* ---- handlers ---- */

static void mark_handlers(struct mw_lint *l)
{
    for (size_t i = 0; i < l->tree.functions.count; i++) {
        if (mw_lint_array_add(&l->handlers, l->job->mem) == UINT32_MAX) {
            l->err = MW_ERR_NOMEM;
            return;
        }
    }
    for (size_t i = 0; i < l->keys.count; i++) {
        struct mw_known value = mw_lint_know(l, key_at(l, i)->value);
        if (value.what == MW_WHAT_FUNCTION && value.node)
            *handler_at(l, mw_tree_node(&l->tree, value.node)->function) = (uint32_t)i + 1;
    }
}

const struct mw_module_key *mw_lint_key_of(const struct mw_lint *l, uint32_t function)
{
    uint32_t key = function < l->handlers.count ? *handler_at(l, function) : 0;
    return key ? key_at(l, key - 1) : NULL;
}

/* ---- the whole ---- */

void mw_lint_find_module(struct mw_lint *l)
{
    find_return(l);
    if (l->job->kind != MW_LINT_SCRIPT) {
        l->module = 0;
        return;
    }
    mw_node_at table = table_of(l);
    if (mw_tree_node(&l->tree, table)->kind == MW_NODE_TABLE)
        read_table(l, table);
    else
        l->has_other_keys = true;
    if (l->module)
        count_mentions(l);
    for (mw_node_at at = 1; at < l->tree.nodes.count && !l->err; at++) {
        const struct mw_node *node = mw_tree_node(&l->tree, at);
        if (node->kind == MW_NODE_ASSIGN)
            read_assignment(l, node);
    }
    if (!l->err)
        mark_handlers(l);
}
