/*
 * Statements, and what both halves of the parser stand on: tokens, failing, depth. Recursive
 * descent after the grammar of the manual (9); accepts what Lua accepts, but does not trace goto.
 *
 * Never recurses deeper than MW_PARSE_MAX_DEPTH.
 */
#include "lua/lint/parse.h"

#include <stdio.h>

#include "core/base/check.h"
#include "core/base/str.h"

/* ---- failing ---- */

static void stop(struct mw_parser *p)
{
    p->lexer.at = p->lexer.text.len;
    p->has_ahead = false;
    p->token = (struct mw_token){ .kind = MW_TOKEN_END_OF_FILE, .at = (uint32_t)p->lexer.at };
}

static void no_memory(struct mw_parser *p)
{
    p->err = MW_ERR_NOMEM;
    stop(p);
}

void mw_parse_fail(struct mw_parser *p, struct mw_token at, const char *format, ...)
{
    struct mw_tree *tree = p->tree;
    if (!tree->has_error && !p->err) {
        va_list args;
        va_start(args, format);
        vsnprintf(tree->error, sizeof(tree->error), format, args);
        va_end(args);
        tree->has_error = true;
        tree->error_at = at;
    }
    stop(p);
}

void mw_parse_fail_here(struct mw_parser *p, const char *what)
{
    struct mw_token at = p->token;
    int len = at.len < 32 ? (int)at.len : 32;
    if (at.kind == MW_TOKEN_BAD)
        mw_parse_fail(p, at, "%s", p->lexer.problem);
    else if (at.kind == MW_TOKEN_END_OF_FILE)
        mw_parse_fail(p, at, "%s near the end of the file", what);
    else
        mw_parse_fail(p, at, "%s near '%.*s'", what, len, p->tree->text.data + at.at);
}

bool mw_parse_enter(struct mw_parser *p)
{
    if (p->depth >= MW_PARSE_MAX_DEPTH) {
        mw_parse_fail(p, p->token, "too deeply nested");
        return false;
    }
    p->depth++;
    return true;
}

void mw_parse_leave(struct mw_parser *p)
{
    p->depth--;
}

/* ---- tokens ---- */

void mw_parse_advance(struct mw_parser *p)
{
    if (p->tree->has_error || p->err) {
        stop(p);
        return;
    }
    p->token = p->has_ahead ? p->ahead : mw_lex_next(&p->lexer);
    p->has_ahead = false;
}

bool mw_parse_is(const struct mw_parser *p, enum mw_token_kind kind)
{
    return p->token.kind == kind;
}

bool mw_parse_take(struct mw_parser *p, enum mw_token_kind kind)
{
    if (p->token.kind != kind)
        return false;
    mw_parse_advance(p);
    return true;
}

void mw_parse_expect(struct mw_parser *p, enum mw_token_kind kind)
{
    char what[48];
    if (mw_parse_take(p, kind))
        return;
    snprintf(what, sizeof(what), "%s expected", mw_token_name(kind));
    mw_parse_fail_here(p, what);
}

static size_t line_of(const struct mw_parser *p, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += p->tree->text.data[i] == '\n';
    return line;
}

void mw_parse_close(struct mw_parser *p, enum mw_token_kind kind, struct mw_token opened)
{
    char what[96];
    if (p->tree->has_error || mw_parse_take(p, kind))
        return;
    snprintf(what, sizeof(what), "%s expected (to close %s at line %zu)", mw_token_name(kind),
             mw_token_name(opened.kind), line_of(p, opened.at));
    mw_parse_fail_here(p, what);
}

struct mw_token mw_parse_name(struct mw_parser *p)
{
    struct mw_token name = p->token;
    if (!mw_parse_take(p, MW_TOKEN_NAME))
        mw_parse_fail_here(p, "<name> expected");
    return name;
}

/* ---- nodes and variables ---- */

mw_node_at mw_parse_node(struct mw_parser *p, enum mw_node_kind kind, struct mw_token token)
{
    uint32_t at = mw_lint_array_add(&p->tree->nodes, p->tree->mem);
    if (at == UINT32_MAX) {
        no_memory(p);
        return 0;
    }
    struct mw_node *node = mw_tree_node(p->tree, at);
    node->kind = (uint8_t)kind;
    node->at = token.at;
    node->len = token.len;
    node->function = p->function;
    return at;
}

void mw_parse_append(struct mw_parser *p, struct mw_node_list *list, mw_node_at node)
{
    if (!node)
        return;
    if (list->last)
        mw_tree_node(p->tree, list->last)->next = node;
    else
        list->first = node;
    list->last = node;
}

mw_local_at mw_parse_local(struct mw_parser *p, struct mw_view name, enum mw_local_kind kind)
{
    uint32_t at = mw_lint_array_add(&p->tree->locals, p->tree->mem);
    if (at == UINT32_MAX) {
        no_memory(p);
        return 0;
    }
    *mw_tree_local(p->tree, at) = (struct mw_local){
        .name = name,
        .kind = kind,
        .function = p->function,
    };
    return at;
}

void mw_parse_show(struct mw_parser *p, mw_local_at local)
{
    if (local && !p->tree->has_error && mw_scope_add(&p->scope, p->tree, local) != MW_OK)
        no_memory(p);
}

/* ---- blocks ---- */

static bool at_end_of_block(const struct mw_parser *p)
{
    switch ((int)p->token.kind) {
    case MW_TOKEN_END_OF_FILE:
    case MW_TOKEN_ELSE:
    case MW_TOKEN_ELSEIF:
    case MW_TOKEN_END:
    case MW_TOKEN_UNTIL:
        return true;
    default:
        return false;
    }
}

static void statement(struct mw_parser *p);

static void statements(struct mw_parser *p)
{
    while (!at_end_of_block(p)) {
        bool is_return = mw_parse_is(p, MW_TOKEN_RETURN);
        statement(p);
        if (is_return)
            return;
    }
}

void mw_parse_block(struct mw_parser *p)
{
    size_t mark = mw_scope_mark(&p->scope);
    statements(p);
    mw_scope_back(&p->scope, p->tree, mark);
}

static void loop_block(struct mw_parser *p)
{
    p->loops++;
    mw_parse_block(p);
    p->loops--;
}

/* ---- control ---- */

static void if_statement(struct mw_parser *p, struct mw_token keyword)
{
    do {
        mw_parse_expression(p);
        mw_parse_expect(p, MW_TOKEN_THEN);
        mw_parse_block(p);
    } while (mw_parse_take(p, MW_TOKEN_ELSEIF));
    if (mw_parse_take(p, MW_TOKEN_ELSE))
        mw_parse_block(p);
    mw_parse_close(p, MW_TOKEN_END, keyword);
}

static void while_statement(struct mw_parser *p, struct mw_token keyword)
{
    mw_parse_expression(p);
    mw_parse_expect(p, MW_TOKEN_DO);
    loop_block(p);
    mw_parse_close(p, MW_TOKEN_END, keyword);
}

/* The condition sees the variables of the block. */
static void repeat_statement(struct mw_parser *p, struct mw_token keyword)
{
    size_t mark = mw_scope_mark(&p->scope);
    p->loops++;
    statements(p);
    p->loops--;
    mw_parse_close(p, MW_TOKEN_UNTIL, keyword);
    mw_parse_expression(p);
    mw_scope_back(&p->scope, p->tree, mark);
}

static void do_statement(struct mw_parser *p, struct mw_token keyword)
{
    mw_parse_block(p);
    mw_parse_close(p, MW_TOKEN_END, keyword);
}

/* Variables that stand one behind the other; they may be seen from now on. */
static void show_all(struct mw_parser *p, mw_local_at first, uint32_t count, mw_node_at values)
{
    for (uint32_t i = 0; i < count && !p->err; i++) {
        mw_tree_local(p->tree, first + i)->values = values;
        mw_parse_show(p, first + i);
    }
}

static void numeric_for(struct mw_parser *p)
{
    mw_parse_advance(p);
    mw_parse_expression(p);
    mw_parse_expect(p, MW_TOKEN_COMMA);
    mw_parse_expression(p);
    if (mw_parse_take(p, MW_TOKEN_COMMA))
        mw_parse_expression(p);
}

/* Behind the first name; counts the names and gives the first value. */
static mw_node_at generic_for(struct mw_parser *p, uint32_t *count)
{
    while (mw_parse_take(p, MW_TOKEN_COMMA)) {
        mw_local_at at = mw_parse_local(p, mw_parse_name(p).value, MW_LOCAL_LOOP);
        mw_tree_local(p->tree, at)->place = (*count)++;
    }
    mw_parse_expect(p, MW_TOKEN_IN);
    return mw_parse_expressions(p).first;
}

static void for_statement(struct mw_parser *p, struct mw_token keyword)
{
    size_t mark = mw_scope_mark(&p->scope);
    mw_node_at values = 0;
    uint32_t count = 1;
    mw_local_at first = mw_parse_local(p, mw_parse_name(p).value, MW_LOCAL_LOOP);
    if (mw_parse_is(p, MW_TOKEN_ASSIGN))
        numeric_for(p);
    else if (mw_parse_is(p, MW_TOKEN_COMMA) || mw_parse_is(p, MW_TOKEN_IN))
        values = generic_for(p, &count);
    else
        mw_parse_fail_here(p, "'=' or 'in' expected");
    mw_parse_expect(p, MW_TOKEN_DO);
    show_all(p, first, count, values);
    loop_block(p);
    mw_parse_close(p, MW_TOKEN_END, keyword);
    mw_scope_back(&p->scope, p->tree, mark);
}

static void goto_statement(struct mw_parser *p, struct mw_token keyword)
{
    (void)keyword;
    mw_parse_name(p);
}

static void break_statement(struct mw_parser *p, struct mw_token keyword)
{
    if (p->loops == 0)
        mw_parse_fail(p, keyword, "break outside a loop");
}

static void label_statement(struct mw_parser *p, struct mw_token keyword)
{
    (void)keyword;
    mw_parse_name(p);
    mw_parse_expect(p, MW_TOKEN_DOUBLE_COLON);
}

static void return_statement(struct mw_parser *p, struct mw_token keyword)
{
    mw_node_at first = 0;
    if (!at_end_of_block(p) && !mw_parse_is(p, MW_TOKEN_SEMICOLON))
        first = mw_parse_expressions(p).first;
    mw_parse_take(p, MW_TOKEN_SEMICOLON);
    mw_node_at at = mw_parse_node(p, MW_NODE_RETURN, keyword);
    mw_tree_node(p->tree, at)->a = first;
}

/* ---- variables ---- */

/* <const> or <close>; true: the second. */
static bool attribute(struct mw_parser *p, mw_local_at local)
{
    if (!mw_parse_take(p, MW_TOKEN_LESS))
        return false;
    struct mw_token name = mw_parse_name(p);
    mw_parse_expect(p, MW_TOKEN_MORE);
    bool is_close = mw_view_is(name.value, "close");
    if (!is_close && !mw_view_is(name.value, "const"))
        mw_parse_fail(p, name, "unknown attribute '%.*s'", (int)(name.len < 40 ? name.len : 40),
                      p->tree->text.data + name.at);
    mw_tree_local(p->tree, local)->is_constant = true;
    return is_close;
}

static void local_variables(struct mw_parser *p)
{
    mw_local_at first = 0;
    uint32_t count = 0, closes = 0;
    do {
        struct mw_token name = mw_parse_name(p);
        mw_local_at at = mw_parse_local(p, name.value, MW_LOCAL_PLAIN);
        mw_tree_local(p->tree, at)->place = count++;
        first = first ? first : at;
        closes += attribute(p, at);
        if (closes > 1)
            mw_parse_fail(p, name, "multiple to-be-closed variables in local list");
    } while (mw_parse_take(p, MW_TOKEN_COMMA));
    mw_node_at values = 0;
    if (mw_parse_take(p, MW_TOKEN_ASSIGN))
        values = mw_parse_expressions(p).first;
    show_all(p, first, count, values);
}

/* The function sees its own name. */
static void local_statement(struct mw_parser *p, struct mw_token keyword)
{
    struct mw_token word = p->token;
    (void)keyword;
    if (!mw_parse_take(p, MW_TOKEN_FUNCTION)) {
        local_variables(p);
        return;
    }
    mw_local_at at = mw_parse_local(p, mw_parse_name(p).value, MW_LOCAL_PLAIN);
    mw_parse_show(p, at);
    mw_node_at body = mw_parse_body(p, word, false);
    mw_tree_local(p->tree, at)->values = body;
}

static void assign(struct mw_parser *p, mw_node_at target)
{
    struct mw_node *node = mw_tree_node(p->tree, target);
    node->is_written = true;
    if (node->kind != MW_NODE_NAME || !node->local)
        return;
    struct mw_local *local = mw_tree_local(p->tree, node->local);
    local->writes++;
    if (local->is_constant)
        mw_parse_fail(p,
                      (struct mw_token){ .kind = MW_TOKEN_NAME, .at = node->at, .len = node->len },
                      "attempt to assign to const variable '%.*s'",
                      (int)(local->name.len < 60 ? local->name.len : 60), local->name.data);
}

static mw_node_at assignment(struct mw_parser *p, struct mw_token token, mw_node_at targets,
                             mw_node_at values)
{
    mw_node_at at = mw_parse_node(p, MW_NODE_ASSIGN, token);
    struct mw_node *node = mw_tree_node(p->tree, at);
    node->op = (uint8_t)token.kind;
    node->a = targets;
    node->b = values;
    return at;
}

/* function a.b:c() */
static void function_statement(struct mw_parser *p, struct mw_token keyword)
{
    mw_node_at target = mw_parse_variable(p, mw_parse_name(p));
    while (mw_parse_take(p, MW_TOKEN_DOT))
        target = mw_parse_field_of(p, target);
    bool is_method = mw_parse_take(p, MW_TOKEN_COLON);
    if (is_method)
        target = mw_parse_field_of(p, target);
    mw_node_at body = mw_parse_body(p, keyword, is_method);
    if (p->tree->has_error || p->err)
        return;
    assign(p, target);
    assignment(p, keyword, target, body);
}

static void targets(struct mw_parser *p, struct mw_node_list *list)
{
    for (;;) {
        uint8_t kind = mw_tree_node(p->tree, list->last)->kind;
        if (kind != MW_NODE_NAME && kind != MW_NODE_INDEX) {
            mw_parse_fail_here(p, "syntax error");
            return;
        }
        assign(p, list->last);
        if (!mw_parse_take(p, MW_TOKEN_COMMA))
            return;
        mw_parse_append(p, list, mw_parse_suffixed(p));
    }
}

/* A call or an assignment. */
static void expression_statement(struct mw_parser *p)
{
    struct mw_node_list list = { 0 };
    mw_parse_append(p, &list, mw_parse_suffixed(p));
    if (!list.first)
        return;
    if (mw_parse_is(p, MW_TOKEN_ASSIGN) || mw_parse_is(p, MW_TOKEN_COMMA)) {
        targets(p, &list);
        struct mw_token equals = p->token;
        mw_parse_expect(p, MW_TOKEN_ASSIGN);
        assignment(p, equals, list.first, mw_parse_expressions(p).first);
        return;
    }
    uint8_t kind = mw_tree_node(p->tree, list.first)->kind;
    if (kind != MW_NODE_CALL && kind != MW_NODE_METHOD)
        mw_parse_fail_here(p, "syntax error");
}

/* ---- the whole ---- */

static void statement(struct mw_parser *p)
{
    static const struct {
        enum mw_token_kind kind;
        void (*read)(struct mw_parser *p, struct mw_token keyword);
    } keywords[] = {
        { MW_TOKEN_IF, if_statement },         { MW_TOKEN_WHILE, while_statement },
        { MW_TOKEN_DO, do_statement },         { MW_TOKEN_FOR, for_statement },
        { MW_TOKEN_REPEAT, repeat_statement }, { MW_TOKEN_FUNCTION, function_statement },
        { MW_TOKEN_LOCAL, local_statement },   { MW_TOKEN_DOUBLE_COLON, label_statement },
        { MW_TOKEN_RETURN, return_statement }, { MW_TOKEN_BREAK, break_statement },
        { MW_TOKEN_GOTO, goto_statement },
    };
    struct mw_token token = p->token;
    if (mw_parse_take(p, MW_TOKEN_SEMICOLON) || !mw_parse_enter(p))
        return;
    size_t i = 0;
    while (i < MW_COUNT(keywords) && keywords[i].kind != token.kind)
        i++;
    if (i < MW_COUNT(keywords)) {
        mw_parse_advance(p);
        keywords[i].read(p, token);
    } else {
        expression_statement(p);
    }
    mw_tree_function(p->tree, p->function)->ends_with_return = token.kind == MW_TOKEN_RETURN;
    mw_parse_leave(p);
}

static void read_file(struct mw_parser *p)
{
    mw_tree_function(p->tree, 0)->is_vararg = true;
    mw_parse_advance(p);
    mw_parse_block(p);
    if (p->token.kind != MW_TOKEN_END_OF_FILE)
        mw_parse_fail_here(p, "the end of the file expected");
    else if (p->lexer.problem && !p->tree->has_error)
        mw_parse_fail(p, p->token, "%s", p->lexer.problem);
}

int mw_tree_parse(struct mw_tree *tree, struct mw_mem *mem, struct mw_view text,
                  void (*each_comment)(void *ctx, struct mw_view comment), void *ctx)
{
    struct mw_parser p = { .tree = tree };
    *tree = (struct mw_tree){ .mem = mem, .text = text };
    tree->nodes.item_bytes = sizeof(struct mw_node);
    tree->locals.item_bytes = sizeof(struct mw_local);
    tree->functions.item_bytes = sizeof(struct mw_function);
    if (text.len > MW_LINT_MAX_TEXT)
        return MW_ERR_FULL;
    if (mw_lint_array_add(&tree->nodes, mem) || mw_lint_array_add(&tree->locals, mem) ||
        mw_lint_array_add(&tree->functions, mem))
        return MW_ERR_NOMEM;
    mw_lex_init(&p.lexer, text);
    p.lexer.each_comment = each_comment;
    p.lexer.ctx = ctx;
    mw_scope_init(&p.scope);
    read_file(&p);
    mw_scope_free(&p.scope, mem);
    return p.err;
}
