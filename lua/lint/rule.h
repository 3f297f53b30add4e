/* What the rules work with; only the files of rules include this. */
#ifndef MW_LINT_RULE_H
#define MW_LINT_RULE_H

#include "lua/lint/lint.h"

/* What an expression is, as far as that can be seen. */
enum mw_what {
    MW_WHAT_UNKNOWN,
    MW_WHAT_CONN,
    MW_WHAT_REQ,
    MW_WHAT_MODULE,   /* the table that the script returns */
    MW_WHAT_STATE,    /* `state`, or a table in it */
    MW_WHAT_LIBRARY,  /* a table of functions, or _G */
    MW_WHAT_FUNCTION, /* node: the function, if it is one of the file */
    MW_WHAT_COROUTINE,
    MW_WHAT_OBJECT, /* a table with a metatable */
    MW_WHAT_STRING,
};

struct mw_known {
    enum mw_what what;
    const char *library; /* its name; static */
    mw_node_at node;
};

/* A key of the script's table. */
struct mw_module_key {
    struct mw_view name;
    mw_node_at place; /* where it stands */
    mw_node_at value;
};

struct mw_lint {
    const struct mw_lint_job *job;
    struct mw_tree tree;
    struct mw_lint_array ignores;  /* comments that silence rules: ignore.c */
    struct mw_lint_array keys;     /* struct mw_module_key */
    struct mw_lint_array handlers; /* by function: 1 + index in keys of the key that holds it */
    mw_node_at returned;           /* what the file returns at its end; 0: nothing, or several */
    mw_node_at module_return;      /* that return statement */
    mw_local_at module;            /* the variable M */
    bool has_other_keys;           /* M may get keys that cannot be seen */
    bool has_own_env;              /* the file speaks of _ENV: what is a global is not known */
    unsigned told;                 /* findings so far */
    int err;
};

/* ---- telling: lint.c ---- */

void mw_lint_tell(struct mw_lint *l, enum mw_rule rule, mw_node_at at, const char *hint,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* ---- comments that silence: ignore.c ---- */

/* For mw_tree_parse; ctx is the struct mw_lint. */
void mw_lint_read_comment(void *ctx, struct mw_view comment);
bool mw_lint_is_ignored(const struct mw_lint *l, enum mw_rule rule, uint32_t at);
/* Tells of marks that name no rule. */
void mw_lint_check_ignores(struct mw_lint *l);

/* ---- knowing: know.c, module.c ---- */

struct mw_known mw_lint_know(const struct mw_lint *l, mw_node_at at);
/* The n-th of a list, or 0. */
mw_node_at mw_lint_nth(const struct mw_lint *l, mw_node_at first, uint32_t n);
/* The name of a global that is the server's or Lua's, not hidden by a local; NULL: none. Static. */
const char *mw_lint_global(const struct mw_lint *l, mw_node_at at);
/* at is library.name, of the real library. */
bool mw_lint_is_member(const struct mw_lint *l, mw_node_at at, const char *library,
                       const char *name);
/* A number that is written down, also -1 and 64 * 1024. */
bool mw_lint_number(const struct mw_lint *l, mw_node_at at, double *out);
/* "string", "number", ... where the type of a value is plain to see; NULL else. Static. */
const char *mw_lint_type(const struct mw_lint *l, mw_node_at at);
/* What a string says; data is NULL where it is none, or has escapes. */
struct mw_view mw_lint_text(const struct mw_lint *l, mw_node_at at);
bool mw_lint_has(const char *const *names, struct mw_view name);

/* Finds the table that the script returns, its keys and its handlers. */
void mw_lint_find_module(struct mw_lint *l);
/* The key that holds a function of the file; NULL: none. */
const struct mw_module_key *mw_lint_key_of(const struct mw_lint *l, uint32_t function);

/* ---- rules: one function for each idea; called with every node of its kind ---- */

void mw_rule_global(struct mw_lint *l, mw_node_at at);
void mw_rule_index(struct mw_lint *l, mw_node_at at);
void mw_rule_dot_call(struct mw_lint *l, mw_node_at at);
void mw_rule_method(struct mw_lint *l, mw_node_at at);
void mw_rule_close(struct mw_lint *l, mw_node_at at);
void mw_rule_open_return(struct mw_lint *l, mw_node_at at);
void mw_rule_state_assign(struct mw_lint *l, mw_node_at at);
void mw_rule_state_insert(struct mw_lint *l, mw_node_at at);
void mw_rule_require(struct mw_lint *l, mw_node_at at);
void mw_rule_timer(struct mw_lint *l, mw_node_at at);
/* Called once. */
void mw_rule_module(struct mw_lint *l);
void mw_rule_settings(struct mw_lint *l);

#endif
