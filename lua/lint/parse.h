/* The parser between its two files: parse.c reads statements, parse_expr.c expressions. */
#ifndef MW_LINT_PARSE_H
#define MW_LINT_PARSE_H

#include "lua/lint/scope.h"

/* Lua gives up at 200, counted at the same places: whatever it accepts is accepted here. */
#define MW_PARSE_MAX_DEPTH 250

/*
 * The first failure sticks: from then on the current token is the end of the file, so every loop
 * ends and every function returns.
 */
struct mw_parser {
    struct mw_lexer lexer;
    struct mw_token token, ahead;
    bool has_ahead;
    struct mw_tree *tree;
    struct mw_scope scope;
    unsigned depth, loops; /* loops: around this place, in this function */
    uint32_t function;
    int err; /* MW_ERR_NOMEM; a syntax error is tree->has_error */
};

struct mw_node_list {
    mw_node_at first, last;
};

/* ---- tokens ---- */

void mw_parse_advance(struct mw_parser *p);
bool mw_parse_is(const struct mw_parser *p, enum mw_token_kind kind);
bool mw_parse_take(struct mw_parser *p, enum mw_token_kind kind);
void mw_parse_expect(struct mw_parser *p, enum mw_token_kind kind);
/* Expects what closes `opened`; the error names both. */
void mw_parse_close(struct mw_parser *p, enum mw_token_kind kind, struct mw_token opened);
/* Gives the name's token; an error for anything else. */
struct mw_token mw_parse_name(struct mw_parser *p);

void mw_parse_fail(struct mw_parser *p, struct mw_token at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "... near 'x'" at the current token. */
void mw_parse_fail_here(struct mw_parser *p, const char *what);

/* False, and failed, where it is too deep; leave only what was entered. */
bool mw_parse_enter(struct mw_parser *p);
void mw_parse_leave(struct mw_parser *p);

/* ---- nodes ---- */

/* 0 without memory. */
mw_node_at mw_parse_node(struct mw_parser *p, enum mw_node_kind kind, struct mw_token at);
void mw_parse_append(struct mw_parser *p, struct mw_node_list *list, mw_node_at node);
/* 0 without memory. Not visible yet. */
mw_local_at mw_parse_local(struct mw_parser *p, struct mw_view name, enum mw_local_kind kind);
void mw_parse_show(struct mw_parser *p, mw_local_at local);

/* ---- grammar ---- */

mw_node_at mw_parse_expression(struct mw_parser *p);
struct mw_node_list mw_parse_expressions(struct mw_parser *p);
/* A name, index, call or (expression) with what hangs behind it. */
mw_node_at mw_parse_suffixed(struct mw_parser *p);
/* A name as a variable. */
mw_node_at mw_parse_variable(struct mw_parser *p, struct mw_token name);
/* The key of a.b; the current token is its name. */
mw_node_at mw_parse_field_of(struct mw_parser *p, mw_node_at object);
/* (params) block end; `keyword` is the token "function". */
mw_node_at mw_parse_body(struct mw_parser *p, struct mw_token keyword, bool is_method);
/* parse.c: statements up to what ends a block. */
void mw_parse_block(struct mw_parser *p);

#endif
