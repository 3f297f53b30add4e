/*
 * What an expression is: followed through variables that are set once, fields and calls. Whatever
 * is not plain to see is unknown, and no rule speaks about that.
 */
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

/* Through so many variables and fields: enough for people, and no hostile file goes deeper. */
#define MAX_STEPS 16

static const struct mw_known unknown = { .what = MW_WHAT_UNKNOWN };

static struct mw_known known(enum mw_what what)
{
    return (struct mw_known){ .what = what };
}

static struct mw_known know(const struct mw_lint *l, mw_node_at at, int steps);

/* ---- small questions ---- */

mw_node_at mw_lint_nth(const struct mw_lint *l, mw_node_at first, uint32_t n)
{
    for (; first && n > 0; n--)
        first = mw_tree_node(&l->tree, first)->next;
    return first;
}

bool mw_lint_has(const char *const *names, struct mw_view name)
{
    for (; *names; names++) {
        if (mw_view_is(name, *names))
            return true;
    }
    return false;
}

struct mw_view mw_lint_text(const struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    return node->kind == MW_NODE_STRING ? node->value : mw_view(NULL, 0);
}

const char *mw_lint_global(const struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (node->kind != MW_NODE_NAME || node->local)
        return NULL;
    for (const char *const *name = l->job->names->of("_G"); *name; name++) {
        if (mw_view_is(node->value, *name))
            return *name;
    }
    return NULL;
}

static bool is_global(const struct mw_lint *l, mw_node_at at, const char *name)
{
    const char *global = mw_lint_global(l, at);
    return global && strcmp(global, name) == 0;
}

bool mw_lint_is_member(const struct mw_lint *l, mw_node_at at, const char *library,
                       const char *name)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (node->kind != MW_NODE_INDEX || !mw_view_is(mw_lint_text(l, node->b), name))
        return false;
    struct mw_known object = mw_lint_know(l, node->a);
    return object.what == MW_WHAT_LIBRARY && strcmp(object.library, library) == 0;
}

/* ---- numbers ---- */

static bool number_token(const struct mw_lint *l, const struct mw_node *node, double *out)
{
    char digits[64], *end;
    if (node->len >= sizeof(digits))
        return false;
    memcpy(digits, l->tree.text.data + node->at, node->len);
    digits[node->len] = '\0';
    *out = strtod(digits, &end);
    return *end == '\0';
}

static bool number(const struct mw_lint *l, mw_node_at at, double *out, int steps);

static bool calculated(const struct mw_lint *l, const struct mw_node *node, double *out, int steps)
{
    double a, b = 0;
    if (!number(l, node->a, &a, steps) || (node->b && !number(l, node->b, &b, steps)))
        return false;
    switch ((int)node->op) {
    case MW_TOKEN_TIMES:
        *out = a * b;
        return true;
    case MW_TOKEN_PLUS:
        *out = a + b;
        return true;
    case MW_TOKEN_MINUS:
        *out = node->b ? a - b : -a;
        return true;
    default:
        return false;
    }
}

static mw_node_at value_of_local(const struct mw_lint *l, mw_local_at at);

static bool number(const struct mw_lint *l, mw_node_at at, double *out, int steps)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (!at || steps > MAX_STEPS)
        return false;
    if (node->kind == MW_NODE_NUMBER)
        return number_token(l, node, out);
    if (node->kind == MW_NODE_PAREN)
        return number(l, node->a, out, steps + 1);
    if (node->kind == MW_NODE_NAME)
        return number(l, value_of_local(l, node->local), out, steps + 1);
    return node->kind == MW_NODE_OPERATOR && calculated(l, node, out, steps + 1);
}

bool mw_lint_number(const struct mw_lint *l, mw_node_at at, double *out)
{
    return number(l, at, out, 0);
}

const char *mw_lint_type(const struct mw_lint *l, mw_node_at at)
{
    double ignored;
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (mw_lint_number(l, at, &ignored))
        return "number";
    switch ((int)node->kind) {
    case MW_NODE_STRING:
        return "string";
    case MW_NODE_TABLE:
        return "table";
    case MW_NODE_FUNCTION:
        return "function";
    case MW_NODE_CONSTANT:
        return node->op == MW_TOKEN_NIL ? "nil" : node->op == MW_TOKEN_DOTS ? NULL : "boolean";
    default:
        return NULL;
    }
}

/* ---- variables ---- */

/* The expression that a variable was declared with, if it is never set again; 0: not known. */
static mw_node_at value_of_local(const struct mw_lint *l, mw_local_at at)
{
    const struct mw_local *local = mw_tree_local(&l->tree, at);
    if (!at || local->writes || local->kind != MW_LOCAL_PLAIN)
        return 0;
    return mw_lint_nth(l, local->values, local->place);
}

/* The parameters of a handler are known by its name; elsewhere `conn` is what it is called. */
static struct mw_known know_param(const struct mw_lint *l, const struct mw_local *local)
{
    const struct mw_module_key *key = mw_lint_key_of(l, local->function);
    bool is_handler = key && mw_lint_has(l->job->names->handlers, key->name);
    bool has_conn = is_handler && !mw_view_is(key->name, "on_start") &&
                    !mw_view_is(key->name, "on_stop") && !mw_view_is(key->name, "on_reload");
    if (has_conn && local->place == 0)
        return known(MW_WHAT_CONN);
    if (has_conn && local->place == 1 &&
        (mw_view_is(key->name, "on_open") || mw_view_is(key->name, "on_resume")))
        return known(MW_WHAT_REQ);
    if (!is_handler && mw_view_is(local->name, "conn"))
        return known(MW_WHAT_CONN);
    return unknown;
}

/* for conn in connections(); for name, room in pairs(state.rooms) */
static struct mw_known know_loop(const struct mw_lint *l, const struct mw_local *local, int steps)
{
    const struct mw_node *call = mw_tree_node(&l->tree, local->values);
    if (call->kind != MW_NODE_CALL)
        return unknown;
    if (local->place == 0 && is_global(l, call->a, "connections"))
        return known(MW_WHAT_CONN);
    bool is_walk = is_global(l, call->a, "pairs") || is_global(l, call->a, "ipairs");
    if (is_walk && local->place == 1 && know(l, call->b, steps).what == MW_WHAT_STATE)
        return known(MW_WHAT_STATE);
    return unknown;
}

static struct mw_known know_local(const struct mw_lint *l, mw_local_at at, int steps)
{
    const struct mw_local *local = mw_tree_local(&l->tree, at);
    if (at == l->module)
        return known(MW_WHAT_MODULE);
    if (local->writes)
        return unknown;
    switch (local->kind) {
    case MW_LOCAL_PARAM:
        return know_param(l, local);
    case MW_LOCAL_LOOP:
        return know_loop(l, local, steps);
    case MW_LOCAL_PLAIN:
        break;
    }
    mw_node_at value = value_of_local(l, at);
    struct mw_known it = know(l, value, steps);
    /* A name for a string that is spelled out would only lead to odd advice. */
    return it.what == MW_WHAT_STRING ? unknown : it;
}

/* ---- expressions ---- */

static struct mw_known know_name(const struct mw_lint *l, mw_node_at at, int steps)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (node->local)
        return know_local(l, node->local, steps);
    const char *global = mw_lint_global(l, at);
    if (!global || strcmp(global, "_ENV") == 0)
        return unknown;
    if (strcmp(global, "state") == 0)
        return known(MW_WHAT_STATE);
    if (l->job->names->of(global))
        return (struct mw_known){ .what = MW_WHAT_LIBRARY, .library = global };
    return unknown;
}

/* What is in `state` is part of it. */
static struct mw_known know_index(const struct mw_lint *l, const struct mw_node *node, int steps)
{
    struct mw_known object = know(l, node->a, steps);
    if (object.what == MW_WHAT_STATE)
        return object;
    return unknown;
}

static struct mw_known know_call(const struct mw_lint *l, const struct mw_node *node)
{
    if (is_global(l, node->a, "connection"))
        return known(MW_WHAT_CONN);
    if (is_global(l, node->a, "setmetatable"))
        return known(MW_WHAT_OBJECT);
    if (mw_lint_is_member(l, node->a, "coroutine", "create"))
        return known(MW_WHAT_COROUTINE);
    if (mw_lint_is_member(l, node->a, "coroutine", "wrap"))
        return known(MW_WHAT_FUNCTION);
    return unknown;
}

/* Of `state.rooms or {}` the left side, of `a and b` the right one. */
static struct mw_known know_operator(const struct mw_lint *l, const struct mw_node *node, int steps)
{
    if (node->op == MW_TOKEN_AND)
        return know(l, node->b, steps);
    if (node->op != MW_TOKEN_OR)
        return unknown;
    struct mw_known left = know(l, node->a, steps), right = know(l, node->b, steps);
    return left.what == MW_WHAT_STATE || left.what == right.what ? left : unknown;
}

static struct mw_known know(const struct mw_lint *l, mw_node_at at, int steps)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (!at || steps > MAX_STEPS)
        return unknown;
    switch ((enum mw_node_kind)node->kind) {
    case MW_NODE_NAME:
        return know_name(l, at, steps + 1);
    case MW_NODE_INDEX:
        return know_index(l, node, steps + 1);
    case MW_NODE_CALL:
        return know_call(l, node);
    case MW_NODE_FUNCTION:
        return (struct mw_known){ .what = MW_WHAT_FUNCTION, .node = at };
    case MW_NODE_OPERATOR:
        return know_operator(l, node, steps + 1);
    case MW_NODE_PAREN:
        return know(l, node->a, steps + 1);
    case MW_NODE_STRING:
        return known(MW_WHAT_STRING);
    case MW_NODE_NONE:
    case MW_NODE_CONSTANT:
    case MW_NODE_NUMBER:
    case MW_NODE_METHOD:
    case MW_NODE_TABLE:
    case MW_NODE_FIELD:
    case MW_NODE_ASSIGN:
    case MW_NODE_RETURN:
        return unknown;
    }
    return unknown;
}

struct mw_known mw_lint_know(const struct mw_lint *l, mw_node_at at)
{
    return know(l, at, 0);
}
