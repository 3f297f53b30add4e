/*
 * Lua 5.4 source as tokens, exactly as Lua's own compiler cuts it (manual 3.1). A token is a place
 * in the text; nothing is copied.
 */
#ifndef MW_LINT_LEX_H
#define MW_LINT_LEX_H

#include "core/base/mem.h"

enum mw_token_kind {
    MW_TOKEN_END_OF_FILE,
    MW_TOKEN_BAD, /* not Lua; `problem` says why */
    MW_TOKEN_NAME,
    MW_TOKEN_STRING,
    MW_TOKEN_NUMBER,
#define MW_WORD(name, text)  MW_TOKEN_##name,
#define MW_TOKEN(name, text) MW_TOKEN_##name,
#include "lua/lint/token.def"
#undef MW_WORD
#undef MW_TOKEN
    MW_TOKEN_KINDS,
};

struct mw_token {
    enum mw_token_kind kind;
    uint32_t at, len; /* bytes of the text */
    /* Of a string without escapes: what it says. data is NULL for one that has some. */
    struct mw_view value;
};

/* A text from 2 GiB on is not read: offsets are 32 bits. */
#define MW_LINT_MAX_TEXT 0x7fffffff

struct mw_lexer {
    struct mw_view text;                                     /* borrowed */
    size_t at;                                               /* of the next byte */
    const char *problem;                                     /* of a bad token; static */
    void (*each_comment)(void *ctx, struct mw_view comment); /* NULL: nobody asks */
    void *ctx;
};

void mw_lex_init(struct mw_lexer *lexer, struct mw_view text);

/* The next token; behind the last one, and behind a bad one, MW_TOKEN_END_OF_FILE for ever. */
struct mw_token mw_lex_next(struct mw_lexer *lexer);

/* "'then'"; for messages. Static. */
const char *mw_token_name(enum mw_token_kind kind);

#endif
