/*
 * Names: globals that do not exist, members that libraries, `conn` and `req` do not have, and calls
 * with the wrong one of dot and colon.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

#define NAME_BYTES 64
#define MAX_LOCALS 128 /* that a wrong name is compared with */
#define MAX_NAMES  256

static void mean(char out[200], const char *prefix, const char *name)
{
    out[0] = '\0';
    if (name)
        snprintf(out, 200, "did you mean '%s%s'?", prefix, name);
}

static int shown(struct mw_view name)
{
    return (int)(name.len < NAME_BYTES ? name.len : NAME_BYTES);
}

/* ---- globals ---- */

/* Names that a slip of the pen may have meant. */
struct candidates {
    const char *names[MAX_NAMES + 1];
    char locals[MAX_LOCALS][NAME_BYTES];
    size_t count, local_count;
};

static bool encloses(const struct mw_lint *l, uint32_t outer, uint32_t inner)
{
    while (inner != outer && inner != 0)
        inner = mw_tree_function(&l->tree, inner)->parent;
    return inner == outer;
}

/* Variables above the place in the functions around it. */
static void add_locals(const struct mw_lint *l, const struct mw_node *node, struct candidates *c)
{
    for (size_t i = l->tree.locals.count; i-- > 1 && c->local_count < MAX_LOCALS;) {
        const struct mw_local *local = mw_tree_local(&l->tree, (mw_local_at)i);
        bool is_above = local->name.data < l->tree.text.data + node->at;
        if (!is_above || local->name.len < 2 || local->name.len >= NAME_BYTES ||
            !encloses(l, local->function, node->function))
            continue;
        char *copy = c->locals[c->local_count++];
        memcpy(copy, local->name.data, local->name.len);
        copy[local->name.len] = '\0';
        c->names[c->count++] = copy;
    }
}

static const char *nearest_name(const struct mw_lint *l, const struct mw_node *node,
                                struct candidates *c)
{
    c->count = c->local_count = 0;
    add_locals(l, node, c);
    for (const char *const *name = l->job->names->of("_G"); *name && c->count < MAX_NAMES; name++)
        c->names[c->count++] = *name;
    c->names[c->count] = NULL;
    return mw_nearest_name(node->value, c->names);
}

/* `function on_message(conn)` at the top of a script. */
static bool is_lost_handler(const struct mw_lint *l, const struct mw_node *node)
{
    return l->job->kind == MW_LINT_SCRIPT && mw_lint_has(l->job->names->handlers, node->value);
}

static void tell_write(struct mw_lint *l, mw_node_at at, const char *near)
{
    char hint[200];
    struct mw_view name = mw_tree_node(&l->tree, at)->value;
    int len = shown(name);
    if (is_lost_handler(l, mw_tree_node(&l->tree, at)))
        snprintf(hint, sizeof(hint), "handlers belong to the table: M.%.*s", len, name.data);
    else if (near)
        mean(hint, "", near);
    else
        snprintf(hint, sizeof(hint),
                 "write `local %.*s = ...`, or `state.%.*s = ...` to keep it across reloads", len,
                 name.data, len, name.data);
    mw_lint_tell(l, MW_RULE_UNDECLARED_WRITE, at, hint, "global '%.*s' is not declared", len,
                 name.data);
}

static void tell_read(struct mw_lint *l, mw_node_at at, const char *near)
{
    char hint[200];
    struct mw_view name = mw_tree_node(&l->tree, at)->value;
    mean(hint, "", near);
    mw_lint_tell(l, MW_RULE_UNDECLARED_READ, at, hint, "there is no global '%.*s': it is nil",
                 shown(name), name.data);
}

void mw_rule_global(struct mw_lint *l, mw_node_at at)
{
    struct candidates candidates;
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (node->local || l->has_own_env)
        return;
    const char *global = mw_lint_global(l, at);
    if (node->is_written && global)
        mw_lint_tell(l, MW_RULE_UNDECLARED_WRITE, at, "give your own variable a `local`",
                     "global '%s' belongs to the server", global);
    else if (node->is_written)
        tell_write(l, at, nearest_name(l, node, &candidates));
    else if (!global)
        tell_read(l, at, nearest_name(l, node, &candidates));
}

/* ---- members ---- */

static const char *list_of(const struct mw_known *object)
{
    switch (object->what) {
    case MW_WHAT_CONN:
        return "conn";
    case MW_WHAT_REQ:
        return "req";
    case MW_WHAT_LIBRARY:
        return object->library;
    case MW_WHAT_STRING:
        return "string";
    case MW_WHAT_UNKNOWN:
    case MW_WHAT_MODULE:
    case MW_WHAT_STATE:
    case MW_WHAT_FUNCTION:
    case MW_WHAT_COROUTINE:
    case MW_WHAT_OBJECT:
        return NULL;
    }
    return NULL;
}

/* What the methods of `conn` are called elsewhere. */
static const char *translated(struct mw_view name)
{
    static const char *const elsewhere[] = { "broadcast",  "emit",      "write",
                                             "join",       "leave",     "end",
                                             "disconnect", "terminate", NULL };
    static const char *const here[] = { "publish",     "send",  "send",  "subscribe",
                                        "unsubscribe", "close", "close", "close" };
    const char *near = mw_nearest_name(name, elsewhere);
    for (size_t i = 0; near && elsewhere[i]; i++) {
        if (near == elsewhere[i])
            return here[i];
    }
    return NULL;
}

/* Tells that `object.key` does not exist. */
static void tell_unknown(struct mw_lint *l, mw_node_at key, const char *list, char separator)
{
    char hint[200], prefix[NAME_BYTES];
    struct mw_view name = mw_lint_text(l, key);
    const char *near = mw_nearest_name(name, l->job->names->of(list));
    if (!near && strcmp(list, "conn") == 0)
        near = translated(name);
    snprintf(prefix, sizeof(prefix), "%s%c", list, separator);
    mean(hint, prefix, near);
    mw_lint_tell(l, MW_RULE_UNKNOWN_MEMBER, key, hint, "there is no %s%.*s", prefix, shown(name),
                 name.data);
}

static void tell_written(struct mw_lint *l, const struct mw_known *object, mw_node_at key)
{
    struct mw_view name = mw_lint_text(l, key);
    if (object->what == MW_WHAT_LIBRARY && strcmp(object->library, "_G") == 0)
        mw_lint_tell(l, MW_RULE_UNDECLARED_WRITE, key, "keep values in a local, or in `state`",
                     "global '%.*s' is not declared", shown(name), name.data);
    else if (object->what == MW_WHAT_LIBRARY)
        mw_lint_tell(l, MW_RULE_READ_ONLY, key, "write a function of your own",
                     "%s.%.*s cannot be set: this table belongs to the server", object->library,
                     shown(name), name.data);
    else if (object->what == MW_WHAT_CONN && !mw_view_is(name, "data"))
        mw_lint_tell(l, MW_RULE_READ_ONLY, key, "keep your own values in conn.data",
                     "conn.%.*s cannot be set", shown(name), name.data);
}

void mw_rule_index(struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    struct mw_view name = mw_lint_text(l, node->b);
    struct mw_known object = mw_lint_know(l, node->a);
    const char *list = list_of(&object);
    if (!name.data || !list)
        return;
    if (node->is_written)
        tell_written(l, &object, node->b);
    else if (!mw_lint_has(l->job->names->of(list), name))
        tell_unknown(l, node->b, list, '.');
}

/* conn.send("x"): the connection is missing. */
void mw_rule_dot_call(struct mw_lint *l, mw_node_at at)
{
    char hint[200];
    const struct mw_node *call = mw_tree_node(&l->tree, at);
    const struct mw_node *callee = mw_tree_node(&l->tree, call->a);
    struct mw_view name = mw_lint_text(l, callee->b);
    if (callee->kind != MW_NODE_INDEX || !name.data ||
        mw_lint_know(l, callee->a).what != MW_WHAT_CONN ||
        !mw_lint_has(l->job->names->conn_methods, name))
        return;
    const struct mw_node *first = mw_tree_node(&l->tree, call->b);
    bool may_be_conn = mw_lint_know(l, call->b).what == MW_WHAT_CONN ||
                       (first->kind == MW_NODE_CONSTANT && first->op == MW_TOKEN_DOTS);
    if (may_be_conn)
        return;
    snprintf(hint, sizeof(hint), "methods take a colon: conn:%.*s(...)", shown(name), name.data);
    mw_lint_tell(l, MW_RULE_CALL_STYLE, callee->b, hint, "conn.%.*s called without its connection",
                 shown(name), name.data);
}

/* conn:sendd(), conn:path(), log:info(), ("x"):fnd() */
void mw_rule_method(struct mw_lint *l, mw_node_at at)
{
    char hint[200];
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    struct mw_view name = mw_lint_text(l, node->b);
    struct mw_known object = mw_lint_know(l, node->a);
    const char *list = list_of(&object);
    if (!list || object.what == MW_WHAT_REQ)
        return;
    if (!mw_lint_has(l->job->names->of(list), name)) {
        tell_unknown(l, node->b, list, object.what == MW_WHAT_LIBRARY ? '.' : ':');
    } else if (object.what == MW_WHAT_CONN && !mw_lint_has(l->job->names->conn_methods, name)) {
        snprintf(hint, sizeof(hint), "read it with a dot: conn.%.*s", shown(name), name.data);
        mw_lint_tell(l, MW_RULE_CALL_STYLE, node->b, hint, "conn.%.*s is a field, no method",
                     shown(name), name.data);
    } else if (object.what == MW_WHAT_LIBRARY) {
        snprintf(hint, sizeof(hint), "write %s.%.*s(...)", list, shown(name), name.data);
        mw_lint_tell(l, MW_RULE_CALL_STYLE, node->b, hint,
                     "functions of a library take a dot, a colon adds the library itself");
    }
}
