/*
 * Which local variable a name means at this point of the file. Each name remembers its innermost
 * variable, so looking one up does not depend on how many there are.
 */
#ifndef MW_LINT_SCOPE_H
#define MW_LINT_SCOPE_H

#include "lua/lint/tree.h"

struct mw_scope {
    struct mw_lint_array symbols; /* open hash table: private */
    size_t used;
    struct mw_lint_array active; /* local variables that can be seen, innermost last */
};

void mw_scope_init(struct mw_scope *scope);
void mw_scope_free(struct mw_scope *scope, struct mw_mem *mem);

/* The variable of this name, 0: none, it is a global. */
mw_local_at mw_scope_find(const struct mw_scope *scope, struct mw_view name);

/* The variable can be seen from now on. MW_OK or MW_ERR_NOMEM. */
int mw_scope_add(struct mw_scope *scope, struct mw_tree *tree, mw_local_at local);

/* How many can be seen; going back to that hides the later ones. */
size_t mw_scope_mark(const struct mw_scope *scope);
void mw_scope_back(struct mw_scope *scope, struct mw_tree *tree, size_t mark);

#endif
