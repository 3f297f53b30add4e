/*
 * A hash table of names, each with its innermost variable; a variable knows which one it hides.
 * Called by parse.c. A hostile file makes long chains at worst as long as its list of names.
 */
#include "lua/lint/scope.h"

#include "core/base/str.h"

struct symbol {
    struct mw_view name; /* data NULL: free */
    mw_local_at local;
};

#define FIRST_SLOTS 64 /* a power of two */

void mw_scope_init(struct mw_scope *scope)
{
    *scope = (struct mw_scope){ 0 };
    scope->symbols.item_bytes = sizeof(struct symbol);
    scope->active.item_bytes = sizeof(mw_local_at);
}

void mw_scope_free(struct mw_scope *scope, struct mw_mem *mem)
{
    mw_lint_array_free(&scope->symbols, mem);
    mw_lint_array_free(&scope->active, mem);
}

static struct symbol *slot_at(const struct mw_scope *scope, size_t at)
{
    return (struct symbol *)(void *)scope->symbols.data + at;
}

/* FNV-1a */
static uint32_t hash_of(struct mw_view name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash;
}

/* The slot of this name, or the free one where it belongs. There always is a free one. */
static size_t find_slot(const struct mw_scope *scope, struct mw_view name)
{
    size_t mask = scope->symbols.cap - 1, at = hash_of(name) & mask;
    while (slot_at(scope, at)->name.data && !mw_view_equal(slot_at(scope, at)->name, name))
        at = (at + 1) & mask;
    return at;
}

/* Variables name their slot, so they move along. */
static int grow(struct mw_scope *scope, struct mw_tree *tree)
{
    struct mw_scope old = *scope;
    size_t cap = old.symbols.cap ? old.symbols.cap * 2 : FIRST_SLOTS;
    scope->symbols.data = mw_alloc_zero(tree->mem, cap * sizeof(struct symbol));
    if (!scope->symbols.data) {
        *scope = old;
        return MW_ERR_NOMEM;
    }
    scope->symbols.cap = cap;
    for (size_t i = 0; i < old.symbols.cap; i++) {
        struct symbol *symbol = slot_at(&old, i);
        if (!symbol->name.data)
            continue;
        size_t to = find_slot(scope, symbol->name);
        *slot_at(scope, to) = *symbol;
        for (mw_local_at at = symbol->local; at; at = mw_tree_local(tree, at)->hidden)
            mw_tree_local(tree, at)->symbol = (uint32_t)to;
    }
    mw_lint_array_free(&old.symbols, tree->mem);
    return MW_OK;
}

mw_local_at mw_scope_find(const struct mw_scope *scope, struct mw_view name)
{
    return scope->symbols.cap ? slot_at(scope, find_slot(scope, name))->local : 0;
}

int mw_scope_add(struct mw_scope *scope, struct mw_tree *tree, mw_local_at at)
{
    struct mw_local *local = mw_tree_local(tree, at);
    if ((scope->used + 1) * 2 > scope->symbols.cap && grow(scope, tree) != MW_OK)
        return MW_ERR_NOMEM;
    uint32_t place = mw_lint_array_add(&scope->active, tree->mem);
    if (place == UINT32_MAX)
        return MW_ERR_NOMEM;
    ((mw_local_at *)(void *)scope->active.data)[place] = at;
    local->symbol = (uint32_t)find_slot(scope, local->name);
    struct symbol *symbol = slot_at(scope, local->symbol);
    scope->used += !symbol->name.data;
    symbol->name = local->name;
    local->hidden = symbol->local;
    symbol->local = at;
    return MW_OK;
}

size_t mw_scope_mark(const struct mw_scope *scope)
{
    return scope->active.count;
}

void mw_scope_back(struct mw_scope *scope, struct mw_tree *tree, size_t mark)
{
    while (scope->active.count > mark) {
        mw_local_at at = ((mw_local_at *)(void *)scope->active.data)[--scope->active.count];
        const struct mw_local *local = mw_tree_local(tree, at);
        slot_at(scope, local->symbol)->local = local->hidden;
    }
}
