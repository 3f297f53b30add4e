/*
 * Comments that silence rules, for the line they stand in, or for the next one where they stand
 * alone, or for the whole file:
 *
 *     return false, 403  -- moonwire: ignore http-refusal
 *     -- moonwire: ignore-file http-refusal, undeclared-read
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"
#include "lua/lint/rule.h"

#define MARK      "moonwire: ignore "
#define FILE_MARK "moonwire: ignore-file "

static struct mw_view content(struct mw_view comment)
{
    return mw_view_trim(mw_view_from(comment, 2));
}

void mw_lint_read_comment(void *ctx, struct mw_view comment)
{
    struct mw_lint *l = ctx;
    if (!mw_view_starts_with(content(comment), MARK) &&
        !mw_view_starts_with(content(comment), FILE_MARK))
        return;
    uint32_t at = mw_lint_array_add(&l->ignores, l->job->mem);
    if (at == UINT32_MAX)
        l->err = MW_ERR_NOMEM;
    else
        ((struct mw_view *)(void *)l->ignores.data)[at] = comment;
}

static struct mw_view ignore_at(const struct mw_lint *l, size_t i)
{
    return ((const struct mw_view *)(const void *)l->ignores.data)[i];
}

static bool is_for_file(struct mw_view comment)
{
    return mw_view_starts_with(content(comment), FILE_MARK);
}

/* "a, b": the next one, trimmed. */
static bool take_name(struct mw_view *rest, struct mw_view *name)
{
    bool is_there = mw_view_split(rest, ',', name);
    if (is_there)
        *name = mw_view_trim(*name);
    return is_there;
}

static struct mw_view names_in(struct mw_view comment)
{
    return mw_view_from(content(comment), strlen(is_for_file(comment) ? FILE_MARK : MARK));
}

static bool names(struct mw_view comment, enum mw_rule rule)
{
    struct mw_view rest = names_in(comment), name;
    while (take_name(&rest, &name)) {
        if (mw_view_is(name, mw_rules[rule].name))
            return true;
    }
    return false;
}

/* How many line ends lie between; more than one is as good as many. */
static int lines_between(const char *from, const char *to)
{
    int lines = 0;
    for (; from < to && lines < 2; from++)
        lines += *from == '\n';
    return lines;
}

static bool stands_alone(const struct mw_lint *l, struct mw_view comment)
{
    const char *at = comment.data;
    while (at > l->tree.text.data && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return at == l->tree.text.data || at[-1] == '\n';
}

bool mw_lint_is_ignored(const struct mw_lint *l, enum mw_rule rule, uint32_t at)
{
    const char *place = l->tree.text.data + at;
    for (size_t i = 0; i < l->ignores.count; i++) {
        struct mw_view comment = ignore_at(l, i);
        bool is_before = comment.data < place;
        int lines =
            is_before ? lines_between(comment.data, place) : lines_between(place, comment.data);
        bool is_near = lines == 0 || (lines == 1 && is_before && stands_alone(l, comment));
        if ((is_near || is_for_file(comment)) && names(comment, rule))
            return true;
    }
    return false;
}

void mw_lint_check_ignores(struct mw_lint *l)
{
    const char *known[MW_RULES + 1] = { 0 };
    struct mw_view name;
    for (size_t i = 0; i < MW_RULES; i++)
        known[i] = mw_rules[i].name;
    for (size_t i = 0; i < l->ignores.count; i++) {
        struct mw_view rest = names_in(ignore_at(l, i));
        while (take_name(&rest, &name)) {
            if (mw_lint_has(known, name))
                continue;
            const char *near = mw_nearest_name(name, known);
            struct mw_lint_finding finding = {
                .rule = MW_RULE_IGNORE,
                .at = (uint32_t)(name.data - l->tree.text.data),
                .len = (uint32_t)name.len,
            };
            snprintf(finding.message, sizeof(finding.message), "there is no rule '%.*s'",
                     (int)(name.len < 64 ? name.len : 64), name.data);
            if (near)
                snprintf(finding.hint, sizeof(finding.hint), "did you mean '%s'?", near);
            l->job->finding(l->job->ctx, &finding);
        }
    }
}
