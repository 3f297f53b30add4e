/*
 * The lexer: first stage of `check`. Accepts what Lua's own accepts (a fuzz target compares the
 * two) and never allocates. A malformed token ends the text: what follows it would be a guess.
 */
#include "lua/lint/lex.h"

#include "core/base/check.h"
#include "core/base/str.h"

#define NOTHING (-1)

/* ---- bytes ---- */

static int byte_at(const struct mw_lexer *lexer, size_t at)
{
    return at < lexer->text.len ? (unsigned char)lexer->text.data[at] : NOTHING;
}

static int peek(const struct mw_lexer *lexer)
{
    return byte_at(lexer, lexer->at);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_end_of_line(int c)
{
    return c == '\n' || c == '\r';
}

static bool take(struct mw_lexer *lexer, int c)
{
    bool is_there = peek(lexer) == c;
    lexer->at += is_there;
    return is_there;
}

/* \n, \r, \r\n and \n\r are one end of line. */
static void take_end_of_line(struct mw_lexer *lexer)
{
    int first = peek(lexer), second = byte_at(lexer, lexer->at + 1);
    lexer->at += is_end_of_line(second) && second != first ? 2 : 1;
}

static struct mw_token token(const struct mw_lexer *lexer, enum mw_token_kind kind, size_t start)
{
    return (struct mw_token){
        .kind = kind,
        .at = (uint32_t)start,
        .len = (uint32_t)(lexer->at - start),
    };
}

static struct mw_token bad(struct mw_lexer *lexer, size_t start, const char *problem)
{
    struct mw_token bad_one = token(lexer, MW_TOKEN_BAD, start);
    lexer->problem = problem;
    lexer->at = lexer->text.len;
    return bad_one;
}

/* ---- [[ ... ]] ---- */

/* The number of '=' in "[==[" or "]==]" at `at`, or NOTHING. */
static int level_at(const struct mw_lexer *lexer, size_t at)
{
    int bracket = byte_at(lexer, at), level = 0;
    while (byte_at(lexer, ++at) == '=')
        level++;
    return byte_at(lexer, at) == bracket ? level : NOTHING;
}

/* Behind the opening bracket; gives the bytes between. False: it is not closed. */
static bool take_long(struct mw_lexer *lexer, int level, struct mw_view *content)
{
    if (is_end_of_line(peek(lexer))) /* the first one does not count */
        take_end_of_line(lexer);
    size_t start = lexer->at;
    for (; lexer->at < lexer->text.len; lexer->at++) {
        if (peek(lexer) == ']' && level_at(lexer, lexer->at) == level) {
            *content = mw_view(lexer->text.data + start, lexer->at - start);
            lexer->at += (size_t)level + 2;
            return true;
        }
    }
    return false;
}

static struct mw_token long_string(struct mw_lexer *lexer, int level)
{
    size_t start = lexer->at;
    struct mw_view content;
    lexer->at += (size_t)level + 2;
    size_t opened = lexer->at;
    if (!take_long(lexer, level, &content)) {
        lexer->at = opened;
        return bad(lexer, start, "unfinished long string");
    }
    struct mw_token string = token(lexer, MW_TOKEN_STRING, start);
    string.value = content;
    return string;
}

/* ---- comments ---- */

static bool skip_comment(struct mw_lexer *lexer)
{
    struct mw_view content;
    size_t start = lexer->at;
    lexer->at += 2;
    int level = peek(lexer) == '[' ? level_at(lexer, lexer->at) : NOTHING;
    if (level != NOTHING) {
        lexer->at += (size_t)level + 2;
        if (!take_long(lexer, level, &content)) {
            lexer->at = start;
            return false;
        }
    } else {
        while (peek(lexer) != NOTHING && !is_end_of_line(peek(lexer)))
            lexer->at++;
    }
    if (lexer->each_comment)
        lexer->each_comment(lexer->ctx, mw_view(lexer->text.data + start, lexer->at - start));
    return true;
}

/* False: a long comment is not closed; `at` is its start. */
static bool skip_blanks(struct mw_lexer *lexer)
{
    for (;;) {
        int c = peek(lexer);
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            lexer->at++;
        else if (c != '-' || byte_at(lexer, lexer->at + 1) != '-')
            return true;
        else if (!skip_comment(lexer))
            return false;
    }
}

/* ---- "..." ---- */

static const char *take_hex_escape(struct mw_lexer *lexer)
{
    for (int i = 0; i < 2; i++) {
        if (!is_hex(peek(lexer)))
            return "hexadecimal digit expected behind \\x";
        lexer->at++;
    }
    return NULL;
}

static unsigned hex_value(int c)
{
    return (unsigned)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* \u{HEX}, up to 2^31 as Lua allows */
static const char *take_utf8_escape(struct mw_lexer *lexer)
{
    uint32_t code = 0;
    if (!take(lexer, '{'))
        return "'{' expected behind \\u";
    if (!is_hex(peek(lexer)))
        return "hexadecimal digit expected in \\u{...}";
    for (; is_hex(peek(lexer)); lexer->at++) {
        if (code > (0x7fffffffu >> 4))
            return "the code point in \\u{...} is too large";
        code = (code << 4) | hex_value(peek(lexer));
    }
    return take(lexer, '}') ? NULL : "'}' expected behind \\u{...";
}

static const char *take_decimal_escape(struct mw_lexer *lexer)
{
    int code = 0;
    for (int i = 0; i < 3 && is_digit(peek(lexer)); i++)
        code = code * 10 + (lexer->text.data[lexer->at++] - '0');
    return code <= 255 ? NULL : "a decimal escape is at most \\255";
}

static void skip_z(struct mw_lexer *lexer)
{
    while (peek(lexer) == ' ' || (peek(lexer) >= '\t' && peek(lexer) <= '\r'))
        lexer->at++;
}

/* Behind the backslash. NULL: fine. */
static const char *take_escape(struct mw_lexer *lexer)
{
    int c = peek(lexer);
    if (is_digit(c))
        return take_decimal_escape(lexer);
    if (is_end_of_line(c)) {
        take_end_of_line(lexer);
        return NULL;
    }
    lexer->at++;
    switch (c) {
    case 'a':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case 'v':
    case '\\':
    case '"':
    case '\'':
        return NULL;
    case 'x':
        return take_hex_escape(lexer);
    case 'u':
        return take_utf8_escape(lexer);
    case 'z':
        skip_z(lexer);
        return NULL;
    case NOTHING:
        lexer->at--;
        return "unfinished string";
    default:
        return "invalid escape sequence";
    }
}

static struct mw_token short_string(struct mw_lexer *lexer)
{
    size_t start = lexer->at++;
    int quote = byte_at(lexer, start);
    bool is_plain = true;
    while (peek(lexer) != quote) {
        size_t here = lexer->at;
        if (peek(lexer) == NOTHING || is_end_of_line(peek(lexer)))
            return bad(lexer, start, "unfinished string");
        if (byte_at(lexer, lexer->at++) != '\\')
            continue;
        is_plain = false;
        const char *problem = take_escape(lexer);
        if (problem)
            return bad(lexer, here, problem);
    }
    lexer->at++;
    struct mw_token string = token(lexer, MW_TOKEN_STRING, start);
    if (is_plain)
        string.value = mw_view(lexer->text.data + start + 1, lexer->at - start - 2);
    return string;
}

/* ---- numbers ---- */

static size_t skip_digits(struct mw_view text, size_t at, bool is_hexadecimal)
{
    while (at < text.len && (is_hexadecimal ? is_hex : is_digit)((unsigned char)text.data[at]))
        at++;
    return at;
}

/* digits [. digits] [e [+-] digits], or the same in hexadecimal with p */
static bool is_number(struct mw_view text)
{
    bool is_hexadecimal = text.len > 1 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
    size_t start = is_hexadecimal ? 2 : 0;
    size_t at = skip_digits(text, start, is_hexadecimal), digits = at - start;
    if (at < text.len && text.data[at] == '.') {
        size_t fraction = skip_digits(text, at + 1, is_hexadecimal);
        digits += fraction - at - 1;
        at = fraction;
    }
    if (at < text.len && (text.data[at] | 0x20) == (is_hexadecimal ? 'p' : 'e')) {
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
            at++;
        size_t end = skip_digits(text, at, false);
        if (end == at)
            return false;
        at = end;
    }
    return digits > 0 && at == text.len;
}

/* Takes as much as Lua takes, which is more than a number may have. */
static struct mw_token number(struct mw_lexer *lexer)
{
    size_t start = lexer->at++;
    int exponent = 'e';
    if (byte_at(lexer, start) == '0' && (peek(lexer) | 0x20) == 'x') {
        lexer->at++;
        exponent = 'p';
    }
    for (;; lexer->at++) {
        int c = peek(lexer);
        if (c != NOTHING && (c | 0x20) == exponent) {
            int sign = byte_at(lexer, lexer->at + 1);
            lexer->at += sign == '+' || sign == '-';
        } else if (!is_hex(c) && c != '.') {
            break;
        }
    }
    if (is_letter(peek(lexer)))
        lexer->at++;
    if (!is_number(mw_view(lexer->text.data + start, lexer->at - start)))
        return bad(lexer, start, "malformed number");
    return token(lexer, MW_TOKEN_NUMBER, start);
}

/* ---- names and symbols ---- */

static const struct {
    enum mw_token_kind kind;
    struct mw_view text;
} words[] = {
#define MW_WORD(name, text) { MW_TOKEN_##name, MW_VIEW(text) },
#define MW_TOKEN(name, text)
#include "lua/lint/token.def"
#undef MW_WORD
#undef MW_TOKEN
}, symbols[] = {
#define MW_WORD(name, text)
#define MW_TOKEN(name, text) { MW_TOKEN_##name, MW_VIEW(text) },
#include "lua/lint/token.def"
#undef MW_WORD
#undef MW_TOKEN
};

static struct mw_token name(struct mw_lexer *lexer)
{
    size_t start = lexer->at;
    while (is_letter(peek(lexer)) || is_digit(peek(lexer)))
        lexer->at++;
    struct mw_view text = mw_view(lexer->text.data + start, lexer->at - start);
    for (size_t i = 0; text.len <= 8 && i < MW_COUNT(words); i++) {
        if (mw_view_equal(words[i].text, text))
            return token(lexer, words[i].kind, start);
    }
    struct mw_token named = token(lexer, MW_TOKEN_NAME, start);
    named.value = text;
    return named;
}

/* Longer symbols stand before their beginnings in the table. */
static struct mw_token symbol(struct mw_lexer *lexer)
{
    size_t start = lexer->at, left = lexer->text.len - start;
    for (size_t i = 0; i < MW_COUNT(symbols); i++) {
        struct mw_view text = symbols[i].text;
        if (text.len <= left && memcmp(text.data, lexer->text.data + start, text.len) == 0) {
            lexer->at += text.len;
            return token(lexer, symbols[i].kind, start);
        }
    }
    lexer->at++;
    return bad(lexer, start, "unexpected symbol");
}

/* ---- the whole ---- */

void mw_lex_init(struct mw_lexer *lexer, struct mw_view text)
{
    *lexer = (struct mw_lexer){ .text = text };
}

struct mw_token mw_lex_next(struct mw_lexer *lexer)
{
    if (!skip_blanks(lexer)) {
        size_t start = lexer->at;
        lexer->at += 4;
        return bad(lexer, start, "unfinished long comment");
    }
    int c = peek(lexer);
    if (c == NOTHING)
        return token(lexer, MW_TOKEN_END_OF_FILE, lexer->at);
    if (is_letter(c))
        return name(lexer);
    if (is_digit(c) || (c == '.' && is_digit(byte_at(lexer, lexer->at + 1))))
        return number(lexer);
    if (c == '"' || c == '\'')
        return short_string(lexer);
    if (c != '[')
        return symbol(lexer);
    int level = level_at(lexer, lexer->at);
    if (level != NOTHING)
        return long_string(lexer, level);
    if (byte_at(lexer, lexer->at + 1) != '=')
        return symbol(lexer);
    lexer->at++;
    return bad(lexer, lexer->at - 1, "invalid long string delimiter");
}

const char *mw_token_name(enum mw_token_kind kind)
{
    static const char *const names[] = {
        [MW_TOKEN_END_OF_FILE] = "the end of the file",
        [MW_TOKEN_BAD] = "something that is not Lua",
        [MW_TOKEN_NAME] = "a name",
        [MW_TOKEN_STRING] = "a string",
        [MW_TOKEN_NUMBER] = "a number",
#define MW_WORD(name, text)  [MW_TOKEN_##name] = "'" text "'",
#define MW_TOKEN(name, text) [MW_TOKEN_##name] = "'" text "'",
#include "lua/lint/token.def"
#undef MW_WORD
#undef MW_TOKEN
    };
    mw_assert(kind < MW_TOKEN_KINDS);
    return names[kind];
}
