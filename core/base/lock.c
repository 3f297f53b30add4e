/*
 * A mutex over pthreads. A default mutex that is used rightly cannot fail, so a failure is a bug of
 * ours and asserted, not an answer that callers would have to handle.
 */
#include "core/base/lock.h"

#include "core/base/check.h"

void mw_lock_init(struct mw_lock *lock)
{
    (void)MW_ALWAYS(pthread_mutex_init(&lock->mutex, NULL) == 0);
}

void mw_lock_free(struct mw_lock *lock)
{
    (void)MW_ALWAYS(pthread_mutex_destroy(&lock->mutex) == 0);
}

void mw_lock_take(struct mw_lock *lock)
{
    (void)MW_ALWAYS(pthread_mutex_lock(&lock->mutex) == 0);
}

void mw_lock_give(struct mw_lock *lock)
{
    (void)MW_ALWAYS(pthread_mutex_unlock(&lock->mutex) == 0);
}
