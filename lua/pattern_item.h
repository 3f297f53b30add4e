/*
 * The items of a pattern that take one byte of the subject: `x`, `.`, `%a`, `[a-z_%d]`. Pure: knows
 * no Lua. Views of the pattern are borrowed for as long as an item is used; `stop` is as in
 * lua/bytes.h.
 */
#ifndef MW_LUA_PATTERN_ITEM_H
#define MW_LUA_PATTERN_ITEM_H

#include "moonwire/types.h"

enum mw_item_kind {
    MW_ITEM_BYTE,
    MW_ITEM_ANY,
    MW_ITEM_CLASS,
    MW_ITEM_SET,
};

struct mw_item {
    enum mw_item_kind kind;
    uint8_t byte;                 /* BYTE: the one it takes */
    bool is_negated;              /* CLASS: takes what has none of `traits` */
    uint16_t traits;              /* CLASS */
    const uint8_t *set, *set_end; /* SET: from behind the '[' to the ']' */
};

/* What each byte is, as bits; private to the two functions below and pattern_item.c. */
extern const uint16_t mw_item_traits[256];

/* Does a set (from behind its '[' to its ']') hold the byte? */
bool mw_item_set_holds(const uint8_t *set, const uint8_t *end, uint8_t byte,
                       const volatile int *stop);

/* Where the set ends whose '[' is just before `at`: its ']', or NULL where it has none. */
const uint8_t *mw_item_set_end(const uint8_t *at, const uint8_t *end, const volatile int *stop);

/*
 * Reads the item at `at`, which is before `end`, and returns what stands behind it. NULL: the
 * pattern ends within the item, which begins with '%' or with '['.
 */
const uint8_t *mw_item_read(const uint8_t *at, const uint8_t *end, struct mw_item *item,
                            const volatile int *stop);

static inline bool mw_item_takes(const struct mw_item *item, uint8_t byte, const volatile int *stop)
{
    switch (item->kind) {
    case MW_ITEM_BYTE:
        return item->byte == byte;
    case MW_ITEM_ANY:
        return true;
    case MW_ITEM_CLASS:
        return ((mw_item_traits[byte] & item->traits) != 0) != item->is_negated;
    case MW_ITEM_SET:
        return mw_item_set_holds(item->set, item->set_end, byte, stop);
    }
    return false;
}

/* The first place from `from` on whose byte the item takes (`taken`) or does not; or `end`. */
const uint8_t *mw_item_seek(const struct mw_item *item, bool taken, const uint8_t *from,
                            const uint8_t *end, const volatile int *stop);

#endif
