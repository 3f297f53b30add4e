/*
 * string.format. Each conversion is one row of a table: which flags it takes, whether a precision,
 * and who writes it. The C library formats numbers; a script cannot reach it with anything but a
 * checked specification.
 *
 * What stands for an object is never its address: %s and %p show the number of lua/text.h.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lua/budget.h"
#include "lua/build.h"
#include "lua/stdlib.h"
#include "lua/text.h"

#define MODIFIERS "-+ #0123456789."

/* Lua's own limit of flags, width and precision together. */
#define MAX_MODIFIERS 20

/* "%" modifiers "ll" letter, and the end. */
#define SPEC_BYTES (MAX_MODIFIERS + 8)

/* The widest of all: %99.99f of -DBL_MAX has 309 + 1 + 99 digits and a sign. */
#define ITEM_BYTES 420

/* A longer text is not cut and padded by %s without a precision: no width is larger than 99. */
#define LONG_TEXT 100

/* About 20 µs of work. */
#define PIECE_BYTES ((size_t)16 * 1024)

struct formatter {
    lua_State *L;
    struct mw_build out;
    int arg;
    char spec[SPEC_BYTES]; /* "%-5.2f" */
    size_t spec_len;
};

struct conversion {
    char letter;
    bool may_be_precise;
    const char *flags;
    void (*write)(struct formatter *f, const struct conversion *conversion);
};

static void put(struct formatter *f, const char *bytes, size_t len)
{
    mw_build_put(&f->out, mw_view(bytes, len));
}

static void put_text(struct formatter *f, const char *text)
{
    mw_build_put(&f->out, mw_view_text(text));
}

/* ---- specifications ---- */

/* Up to two digits. */
static const char *skip_digits(const char *at)
{
    for (int i = 0; i < 2 && isdigit((unsigned char)*at); i++)
        at++;
    return at;
}

static void check_spec(struct formatter *f, const struct conversion *conversion)
{
    const char *at = f->spec + 1;
    at += strspn(at, conversion->flags);
    if (*at != '0') { /* as a flag it would have been skipped */
        at = skip_digits(at);
        if (*at == '.' && conversion->may_be_precise)
            at = skip_digits(at + 1);
    }
    if (!isalpha((unsigned char)*at))
        luaL_error(f->L, "invalid conversion specification: '%s'", f->spec);
}

/* Copies the specification at `at`, which is behind its '%'; gives what stands behind it. */
static const char *read_spec(struct formatter *f, const char *at, const char *end)
{
    size_t len = strspn(at, MODIFIERS);
    if (len > MAX_MODIFIERS)
        luaL_error(f->L, "invalid format (too long)");
    if (at + len < end)
        len++;
    f->spec[0] = '%';
    memcpy(f->spec + 1, at, len);
    f->spec_len = len + 1;
    f->spec[f->spec_len] = '\0';
    return at + len;
}

static bool is_plain(const struct formatter *f)
{
    return f->spec_len == 2;
}

/* The C type of Lua's integers is told by "ll" before the letter. */
static void widen_spec(struct formatter *f)
{
    char letter = f->spec[f->spec_len - 1];
    memcpy(f->spec + f->spec_len - 1, "ll", 2);
    f->spec[f->spec_len + 1] = letter;
    f->spec[f->spec_len + 2] = '\0';
}

/*
 * The one place where the C library is given a format that is not a literal: by now `spec` is one
 * conversion that fits its value.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define WRITE_ITEM(f, value) \
    do { \
        char item[ITEM_BYTES]; \
        put(f, item, (size_t)snprintf(item, ITEM_BYTES, (f)->spec, (value))); \
    } while (0)

static void write_char(struct formatter *f, const struct conversion *conversion)
{
    check_spec(f, conversion);
    WRITE_ITEM(f, (int)luaL_checkinteger(f->L, f->arg));
}

/* Plain %d, which is the most frequent, without the C library. */
static void put_decimal(struct formatter *f, lua_Integer number)
{
    char digits[24], *at = digits + sizeof(digits);
    lua_Unsigned left = number < 0 ? 0 - (lua_Unsigned)number : (lua_Unsigned)number;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        *--at = '-';
    put(f, at, (size_t)(digits + sizeof(digits) - at));
}

static void write_integer(struct formatter *f, const struct conversion *conversion)
{
    lua_Integer number = luaL_checkinteger(f->L, f->arg);
    if (is_plain(f) && (conversion->letter == 'd' || conversion->letter == 'i')) {
        put_decimal(f, number);
        return;
    }
    check_spec(f, conversion);
    widen_spec(f);
    WRITE_ITEM(f, (long long)number);
}

static void write_number(struct formatter *f, const struct conversion *conversion)
{
    double number = luaL_checknumber(f->L, f->arg);
    check_spec(f, conversion);
    WRITE_ITEM(f, number);
}

/* As Lua does, it looks at the specification before the value. */
static void write_hex(struct formatter *f, const struct conversion *conversion)
{
    check_spec(f, conversion);
    write_number(f, conversion);
}

static void write_text(struct formatter *f, const struct conversion *conversion)
{
    size_t len;
    if (is_plain(f)) {
        (void)mw_lua_tolstring(f->L, f->arg, &len);
        mw_build_put_top(&f->out);
        return;
    }
    const char *text = mw_lua_tolstring(f->L, f->arg, &len);
    luaL_argcheck(f->L, len == strlen(text), f->arg, "string contains zeros");
    check_spec(f, conversion);
    if (len >= LONG_TEXT && !strchr(f->spec, '.')) {
        mw_build_put_top(&f->out);
        return;
    }
    WRITE_ITEM(f, text);
    lua_pop(f->L, 1);
}

/* Lua's own shows an address here, and "(null)" for what has none. */
static void write_identity(struct formatter *f, const struct conversion *conversion)
{
    char text[24] = "(null)";
    uint64_t identity = mw_lua_identity(f->L, f->arg);
    check_spec(f, conversion);
    f->spec[f->spec_len - 1] = 's';
    if (identity)
        snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)identity);
    WRITE_ITEM(f, text);
}
#pragma GCC diagnostic pop

/* ---- %q ---- */

static void put_escaped(struct formatter *f, unsigned char byte, unsigned char next)
{
    char text[8];
    if (byte == '"' || byte == '\\' || byte == '\n') {
        text[0] = '\\';
        text[1] = (char)byte;
        put(f, text, 2);
        return;
    }
    snprintf(text, sizeof(text), isdigit(next) ? "\\%03d" : "\\%d", byte);
    put_text(f, text);
}

static bool must_escape(unsigned char byte)
{
    return byte == '"' || byte == '\\' || iscntrl(byte);
}

static void quote_text(struct formatter *f)
{
    size_t len, start = 0;
    const char *text = lua_tolstring(f->L, f->arg, &len);
    put_text(f, "\"");
    for (size_t i = 0; i < len; i++) {
        bool is_full = i - start == PIECE_BYTES;
        if (is_full || must_escape((unsigned char)text[i])) {
            mw_lua_poll(f->L);
            if (i > start)
                put(f, text + start, i - start);
            start = i;
        }
        if (must_escape((unsigned char)text[i])) {
            put_escaped(f, (unsigned char)text[i], (unsigned char)text[i + 1]);
            start = i + 1;
        }
    }
    put(f, text + start, len - start);
    put_text(f, "\"");
}

static void quote_float(struct formatter *f, double number)
{
    char text[64];
    if (isinf(number))
        snprintf(text, sizeof(text), number > 0 ? "1e9999" : "-1e9999");
    else if (isnan(number))
        snprintf(text, sizeof(text), "(0/0)");
    else
        snprintf(text, sizeof(text), "%a", number);
    put_text(f, text);
}

static void quote_integer(struct formatter *f, lua_Integer number)
{
    if (number == LUA_MININTEGER) /* its decimal form would be read as a float */
        put_text(f, "0x8000000000000000");
    else
        put_decimal(f, number);
}

static void write_quoted(struct formatter *f, const struct conversion *conversion)
{
    (void)conversion;
    lua_State *L = f->L;
    if (!is_plain(f))
        luaL_error(L, "specifier '%%q' cannot have modifiers");
    switch (lua_type(L, f->arg)) {
    case LUA_TSTRING:
        quote_text(f);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, f->arg))
            quote_integer(f, lua_tointeger(L, f->arg));
        else
            quote_float(f, lua_tonumber(L, f->arg));
        break;
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        luaL_tolstring(L, f->arg, NULL);
        mw_build_put_top(&f->out);
        break;
    default:
        luaL_argerror(L, f->arg, "value has no literal form");
        break;
    }
}

/* ---- the table ---- */

static const struct conversion conversions[] = {
    { 'd', true, "-+0 ", write_integer }, { 's', true, "-", write_text },
    { 'f', true, "-+#0 ", write_number }, { 'g', true, "-+#0 ", write_number },
    { 'q', false, "", write_quoted },     { 'x', true, "-#0", write_integer },
    { 'X', true, "-#0", write_integer },  { 'c', false, "-", write_char },
    { 'i', true, "-+0 ", write_integer }, { 'u', true, "-0", write_integer },
    { 'o', true, "-#0", write_integer },  { 'e', true, "-+#0 ", write_number },
    { 'E', true, "-+#0 ", write_number }, { 'G', true, "-+#0 ", write_number },
    { 'a', true, "-+#0 ", write_hex },    { 'A', true, "-+#0 ", write_hex },
    { 'p', false, "-", write_identity },
};

static void write_item(struct formatter *f)
{
    char letter = f->spec[f->spec_len - 1];
    for (size_t i = 0; i < MW_COUNT(conversions); i++) {
        if (conversions[i].letter == letter) {
            conversions[i].write(f, &conversions[i]);
            return;
        }
    }
    luaL_error(f->L, "invalid conversion '%s' to 'format'", f->spec);
}

/* The text up to the next '%', in pieces. */
static const char *put_literal(struct formatter *f, const char *at, const char *end)
{
    while (at < end && *at != '%') {
        size_t left = (size_t)(end - at);
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        const char *percent = memchr(at, '%', piece);
        if (percent)
            piece = (size_t)(percent - at);
        put(f, at, piece);
        at += piece;
        mw_lua_poll(f->L);
    }
    return at;
}

static int format(lua_State *L)
{
    struct formatter f = { .L = L, .arg = 1 };
    size_t len;
    int last_arg = lua_gettop(L);
    const char *at = luaL_checklstring(L, 1, &len), *end = at + len;
    mw_build_init(&f.out, L);
    while ((at = put_literal(&f, at, end)) < end) {
        mw_lua_poll(L);
        at++;
        if (*at == '%') {
            put_text(&f, "%");
            at++;
            continue;
        }
        if (++f.arg > last_arg)
            return luaL_argerror(L, f.arg, "no value");
        at = read_spec(&f, at, end);
        write_item(&f);
    }
    mw_build_push(&f.out);
    return 1;
}

const luaL_Reg mw_lua_format_functions[] = {
    { "format", format },
    { NULL, NULL },
};
