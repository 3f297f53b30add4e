/*
 * A mutex that cannot fail, over pthreads. What is shared between threads is a closed list
 * (README.md); each such thing says which lock guards it.
 */
#ifndef MW_BASE_LOCK_H
#define MW_BASE_LOCK_H

#include <pthread.h>

struct mw_lock {
    pthread_mutex_t mutex;
};

void mw_lock_init(struct mw_lock *lock);
void mw_lock_free(struct mw_lock *lock);
void mw_lock_take(struct mw_lock *lock);
void mw_lock_give(struct mw_lock *lock);

#endif
