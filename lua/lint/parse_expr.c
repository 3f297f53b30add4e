/* Expressions, by precedence climbing (manual 3.4). Called by parse.c. */
#include "lua/lint/parse.h"

/* ---- primaries and suffixes ---- */

mw_node_at mw_parse_variable(struct mw_parser *p, struct mw_token name)
{
    mw_node_at at = mw_parse_node(p, MW_NODE_NAME, name);
    struct mw_node *node = mw_tree_node(p->tree, at);
    node->value = name.value;
    node->local = mw_scope_find(&p->scope, name.value);
    return at;
}

static mw_node_at string_node(struct mw_parser *p, struct mw_token token)
{
    mw_node_at at = mw_parse_node(p, MW_NODE_STRING, token);
    mw_tree_node(p->tree, at)->value = token.value;
    return at;
}

/* A node over one or two others; its place is the token. */
static mw_node_at over(struct mw_parser *p, enum mw_node_kind kind, struct mw_token token,
                       mw_node_at a, mw_node_at b)
{
    mw_node_at at = mw_parse_node(p, kind, token);
    struct mw_node *node = mw_tree_node(p->tree, at);
    node->op = (uint8_t)token.kind;
    node->a = a;
    node->b = b;
    return at;
}

mw_node_at mw_parse_field_of(struct mw_parser *p, mw_node_at object)
{
    struct mw_token name = mw_parse_name(p);
    mw_node_at key = string_node(p, name);
    mw_node_at at = over(p, MW_NODE_INDEX, name, object, key);
    mw_tree_node(p->tree, at)->op = MW_TOKEN_DOT;
    return at;
}

static mw_node_at bracket_of(struct mw_parser *p, mw_node_at object)
{
    struct mw_token bracket = p->token;
    mw_parse_advance(p);
    mw_node_at key = mw_parse_expression(p);
    mw_parse_expect(p, MW_TOKEN_CLOSE_BRACKET);
    return over(p, MW_NODE_INDEX, bracket, object, key);
}

static mw_node_at primary(struct mw_parser *p)
{
    struct mw_token token = p->token;
    if (mw_parse_is(p, MW_TOKEN_NAME)) {
        mw_parse_advance(p);
        return mw_parse_variable(p, token);
    }
    if (!mw_parse_take(p, MW_TOKEN_OPEN_PAREN)) {
        mw_parse_fail_here(p, "unexpected symbol");
        return 0;
    }
    mw_node_at inner = mw_parse_expression(p);
    mw_parse_close(p, MW_TOKEN_CLOSE_PAREN, token);
    return over(p, MW_NODE_PAREN, token, inner, 0);
}

static mw_node_at table(struct mw_parser *p);

static mw_node_at arguments(struct mw_parser *p)
{
    struct mw_token token = p->token;
    if (mw_parse_take(p, MW_TOKEN_STRING))
        return string_node(p, token);
    if (mw_parse_is(p, MW_TOKEN_OPEN_BRACE))
        return table(p);
    if (!mw_parse_take(p, MW_TOKEN_OPEN_PAREN)) {
        mw_parse_fail_here(p, "function arguments expected");
        return 0;
    }
    if (mw_parse_take(p, MW_TOKEN_CLOSE_PAREN))
        return 0;
    struct mw_node_list list = mw_parse_expressions(p);
    mw_parse_close(p, MW_TOKEN_CLOSE_PAREN, token);
    return list.first;
}

static mw_node_at method_of(struct mw_parser *p, mw_node_at object)
{
    mw_parse_advance(p);
    struct mw_token name = mw_parse_name(p);
    mw_node_at key = string_node(p, name);
    mw_node_at first = arguments(p);
    mw_node_at at = over(p, MW_NODE_METHOD, name, object, key);
    mw_tree_node(p->tree, at)->c = first;
    return at;
}

static mw_node_at call_of(struct mw_parser *p, mw_node_at callee)
{
    struct mw_token token = p->token;
    mw_tree_node(p->tree, callee)->is_called = true;
    mw_node_at first = arguments(p);
    return over(p, MW_NODE_CALL, token, callee, first);
}

mw_node_at mw_parse_suffixed(struct mw_parser *p)
{
    mw_node_at at = primary(p);
    for (;;) {
        if (mw_parse_take(p, MW_TOKEN_DOT))
            at = mw_parse_field_of(p, at);
        else if (mw_parse_is(p, MW_TOKEN_OPEN_BRACKET))
            at = bracket_of(p, at);
        else if (mw_parse_is(p, MW_TOKEN_COLON))
            at = method_of(p, at);
        else if (mw_parse_is(p, MW_TOKEN_OPEN_PAREN) || mw_parse_is(p, MW_TOKEN_STRING) ||
                 mw_parse_is(p, MW_TOKEN_OPEN_BRACE))
            at = call_of(p, at);
        else
            return at;
    }
}

/* ---- tables ---- */

static enum mw_token_kind kind_ahead(struct mw_parser *p)
{
    if (!p->has_ahead)
        p->ahead = mw_lex_next(&p->lexer);
    p->has_ahead = true;
    return p->ahead.kind;
}

static mw_node_at field(struct mw_parser *p)
{
    struct mw_token start = p->token;
    mw_node_at key = 0;
    if (mw_parse_take(p, MW_TOKEN_OPEN_BRACKET)) {
        key = mw_parse_expression(p);
        mw_parse_expect(p, MW_TOKEN_CLOSE_BRACKET);
        mw_parse_expect(p, MW_TOKEN_ASSIGN);
    } else if (mw_parse_is(p, MW_TOKEN_NAME) && kind_ahead(p) == MW_TOKEN_ASSIGN) {
        mw_parse_advance(p);
        mw_parse_advance(p);
        key = string_node(p, start);
    }
    mw_node_at value = mw_parse_expression(p);
    return over(p, MW_NODE_FIELD, start, key, value);
}

static mw_node_at table(struct mw_parser *p)
{
    struct mw_token brace = p->token;
    struct mw_node_list fields = { 0 };
    mw_parse_advance(p);
    while (!mw_parse_is(p, MW_TOKEN_CLOSE_BRACE)) {
        mw_parse_append(p, &fields, field(p));
        if (!mw_parse_take(p, MW_TOKEN_COMMA) && !mw_parse_take(p, MW_TOKEN_SEMICOLON))
            break;
    }
    mw_parse_close(p, MW_TOKEN_CLOSE_BRACE, brace);
    return over(p, MW_NODE_TABLE, brace, fields.first, 0);
}

/* ---- functions ---- */

static void parameter(struct mw_parser *p, uint32_t function, struct mw_view name)
{
    mw_local_at at = mw_parse_local(p, name, MW_LOCAL_PARAM);
    struct mw_function *f = mw_tree_function(p->tree, function);
    mw_tree_local(p->tree, at)->place = f->param_count;
    if (f->param_count++ == 0)
        f->params = at;
    mw_parse_show(p, at);
}

static void parameters(struct mw_parser *p, uint32_t function)
{
    mw_parse_expect(p, MW_TOKEN_OPEN_PAREN);
    if (mw_parse_take(p, MW_TOKEN_CLOSE_PAREN))
        return;
    do {
        struct mw_token token = p->token;
        if (mw_parse_take(p, MW_TOKEN_DOTS)) {
            mw_tree_function(p->tree, function)->is_vararg = true;
            break;
        }
        if (!mw_parse_take(p, MW_TOKEN_NAME)) {
            mw_parse_fail_here(p, "<name> or '...' expected");
            return;
        }
        parameter(p, function, token.value);
    } while (mw_parse_take(p, MW_TOKEN_COMMA));
    mw_parse_expect(p, MW_TOKEN_CLOSE_PAREN);
}

mw_node_at mw_parse_body(struct mw_parser *p, struct mw_token keyword, bool is_method)
{
    uint32_t outer = p->function;
    unsigned loops = p->loops;
    size_t mark = mw_scope_mark(&p->scope);
    mw_node_at at = mw_parse_node(p, MW_NODE_FUNCTION, keyword);
    uint32_t function = mw_lint_array_add(&p->tree->functions, p->tree->mem);
    if (function == UINT32_MAX) {
        p->err = MW_ERR_NOMEM;
        mw_parse_advance(p);
        return 0;
    }
    mw_tree_node(p->tree, at)->function = function;
    *mw_tree_function(p->tree, function) = (struct mw_function){ .node = at, .parent = outer };
    p->function = function;
    p->loops = 0;
    if (is_method)
        parameter(p, function, mw_view_text("self"));
    parameters(p, function);
    mw_parse_block(p);
    mw_parse_close(p, MW_TOKEN_END, keyword);
    mw_scope_back(&p->scope, p->tree, mark);
    p->function = outer;
    p->loops = loops;
    return at;
}

/* ---- operators ---- */

/* manual 3.4.8; where the left side is larger, the operator is left associative */
struct binding {
    uint8_t left, right;
};

static struct binding binding_of(enum mw_token_kind kind)
{
    static const struct binding bindings[MW_TOKEN_KINDS] = {
        [MW_TOKEN_OR] = { 1, 1 },
        [MW_TOKEN_AND] = { 2, 2 },
        [MW_TOKEN_LESS] = { 3, 3 },
        [MW_TOKEN_MORE] = { 3, 3 },
        [MW_TOKEN_LESS_EQUAL] = { 3, 3 },
        [MW_TOKEN_MORE_EQUAL] = { 3, 3 },
        [MW_TOKEN_NOT_EQUAL] = { 3, 3 },
        [MW_TOKEN_EQUAL] = { 3, 3 },
        [MW_TOKEN_BAR] = { 4, 4 },
        [MW_TOKEN_TILDE] = { 5, 5 },
        [MW_TOKEN_AMPERSAND] = { 6, 6 },
        [MW_TOKEN_SHIFT_LEFT] = { 7, 7 },
        [MW_TOKEN_SHIFT_RIGHT] = { 7, 7 },
        [MW_TOKEN_CONCAT] = { 9, 8 },
        [MW_TOKEN_PLUS] = { 10, 10 },
        [MW_TOKEN_MINUS] = { 10, 10 },
        [MW_TOKEN_TIMES] = { 11, 11 },
        [MW_TOKEN_DIVIDE] = { 11, 11 },
        [MW_TOKEN_FLOOR_DIVIDE] = { 11, 11 },
        [MW_TOKEN_PERCENT] = { 11, 11 },
        [MW_TOKEN_POWER] = { 14, 13 },
    };
    return bindings[kind];
}

#define UNARY_BINDING 12

static bool is_unary(enum mw_token_kind kind)
{
    return kind == MW_TOKEN_NOT || kind == MW_TOKEN_MINUS || kind == MW_TOKEN_TILDE ||
           kind == MW_TOKEN_HASH;
}

static bool is_constant(const struct mw_parser *p)
{
    enum mw_token_kind kind = p->token.kind;
    return kind == MW_TOKEN_NIL || kind == MW_TOKEN_TRUE || kind == MW_TOKEN_FALSE ||
           kind == MW_TOKEN_DOTS;
}

static mw_node_at constant(struct mw_parser *p)
{
    struct mw_token token = p->token;
    if (token.kind == MW_TOKEN_DOTS && !mw_tree_function(p->tree, p->function)->is_vararg) {
        mw_parse_fail_here(p, "cannot use '...' outside a vararg function");
        return 0;
    }
    mw_parse_advance(p);
    return over(p, MW_NODE_CONSTANT, token, 0, 0);
}

static mw_node_at simple(struct mw_parser *p)
{
    struct mw_token token = p->token;
    if (mw_parse_take(p, MW_TOKEN_NUMBER))
        return mw_parse_node(p, MW_NODE_NUMBER, token);
    if (mw_parse_take(p, MW_TOKEN_STRING))
        return string_node(p, token);
    if (is_constant(p))
        return constant(p);
    if (mw_parse_is(p, MW_TOKEN_OPEN_BRACE))
        return table(p);
    if (mw_parse_take(p, MW_TOKEN_FUNCTION))
        return mw_parse_body(p, token, false);
    return mw_parse_suffixed(p);
}

static mw_node_at operand(struct mw_parser *p, unsigned limit)
{
    if (!mw_parse_enter(p))
        return 0;
    mw_node_at left;
    struct mw_token token = p->token;
    if (is_unary(token.kind)) {
        mw_parse_advance(p);
        mw_node_at inner = operand(p, UNARY_BINDING);
        left = over(p, MW_NODE_OPERATOR, token, inner, 0);
    } else {
        left = simple(p);
    }
    while (binding_of(p->token.kind).left > limit) {
        token = p->token;
        mw_parse_advance(p);
        mw_node_at right = operand(p, binding_of(token.kind).right);
        left = over(p, MW_NODE_OPERATOR, token, left, right);
    }
    mw_parse_leave(p);
    return left;
}

mw_node_at mw_parse_expression(struct mw_parser *p)
{
    return operand(p, 0);
}

struct mw_node_list mw_parse_expressions(struct mw_parser *p)
{
    struct mw_node_list list = { 0 };
    do {
        mw_parse_append(p, &list, mw_parse_expression(p));
    } while (mw_parse_take(p, MW_TOKEN_COMMA));
    return list;
}
