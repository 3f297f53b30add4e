/*
 * Reads a file and asks every rule about every node. A new rule is a row in rules.def, a function
 * in a file rule_*.c and a row in `asks`.
 */
#include "lua/lint/lint.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

const struct mw_rule_row mw_rules[] = {
#define MW_RULE(id, name, severity, what) { name, MW_SEVERITY_##severity, what },
#include "lua/lint/rules.def"
#undef MW_RULE
};

/* Nobody reads more at once, and each costs a search for what was meant. */
#define MAX_FINDINGS 500

static void give(struct mw_lint *l, struct mw_lint_finding *finding)
{
    if (l->told > MAX_FINDINGS || mw_lint_is_ignored(l, finding->rule, finding->at))
        return;
    if (l->told++ == MAX_FINDINGS) {
        snprintf(finding->message, sizeof(finding->message), "there is more than this in the file");
        finding->hint[0] = '\0';
    }
    l->job->finding(l->job->ctx, finding);
}

void mw_lint_tell(struct mw_lint *l, enum mw_rule rule, mw_node_at at, const char *hint,
                  const char *format, ...)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    struct mw_lint_finding finding = { .rule = rule, .at = node->at, .len = node->len };
    va_list args;
    va_start(args, format);
    vsnprintf(finding.message, sizeof(finding.message), format, args);
    va_end(args);
    snprintf(finding.hint, sizeof(finding.hint), "%s", hint);
    give(l, &finding);
}

static void tell_syntax(struct mw_lint *l)
{
    struct mw_lint_finding finding = {
        .rule = MW_RULE_SYNTAX,
        .at = l->tree.error_at.at,
        .len = l->tree.error_at.len,
    };
    snprintf(finding.message, sizeof(finding.message), "%s", l->tree.error);
    l->job->finding(l->job->ctx, &finding);
}

static const struct {
    enum mw_node_kind kind;
    void (*ask)(struct mw_lint *l, mw_node_at at);
} asks[] = {
    { MW_NODE_NAME, mw_rule_global },         { MW_NODE_INDEX, mw_rule_index },
    { MW_NODE_CALL, mw_rule_dot_call },       { MW_NODE_METHOD, mw_rule_method },
    { MW_NODE_METHOD, mw_rule_close },        { MW_NODE_RETURN, mw_rule_open_return },
    { MW_NODE_ASSIGN, mw_rule_state_assign }, { MW_NODE_CALL, mw_rule_state_insert },
    { MW_NODE_CALL, mw_rule_require },        { MW_NODE_CALL, mw_rule_timer },
};

/* `local _ENV = {}`: whatever looks like a global may be something else. */
static bool speaks_of_env(const struct mw_lint *l)
{
    for (size_t i = 1; i < l->tree.locals.count; i++) {
        if (mw_view_is(mw_tree_local(&l->tree, (mw_local_at)i)->name, "_ENV"))
            return true;
    }
    for (size_t i = 1; i < l->tree.nodes.count; i++) {
        const struct mw_node *node = mw_tree_node(&l->tree, (mw_node_at)i);
        if (node->kind == MW_NODE_NAME && mw_view_is(node->value, "_ENV"))
            return true;
    }
    return false;
}

static void ask_all(struct mw_lint *l)
{
    for (mw_node_at at = 1; at < l->tree.nodes.count && l->told <= MAX_FINDINGS; at++) {
        for (size_t i = 0; i < MW_COUNT(asks); i++) {
            if (asks[i].kind == mw_tree_node(&l->tree, at)->kind)
                asks[i].ask(l, at);
        }
    }
}

static void ask(struct mw_lint *l)
{
    if (l->tree.has_error) {
        tell_syntax(l);
        return;
    }
    l->has_own_env = speaks_of_env(l);
    mw_lint_find_module(l);
    if (l->err)
        return;
    if (l->job->kind == MW_LINT_SCRIPT)
        mw_rule_module(l);
    if (l->job->kind == MW_LINT_SETTINGS)
        mw_rule_settings(l);
    ask_all(l);
    mw_lint_check_ignores(l);
}

int mw_lint_read(const struct mw_lint_job *job)
{
    struct mw_lint l = {
        .job = job,
        .ignores = { .item_bytes = sizeof(struct mw_view) },
        .keys = { .item_bytes = sizeof(struct mw_module_key) },
        .handlers = { .item_bytes = sizeof(uint32_t) },
    };
    int err = mw_tree_parse(&l.tree, job->mem, job->text, mw_lint_read_comment, &l);
    if (!err && !l.err)
        ask(&l);
    mw_lint_array_free(&l.ignores, job->mem);
    mw_lint_array_free(&l.keys, job->mem);
    mw_lint_array_free(&l.handlers, job->mem);
    mw_tree_free(&l.tree);
    return err ? err : l.err;
}
