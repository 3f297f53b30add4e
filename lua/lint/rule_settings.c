/*
 * moonwire.lua: says where each value of the table that it returns stands, so that a complaint
 * about the value has a place. What a key means is not known here.
 */
#include <stdio.h>

#include "lua/lint/rule.h"

#define MAX_NESTING 8

static void walk(struct mw_lint *l, mw_node_at table, struct mw_buf *path, int nesting);

static int put_key(struct mw_lint *l, struct mw_buf *path, const struct mw_node *field,
                   unsigned index)
{
    struct mw_view name = mw_lint_text(l, field->a);
    if (!field->a)
        return mw_buf_putf(path, "[%u]", index);
    if (path->len && mw_buf_put_byte(path, '.') != MW_OK)
        return MW_ERR_NOMEM;
    return name.data ? mw_buf_put_view(path, name) : mw_buf_put_byte(path, '?');
}

static void walk_field(struct mw_lint *l, const struct mw_node *field, struct mw_buf *path,
                       int nesting)
{
    const struct mw_node *value = mw_tree_node(&l->tree, field->b);
    mw_node_at place = field->a ? field->a : field->b;
    const struct mw_node *at = mw_tree_node(&l->tree, place);
    l->job->setting(l->job->ctx, mw_buf_view(path), at->at, at->len);
    if (value->kind == MW_NODE_TABLE && nesting < MAX_NESTING)
        walk(l, field->b, path, nesting + 1);
}

static void walk(struct mw_lint *l, mw_node_at table, struct mw_buf *path, int nesting)
{
    unsigned index = 0;
    mw_node_at at = mw_tree_node(&l->tree, table)->a;
    for (; at && !l->err; at = mw_tree_node(&l->tree, at)->next) {
        const struct mw_node *field = mw_tree_node(&l->tree, at);
        size_t len = path->len;
        index += !field->a;
        if (put_key(l, path, field, index) != MW_OK)
            l->err = MW_ERR_NOMEM;
        else
            walk_field(l, field, path, nesting);
        path->len = len;
    }
}

void mw_rule_settings(struct mw_lint *l)
{
    struct mw_buf path;
    mw_node_at table = l->returned;
    const struct mw_node *node = mw_tree_node(&l->tree, table);
    if (node->kind == MW_NODE_NAME && node->local)
        table = mw_lint_nth(l, mw_tree_local(&l->tree, node->local)->values,
                            mw_tree_local(&l->tree, node->local)->place);
    mw_buf_init(&path, l->job->mem, 0);
    if (mw_tree_node(&l->tree, table)->kind == MW_NODE_TABLE)
        walk(l, table, &path, 0);
    mw_buf_free(&path);
}
