/* The arrays that a tree is made of. Called by parse.c and scope.c. */
#include "lua/lint/tree.h"

#define FIRST_ITEMS 32

uint32_t mw_lint_array_add(struct mw_lint_array *array, struct mw_mem *mem)
{
    if (array->count == array->cap) {
        size_t cap = array->cap ? array->cap * 2 : FIRST_ITEMS;
        char *data =
            mw_realloc(mem, array->data, array->cap * array->item_bytes, cap * array->item_bytes);
        if (!data)
            return UINT32_MAX;
        array->data = data;
        array->cap = cap;
    }
    memset(array->data + array->count * array->item_bytes, 0, array->item_bytes);
    return (uint32_t)array->count++;
}

void mw_lint_array_free(struct mw_lint_array *array, struct mw_mem *mem)
{
    mw_free(mem, array->data, array->cap * array->item_bytes);
    array->data = NULL;
    array->count = array->cap = 0;
}

void mw_tree_free(struct mw_tree *tree)
{
    if (!tree || !tree->mem)
        return;
    mw_lint_array_free(&tree->nodes, tree->mem);
    mw_lint_array_free(&tree->locals, tree->mem);
    mw_lint_array_free(&tree->functions, tree->mem);
}
