/*
 * Text without ownership: comparing, trimming, splitting, numbers with bounds, nearest name.
 * Knows ASCII only; what is not ASCII passes unchanged.
 */
#ifndef MW_BASE_STR_H
#define MW_BASE_STR_H

#include "moonwire/types.h"

bool mw_view_equal(struct mw_view a, struct mw_view b);
bool mw_view_is(struct mw_view a, const char *text);
/* Letters A-Z and a-z count as the same. */
bool mw_view_equal_nocase(struct mw_view a, struct mw_view b);
bool mw_view_is_nocase(struct mw_view a, const char *text);
bool mw_view_starts_with(struct mw_view a, const char *prefix);
bool mw_view_ends_with(struct mw_view a, const char *suffix);
/* Order of bytes, a shorter one first where one begins the other: <0, 0, >0. */
int mw_view_compare(struct mw_view a, struct mw_view b);
/* Without blanks and tabs at both ends. */
struct mw_view mw_view_trim(struct mw_view a);
/* The bytes from `start` on, empty where it is past the end. */
struct mw_view mw_view_from(struct mw_view a, size_t start);
/* Index of the first `byte` at or after `start`, or a.len. */
size_t mw_view_find(struct mw_view a, char byte, size_t start);

/*
 * Takes the part before the next `separator` off `*rest` into `*part`; false when nothing is left.
 * "a,b," gives "a", "b", "".  An empty rest gives nothing.
 */
bool mw_view_split(struct mw_view *rest, char separator, struct mw_view *part);

/*
 * True when the comma-separated list holds `token` in any letter case (RFC 9110 5.6.1; empty
 * elements are passed over).
 */
bool mw_list_has_token(struct mw_view list, const char *token);

/* A token by RFC 9110 5.6.2: one or more tchar. */
bool mw_is_token(struct mw_view a);

/*
 * Decimal digits only, no sign, no blank; false and *out untouched where it is not a number or
 * outside min..max.
 */
bool mw_parse_u64(struct mw_view a, uint64_t min, uint64_t max, uint64_t *out);

/*
 * The entry of `names` (NULL-terminated) nearest to `wrong` by edit distance, if it is near enough
 * to be what was meant; else NULL. Borrows.
 */
const char *mw_nearest_name(struct mw_view wrong, const char *const *names);

#endif
