/*
 * Decisions about connections: what on_open and on_resume return, and the codes that a script
 * closes with.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

static bool is_integer(double number)
{
    return number >= 0 && number <= 65535 && number == (double)(unsigned)number;
}

/* A value behind `return`, of which the first one says what it is. */
static void check_refusal(struct mw_lint *l, const char *handler, mw_node_at statement,
                          mw_node_at second)
{
    double code = 403;
    const char *type = mw_lint_type(l, second);
    mw_node_at place = second ? second : statement;
    if (second && type && strcmp(type, "nil") != 0 && strcmp(type, "number") != 0) {
        mw_lint_tell(l, MW_RULE_OPEN_RETURN, place, "",
                     "%s returns false and a %s: the second value is an HTTP status from 400 to "
                     "599 or a close code",
                     handler, type);
        return;
    }
    if (second && !mw_lint_number(l, second, &code))
        return;
    bool is_code = is_integer(code) && code >= 1000 && code <= 4999;
    bool is_status = is_integer(code) && code >= 400 && code <= 599;
    const char *refusal = is_code ? l->job->names->code_refusal((unsigned)code) : NULL;
    if (is_status)
        mw_lint_tell(l, MW_RULE_HTTP_REFUSAL, place,
                     "a close code can be read: return false, 4001, \"why\"",
                     "refused with HTTP %.0f: a script in a browser sees only 1006", code);
    else if (!is_code)
        mw_lint_tell(l, MW_RULE_OPEN_RETURN, place, "",
                     "%s returns false, %.15g: that is neither an HTTP status from 400 to 599 nor "
                     "a close code",
                     handler, code);
    else if (refusal)
        mw_lint_tell(l, MW_RULE_CLOSE_CODE, place, "", "%s returns false, %.0f: %s", handler, code,
                     refusal);
}

void mw_rule_open_return(struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    const struct mw_module_key *key = mw_lint_key_of(l, node->function);
    bool is_resume = key && mw_view_is(key->name, "on_resume");
    const char *handler = is_resume ? "on_resume" : "on_open";
    if (!key || !mw_view_is(key->name, handler) || !node->a)
        return;
    const struct mw_node *first = mw_tree_node(&l->tree, node->a);
    const char *type = mw_lint_type(l, node->a);
    if (first->kind == MW_NODE_CONSTANT && first->op == MW_TOKEN_FALSE)
        check_refusal(l, handler, at, first->next);
    else if (type && strcmp(type, "nil") != 0)
        mw_lint_tell(l, MW_RULE_OPEN_RETURN, node->a, "",
                     "%s returns a %s: return nothing to accept, or false[, code[, reason]] to "
                     "refuse",
                     handler, type);
}

/* conn:close(1006) */
void mw_rule_close(struct mw_lint *l, mw_node_at at)
{
    double code;
    const struct mw_node *node = mw_tree_node(&l->tree, at);
    if (!mw_view_is(mw_lint_text(l, node->b), "close") ||
        mw_lint_know(l, node->a).what != MW_WHAT_CONN || !mw_lint_number(l, node->c, &code))
        return;
    const char *refusal = is_integer(code) ? l->job->names->code_refusal((unsigned)code)
                                           : "close codes have four digits";
    if (refusal)
        mw_lint_tell(l, MW_RULE_CLOSE_CODE, node->c, "", "conn:close: %.15g: %s", code, refusal);
}
