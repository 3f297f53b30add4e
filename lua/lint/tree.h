/*
 * A script as the rules see it: what is read, written, called, built and returned, with every name
 * traced to its local variable. No tree of blocks: rules ask what an expression is, never in which
 * order statements run.
 *
 * All nodes stand in one array in the order of their making, children before parents, so a rule is
 * a loop and never a recursion. Nodes are named by index; 0 is none.
 */
#ifndef MW_LINT_TREE_H
#define MW_LINT_TREE_H

#include "core/base/buf.h"
#include "lua/lint/lex.h"

typedef uint32_t mw_node_at;  /* index of a node; 0: none */
typedef uint32_t mw_local_at; /* index of a local variable; 0: none */

enum mw_node_kind {
    MW_NODE_NONE,
    /* expressions */
    MW_NODE_CONSTANT, /* nil, true, false, ...: op is the token */
    MW_NODE_NUMBER,
    MW_NODE_STRING,   /* value: what it says, unless it has escapes */
    MW_NODE_NAME,     /* local, or a global where that is 0; value: the name */
    MW_NODE_INDEX,    /* a[b] and a.b; op DOT or OPEN_BRACKET; for a.b, b is a string */
    MW_NODE_CALL,     /* a(b, ...) */
    MW_NODE_METHOD,   /* a:b(c, ...) */
    MW_NODE_FUNCTION, /* function: its index */
    MW_NODE_TABLE,    /* a: the first field */
    MW_NODE_FIELD,    /* a: the key, 0 in a list; b: the value */
    MW_NODE_OPERATOR, /* op: the token; a, and b where it has two sides */
    MW_NODE_PAREN,    /* (a) */
    /* statements */
    MW_NODE_ASSIGN, /* a, ... = b, ...; op FUNCTION for `function a.b()` */
    MW_NODE_RETURN, /* a, ... */
};

struct mw_node {
    uint8_t kind, op;
    bool is_written;  /* the target of an assignment */
    bool is_called;   /* a of a call */
    uint32_t at, len; /* the token that an error would point to */
    mw_node_at a, b, c;
    mw_node_at next;   /* in a list of expressions or fields */
    mw_local_at local; /* of a name */
    uint32_t function; /* where it stands; of a function node: itself */
    struct mw_view value;
};

enum mw_local_kind { MW_LOCAL_PLAIN, MW_LOCAL_PARAM, MW_LOCAL_LOOP };

struct mw_local {
    struct mw_view name;
    enum mw_local_kind kind;
    bool is_constant;   /* <const>, <close> */
    uint32_t function;  /* that declares it */
    uint32_t place;     /* n-th parameter or variable of the list, from 0 */
    uint32_t writes;    /* behind its declaration */
    mw_node_at values;  /* first of the list that it was declared with; 0: none */
    mw_local_at hidden; /* private: what the name meant outside */
    uint32_t symbol;    /* private */
};

struct mw_function {
    mw_node_at node;    /* 0: the file */
    uint32_t parent;    /* function 0, the file, has itself */
    mw_local_at params; /* the first; the others follow */
    uint32_t param_count;
    bool is_vararg;
    bool ends_with_return; /* its last statement is one */
};

/* A growing array of one type. */
struct mw_lint_array {
    char *data;
    size_t count, cap, item_bytes;
};

struct mw_tree {
    struct mw_mem *mem;
    struct mw_view text; /* borrowed: views of nodes point into it */
    struct mw_lint_array nodes, locals, functions;
    /* The first thing that is no Lua; kind MW_TOKEN_END_OF_FILE and len 0 where the file ends. */
    bool has_error;
    struct mw_token error_at;
    char error[160];
};

/*
 * Reads a whole file. MW_OK, also for a file with a syntax error (has_error; what was read before
 * it is there); MW_ERR_NOMEM, MW_ERR_FULL for a text of 2 GiB. Free in any case.
 */
int mw_tree_parse(struct mw_tree *tree, struct mw_mem *mem, struct mw_view text,
                  void (*each_comment)(void *ctx, struct mw_view comment), void *ctx);
void mw_tree_free(struct mw_tree *tree);

static inline struct mw_node *mw_tree_node(const struct mw_tree *tree, mw_node_at at)
{
    return (struct mw_node *)(void *)tree->nodes.data + at;
}

static inline struct mw_local *mw_tree_local(const struct mw_tree *tree, mw_local_at at)
{
    return (struct mw_local *)(void *)tree->locals.data + at;
}

static inline struct mw_function *mw_tree_function(const struct mw_tree *tree, uint32_t at)
{
    return (struct mw_function *)(void *)tree->functions.data + at;
}

/* Adds one item, cleared, and gives its index; UINT32_MAX where there is no memory. */
uint32_t mw_lint_array_add(struct mw_lint_array *array, struct mw_mem *mem);
void mw_lint_array_free(struct mw_lint_array *array, struct mw_mem *mem);

#endif
