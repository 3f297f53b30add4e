/*
 * Checks against our own mistakes. What a peer or a script can do is never checked here.
 *
 *   mw_assert(x)    only a bug can break it; compiled out of release builds
 *   MW_ALWAYS(x)    against the impossible: asserts in debug builds, is plain `x` in release
 *   MW_NEVER_IF(x)  the same for conditions that must not hold
 */
#ifndef MW_BASE_CHECK_H
#define MW_BASE_CHECK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#define mw_assert(condition) assert(condition)

static inline bool mw_always_(bool condition)
{
    assert(condition);
    return condition;
}

static inline bool mw_never_(bool condition)
{
    assert(!condition);
    return condition;
}

#define MW_ALWAYS(condition)   mw_always_(condition)
#define MW_NEVER_IF(condition) mw_never_(condition)

/* The object that holds `member` at `pointer`. */
#define MW_OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define MW_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
