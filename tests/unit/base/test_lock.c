#include "core/base/lock.h"

#include "tests/unit/unit.h"

#define TURNS 20000

struct tally {
    struct mw_lock lock;
    unsigned turns; /* guarded by lock */
};

static void *count_turns(void *data)
{
    struct tally *tally = data;
    for (int i = 0; i < TURNS; i++) {
        mw_lock_take(&tally->lock);
        tally->turns++;
        mw_lock_give(&tally->lock);
    }
    return NULL;
}

TEST(no_turn_is_lost_between_threads)
{
    struct tally tally = { .turns = 0 };
    pthread_t threads[4];
    mw_lock_init(&tally.lock);
    for (unsigned i = 0; i < MW_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_turns, &tally), 0);
    for (unsigned i = 0; i < MW_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    mw_lock_free(&tally.lock);
    assert_int_equal(tally.turns, MW_COUNT(threads) * TURNS);
}

int main(void)
{
    const struct CMUnitTest cases[] = { CASE(no_turn_is_lost_between_threads) };
    return RUN(cases);
}
