/*
 * Looking at many bytes on behalf of a script, which may be stopped meanwhile. Pure: knows no Lua.
 *
 * `stop` is a flag that a signal handler of the same thread may set at any moment. Each of these
 * looks at it at least once in some thousands of bytes, and once it is set gives any answer:
 * whoever calls looks at the flag before it believes one.
 */
#ifndef MW_LUA_BYTES_H
#define MW_LUA_BYTES_H

#include "moonwire/types.h"

#define MW_BYTES_NONE SIZE_MAX

/* How many bytes the two have in common from their beginning, `len` at most. */
size_t mw_bytes_common(const char *a, const char *b, size_t len, const volatile int *stop);

/* Index of the first `byte` at or after `from` (<= in.len), or MW_BYTES_NONE. */
size_t mw_bytes_seek(struct mw_view in, char byte, size_t from, const volatile int *stop);

/*
 * Index of the first `what` at or after `from` (<= in.len), or MW_BYTES_NONE; an empty one is at
 * `from`. Takes time in proportion to in.len + what.len whatever the two are, and no memory.
 */
size_t mw_bytes_find(struct mw_view in, struct mw_view what, size_t from, const volatile int *stop);

#endif
