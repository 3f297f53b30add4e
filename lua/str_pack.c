/*
 * string.pack, packsize and unpack. The format is read by one function, which says of each option
 * its kind, its size and the padding before it; what is done with it are three short switches.
 */
#include <limits.h>
#include <string.h>

#include "lua/budget.h"
#include "lua/build.h"
#include "lua/stdlib.h"

#define MAX_INTEGER_BYTES 16 /* of i, I, s and ! */
#define NATIVE_ALIGNMENT  8  /* what "!" without a number means */
#define PIECE_BYTES       ((size_t)64 * 1024)

enum kind {
    KIND_INTEGER,
    KIND_UNSIGNED,
    KIND_FLOAT,
    KIND_DOUBLE,
    KIND_CHARS,   /* c: as many bytes as said */
    KIND_STRING,  /* s: its length comes first */
    KIND_ZSTRING, /* z: a NUL comes last */
    KIND_PADDING, /* x */
    KIND_ALIGN,   /* X */
    KIND_NONE,    /* tells how to go on */
};

struct option {
    enum kind kind;
    size_t bytes;   /* of s: of the length before it */
    size_t padding; /* before it */
};

struct reader {
    lua_State *L;
    const char *at;
    bool is_little;
    size_t max_align;
};

static bool native_is_little(void)
{
    const union {
        uint16_t number;
        uint8_t bytes[2];
    } one = { 1 };
    return one.bytes[0] == 1;
}

static struct reader reader(lua_State *L, const char *format)
{
    return (struct reader){ L, format, native_is_little(), 1 };
}

/* ---- the format ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number that is larger than any size ends before its last digits, as in Lua. */
static size_t read_number(struct reader *r, size_t absent)
{
    size_t number = 0;
    if (!is_digit(*r->at))
        return absent;
    do {
        number = number * 10 + (size_t)(*r->at++ - '0');
    } while (is_digit(*r->at) && number <= (INT_MAX - 9) / 10);
    return number;
}

static size_t read_integer_bytes(struct reader *r, size_t absent)
{
    size_t bytes = read_number(r, absent);
    if (bytes < 1 || bytes > MAX_INTEGER_BYTES)
        luaL_error(r->L, "integral size (%d) out of limits [1,%d]", (int)bytes, MAX_INTEGER_BYTES);
    return bytes;
}

/* Options of one fixed size. */
static const struct {
    char letter;
    enum kind kind;
    size_t bytes;
} fixed[] = {
    { 'b', KIND_INTEGER, sizeof(char) },
    { 'B', KIND_UNSIGNED, sizeof(char) },
    { 'h', KIND_INTEGER, sizeof(short) },
    { 'H', KIND_UNSIGNED, sizeof(short) },
    { 'l', KIND_INTEGER, sizeof(long) },
    { 'L', KIND_UNSIGNED, sizeof(long) },
    { 'j', KIND_INTEGER, sizeof(lua_Integer) },
    { 'J', KIND_UNSIGNED, sizeof(lua_Integer) },
    { 'T', KIND_UNSIGNED, sizeof(size_t) },
    { 'f', KIND_FLOAT, sizeof(float) },
    { 'd', KIND_DOUBLE, sizeof(double) },
    { 'n', KIND_DOUBLE, sizeof(double) },
    { 'x', KIND_PADDING, 1 },
    { 'X', KIND_ALIGN, 0 },
    { 'z', KIND_ZSTRING, 0 },
    { ' ', KIND_NONE, 0 },
};

static struct option read_fixed(struct reader *r, char letter)
{
    for (size_t i = 0; i < MW_COUNT(fixed); i++) {
        if (fixed[i].letter == letter)
            return (struct option){ .kind = fixed[i].kind, .bytes = fixed[i].bytes };
    }
    luaL_error(r->L, "invalid format option '%c'", letter);
    return (struct option){ .kind = KIND_NONE };
}

static struct option read_chars(struct reader *r)
{
    size_t bytes = read_number(r, SIZE_MAX);
    if (bytes == SIZE_MAX)
        luaL_error(r->L, "missing size for format option 'c'");
    return (struct option){ .kind = KIND_CHARS, .bytes = bytes };
}

/* The option without its padding. */
static struct option read_letter(struct reader *r)
{
    char letter = *r->at++;
    switch (letter) {
    case 'i':
        return (struct option){ KIND_INTEGER, read_integer_bytes(r, sizeof(int)), 0 };
    case 'I':
        return (struct option){ KIND_UNSIGNED, read_integer_bytes(r, sizeof(int)), 0 };
    case 's':
        return (struct option){ KIND_STRING, read_integer_bytes(r, sizeof(size_t)), 0 };
    case 'c':
        return read_chars(r);
    case '<':
        r->is_little = true;
        break;
    case '>':
        r->is_little = false;
        break;
    case '=':
        r->is_little = native_is_little();
        break;
    case '!':
        r->max_align = read_integer_bytes(r, NATIVE_ALIGNMENT);
        break;
    default:
        return read_fixed(r, letter);
    }
    return (struct option){ .kind = KIND_NONE };
}

/* X takes the alignment of the option behind it, and nothing else of it. */
static size_t alignment_of(struct reader *r, const struct option *option)
{
    if (option->kind != KIND_ALIGN)
        return option->kind == KIND_CHARS ? 0 : option->bytes;
    struct option next = { .kind = KIND_NONE };
    if (*r->at)
        next = read_letter(r);
    if (next.kind == KIND_CHARS || next.bytes == 0)
        luaL_argerror(r->L, 1, "invalid next option for option 'X'");
    return next.bytes;
}

/* The next option of something that has `total` bytes so far. */
static struct option next_option(struct reader *r, size_t total)
{
    struct option option = read_letter(r);
    size_t align = alignment_of(r, &option);
    if (align > r->max_align)
        align = r->max_align;
    if (align > 1) {
        if ((align & (align - 1)) != 0)
            luaL_argerror(r->L, 1, "format asks for alignment not power of 2");
        option.padding = (align - (total & (align - 1))) & (align - 1);
    }
    mw_lua_poll(r->L);
    return option;
}

/* ---- bytes of numbers ---- */

/* Where byte i, counted from the lowest, of a number of `bytes` bytes stands. */
static size_t place_of(const struct reader *r, size_t i, size_t bytes)
{
    return r->is_little ? i : bytes - 1 - i;
}

static void write_integer(const struct reader *r, char *out, size_t bytes, lua_Unsigned number,
                          bool is_negative)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = is_negative ? '\xFF' : '\0'; /* beyond the number: its sign */
        if (i < sizeof(number))
            byte = (char)(number >> (8 * i));
        out[place_of(r, i, bytes)] = byte;
    }
}

static lua_Integer read_integer(const struct reader *r, const char *in, size_t bytes,
                                bool is_signed)
{
    lua_Unsigned number = 0;
    size_t low = bytes < sizeof(number) ? bytes : sizeof(number);
    for (size_t i = 0; i < low; i++)
        number |= (lua_Unsigned)(unsigned char)in[place_of(r, i, bytes)] << (8 * i);
    if (bytes < sizeof(number)) {
        lua_Unsigned sign = (lua_Unsigned)1 << (8 * bytes - 1);
        return (lua_Integer)(is_signed ? (number ^ sign) - sign : number);
    }
    int fill = is_signed && (lua_Integer)number < 0 ? 0xFF : 0;
    for (size_t i = low; i < bytes; i++) {
        if ((unsigned char)in[place_of(r, i, bytes)] != fill)
            luaL_error(r->L, "%d-byte integer does not fit into Lua Integer", (int)bytes);
    }
    return (lua_Integer)number;
}

static void copy_ordered(const struct reader *r, char *out, const char *in, size_t bytes)
{
    bool is_native = r->is_little == native_is_little();
    for (size_t i = 0; i < bytes; i++)
        out[i] = in[is_native ? i : bytes - 1 - i];
}

/* ---- pack ---- */

struct packer {
    struct reader reader;
    struct mw_build out;
    size_t total;
    int arg;
};

static void add_zeros(struct packer *p, size_t count)
{
    while (count > 0) {
        size_t piece = count < PIECE_BYTES ? count : PIECE_BYTES;
        mw_build_reserve(&p->out, piece); /* and a look at the clock */
        memset(p->out.data + p->out.len, 0, piece);
        p->out.len += piece;
        count -= piece;
    }
}

static void add_integer(struct packer *p, size_t bytes, lua_Unsigned number, bool is_negative)
{
    char out[MAX_INTEGER_BYTES];
    write_integer(&p->reader, out, bytes, number, is_negative);
    mw_build_put(&p->out, mw_view(out, bytes));
}

static void pack_integer(struct packer *p, const struct option *option)
{
    lua_State *L = p->reader.L;
    lua_Integer number = luaL_checkinteger(L, p->arg);
    if (option->bytes < sizeof(number)) {
        lua_Integer limit = (lua_Integer)1 << (8 * option->bytes - 1);
        luaL_argcheck(L, -limit <= number && number < limit, p->arg, "integer overflow");
    }
    add_integer(p, option->bytes, (lua_Unsigned)number, number < 0);
}

static void pack_unsigned(struct packer *p, const struct option *option)
{
    lua_State *L = p->reader.L;
    lua_Unsigned number = (lua_Unsigned)luaL_checkinteger(L, p->arg);
    if (option->bytes < sizeof(number))
        luaL_argcheck(L, number >> (8 * option->bytes) == 0, p->arg, "unsigned overflow");
    add_integer(p, option->bytes, number, false);
}

static void pack_number(struct packer *p, const struct option *option)
{
    double number = luaL_checknumber(p->reader.L, p->arg);
    float narrow = (float)number;
    const void *from = option->kind == KIND_FLOAT ? (const void *)&narrow : (const void *)&number;
    char out[sizeof(number)];
    copy_ordered(&p->reader, out, from, option->bytes);
    mw_build_put(&p->out, mw_view(out, option->bytes));
}

static void pack_text(struct packer *p, const struct option *option)
{
    lua_State *L = p->reader.L;
    size_t len, bytes = option->bytes;
    const char *text = luaL_checklstring(L, p->arg, &len);
    if (option->kind == KIND_CHARS) {
        luaL_argcheck(L, len <= bytes, p->arg, "string longer than given size");
    } else if (option->kind == KIND_ZSTRING) {
        luaL_argcheck(L, !memchr(text, 0, len), p->arg, "string contains zeros");
    } else {
        luaL_argcheck(L, bytes >= sizeof(len) || len >> (8 * bytes) == 0, p->arg,
                      "string length does not fit in given size");
        add_integer(p, bytes, len, false);
    }
    mw_build_put(&p->out, mw_view(text, len));
    if (option->kind == KIND_CHARS) {
        add_zeros(p, bytes - len);
        return;
    }
    if (option->kind == KIND_ZSTRING)
        add_zeros(p, 1);
    p->total += len + (option->kind == KIND_ZSTRING);
}

static void pack_option(struct packer *p, const struct option *option)
{
    switch (option->kind) {
    case KIND_INTEGER:
        pack_integer(p, option);
        break;
    case KIND_UNSIGNED:
        pack_unsigned(p, option);
        break;
    case KIND_FLOAT:
    case KIND_DOUBLE:
        pack_number(p, option);
        break;
    case KIND_CHARS:
    case KIND_STRING:
    case KIND_ZSTRING:
        pack_text(p, option);
        break;
    case KIND_PADDING:
        add_zeros(p, 1);
        p->arg--; /* takes none */
        break;
    case KIND_ALIGN:
    case KIND_NONE:
        p->arg--;
        break;
    }
}

static int pack(lua_State *L)
{
    struct packer p = { .reader = reader(L, luaL_checkstring(L, 1)), .arg = 1 };
    lua_pushnil(L); /* a missing argument must not be the buffer */
    mw_build_init(&p.out, L);
    while (*p.reader.at) {
        struct option option = next_option(&p.reader, p.total);
        p.total += option.padding + option.bytes;
        add_zeros(&p, option.padding);
        p.arg++;
        pack_option(&p, &option);
    }
    mw_build_push(&p.out);
    return 1;
}

static int packsize(lua_State *L)
{
    struct reader r = reader(L, luaL_checkstring(L, 1));
    size_t total = 0;
    while (*r.at) {
        struct option option = next_option(&r, total);
        luaL_argcheck(L, option.kind != KIND_STRING && option.kind != KIND_ZSTRING, 1,
                      "variable-length format");
        size_t bytes = option.padding + option.bytes;
        luaL_argcheck(L, total <= INT_MAX - bytes, 1, "format result too large");
        total += bytes;
    }
    lua_pushinteger(L, (lua_Integer)total);
    return 1;
}

/* ---- unpack ---- */

struct unpacker {
    struct reader reader;
    const char *data;
    size_t len, at;
};

static void unpack_number(struct unpacker *u, const struct option *option)
{
    union {
        float narrow;
        double wide;
        char bytes[sizeof(double)];
    } number;
    copy_ordered(&u->reader, number.bytes, u->data + u->at, option->bytes);
    lua_pushnumber(u->reader.L, option->kind == KIND_FLOAT ? (double)number.narrow : number.wide);
}

/* What stands behind the length; u->at stays at the length. */
static size_t unpack_string(struct unpacker *u, const struct option *option)
{
    lua_State *L = u->reader.L;
    size_t start = u->at + option->bytes;
    size_t len = (size_t)read_integer(&u->reader, u->data + u->at, option->bytes, false);
    luaL_argcheck(L, len <= u->len - start, 2, "data string too short");
    lua_pushlstring(L, u->data + start, len);
    return len;
}

static size_t unpack_zstring(struct unpacker *u)
{
    const char *start = u->data + u->at;
    const char *end = memchr(start, 0, u->len - u->at);
    luaL_argcheck(u->reader.L, end != NULL, 2, "unfinished string for format 'z'");
    lua_pushlstring(u->reader.L, start, (size_t)(end - start));
    return (size_t)(end - start) + 1;
}

/* Pushes the value, if the option has one, and goes on behind it. Gives how many were pushed. */
static int unpack_option(struct unpacker *u, const struct option *option)
{
    lua_State *L = u->reader.L;
    size_t more = 0; /* bytes beyond option->bytes */
    int pushed = 1;
    switch (option->kind) {
    case KIND_INTEGER:
    case KIND_UNSIGNED:
        lua_pushinteger(L, read_integer(&u->reader, u->data + u->at, option->bytes,
                                        option->kind == KIND_INTEGER));
        break;
    case KIND_FLOAT:
    case KIND_DOUBLE:
        unpack_number(u, option);
        break;
    case KIND_CHARS:
        lua_pushlstring(L, u->data + u->at, option->bytes);
        break;
    case KIND_STRING:
        more = unpack_string(u, option);
        break;
    case KIND_ZSTRING:
        more = unpack_zstring(u);
        break;
    case KIND_PADDING:
    case KIND_ALIGN:
    case KIND_NONE:
        pushed = 0;
        break;
    }
    u->at += option->bytes + more;
    return pushed;
}

/* From 0; counted from the end where it is negative, the start where it is before that. */
static size_t start_of(lua_Integer pos, size_t len)
{
    if (pos > 0)
        return (size_t)pos - 1;
    if (pos == 0 || 0u - (size_t)pos > len)
        return 0;
    return len - (0u - (size_t)pos);
}

static int unpack(lua_State *L)
{
    struct unpacker u = { .reader = reader(L, luaL_checkstring(L, 1)) };
    int results = 0;
    u.data = luaL_checklstring(L, 2, &u.len);
    u.at = start_of(luaL_optinteger(L, 3, 1), u.len);
    luaL_argcheck(L, u.at <= u.len, 3, "initial position out of string");
    while (*u.reader.at) {
        struct option option = next_option(&u.reader, u.at);
        luaL_argcheck(L, option.padding + option.bytes <= u.len - u.at, 2, "data string too short");
        u.at += option.padding;
        luaL_checkstack(L, 2, "too many results");
        results += unpack_option(&u, &option);
    }
    lua_pushinteger(L, (lua_Integer)u.at + 1);
    return results + 1;
}

const luaL_Reg mw_lua_pack_functions[] = {
    { "pack", pack },
    { "packsize", packsize },
    { "unpack", unpack },
    { NULL, NULL },
};
