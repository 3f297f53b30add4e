/*
 * Which bytes an item of a pattern takes (Lua 5.4 reference manual, 6.4.1). The classes are those
 * of the C locale, whatever locale the process runs in.
 */
#include "lua/pattern_item.h"

enum trait {
    UPPER = 1,
    LOWER = 2,
    DIGIT = 4,
    HEX = 8,
    SPACE = 16,
    CONTROL = 32,
    PUNCTUATION = 64,
    ZERO = 128,
};

const uint16_t mw_item_traits[256] = {
    [0] = CONTROL | ZERO,
    [1 ... 8] = CONTROL,
    [9 ... 13] = CONTROL | SPACE,
    [14 ... 31] = CONTROL,
    [' '] = SPACE,
    ['!' ... '/'] = PUNCTUATION,
    ['0' ... '9'] = DIGIT | HEX,
    [':' ... '@'] = PUNCTUATION,
    ['A' ... 'F'] = UPPER | HEX,
    ['G' ... 'Z'] = UPPER,
    ['[' ... '`'] = PUNCTUATION,
    ['a' ... 'f'] = LOWER | HEX,
    ['g' ... 'z'] = LOWER,
    ['{' ... '~'] = PUNCTUATION,
    [127] = CONTROL,
};

/* What the letter after a '%' asks for; other letters stand for themselves. */
static const uint16_t classes['z' - 'a' + 1] = {
    ['a' - 'a'] = UPPER | LOWER,
    ['c' - 'a'] = CONTROL,
    ['d' - 'a'] = DIGIT,
    ['g' - 'a'] = UPPER | LOWER | DIGIT | PUNCTUATION,
    ['l' - 'a'] = LOWER,
    ['p' - 'a'] = PUNCTUATION,
    ['s' - 'a'] = SPACE,
    ['u' - 'a'] = UPPER,
    ['w' - 'a'] = UPPER | LOWER | DIGIT,
    ['x' - 'a'] = HEX,
    ['z' - 'a'] = ZERO, /* of Lua 5.1: not in the manual any more, but still understood */
};

/* The item `%letter`: a class, or the byte itself. */
static inline void read_escaped(uint8_t letter, struct mw_item *item)
{
    item->kind = MW_ITEM_BYTE;
    item->byte = letter;
    if (!(mw_item_traits[letter] & (UPPER | LOWER)))
        return;
    item->traits = classes[(letter | 0x20) - 'a'];
    item->is_negated = (mw_item_traits[letter] & UPPER) != 0;
    if (item->traits)
        item->kind = MW_ITEM_CLASS;
}

static inline bool class_holds(const struct mw_item *item, uint8_t byte)
{
    return ((mw_item_traits[byte] & item->traits) != 0) != item->is_negated;
}

const uint8_t *mw_item_set_end(const uint8_t *at, const uint8_t *end, const volatile int *stop)
{
    if (at < end && *at == '^')
        at++;
    do { /* the first one is an element even if it is a ']' */
        if (at == end || *stop)
            return NULL;
        if (*at++ == '%' && at < end)
            at++;
    } while (at == end || *at != ']');
    return at;
}

/* The bytes of a set, or of a subject, between two looks at the stop flag: about 1 µs. */
#define PIECE_BYTES 1024

/*
 * Looks for the byte among the elements that begin before `limit`, which is not past `end`; *at
 * moves behind the last one. At the end of a set a '%' may stand before the ']': it was the end of
 * a range.
 */
static inline bool find_element(const uint8_t **at, const uint8_t *limit, const uint8_t *end,
                                uint8_t byte)
{
    const uint8_t *element = *at;
    while (element < limit) {
        uint8_t first = *element;
        if (first == '%') {
            struct mw_item item;
            read_escaped(element[1], &item);
            if (item.kind == MW_ITEM_CLASS ? class_holds(&item, byte) : item.byte == byte)
                return true;
            element += 2;
        } else if (element[1] == '-' && element + 2 < end) {
            if (first <= byte && byte <= element[2])
                return true;
            element += 3;
        } else {
            if (first == byte)
                return true;
            element++;
        }
    }
    *at = element;
    return false;
}

static inline bool set_holds(const uint8_t *set, const uint8_t *end, uint8_t byte,
                             const volatile int *stop)
{
    bool is_negated = *set == '^';
    const uint8_t *at = set + is_negated;
    do {
        const uint8_t *limit = end - at > PIECE_BYTES ? at + PIECE_BYTES : end;
        if (find_element(&at, limit, end, byte))
            return !is_negated;
    } while (at < end && !*stop);
    return is_negated;
}

bool mw_item_set_holds(const uint8_t *set, const uint8_t *end, uint8_t byte,
                       const volatile int *stop)
{
    return set_holds(set, end, byte, stop);
}

const uint8_t *mw_item_read(const uint8_t *at, const uint8_t *end, struct mw_item *item,
                            const volatile int *stop)
{
    switch (*at) {
    case '.':
        item->kind = MW_ITEM_ANY;
        return at + 1;
    case '%':
        if (at + 1 == end)
            return NULL;
        read_escaped(at[1], item);
        return at + 2;
    case '[':
        item->kind = MW_ITEM_SET;
        item->set = at + 1;
        item->set_end = mw_item_set_end(at + 1, end, stop);
        return item->set_end ? item->set_end + 1 : NULL;
    default:
        item->kind = MW_ITEM_BYTE;
        item->byte = *at;
        return at + 1;
    }
}

/* mw_item_seek within one piece; the switch is outside of the loops for their speed. */
static inline const uint8_t *seek_piece(const struct mw_item *item, bool taken, const uint8_t *at,
                                        const uint8_t *end, const volatile int *stop)
{
    switch (item->kind) {
    case MW_ITEM_BYTE:
        while (at < end && (*at == item->byte) != taken)
            at++;
        break;
    case MW_ITEM_ANY:
        return taken ? at : end;
    case MW_ITEM_CLASS:
        while (at < end && class_holds(item, *at) != taken)
            at++;
        break;
    case MW_ITEM_SET:
        while (at < end && set_holds(item->set, item->set_end, *at, stop) != taken)
            at++;
        break;
    }
    return at;
}

const uint8_t *mw_item_seek(const struct mw_item *item, bool taken, const uint8_t *from,
                            const uint8_t *end, const volatile int *stop)
{
    if (item->kind == MW_ITEM_ANY)
        return taken ? from : end;
    while (from < end && !*stop) {
        const uint8_t *piece_end = end - from < PIECE_BYTES ? end : from + PIECE_BYTES;
        const uint8_t *found = seek_piece(item, taken, from, piece_end, stop);
        if (found < piece_end)
            return found;
        from = piece_end;
    }
    return end;
}
