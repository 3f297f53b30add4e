/* Calls that name something: require a library, timer.every a handler. */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/lib_path.h"
#include "lua/lint/rule.h"

#define MAX_NAMES  256
#define NAME_BYTES 64

/* ---- require ---- */

/* Copies that end in a NUL: paths of libraries, keys of the module. */
struct names {
    const char *list[MAX_NAMES + 1];
    char copies[MAX_NAMES][NAME_BYTES];
    size_t count;
};

static void add_name(struct names *names, struct mw_view name)
{
    if (names->count == MAX_NAMES || name.len == 0 || name.len >= NAME_BYTES)
        return;
    char *copy = names->copies[names->count];
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    names->list[names->count++] = copy;
    names->list[names->count] = NULL;
}

static void tell_missing(struct mw_lint *l, mw_node_at at, const char *path)
{
    char hint[200] = "";
    struct names names = { .count = 0 };
    for (size_t i = 0; i < l->job->lib_count; i++)
        add_name(&names, l->job->libs[i].path);
    const char *near = mw_nearest_name(mw_view_text(path), names.list);
    if (near)
        snprintf(hint, sizeof(hint), "did you mean %s?", near);
    mw_lint_tell(l, MW_RULE_REQUIRE, at, hint, "there is no %s", path);
}

void mw_rule_require(struct mw_lint *l, mw_node_at at)
{
    char path[MW_LIB_PATH_MAX];
    const struct mw_node *call = mw_tree_node(&l->tree, at);
    const char *global = mw_lint_global(l, call->a);
    const struct mw_node *arg = mw_tree_node(&l->tree, call->b);
    struct mw_view name = mw_lint_text(l, call->b);
    if (!global || strcmp(global, "require") != 0 || !name.data)
        return;
    if (!mw_lib_path(name, path)) {
        mw_lint_tell(l, MW_RULE_REQUIRE, call->b, "require \"rooms\" finds lib/rooms.lua",
                     "'%.*s' is no name of a library: nothing outside of lib is found",
                     (int)(name.len < NAME_BYTES ? name.len : NAME_BYTES), name.data);
        return;
    }
    size_t lib = 0;
    while (lib < l->job->lib_count && !mw_view_is(l->job->libs[lib].path, path))
        lib++;
    if (lib == l->job->lib_count)
        tell_missing(l, call->b, path);
    else if (call->function == 0)
        l->job->require(l->job->ctx, lib, arg->at, arg->len);
}

/* ---- timer.every(name, seconds, "handler") ---- */

static const struct mw_module_key *key_at(const struct mw_lint *l, size_t i)
{
    return (const struct mw_module_key *)(const void *)l->keys.data + i;
}

static bool has_key(const struct mw_lint *l, struct mw_view name)
{
    for (size_t i = 0; i < l->keys.count; i++) {
        if (mw_view_equal(key_at(l, i)->name, name))
            return true;
    }
    return false;
}

void mw_rule_timer(struct mw_lint *l, mw_node_at at)
{
    char hint[200] = "";
    struct names names = { .count = 0 };
    const struct mw_node *call = mw_tree_node(&l->tree, at);
    if (l->job->kind != MW_LINT_SCRIPT || l->has_other_keys ||
        !mw_lint_is_member(l, call->a, "timer", "every"))
        return;
    mw_node_at handler = mw_lint_nth(l, call->b, 2);
    struct mw_view name = mw_lint_text(l, handler);
    if (!handler || !name.data || has_key(l, name))
        return;
    for (size_t i = 0; i < l->keys.count; i++)
        add_name(&names, key_at(l, i)->name);
    const char *near = mw_nearest_name(name, names.list);
    if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    mw_lint_tell(l, MW_RULE_TIMER_HANDLER, handler, hint,
                 "the table that this script returns has no function '%.*s'",
                 (int)(name.len < NAME_BYTES ? name.len : NAME_BYTES), name.data);
}
