/*
 * The table that a script returns, as shape.c of the engine will read it: the same sentences,
 * before anything runs. Values that are calculated are left to it.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

typedef void key_fn(struct mw_lint *l, const struct mw_module_key *key);

static int shown(struct mw_view name)
{
    return (int)(name.len < 64 ? name.len : 64);
}

/* Tells where the type of a value is plain to see and another than it must be. */
static bool has_type(struct mw_lint *l, const struct mw_module_key *key, const char *wanted,
                     const char *article)
{
    const char *type = mw_lint_type(l, key->value);
    bool is_other = type && strcmp(type, "nil") != 0 && strcmp(type, wanted) != 0;
    if (is_other)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->place, "", "%.*s must be %s %s, not a %s",
                     shown(key->name), key->name.data, article, wanted, type);
    return !is_other;
}

/* ---- one function per key ---- */

static void check_handler(struct mw_lint *l, const struct mw_module_key *key)
{
    (void)has_type(l, key, "function", "a");
}

static void check_route(struct mw_lint *l, const struct mw_module_key *key)
{
    struct mw_view route = mw_lint_text(l, key->value);
    const struct mw_node *value = mw_tree_node(&l->tree, key->value);
    if (!has_type(l, key, "string", "a") || !route.data)
        return;
    if (mw_view_starts_with(route, "/"))
        l->job->route(l->job->ctx, route, value->at, value->len);
    else
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "", "route must begin with \"/\": \"/%.*s\"",
                     shown(route), route.data);
}

static void check_affinity(struct mw_lint *l, const struct mw_module_key *key)
{
    struct mw_view name = mw_lint_text(l, key->value);
    if (has_type(l, key, "string", "a") && name.data && name.len == 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "",
                     "affinity must be the name of a parameter of the route, not empty");
}

static void check_format(struct mw_lint *l, const struct mw_module_key *key)
{
    const char *type = mw_lint_type(l, key->value);
    struct mw_view text = mw_lint_text(l, key->value);
    bool is_string = type && strcmp(type, "string") == 0;
    bool is_json = !text.data || mw_view_is(text, "json");
    if (type && strcmp(type, "nil") != 0 && !(is_string && is_json))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "", "format can only be \"json\"");
}

static void check_compression(struct mw_lint *l, const struct mw_module_key *key)
{
    const char *type = mw_lint_type(l, key->value);
    if (type && strcmp(type, "nil") != 0 && strcmp(type, "boolean") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "",
                     "compression must be true or false, not a %s", type);
}

static void check_resume(struct mw_lint *l, const struct mw_module_key *key)
{
    double seconds;
    const char *type = mw_lint_type(l, key->value);
    if (type && strcmp(type, "nil") != 0 && strcmp(type, "number") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "",
                     "resume must be a number of seconds, not a %s", type);
    else if (mw_lint_number(l, key->value, &seconds) &&
             !(seconds >= 0 && seconds <= MW_RESUME_MAX_S))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "",
                     "resume is %.15g, but must be from 0 to %d seconds", seconds, MW_RESUME_MAX_S);
}

static void check_token(struct mw_lint *l, const struct mw_module_key *key, mw_node_at value)
{
    const char *type = mw_lint_type(l, value);
    struct mw_view text = mw_lint_text(l, value);
    bool is_protocol = mw_view_is(key->name, "protocols");
    if (type && strcmp(type, "string") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, value, "", "%.*s: each must be a string, not a %s",
                     shown(key->name), key->name.data, type);
    else if (text.data && is_protocol && !mw_is_token(text))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, value, "",
                     "protocols: '%.*s' is no token: letters, digits and !#$%%&'*+-.^_`|~ only",
                     shown(text), text.data);
}

static void check_texts(struct mw_lint *l, const struct mw_module_key *key)
{
    const char *type = mw_lint_type(l, key->value);
    const struct mw_node *value = mw_tree_node(&l->tree, key->value);
    if (type && strcmp(type, "nil") != 0 && strcmp(type, "string") != 0 &&
        strcmp(type, "table") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, key->value, "",
                     "%.*s must be a list of strings, not a %s", shown(key->name), key->name.data,
                     type);
    if (value->kind == MW_NODE_STRING)
        check_token(l, key, key->value);
    mw_node_at field = value->kind == MW_NODE_TABLE ? value->a : 0;
    for (; field; field = mw_tree_node(&l->tree, field)->next) {
        if (!mw_tree_node(&l->tree, field)->a)
            check_token(l, key, mw_tree_node(&l->tree, field)->b);
    }
}

/* ---- limits ---- */

static const struct limit {
    const char *name;
    double least, most;
} limits[] = {
#define LIMIT_ROW(name, normal, least, most) { #name, least, most },
    MW_LIMIT_LIST(LIMIT_ROW)
#undef LIMIT_ROW
        { NULL, 0, 0 },
};

static void tell_unknown_limit(struct mw_lint *l, mw_node_at place, struct mw_view name)
{
    char hint[200] = "";
    const char *near = mw_nearest_name(name, l->job->names->of("limits"));
    if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    mw_lint_tell(l, MW_RULE_UNKNOWN_KEY, place, hint, "limit '%.*s' is unknown and ignored",
                 shown(name), name.data);
}

static void check_policy(struct mw_lint *l, mw_node_at at)
{
    const struct mw_node *value = mw_tree_node(&l->tree, at);
    struct mw_view policy = mw_lint_text(l, at);
    const char *type = mw_lint_type(l, at);
    if (value->kind == MW_NODE_STRING && mw_view_is(policy, "latest"))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, at, "send with { policy = \"latest\", key = \"pos\" }",
                     "limits.policy is \"close\" or \"drop\": \"latest\" needs a key for each "
                     "message");
    else if (value->kind == MW_NODE_STRING && !mw_view_is(policy, "close") &&
             !mw_view_is(policy, "drop"))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, at, "",
                     "limits.policy is \"close\" or \"drop\", not \"%.*s\"", shown(policy),
                     policy.data);
    else if (type && strcmp(type, "string") != 0 && strcmp(type, "nil") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, at, "", "limits.policy must be a string, not a %s",
                     type);
}

static void check_limit(struct mw_lint *l, const struct mw_node *field)
{
    double value;
    struct mw_view name = mw_lint_text(l, field->a);
    const char *type = mw_lint_type(l, field->b);
    const struct limit *limit = limits;
    if (!name.data)
        return;
    if (mw_view_is(name, "policy")) {
        check_policy(l, field->b);
        return;
    }
    while (limit->name && !mw_view_is(name, limit->name))
        limit++;
    if (!limit->name)
        tell_unknown_limit(l, field->a, name);
    else if (mw_lint_number(l, field->b, &value) &&
             !(value >= limit->least && value <= limit->most))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, field->b, "",
                     "limits.%s is %.15g, but must be from %.0f to %.0f", limit->name, value,
                     limit->least, limit->most);
    else if (type && strcmp(type, "number") != 0 && strcmp(type, "nil") != 0)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, field->b, "", "limits.%s must be a number, not a %s",
                     limit->name, type);
}

static void check_limits(struct mw_lint *l, const struct mw_module_key *key)
{
    const struct mw_node *value = mw_tree_node(&l->tree, key->value);
    if (!has_type(l, key, "table", "a") || value->kind != MW_NODE_TABLE)
        return;
    for (mw_node_at at = value->a; at; at = mw_tree_node(&l->tree, at)->next) {
        const struct mw_node *field = mw_tree_node(&l->tree, at);
        if (field->a)
            check_limit(l, field);
        else
            mw_lint_tell(l, MW_RULE_BAD_VALUE, at, "",
                         "limits is no list: write limits = { message = 65536 }");
    }
}

/* ---- codes ---- */

static bool begins_with_name(const struct mw_lint *l, const struct mw_node *value)
{
    mw_node_at at = value->a;
    while (at && mw_tree_node(&l->tree, at)->a)
        at = mw_tree_node(&l->tree, at)->next;
    const char *type = at ? mw_lint_type(l, mw_tree_node(&l->tree, at)->b) : "nothing";
    return !type || strcmp(type, "string") == 0;
}

static void check_code(struct mw_lint *l, const struct mw_node *field)
{
    double code;
    const struct mw_node *value = mw_tree_node(&l->tree, field->b);
    const char *type = mw_lint_type(l, field->b);
    mw_node_at place = field->a ? field->a : field->b;
    bool is_number = field->a && mw_lint_number(l, field->a, &code);
    bool is_other = !field->a || mw_lint_text(l, field->a).data ||
                    (is_number && !(code >= 3000 && code <= 4999));
    if (is_other)
        mw_lint_tell(l, MW_RULE_BAD_VALUE, place, "",
                     "codes: a script's own codes are from 3000 to 4999");
    else if (is_number && ((type && strcmp(type, "table") != 0) ||
                           (value->kind == MW_NODE_TABLE && !begins_with_name(l, value))))
        mw_lint_tell(l, MW_RULE_BAD_VALUE, place, "",
                     "codes[%.0f] must begin with its name: [%.0f] = { \"kicked\" }", code, code);
}

static void check_codes(struct mw_lint *l, const struct mw_module_key *key)
{
    const struct mw_node *value = mw_tree_node(&l->tree, key->value);
    if (!has_type(l, key, "table", "a") || value->kind != MW_NODE_TABLE)
        return;
    for (mw_node_at at = value->a; at; at = mw_tree_node(&l->tree, at)->next)
        check_code(l, mw_tree_node(&l->tree, at));
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    key_fn *check;
} checks[] = {
    { "route", check_route },     { "affinity", check_affinity },       { "format", check_format },
    { "protocols", check_texts }, { "origins", check_texts },           { "limits", check_limits },
    { "codes", check_codes },     { "compression", check_compression }, { "resume", check_resume },
};

/* Other keys are the script's own business, unless they are nearly the name of one of ours. */
static void check_name(struct mw_lint *l, const struct mw_module_key *key)
{
    char hint[200];
    const char *const *names = l->job->names->of("M");
    const char *near = mw_lint_has(names, key->name) ? NULL : mw_nearest_name(key->name, names);
    if (!near)
        return;
    snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    mw_lint_tell(l, MW_RULE_UNKNOWN_KEY, key->place, hint, "key '%.*s' is unknown",
                 shown(key->name), key->name.data);
}

static void check_key(struct mw_lint *l, const struct mw_module_key *key)
{
    if (mw_lint_has(l->job->names->handlers, key->name))
        check_handler(l, key);
    for (size_t i = 0; i < MW_COUNT(checks); i++) {
        if (mw_view_is(key->name, checks[i].name))
            checks[i].check(l, key);
    }
    check_name(l, key);
}

/* Where a file without a return ends. */
static void tell_no_return(struct mw_lint *l, const char *what)
{
    int len = (int)(l->job->path.len < 128 ? l->job->path.len : 128);
    mw_node_at place = l->module_return ? l->module_return : (mw_node_at)l->tree.nodes.count - 1;
    mw_lint_tell(l, MW_RULE_NO_MODULE, place, "", "%.*s %s: its last line must be `return M`", len,
                 l->job->path.data, what);
}

static void check_return(struct mw_lint *l)
{
    const char *type = mw_lint_type(l, l->returned);
    bool is_table = !type || strcmp(type, "table") == 0;
    if (!mw_tree_function(&l->tree, 0)->ends_with_return && !l->module_return)
        tell_no_return(l, "returned nothing");
    else if (l->module_return && (!l->returned || !is_table))
        tell_no_return(l, "does not return its table");
}

void mw_rule_module(struct mw_lint *l)
{
    check_return(l);
    for (size_t i = 0; i < l->keys.count; i++) {
        struct mw_module_key key = ((const struct mw_module_key *)(const void *)l->keys.data)[i];
        check_key(l, &key);
    }
}
