/*
 * What is put into `state` must survive a reload. The engine refuses or takes out the rest at run
 * time; here it is told as far as it can be seen.
 */
#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

/* Tables in tables that are looked into. */
#define MAX_NESTING 8

static const char *objection(const struct mw_lint *l, mw_node_at value)
{
    switch (mw_lint_know(l, value).what) {
    case MW_WHAT_FUNCTION:
        return "functions cannot survive a reload";
    case MW_WHAT_COROUTINE:
        return "coroutines cannot survive a reload";
    case MW_WHAT_OBJECT:
        return "tables with a metatable cannot survive a reload";
    case MW_WHAT_CONN:
        return "objects such as connections cannot be kept in state";
    case MW_WHAT_LIBRARY:
        return "the server's own tables cannot be kept in state";
    case MW_WHAT_UNKNOWN:
    case MW_WHAT_REQ:
    case MW_WHAT_MODULE:
    case MW_WHAT_STATE:
    case MW_WHAT_STRING:
        return NULL;
    }
    return NULL;
}

static const char *advice(const struct mw_lint *l, mw_node_at value)
{
    switch (mw_lint_know(l, value).what) {
    case MW_WHAT_FUNCTION:
        return "keep it in a local or in M, and a name for it in state";
    case MW_WHAT_CONN:
        return "keep conn.id: connection(id) gives the connection";
    case MW_WHAT_COROUTINE:
    case MW_WHAT_OBJECT:
    case MW_WHAT_LIBRARY:
    case MW_WHAT_UNKNOWN:
    case MW_WHAT_REQ:
    case MW_WHAT_MODULE:
    case MW_WHAT_STATE:
    case MW_WHAT_STRING:
        return "keep plain data in state";
    }
    return "";
}

static void check_value(struct mw_lint *l, mw_node_at value, int nesting)
{
    const struct mw_node *node = mw_tree_node(&l->tree, value);
    const char *what = objection(l, value);
    if (what)
        mw_lint_tell(l, MW_RULE_STATE_VALUE, value, advice(l, value), "%s", what);
    if (node->kind != MW_NODE_TABLE || nesting >= MAX_NESTING)
        return;
    for (mw_node_at at = node->a; at; at = mw_tree_node(&l->tree, at)->next)
        check_value(l, mw_tree_node(&l->tree, at)->b, nesting + 1);
}

/* state.x = value, state.rooms[id].cb = value, function state.f() */
void mw_rule_state_assign(struct mw_lint *l, mw_node_at at)
{
    mw_node_at target = mw_tree_node(&l->tree, at)->a, value = mw_tree_node(&l->tree, at)->b;
    while (target && value) {
        const struct mw_node *node = mw_tree_node(&l->tree, target);
        if (node->kind == MW_NODE_INDEX && mw_lint_know(l, node->a).what == MW_WHAT_STATE)
            check_value(l, value, 0);
        target = node->next;
        value = mw_tree_node(&l->tree, value)->next;
    }
}

/* table.insert(state.list, value) */
void mw_rule_state_insert(struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *call = mw_tree_node(&l->tree, at);
    if (!mw_lint_is_member(l, call->a, "table", "insert") ||
        mw_lint_know(l, call->b).what != MW_WHAT_STATE)
        return;
    mw_node_at value = mw_lint_nth(l, call->b, 1), third = mw_lint_nth(l, call->b, 2);
    check_value(l, third ? third : value, 0);
}
